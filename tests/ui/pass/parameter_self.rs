hotprobe::event! {
    static HELLO: fn(this: &str);
}

fn main() {
    HELLO.fire("JP");
}
