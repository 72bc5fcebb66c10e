hotprobe::event! {
    static COUNT: fn(count: u64);
}

fn main() {}
