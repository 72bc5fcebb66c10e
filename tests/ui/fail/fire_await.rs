use hotprobe::fire;

hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

async fn id() -> u64 {
    1
}

async fn store() {
    fire!(STORED, id().await, "/");
}

fn main() {
    drop(store());
}
