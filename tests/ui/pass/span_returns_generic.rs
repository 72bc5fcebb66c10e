hotprobe::span! {
    static REQUEST: fn(route: &str) -> (status: Option<u16>);
}

fn main() {}
