//! Stack profiles: which call stacks lead to an event, and how much comes by each.
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_profile::Stacks;
//!
//! hotprobe::event! { static ALLOCATED: fn(route: &str, bytes: usize); }
//!
//! fn serve(route: &str) {
//!     fire!(ALLOCATED, route, 4096);
//! }
//!
//! let session = Stacks::at(&ALLOCATED).weight("bytes").label("route").start()?;
//! serve("/orders");
//! let profile = session.finish()?; // complete: no firing is counted any more
//! let sample = &profile.samples()[0];
//! assert!(sample.frames()[0].name().ends_with("::serve"));
//! assert_eq!((sample.count(), sample.weight()), (1, 4096));
//! # if false {
//! profile.save("allocated.pb.gz")?; // go tool pprof -http=: allocated.pb.gz
//! profile.save("allocated.svg")?; // a flame graph
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What a stack is
//! The return addresses from the firing function outwards, found by the unwind tables that panics use: no frame
//! pointers and no debug information are needed for them. Names are looked up when a profile is written, not before. With
//! debug information (`debug = "limited"` is enough) there are files, lines, and the functions that were inlined; with
//! `debug = "line-tables-only"` the compiler leaves the last part of each name. Without any there are the
//! functions of the symbol table; in a stripped program, addresses, and among them those of this library, which cannot be
//! told apart then. A program without unwind tables (`panic = "abort"`, on some platforms) has stacks of a frame or two.
//!
//! Frames of this library do not show: the innermost frame is the function that fired. Where a probe fires, the frames
//! between the two firings do not show either.
//!
//! # Async
//! A future is no stack: what called `.await` is on the stack only while it polls. So a stack begins at the runtime's worker,
//! and leads by the `poll`s of the futures that lie in each other to the function that fired; tasks that wait for
//! one another have stacks of their own. What else is to tell tasks apart is a label: give the event a parameter
//! (`route`, `tenant`, an id of few values), and choose it with [`label`](Stacks::label). `go tool pprof -tags`
//! lists a profile's labels, and `-tagfocus=route=/orders` shows what belongs to one.
//!
//! # Counts
//! Each firing is in exactly one of four places, with its weight: a stack; the stack `(other)`, if the table of stacks was
//! full; the stack `(in hotprobe)`, if the profile's own work fired it; or among those that
//! [`every`](Stacks::every) passed over. [`StackCounts`] tells how many there are of each.
//!
//! # Memory
//! The table has room for [`max_stacks`](Stacks::max_stacks) stacks (with different labels they are
//! different stacks), 32 to 64 bytes each from the start; a stack that is there takes 8 bytes for each frame, its labels, and
//! about 150. Nothing is allocated for a stack that is known. Taking one needs about 6 KiB of the thread's own stack.
//!
//! A new stack allocates: an event that is fired while a lock is held that the allocator needs cannot be profiled.
//!
//! # Cost
//! About 0.1 µs for each frame, those of this library included: all of it is the unwinder's, which two thirds of
//! [`Backtrace::force_capture`](std::backtrace::Backtrace::force_capture) is, too. Neither the
//! capture nor the table takes a lock, so threads do not wait for each other.
//!
//! Names are looked up by the thread that asks for them, and without a lock that a firing takes, too: on Linux, it reads the
//! debug information of the loaded files by itself, each time a profile is written. Elsewhere the crate
//! [`backtrace`](https://github.com/rust-lang/backtrace-rs) looks names up, under a lock of its own. For events that come often
//! there is [`every`](Stacks::every).
//!
//! # The code, in reading order
//! [`Stacks`], the builder (`builder.rs`), and [`StacksSession`] (`session.rs`); what a firing does (`collector.rs`): its stack
//! and labels (`capture.rs`), and where they are counted (`table.rs`); what was counted, as addresses (`raw.rs`); the names
//! (`symbols.rs`, by `resolver/`) of the frames that are shown (`trim.rs`); [`StackProfile`] (`profile.rs`). The formats are in `output/`.

mod builder;
mod capture;
mod collector;
pub(crate) mod profile;
pub(crate) mod raw;
mod resolver;
mod session;
pub(crate) mod symbols;
mod system;
mod table;
mod trim;

pub use builder::Stacks;
pub use profile::{StackFrame, StackProfile, StackSample};
pub use raw::StackCounts;
pub use session::StacksSession;
