hotprobe::span! {
    static REQUEST: fn(route: &str) -> (status: u16);
}

fn main() {
    hotprobe::start!(REQUEST, &String::new()).end(200);
}
