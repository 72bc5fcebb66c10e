hotprobe::event! {
    static SPLIT: fn((left, right): (u8, u8));
}

fn main() {}
