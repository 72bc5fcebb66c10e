//! Profiling: how long it takes from one event to another, and how often events are fired, by whom.
//!
//! In reading order:
