hotprobe::event! {
    static READY: fn();
}

fn main() {}
