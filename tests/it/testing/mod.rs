//! Synchronous tracing (feature `testing`): the kit's own tests.

#[cfg(feature = "tokio")]
mod asynchronous;
mod ends;
mod example;
mod explore;
mod reports;
mod scopes;
mod streams;
mod verify;
