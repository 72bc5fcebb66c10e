//! Guides: usage, limits, cost and design. Their code is compiled and run as tests.
//!
//! * [`patterns`]: how programs and libraries use events and probes. Begin here.
//! * [`spans`]: operations with a begin and an end, and when to use them instead of events.
//! * [`limitations`]: what the crate does not do, and what to do instead.
//! * [`loom_models`]: events in your own loom models, and probes that check invariants there.
//! * [`performance`]: what an event costs, next to its peers, and how to measure it.
//! * [`design`]: how the crate works and why, and what it guarantees.
//! * [`orderings`]: every atomic access, what it orders, and its partner.
//! * [`glossary`]: the terms.

pub mod design;
pub mod glossary;
pub mod limitations;
pub mod loom_models;
pub mod orderings;
pub mod patterns;
pub mod performance;
pub mod spans;
