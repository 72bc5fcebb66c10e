hotprobe::span! {
    static LOOKUP: fn() -> (#[skip] found: bool);
}

fn main() {}
