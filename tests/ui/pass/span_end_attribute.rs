hotprobe::span! {
    static LOOKUP: fn() -> (#[redact] found: bool);
}

fn main() {}
