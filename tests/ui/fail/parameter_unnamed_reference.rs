hotprobe::event! {
    static HELLO: fn(&str);
}

fn main() {}
