hotprobe::span! {
    static mut LOOKUP: fn(item: u64);
}

fn main() {}
