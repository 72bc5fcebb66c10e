hotprobe::event! {
    static HELLO: fn(who: &str);
}

fn main() {}
