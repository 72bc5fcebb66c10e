hotprobe::event! {
    static STORED: fn(id: u64);
}

fn main() {}
