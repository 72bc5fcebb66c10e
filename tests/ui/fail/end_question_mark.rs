use hotprobe::{end, start};

hotprobe::span! {
    static LOOKUP: fn() -> (found: u64);
}

fn look_up(item: &str) -> Result<(), std::num::ParseIntError> {
    let span = start!(LOOKUP);
    end!(span, item.parse()?);
    Ok(())
}

fn main() {
    look_up("1").unwrap();
}
