//! What happens when a recorded event fires: a thread finds its buffer, and writes a record into
//! it.
//!
//! In reading order: the buffers of all threads, and how a firing finds its own ([`buffers`]), by
//! what its thread knows ([`lease`]) and what the recording knows of all threads ([`registry`],
//! [`this_thread`]); one buffer, and how a firing becomes a record in it ([`buffer`]); its ring
//! ([`ring`]); a record's words ([`encode`], [`texts`], [`task`]), and back ([`decode`]). What is
//! attached is in [`probes`]; what was written and lost is counted in [`tally`].

mod buffer;
pub(crate) mod buffers;
pub(crate) mod decode;
pub(crate) mod encode;
mod lease;
pub(crate) mod probes;
mod registry;
pub(crate) mod ring;
pub(crate) mod tally;
mod task;
mod texts;
mod this_thread;
