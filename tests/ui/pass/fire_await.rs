use hotprobe::fire;

hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

async fn id() -> u64 {
    1
}

async fn store() {
    let id = id().await;
    fire!(STORED, id, "/");
}

fn main() {
    drop(store());
}
