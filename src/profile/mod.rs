//! Profiling: who fires an event, and how much.
//!
//! 1. [`Stacks`]: the call stacks that lead to an event (`stacks/`).
//! 2. [`ProfileError`]: what can go wrong (`error.rs`).

mod error;
pub mod stacks;

pub use error::ProfileError;
pub use stacks::{StackCounts, StackFrame, StackProfile, StackSample, Stacks, StacksBuilder};
