use hotprobe::{end, start};

hotprobe::span! {
    static LOOKUP: fn() -> (found: u64);
}

async fn look_up(item: std::future::Ready<u64>) {
    let span = start!(LOOKUP);
    end!(span, item.await);
}

fn main() {
    drop(look_up(std::future::ready(1)));
}
