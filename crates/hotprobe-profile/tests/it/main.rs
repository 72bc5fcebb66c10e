//! The integration tests, one binary, a module for each kind of result.

#![allow(
    clippy::items_after_statements,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::needless_for_each,
    clippy::semicolon_if_nothing_returned,
    clippy::verbose_bit_mask,
    reason = "a test reads best in one piece, with what it needs beside it"
)]
#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

mod alloc;
mod between;
mod counts;
mod exposition;
mod frames;
#[cfg(feature = "serde")]
mod json;
mod latency;
mod metrics;
mod stacks;
mod written;

use hotprobe_profile::PairCounts;

/// What each snapshot must keep.
fn balanced(counts: &PairCounts) {
    assert_eq!(
        counts.carried + counts.begins,
        counts.matched + counts.unmatched_begins + counts.evicted + counts.open,
        "{counts:?}"
    );
    assert_eq!(
        counts.ends,
        counts.matched + counts.unmatched_ends,
        "{counts:?}"
    );
}

/// `f` of `it::frames::test::f`.
fn last(name: &str) -> &str {
    name.rsplit("::").next().expect("there is a last")
}
