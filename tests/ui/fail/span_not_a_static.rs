hotprobe::span! {
    fn lookup(item: u64);
}

fn main() {}
