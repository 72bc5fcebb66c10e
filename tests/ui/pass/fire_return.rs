use hotprobe::fire;

hotprobe::event! {
    static READ: fn(n: usize);
}

fn read(text: Option<&str>) {
    let Some(text) = text else { return };
    fire!(READ, text.len());
}

fn main() {
    read(Some("1"));
}
