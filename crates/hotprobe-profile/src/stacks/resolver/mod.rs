//! Which functions are at an address.
//!
//! On Linux, [`Resolver`] (`linux.rs`) reads the files that the process has loaded (`modules.rs`)
//! by itself (`symbol_file.rs`; `files.rs` finds and maps them). Resolvers share what they have
//! read (`cache.rs`), and no lock with a firing. Elsewhere (`portable.rs`) the crate `backtrace`
//! looks names up, under a lock of its own.

mod found;

#[cfg(target_os = "linux")]
mod cache;
#[cfg(target_os = "linux")]
mod files;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
mod modules;
#[cfg(target_os = "linux")]
mod symbol_file;
#[cfg(target_os = "linux")]
pub(super) use {cache::ModuleCache, cache::NamedModules, linux::Resolver};

#[cfg(not(target_os = "linux"))]
mod portable;
#[cfg(not(target_os = "linux"))]
pub(super) use portable::{ModuleCache, NamedModules, Resolver};
