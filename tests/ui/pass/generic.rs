hotprobe::event! {
    static HELLO: fn(value: u64);
}

fn main() {}
