hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

fn main() {
    STORED.fire(1, "/");
}
