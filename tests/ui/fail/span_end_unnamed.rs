hotprobe::span! {
    static REQUEST: fn(route: &str) -> (u16);
}

fn main() {}
