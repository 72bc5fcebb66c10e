use hotprobe::start;

hotprobe::span! {
    static LOOKUP: fn() -> (found: u64);
}

fn main() {
    start!(LOOKUP).end();
}
