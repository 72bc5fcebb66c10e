hotprobe::span! {
    static REQUEST: fn() -> (note: &str);
}

fn main() {
    hotprobe::start!(REQUEST).end(&String::new());
}
