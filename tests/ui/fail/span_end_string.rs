hotprobe::span! {
    static REQUEST: fn() -> (note: String);
}

fn main() {
    hotprobe::start!(REQUEST).end(String::new());
}
