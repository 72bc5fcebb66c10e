use hotprobe::fire;

hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

fn main() {
    let event = &STORED;
    fire!(*event, 1, "/");
}
