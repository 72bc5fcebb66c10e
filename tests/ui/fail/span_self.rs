hotprobe::span! {
    static LOOKUP: fn(self: &str);
}

fn main() {}
