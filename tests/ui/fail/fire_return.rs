use hotprobe::fire;

hotprobe::event! {
    static READ: fn(n: u32);
}

fn read(text: Option<&str>) {
    fire!(READ, match text {
        Some(text) => text.len() as u32,
        None => return,
    });
}

fn main() {
    read(Some("1"));
}
