hotprobe::event! {
    static TICK: fn();
}

fn main() {}
