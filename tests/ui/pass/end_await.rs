use hotprobe::{end, start};

hotprobe::span! {
    static LOOKUP: fn() -> (found: u64);
}

async fn look_up(item: std::future::Ready<u64>) {
    let span = start!(LOOKUP);
    let item = item.await;
    end!(span, item);
}

fn main() {
    drop(look_up(std::future::ready(1)));
}
