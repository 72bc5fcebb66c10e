//! Models of the design, on loom and the real crossbeam-epoch: `cargo loom`. Empty in other builds.
#![cfg(crossbeam_loom)]

mod smoke;
