hotprobe::event! {
    static STORED: fn(item: u64);
}

fn main() {
    hotprobe::start!(STORED, 7);
}
