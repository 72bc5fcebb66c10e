use hotprobe::fire;

hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

fn main() {
    fire!(STORED, 1);
}
