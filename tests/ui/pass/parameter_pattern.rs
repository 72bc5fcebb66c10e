hotprobe::event! {
    static SPLIT: fn(pair: (u8, u8));
}

fn main() {}
