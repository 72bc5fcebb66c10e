hotprobe::event! {
    static STORED: fn(u64);
}

fn main() {}
