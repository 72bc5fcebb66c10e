hotprobe::span! {
    static REQUEST: fn(route: &str) -> (status: u16);
    static LOOKUP: fn(item: u64);
}

fn main() {
    hotprobe::start!(REQUEST, "/").end(200);
    hotprobe::start!(LOOKUP, 7).end();
}
