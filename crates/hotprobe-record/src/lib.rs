//! Recording: firings of chosen events, with time, thread and arguments, in memory or streamed to a file.
//!
//! ```
//! use hotprobe::fire;
//! use hotprobe_record::Recorder;
//!
//! hotprobe::event! { static STORED: fn(key: &str, bytes: usize); }
//!
//! let recording = Recorder::new().event(&STORED).start()?;
//! fire!(STORED, "a", 7);
//! let trace = recording.finish()?;
//! assert_eq!(trace.records().count(), 1);
//! # Ok::<(), hotprobe_record::RecordError>(())
//! ```
//!
//! [`guide`](crate::guide) says how it is used, and what it costs. In reading order:
//!
//! 1. [`Recorder`]: what is to be recorded, and how (`recorder.rs`); [`from_env`] (`env.rs`); [`RecordError`]
//!    (`error.rs`).
//! 2. [`Recording`]: its handle while it goes on (`recording.rs`).
//! 3. The buffers of all threads, and how a firing finds its own (`buffers.rs`); one buffer (`ring.rs`); a record in it
//!    (`encode.rs`); its time (`src/clock.rs`).
//! 4. [`Trace`]: what was recorded (`trace.rs`). Written while it is recorded (`stream.rs`).
//! 5. The seam to the file formats (`export.rs`), and which there are (`file.rs`).

mod capture;
mod discard;
mod env;
mod error;
mod formats;
pub mod guide;
mod overflow;
mod recorder;
mod recording;
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
