//! An event's name is an identifier.

hotprobe::event! {
    static 7: fn(who: &str);
}

fn main() {}
