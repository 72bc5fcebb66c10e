hotprobe::span! {
    static LOOKUP: fn() -> (found: u64);
}

fn main() {
    let _probe = LOOKUP.attach_end(|_, found: u64| println!("{found}"));
}
