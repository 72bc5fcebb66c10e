hotprobe::span! {
    static 7: fn(item: u64);
}

fn main() {}
