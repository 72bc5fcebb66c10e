hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn main() {
    hotprobe::fire!(LOOKUP, 7);
}
