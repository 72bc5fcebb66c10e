use hotprobe::start;

hotprobe::span! {
    static LOOKUP: fn();
}

fn spawn(_: impl Future + Send) {}

fn main() {
    spawn(async {
        let span = start!(LOOKUP).entered();
        std::future::ready(()).await;
        drop(span);
    });
}
