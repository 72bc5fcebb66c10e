use hotprobe::start;

hotprobe::span! {
    static LOOKUP: fn(item: u64);
}

fn look_up(item: &str) -> Result<(), std::num::ParseIntError> {
    let item = item.parse()?;
    let span = start!(LOOKUP, item);
    span.end();
    Ok(())
}

fn main() {
    look_up("1").unwrap();
}
