//! Why it is built so, what it guarantees, where its limits are: pages with running code.
//!
//! * [`patterns`]: how programs and libraries use it. Begin here.
//! * [`limitations`]: what it does not do, and what to do instead.
//! * [`loom_models`]: events in code that is checked with loom, and probes that check it.
//! * [`performance`]: what an event costs, off and on, and how to see it for yourself.
//! * [`design`]: how it works and why, and a table of what it guarantees.
//! * [`orderings`]: every atomic access, what it orders, and its partner.
//! * [`glossary`]: the words.

pub mod design;
pub mod glossary;
pub mod limitations;
pub mod loom_models;
pub mod orderings;
pub mod patterns;
pub mod performance;
