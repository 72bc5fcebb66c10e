//! Recorded streams of events, and the file formats they are written in.

#![allow(dead_code, reason = "what drives the exporters is not here yet")]

mod chrome;
mod ctf;
mod export;
mod pairs;
mod perfetto;
mod proto;
#[cfg(test)]
mod synthetic;
