//! The other way out: to say the dependency's name, and nothing else.

#![forbid(unsafe_code)]
#![deny(warnings)]

use unnamed as _;

#[test]
fn a_dependency_that_is_named_is_there() {
    assert!(hotprobe::find("unnamed::LOST").is_some());
}
