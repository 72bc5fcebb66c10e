use hotprobe::start;

hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn look_up(item: &str) -> Result<(), std::num::ParseIntError> {
    let span = start!(LOOKUP, item.parse()?);
    span.end();
    Ok(())
}

fn main() {
    look_up("1").unwrap();
}
