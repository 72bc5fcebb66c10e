//! Which functions are at an address.
//!
//! On Linux, [`Resolver`] (`linux.rs`) reads the files that the process has loaded (`modules.rs`)
//! by itself (`symbol_file.rs`; `files.rs` finds and maps them). It shares no lock with anything: a
//! thread that fires does not wait while it reads, and two profiles can be named at once. Elsewhere
//! (`portable.rs`) the crate `backtrace` looks names up, under a lock of its own.

mod found;

#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod modules;
#[cfg(target_os = "linux")]
mod symbol_file;
#[cfg(target_os = "linux")]
pub(super) use {files::SymbolFiles, linux::Resolver};

#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::{Resolver, SymbolFiles};
