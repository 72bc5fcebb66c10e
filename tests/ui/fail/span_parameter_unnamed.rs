hotprobe::span! {
    static REQUEST: fn(&str) -> (status: u16);
}

fn main() {}
