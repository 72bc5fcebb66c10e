use hotprobe::start;

hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn look_up(lookup: &LOOKUP) {
    start!(lookup, 7).end();
}

fn main() {
    look_up(&LOOKUP);
}
