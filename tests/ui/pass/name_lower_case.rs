#![deny(non_upper_case_globals)]

hotprobe::event! {
    static TICK: fn();
}

fn main() {
    TICK.fire();
}
