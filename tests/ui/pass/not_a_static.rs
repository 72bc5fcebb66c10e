hotprobe::event! {
    pub static HELLO: fn(who: &str);
}

fn main() {}
