//! Profiling (feature `profile`).

mod between;
mod counts;
mod frames;
mod latency;
mod stacks;
mod written;

use hotprobe::profile::PairCounts;

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

/// `f` of `it::profile::frames::test::f`.
fn last(name: &str) -> &str {
    name.rsplit("::").next().expect("there is a last")
}
