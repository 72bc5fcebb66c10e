//! The examples, as their users run them.

#![allow(
    clippy::too_many_lines,
    clippy::semicolon_if_nothing_returned,
    reason = "a test reads best in one piece"
)]

mod directory;
mod hello;
mod live_server;
mod profile_example;
mod record_example;
mod verify_pool;
