//! The integration tests, one binary, a module for each part of the contract.

#![allow(
    clippy::items_after_statements,
    clippy::format_push_string,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "a test reads best with what it needs beside it"
)]
#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

mod alloc;
mod binding;
mod counts;
mod grammar;
mod meaning;
mod random;
mod reference;

use hotprobe::{Metadata, Value};
use hotprobe_filter::{Bound, Condition};

/// Parses and binds; both have to succeed.
fn bound(condition: &str, event: &Metadata) -> Bound {
    let condition = match Condition::parse(condition) {
        Ok(condition) => condition,
        Err(error) => panic!("{error}"),
    };
    match condition.bind(event) {
        Ok(bound) => bound,
        Err(error) => panic!("{error}"),
    }
}

hotprobe::event! {
    /// One parameter, whose type the condition knows nothing of.
    static ANY: fn(x: Anything);
}

/// A type of the program.
#[derive(Clone, Copy, Debug)]
struct Anything;

/// Whether a value of unknown type meets a condition on `x`.
fn holds(condition: &str, x: Value<'_>) -> bool {
    bound(condition, ANY.metadata()).matches(&[x])
}
