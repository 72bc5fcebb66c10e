//! Profiling.

mod stacks;
