hotprobe::span! {
    static REQUEST: fn(route: &str) -> Option<u16>;
}

fn main() {}
