hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn main() {
    let _span = hotprobe::start!(LOOKUP, 7);
}
