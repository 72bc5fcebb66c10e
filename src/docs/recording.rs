//! Events recorded: what is kept, what is lost, what it costs. (Feature `record`.)
//!
//! # A recording
//!
//! A [`Recorder`] chooses events, [`start`] attaches to all of them at one instant, and [`finish`] detaches at one,
//! waits for the firings in flight, and returns the [`Trace`]:
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe::record::Recorder;
//!
//! hotprobe::event! {
//!     static REQUEST_RECEIVED: fn(id: u64, path: &str);
//!     static REQUEST_DONE: fn(id: u64, status: u16);
//! }
//!
//! let recording = Recorder::new()
//!     .slice("request", &REQUEST_RECEIVED, &REQUEST_DONE, "id")
//!     .start()?;
//! fire!(REQUEST_RECEIVED, 1, "/orders");
//! fire!(REQUEST_DONE, 1, 200);
//! let trace = recording.finish()?;
//!
//! for entry in trace.records() {
//!     println!("{:?} {:?} {} {:?}", entry.time(), entry.thread(), entry.event().name(), entry.values());
//! }
//! assert_eq!(trace.sum().written, 2);
//! # Ok::<(), hotprobe::record::RecordError>(())
//! ```
//!
//! [`Trace::save`] writes it to a file for Perfetto (`.pftrace`), Chrome (`.json`), or babeltrace2 and Trace Compass (a
//! directory, or `.ctf`).
//!
//! In Perfetto, each pair of a [`slice`](Recorder::slice) is one slice on a track of that name, on whatever threads it began and
//! ended. Slices with the same key, by a parameter of the same name and type, stand inside of each other where they nest:
//! with `.slice("store", &STORE_BEGIN, &STORE_END, "id")`, what a request asks of the store stands inside of the request, and
//! tells where its time goes. (In a streamed file it does once it has ended. What overlaps otherwise has a track of its own.)
//! Chrome's format has each slice by itself.
//!
//! A real one: the example `record` records a server under load, and writes all three formats
//! (`cargo run --release --features record --example record -- --out target/trace`); `live_server --record FILE` streams. README
//! shows how that looks in Perfetto.
//!
//! What has an end of its own, is long, or is not known beforehand:
//!
//! | | |
//! |---|---|
//! | a long recording | [`stream_to`](Recorder::stream_to): written to the file while it goes on |
//! | the last seconds before something | [`Overflow::OverwriteOldest`], with [`snapshot`](Recording::snapshot), [`dump`](Recording::dump), or [`dump_on_panic`](Recorder::dump_on_panic) |
//! | asked for from outside | [`from_env`]: `HOTPROBE_RECORD='shop::*=trace.pftrace' ./app` |
//!
//! # What a record has
//!
//! The time; the thread, its name and the system's number; with the feature `tokio` the task that runs there; and the
//! arguments, copied. Texts and bytes are cut at a length ([`cut_texts_at`](Recorder::cut_texts_at)), and marked then.
//! What has no kind of its own ([`Value`](crate::Value)) is formatted by its `Debug`: one that panics, or that writes
//! without end, costs that value and nothing else. (With `panic = "abort"` there is no way out of a `Debug` that goes on
//! writing whatever it is told.) Nothing of a parameter that is marked `#[redact]` comes into a recording.
//!
//! # What is lost, and how that is known
//!
//! Of each event, on each thread: `fired == written + lost`, exactly ([`Trace::counts`]). The files say so, too, and show
//! losses at the time of the first. Lost is
//!
//! * what finds its thread's buffer full, the newest or the oldest ([`Overflow`]);
//! * what is fired by threads for which the cap ([`buffers_together`](Recorder::buffers_together)) leaves no buffer;
//! * what is fired while its thread gets its buffer (an allocator that fires events). It is counted as a thread of its
//!   own;
//! * in a flight recorder that is full, what a thread fires while its buffer is being copied.
//!
//! Threads that end lose nothing, what they fire in their last destructors included: their buffers go to the next
//! thread, with what is in them. A child after `fork` records nothing of use, and its
//! [`finish`] says so.
//!
//! # What it costs
//!
//! Each firing thread has a buffer of its own: a ring of words that it writes without a lock and without an allocation.
//! From `fire` to the record in the buffer it takes, above the clock that is read, about 11 ns for an event with one
//! number, 15 ns with a text of 32 bytes; more than half of that is firing a dynamic probe. The clock: `Instant` is right
//! everywhere, and takes 25 ns on the machine where this was measured; the processor's counter (feature `tsc`) takes 9.5 ns.
//! It is calibrated before `main`, and between threads it may step back by tens of nanoseconds. Overwriting the oldest costs
//! 3 ns more. `cargo benches --bench record` measures it, beside others; with `--features tsc` by the counter.
//!
//! A thread's first firing gets it a buffer: an allocation, and a write to all of it.
//!
//! # Where it blocks
//!
//! Firing waits for nobody that writes files. [`finish`] blocks as [`synchronize`](crate::synchronize) does, and until a
//! streamed file is written; inside a probe it is refused ([`RecordError::InProbe`](crate::record::RecordError::InProbe)).
//! If a file that is streamed to fails, the recording detaches, and `finish` returns the first error.
//!
//! [`start`]: crate::record::Recorder::start
//! [`finish`]: crate::record::Recording::finish
//! [`from_env`]: crate::record::from_env

#[allow(unused_imports, reason = "for the links above")]
use crate::record::{Overflow, Recorder, Recording, Trace};
