hotprobe::event! {
    static READY: fn() -> bool;
}

fn main() {}
