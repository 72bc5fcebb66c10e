//! Tests of the kit itself.

#![allow(
    clippy::items_after_statements,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::needless_for_each,
    clippy::semicolon_if_nothing_returned,
    clippy::verbose_bit_mask,
    reason = "a test reads best in one piece, with what it needs beside it"
)]
#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

mod adoption;
#[cfg(feature = "tokio")]
mod asynchronous;
mod ends;
mod explore;
mod reports;
mod scopes;
mod streams;
mod verify;
