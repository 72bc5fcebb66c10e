struct Mine;

hotprobe::span! {
    static MINE: fn();
}

fn main() {}
