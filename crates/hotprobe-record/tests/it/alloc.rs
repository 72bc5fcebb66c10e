//! The allocator of this binary: counts what is alive, and can be told to fire events.

pub(crate) use test_support::system::allocations;

test_support::counting_allocator!();
