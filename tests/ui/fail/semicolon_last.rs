hotprobe::event! {
    static HELLO: fn(who: &str);
    static TICK: fn()
}

fn main() {}
