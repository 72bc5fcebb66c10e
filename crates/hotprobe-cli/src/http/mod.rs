//! How a server is asked.

pub(crate) mod client;
pub(crate) mod sse;
mod token;

pub(crate) use token::refused;
