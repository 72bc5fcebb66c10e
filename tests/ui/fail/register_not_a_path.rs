hotprobe::event! {
    static HELLO: fn(who: &str);
}

hotprobe::register!(&HELLO);

fn main() {}
