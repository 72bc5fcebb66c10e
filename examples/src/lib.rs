//! The examples, and the code in the README: it compiles and passes as a documentation test of this
//! package, which depends on all crates.

/// The workspace's README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
