//! File formats: the seam between recordings and formats ([`export`]), which formats there are
//! ([`file`]), and each of them.
//!
//! What they share: begins and ends are paired in [`pairs`]; slices inside other slices are found
//! in [`nesting`]; [`record_buffer`] knows which records a writer has accepted.

pub(crate) mod bytes;
pub(crate) mod chrome;
pub(crate) mod ctf;
pub(crate) mod export;
pub(crate) mod file;
pub(crate) mod nesting;
pub(crate) mod output;
pub(crate) mod pairs;
pub(crate) mod perfetto;
pub(crate) mod record_buffer;
#[cfg(test)]
pub(crate) mod synthetic;
