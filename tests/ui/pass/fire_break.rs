use hotprobe::fire;

hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

fn main() {
    for id in [Some(1), None] {
        let Some(id) = id else { break };
        fire!(STORED, id, "/");
    }
}
