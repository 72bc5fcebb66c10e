use hotprobe::fire;

hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

fn main() {
    for id in [Some(1), None] {
        fire!(STORED, if let Some(id) = id { id } else { break }, "/");
    }
}
