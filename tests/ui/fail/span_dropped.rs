#![deny(unused_must_use)]

hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn main() {
    hotprobe::start!(LOOKUP, 7);
}
