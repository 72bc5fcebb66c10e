use hotprobe::fire;

hotprobe::event! {
    static STORED: fn(id: u64, path: &str);
}

fn store(id: &str) -> Result<(), std::num::ParseIntError> {
    let id = id.parse()?;
    fire!(STORED, id, "/");
    Ok(())
}

fn main() {
    store("1").unwrap();
}
