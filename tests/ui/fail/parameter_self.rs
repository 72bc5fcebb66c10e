hotprobe::event! {
    static HELLO: fn(self: &str);
}

fn main() {}
