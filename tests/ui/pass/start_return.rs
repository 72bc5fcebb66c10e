use hotprobe::start;

hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn look_up(item: Option<u64>) {
    let span = start!(
        LOOKUP,
        match item {
            Some(item) => item,
            None => 0,
        }
    );
    span.end();
}

fn main() {
    look_up(Some(1));
}
