//! The integration tests, one binary, a module for each guarantee or subject.
//!
//! Tests run beside one another in one process, and grace periods and counters are process-wide: a
//! test that needs a process to itself says so by [`isolated`].

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

mod alloc;
mod alloc_failure;
mod anywhere;
mod api;
mod captures;
mod catalog;
mod consumers;
mod counts;
mod declared;
mod depth;
mod detach;
mod epoch;
mod in_span;
mod instant;
mod locks;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod membarrier;
mod memory;
mod model;
mod off;
mod order;
mod panics;
mod snapshot;
mod spans;
mod symbols;
mod synchronize;
mod ui;

use test_support::{CHILD, Door, Witness, child, eventually, isolated, quiet_planned_panics, text};
