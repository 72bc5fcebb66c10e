//! `/debug/probes`: look into a live server from a browser, `curl`, or the program `hotprobe` (feature `axum`).
//!
//! ```
//! use hotprobe_admin::{Admin, router};
//!
//! let admin = Admin::new(); // answers this machine only; `.token(…)` opens it to whoever has that
//! let app = axum::Router::<()>::new().nest("/debug/probes", router(admin));
//! # drop(app);
//! ```
//!
//! [`guide`](crate::guide) says how it is mounted, what each endpoint answers, and who is let in. In reading order:
//!
//! 1. [`Admin`], what may be and who may; [`router`] (here).
//! 2. Who may ask (`access.rs`); with which parameters (`parameters.rs`); what those are told who may not (`errors.rs`).
//! 3. The endpoints, a file each (`endpoints/`).
//! 4. What is attached for a time (`sessions.rs`, with [`Shutdown`]) and streamed (`pipe.rs`, `sse.rs`), measured
//!    (`measure.rs`), or packed (`ctf_archive.rs`).

mod access;
mod admin;
mod ctf_archive;
mod endpoints;
mod errors;
pub mod guide;
mod measure;
mod parameters;
mod pipe;
mod request;
mod response;
mod router;
mod sessions;
mod sse;

pub use admin::Admin;
pub use router::router;
pub use sessions::Shutdown;
