hotprobe::event! {
    static STORED: fn(item: u64);
}

fn main() {
    hotprobe::fire!(STORED, 7);
}
