hotprobe::span! {
    static REQUEST: fn(route: &str) -> (status: u16);
}

fn main() {}
