//! The gap of lists that the linker puts together: a dependency that no code names is not given to
//! it. (If this fails, compilers do it now: then `register!` and its documentation say too much.)

#![forbid(unsafe_code)]
#![deny(warnings)]

#[test]
fn a_dependency_that_nothing_names_is_missing() {
    assert_eq!(catalog::request("/").path, "/");
    assert_eq!(hotprobe::find("unnamed::LOST"), None);
    assert!(hotprobe::matching("unnamed::*").is_empty());
}

#[test]
fn those_that_are_named_are_there_with_all_their_events() {
    assert_eq!(catalog::request("/").path, "/");
    assert!(hotprobe::find("catalog::HERE").is_some());
    assert!(hotprobe::find("declares::events::REQUEST_DONE").is_some());
    assert_eq!(hotprobe::matching("declares::*").len(), 17 + 2 * 4);
}
