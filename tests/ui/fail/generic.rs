hotprobe::event! {
    static HELLO: fn<T>(value: T);
}

fn main() {}
