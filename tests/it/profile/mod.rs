//! Profiling.

mod frames;
mod stacks;

/// `f` of `it::profile::frames::test::f`.
fn last(name: &str) -> &str {
    name.rsplit("::").next().expect("there is a last")
}
