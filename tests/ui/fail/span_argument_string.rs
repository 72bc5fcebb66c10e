hotprobe::span! {
    static REQUEST: fn(route: String) -> (status: u16);
}

fn main() {
    hotprobe::start!(REQUEST, String::new()).end(200);
}
