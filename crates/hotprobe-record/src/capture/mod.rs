//! What happens when a recorded event fires: a thread finds its buffer, and writes a record into it.
//!
//! In reading order: the buffers of all threads, and how a firing finds its own ([`buffers`]); one buffer ([`ring`]); a record
//! in it ([`encode`]).

pub(crate) mod buffers;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod ring;
mod texts;
