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
//! let mut stacks = Stacks::at(&ALLOCATED).weight("bytes").label("route").start()?;
//! serve("/orders");
//! let profile = stacks.finish()?; // nobody adds to it any more
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
//! (`route`, `tenant`, an id of few values), and choose it with [`label`](StacksBuilder::label). `go tool pprof -tags`
//! lists a profile's labels, and `-tagfocus=route=/orders` shows what belongs to one.
//!
//! # Counts
//! Each firing is in exactly one of four places, with its weight: a stack; the stack `(other)`, if the table of stacks was
//! full; the stack `(in hotprobe)`, if the profile's own work fired it; or among those that
//! [`every`](StacksBuilder::every) passed over. [`StackCounts`] tells how many there are of each.
//!
//! # Memory
//! The table has room for [`stacks_at_most`](StacksBuilder::stacks_at_most) stacks (with different labels they are
//! different stacks), 32 to 64 bytes each from the start; a stack that is there takes 8 bytes for each frame, its labels, and
//! about 150. Nothing is allocated for a stack that is known. Taking one needs about 6 KiB of the thread's own stack.
//!
//! On Linux, a profile whose names were looked up keeps what was read for that: in a debug build
//! about one and a half times as much as the program's file is long (45 MB for 28 MB). All profiles
//! of the process share it, and the last one frees it. To write profile after profile, keep each
//! until the next is written: none but the first reads the files. To keep a profile for long, keep
//! what it wrote. Debug information that is installed meanwhile is not seen.
//!
//! A new stack allocates: an event that is fired while a lock is held that the allocator needs cannot be profiled.
//!
//! # Cost
//! About 0.1 µs for each frame, those of this library included: all of it is the unwinder's, which
//! two thirds of [`Backtrace::force_capture`](std::backtrace::Backtrace::force_capture) is, too.
//! A firing under 10, 30 and 60 frames takes 22,600, 45,200 and 97,300 instructions (the counts of
//! `valgrind --tool=callgrind`, of 3000 firings less those of 1000, in a release build on x86-64);
//! `cargo benches --bench stacks` measures the time. Neither the capture nor the table takes a lock,
//! so threads do not wait for each other.
//!
//! The thread that asks for names looks them up, without a lock that a firing takes. On Linux, it
//! reads the debug information of the loaded files by itself: a second or so for a large debug
//! build. All profiles in the process share what was read: while one lives whose names were looked
//! up, another one has its names in a hundredth of that time. Elsewhere the crate `backtrace` looks
//! names up, under a lock of its own. For events that come often there is
//! [`every`](StacksBuilder::every).
//!
//! # The code, in reading order
//! [`StacksBuilder`] (`builder.rs`) and the handle [`Stacks`] (`profiler.rs`); what a firing does (`collector.rs`): its stack
//! and labels (`capture.rs`), and where they are counted (`table.rs`); what was counted, as addresses (`raw.rs`); the names
//! (`symbols.rs`, by `resolver/`) of the frames that are shown (`trim.rs`); [`StackProfile`] (`profile.rs`). The formats are in `output/`.

mod builder;
mod capture;
mod collector;
pub(crate) mod profile;
mod profiler;
pub(crate) mod raw;
mod resolver;
pub(crate) mod symbols;
mod system;
mod table;
mod trim;

pub use builder::StacksBuilder;
pub use profile::{StackFrame, StackProfile, StackSample};
pub use profiler::Stacks;
pub use raw::StackCounts;
