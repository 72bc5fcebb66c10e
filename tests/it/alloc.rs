//! The allocator of this binary: counts what is alive, spoils what is freed, and can be told to
//! fail, or to fire events.

pub(crate) use test_support::system::{
    allocations, fail_after, live_bytes, stop_failing, when_failing,
};

test_support::counting_allocator!();
