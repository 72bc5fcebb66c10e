#![deny(non_upper_case_globals)]

hotprobe::event! {
    static tick: fn();
}

fn main() {}
