use hotprobe::{end, start};

hotprobe::span! {
    static LOOKUP: fn();
}

fn main() {
    let span = start!(LOOKUP).entered();
    end!(span);
}
