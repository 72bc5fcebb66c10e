hotprobe::span! {
    static LOOKUP: fn(this: &str);
}

fn main() {}
