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
//! The return addresses from the firing function outwards, found by the unwind tables that panics
//! use. Capturing needs no frame pointers and no debug information. Names are looked up when a
//! profile is written, not before:
//!
//! * with debug information (`debug = "limited"` is enough): names, files, lines and inlined
//!   functions;
//! * with `debug = "line-tables-only"`: the same, but only the last part of each name;
//! * without: the functions of the symbol table;
//! * in a stripped program: addresses, including those of this library, which cannot be recognized.
//!
//! A program without unwind tables (`panic = "abort"`, on some platforms) has stacks of one or two
//! frames.
//!
//! Frames of this library are not shown: the innermost frame is the function that fired. If a probe
//! fires, the frames between the two firings are not shown either.
//!
//! # Async
//! A future is no stack: the code that called `.await` is on the stack only while it polls. So a
//! stack begins at the runtime's worker, and leads through the `poll`s of nested futures to the
//! function that fired. Tasks that wait for one another have stacks of their own.
//!
//! Use a label to tell tasks apart: give the event a parameter with few values (`route`, `tenant`),
//! and choose it with [`label`](Stacks::label). `go tool pprof -tags` lists the labels of a
//! profile, and `-tagfocus=route=/orders` shows the stacks with one of them.
//!
//! # Counts
//! Each firing is counted in exactly one of four places, with its weight:
//!
//! * at its stack;
//! * at the stack `(other)`, if the table of stacks is full;
//! * at the stack `(in hotprobe)`, if the profile's own work fired it;
//! * as skipped by [`every`](Stacks::every).
//!
//! [`StackCounts`] has the number of each. A firing that a [condition](Stacks::filter) rejects is
//! in none of them; it is counted apart.
//!
//! # Memory
//! The table has room for [`max_stacks`](Stacks::max_stacks) stacks, 32 to 64 bytes each from the
//! start. Stacks with different labels are different stacks. A stack in the table takes 8 bytes for
//! each frame, its labels, and about 150 bytes. A firing of a known stack allocates nothing.
//! Capturing needs about 6 KiB of the thread's own stack.
//!
//! On Linux, a profile whose names were looked up keeps what was read for that: in a debug build
//! about one and a half times the size of the program's file (45 MB for 28 MB). All profiles of the
//! process share it, and the last one frees it. To write profile after profile, keep each one until
//! the next is written: only the first reads the files. To keep a profile for long, keep what it
//! wrote. Debug information that is installed meanwhile is not seen.
//!
//! A new stack allocates: don't profile an event that is fired under a lock that the allocator
//! needs.
//!
//! # Cost
//! About 0.1 µs for each frame, including frames of this library, all of it in the unwinder. That
//! is about two thirds of [`Backtrace::force_capture`](std::backtrace::Backtrace::force_capture).
//! A firing under 10, 30 and 60 frames takes 22,600, 45,200 and 97,300 instructions (the counts of
//! `valgrind --tool=callgrind`, of 3000 firings less those of 1000, in a release build on x86-64);
//! `cargo benches --bench stacks` measures the time. Neither the capture nor the table takes a lock,
//! so threads do not wait for each other. For frequent events use [`every`](Stacks::every).
//!
//! Names are looked up on the thread that asks for them, without a lock that a firing takes. On
//! Linux it reads the debug information of the loaded files itself: 1.8 s for a debug build of
//! 28 MB. Later profiles use what was read, and take 1 to 5 ms (9 million instructions), as long as
//! one named profile lives. (On two shared cores of an Intel Xeon, Sapphire or Emerald Rapids.)
//! Elsewhere the crate [`backtrace`](https://github.com/rust-lang/backtrace-rs) looks names up,
//! under a lock of its own.
//!
//! # The code, in reading order
//! [`Stacks`], the builder (`builder.rs`), and [`StacksSession`] (`session.rs`); what a firing does
//! (`collector.rs`): its stack and labels (`capture.rs`), and where they are counted (`table.rs`);
//! what was counted, as addresses (`raw.rs`); the names (`symbols.rs`, by `resolver/`) of the
//! frames that are shown (`trim.rs`); [`StackProfile`] (`profile.rs`). The formats are in
//! `output/`.

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
