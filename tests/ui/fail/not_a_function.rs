hotprobe::event! {
    static COUNT: u64;
}

fn main() {}
