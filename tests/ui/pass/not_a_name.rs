//! An event's name is an identifier.

hotprobe::event! {
    static SEVEN: fn(who: &str);
}

fn main() {
    SEVEN.fire("JP");
}
