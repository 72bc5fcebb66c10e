use hotprobe::start;

hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn main() {
    start!(LOOKUP, 7).end();
}
