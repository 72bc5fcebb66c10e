hotprobe::span! {
    static LOOKUP: fn<T>(item: T);
}

fn main() {}
