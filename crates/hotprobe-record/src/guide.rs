//! Events recorded: what is kept, what is lost, what it costs. (Feature `record`.)
//!
//! # A recording
//!
//! A [`Recorder`] chooses events, [`start`] attaches to all of them at one instant, and [`finish`] detaches at one,
//! waits for the firings in flight, and returns the [`Trace`]:
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_record::Recorder;
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
//! # Ok::<(), hotprobe_record::RecordError>(())
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
//! What has no kind of its own ([`Value`](hotprobe::Value)) is formatted by its `Debug`: one that panics, or that writes
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
//! * what is fired while its thread gets its buffer (an allocator that fires events). It is counted as that thread's; more
//!   than eight events of that kind, what is fired while a recording is read, and what one recording does to another, are
//!   counted as those of a thread of their own;
//! * in a flight recorder that is full, what a thread fires while its buffer is being copied.
//!
//! Threads that end lose nothing, what they fire in their last destructors included: their buffers go to the next
//! thread, with what is in them. A child after `fork` records nothing of use, and its
//! [`finish`] says so.
//!
//! # What it costs
//!
//! Each firing thread has a buffer of its own: a ring of words that it writes without a lock and without an allocation.
//! A firing reads the clock, writes what it shows as it is (nanoseconds are made of it when the records are read), and
//! copies the arguments. From `fire` to the record in the buffer, in nanoseconds above the clock, which is read in any case:
//!
//! | | by the processor's counter (feature `tsc`) | by `Instant` |
//! |---|---|---|
//! | *the clock alone* | *9.5* | *25.2* |
//! | no argument | 4.9 | 10.9 |
//! | `u64` | 6.2 | 11.5 |
//! | `u64`, on each of two threads at once | 5.9 | 11.6 |
//! | text of 32 bytes | 12.4 | 16.8 |
//! | `u64`, text of 32 bytes, `u16` | 15.2 | 20.0 |
//! | six `u64` | 11.4 | 15.2 |
//! | `Option<u64>`, by its `Debug` | 71 | 100 |
//!
//! `cargo benches --bench recorded`, with and without `--features tsc`; the undisturbed slices of one run each, on two
//! virtual cores of an AMD EPYC. Wanted were 4 for one `u64` by the counter, and 12 by `Instant`. The 6.2 consist of this: in
//! the same run a typed probe that does nothing takes 4.7, a dynamic one 6.6; a record without a clock (a constant in its
//! place, tried once) 11.4; and the counter's 9.5 add 4.2 to that, since the rest of them passes while the processor goes on
//! with what follows. What is missing might be had (nobody has tried) by a way from the event to the buffer that is compiled for each event,
//! without a dynamic probe; it would cost each event code, recorded or not. `Instant` lets less pass meanwhile.
//!
//! Others, by `cargo benches --bench record --features tsc -- --quick` (criterion; medians of one run on that machine, which
//! was not idle): 16.3 for one `u64` here, the clock included; 404 for a span with one property by fastrace, which makes a
//! `String` of it; 1561 for an event with one field by tracing-chrome. LTTng-UST's 116 for an integer is quoted: from a machine
//! of the same class, not from this run.
//!
//! `Instant` is right everywhere. The processor's counter is calibrated before `main`, and between threads it may step back by
//! tens of nanoseconds.
//!
//! A thread's first firing gets it a buffer: an allocation, and a write to all of it.
//!
//! # A streamed file
//!
//! A thread of the recording's own takes what the buffers have, all up to one moment, the earliest first, and hands it to the
//! file; then it sleeps for some milliseconds, or goes on if there was much. So a streamed file has its records in the order
//! of time, but for those that were just being written at such a moment. Five times a second the file is flushed.
//!
//! # Where it blocks
//!
//! Firing waits for nobody that writes files: while a writer blocks, records collect in the buffers, and what finds them full is
//! lost and counted. [`finish`] blocks as [`synchronize`](hotprobe::synchronize) does, and until a streamed file is written, so a
//! writer that never returns holds up `finish`, and nothing else; inside a probe it is refused
//! ([`RecordError::InProbe`](crate::RecordError::InProbe)).
//!
//! If a file that is streamed to fails, the recording detaches; [`finish`] returns the first error, with the counts
//! ([`RecordError::into_trace`](crate::RecordError::into_trace)). What had been flushed before counts as written,
//! all else as lost: of what came after, some may be in the file, and nobody knows how much.
//!
//! [`start`]: crate::Recorder::start
//! [`finish`]: crate::Recording::finish
//! [`from_env`]: crate::from_env

#[allow(unused_imports, reason = "for the links above")]
use crate::{Overflow, Recorder, Recording, Trace};
