//! Many events in one block, and a long doc comment, without a `recursion_limit`.

#![forbid(unsafe_code)]
#![deny(warnings, missing_docs)]

include!(concat!(env!("OUT_DIR"), "/events.rs"));

#[cfg(test)]
mod tests {
    #[test]
    fn the_first_and_the_last_are_there() {
        hotprobe::fire!(super::E0, 1, "/");
        hotprobe::fire!(super::E199, 1, "/");
        assert_eq!(super::E199.name(), "many::E199");
        assert_eq!(super::E0.metadata().docs().lines().count(), 301);
    }
}
