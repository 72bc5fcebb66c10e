hotprobe::event! {
    static mut TICK: fn();
}

fn main() {}
