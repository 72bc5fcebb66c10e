//! Records the events of a live process: each firing with its time, thread and arguments, in memory
//! or streamed to a file for Perfetto, Chrome, babeltrace2 or Trace Compass.
//!
//! # Quick start
//!
//! A [`Recorder`] chooses events, [`start`] attaches to all of them at one instant, and [`finish`]
//! detaches from all at one instant, waits for the firings in flight, and returns the [`Trace`]:
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
//! for entry in &trace {
//!     println!("{:?} {} {:?}", entry.time(), entry.event().name(), entry.values());
//! }
//! # if false {
//! trace.save("trace.pftrace")?; // open it in ui.perfetto.dev
//! # }
//! assert_eq!(trace.sum().written, 2);
//! # Ok::<(), hotprobe_record::RecordError>(())
//! ```
//!
//! # What do you want to do?
//!
//! | to | use |
//! |---|---|
//! | choose events | [`Recorder::event`], [`matching`](Recorder::matching) (`shop::*`), [`all`](Recorder::all) |
//! | record only some firings: `status >= 500` | [`Recorder::filter`], [`Trace::rejected`] |
//! | see a request as a bar, from one event to another | [`Recorder::slice`] |
//! | save a file | [`Trace::save`]: `.pftrace` for Perfetto, `.json` for Chrome, a folder or `.ctf` for babeltrace2 and Trace Compass |
//! | write to a socket or to memory | [`Trace::write_perfetto`], [`write_chrome_json`](Trace::write_chrome_json) |
//! | look at the records in code | `for entry in &trace`: [`Entry`], [`Recorded`] |
//! | record for a long time | [`Recorder::stream_to`], which writes the file while recording |
//! | keep the last seconds before something happens | [`Overflow::OverwriteOldest`], with [`Recording::snapshot`], [`dump`](Recording::dump) or [`Recorder::dump_on_panic`] |
//! | record on request from outside | [`from_env`]: `HOTPROBE_RECORD='shop::*=trace.pftrace' ./app` |
//! | record in production, without a restart | the crate `hotprobe-admin`: `/debug/probes/record` |
//! | know what was lost | [`Trace::sum`], [`counts`](Trace::counts), [`lost`](Trace::lost) |
//! | bound the memory | [`Recorder::max_buffer_bytes`], [`max_total_bytes`](Recorder::max_total_bytes), [`max_text_bytes`](Recorder::max_text_bytes) |
//! | stop without waiting, or wait no longer than a second | [`Recording::detach`], [`finish_within`](Recording::finish_within) |
//!
//! The example `record` records a server under load, and writes all three formats
//! (`cargo run --release --example record -- --out target/trace`). `live_server --record FILE`
//! streams. The README shows the result in Perfetto.
//!
//! # Environment
//!
//! One variable, and only if the program calls [`from_env`]: `HOTPROBE_RECORD` has the recordings
//! to start, as `PATTERN=FILE`, separated by `,`. In a file's name, `%p` is the number of the
//! process and `%t` the time, as in [`stream_to`](Recorder::stream_to).
//!
//! # Features
//!
//! A feature adds something to choose. None of them changes a recording that does not ask for it.
//!
//! | feature | adds |
//! |---|---|
//! | `tsc` | `Clock::Tsc` for [`Recorder::clock`]: the processor's time stamp counter |
//! | `tokio` | `Recorder::tasks`: records note the tokio task that fired |
//! | `serde` | `Serialize` for [`Trace`] (a summary), [`Entry`], [`Recorded`], [`Count`] and [`Thread`] |
//!
//! # Slices
//!
//! In Perfetto, each pair of a [`slice`](Recorder::slice) is one slice on a track of that name, on
//! whichever threads it began and ended. Slices with the same key, by a parameter of the same name
//! and type, are nested where one lies within the other: with `.slice("store", &STORE_BEGIN,
//! &STORE_END, "id")`, the queries to the store are inside the request that makes them. In a
//! streamed file a slice is nested once it has ended. Slices that overlap otherwise have a track of
//! their own. Chrome's format has each slice by itself.
//!
//! # What a record contains
//!
//! A record contains the time; the thread, its name and the system's number; the tokio task, if
//! tasks are noted; and copies of the arguments. Texts and bytes are cut at a length
//! ([`max_text_bytes`](Recorder::max_text_bytes)), and marked if they were. An argument without a
//! kind of its own ([`Value`](hotprobe::Value)) is formatted by its `Debug`. A `Debug` that panics,
//! or that writes without end, costs that value and nothing else. With `panic = "abort"`, a `Debug`
//! that ignores errors and never stops writing cannot be stopped. A recording contains nothing of a
//! parameter that is marked `#[redact]`.
//!
//! # What is lost, and how you know
//!
//! For each event on each thread, `fired == written + lost`, exactly ([`Trace::counts`]). The files
//! contain these counts too, and show a loss at the time of the first record that is missing. A
//! firing is lost if
//!
//! * its thread's buffer is full: the newest or the oldest record is lost ([`Overflow`]);
//! * the cap ([`max_total_bytes`](Recorder::max_total_bytes)) leaves no buffer for its thread;
//! * its thread is just getting its buffer, because an allocator fires events. The loss is counted
//!   as that thread's. Beyond eight such events, and for what is fired while a recording is read or
//!   by another recording, it is counted as that of a thread of its own;
//! * its buffer is full while a snapshot copies it, in a flight recorder.
//!
//! A thread that ends loses nothing, not even what its last destructors fire: its buffer goes to
//! the next thread, with the records in it. A child process after `fork` does not record, and its
//! [`finish`] returns an error.
//!
//! # What it costs
//!
//! Each firing thread has a buffer of its own: a ring of words that it writes without a lock and
//! without allocating. A firing reads the clock, stores the reading as it is (it is converted to
//! nanoseconds when the records are read), and copies the arguments. From `fire` to the record in
//! the buffer, in nanoseconds on top of reading the clock:
//!
//! | | `Clock::Tsc` | [`Clock::System`] |
//! |---|---|---|
//! | *reading the clock* | *9.5* | *25.2* |
//! | no argument | 4.9 | 10.9 |
//! | `u64` | 6.2 | 11.5 |
//! | `u64`, on each of two threads at once | 5.9 | 11.6 |
//! | text of 32 bytes | 12.4 | 16.8 |
//! | `u64`, text of 32 bytes, `u16` | 15.2 | 20.0 |
//! | six `u64` | 11.4 | 15.2 |
//! | `Option<u64>`, by its `Debug` | 71 | 100 |
//!
//! Measured by `cargo benches --bench recorded`: the undisturbed slices of one run each, on two
//! virtual cores of an AMD EPYC. The goals were 4 for one `u64` with the counter, and 12 with the
//! system's clock. The 6.2 consist of a dynamic probe's call (in the same run, a typed probe that
//! does nothing takes 4.7, a dynamic one 6.6) and the record itself (11.4 with a constant in place
//! of the clock), most of which runs while the processor reads the counter: the counter's 9.5 add
//! only 4.2. Code from event to buffer that is compiled for each event would save the dynamic call,
//! but each event would pay for it in code size, recorded or not. Less runs while the processor
//! reads the system's clock.
//!
//! Other recorders, by `cargo benches --bench record -- --quick` (criterion; medians of one run on
//! that machine, which was not idle): 16.3 for one `u64` here with `Clock::Tsc`, the clock
//! included; 404 for a span with one property by fastrace, which makes a `String` of it; 1561 for
//! an event with one field by tracing-chrome. LTTng-UST's 116 for an integer is quoted from another
//! machine of the same class.
//!
//! [`Clock::System`] is right everywhere. The processor's counter is calibrated before `main`, and
//! between threads it may step back by some tens of nanoseconds.
//!
//! A thread's first firing allocates its buffer and writes to all of it.
//!
//! # Streamed files
//!
//! A background thread takes all records up to one moment out of the buffers, writes them to the
//! file sorted by time, and sleeps for some milliseconds, unless there was much to write. So a
//! streamed file is in the order of time, except for records that were just being written at such a
//! moment. The file is flushed five times a second.
//!
//! # Where it blocks
//!
//! A firing never waits for a file: while a writer blocks, records collect in the buffers, and
//! records that find them full are lost and counted. [`finish`] blocks as
//! [`synchronize`](hotprobe::synchronize) does, and until a streamed file is written. So a writer
//! that never returns holds up `finish`, and nothing else. Inside a probe, `finish` is refused
//! ([`RecordError::InProbe`]).
//!
//! If the file of a streamed recording fails, the recording detaches. [`finish`] returns the first
//! error, with the counts ([`RecordError::into_trace`]). They are exact: records that a reader
//! finds in the partial file count as written, all others as lost. Of a writer
//! ([`stream_perfetto_to`](Recorder::stream_perfetto_to)), records whose bytes it has accepted
//! count as written. What becomes of those in a buffer of its own is not known here.
//!
//! # The code, in reading order
//!
//! 1. `recorder.rs`: the builder, and all checks before a recording starts. `env.rs`: [`from_env`].
//!    `recording.rs`: the handle.
//! 2. `capture/`: what happens when an event fires. `buffers.rs` finds the thread's buffer by its
//!    lease (`lease.rs`), or takes one, with what `registry.rs` keeps of all threads. `buffer.rs`
//!    decides how the record is encoded, `ring.rs` is the lock-free ring, `encode.rs` and
//!    `decode.rs` turn values into words and back.
//! 3. `trace.rs`: reads a finished recording. `stream.rs`: the thread that writes a file while
//!    recording.
//! 4. `formats/`: `export.rs` is the seam, `file.rs` chooses, `perfetto/`, `chrome.rs` and `ctf.rs`
//!    write.
//! 5. `sync.rs`: the std/loom switch of the ring. Its models are in `tests/loom/`.
//!
//! [`start`]: Recorder::start
//! [`finish`]: Recording::finish

mod capture;
mod env;
mod error;
mod formats;
mod overflow;
mod recorder;
mod recording;
#[cfg(feature = "serde")]
mod serialize;
mod stream;
mod sync;
mod trace;

crate::sync::model_only! {
    #[doc(hidden)]
    pub use crate::capture::ring::ModelRing;
}

pub use env::{FromEnv, from_env};
pub use error::RecordError;
pub use hotprobe_clock::Clock;
pub use overflow::Overflow;
pub use recorder::Recorder;
pub use recording::Recording;
pub use trace::{Count, Entry, Recorded, Records, Thread, Trace};

/// The code in README.md compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
