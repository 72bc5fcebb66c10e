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
//! A new stack allocates: an event that is fired while a lock is held that the allocator needs cannot be profiled.
//!
//! # Cost
//! About 0.1 µs for each frame, those of this library included: all of it is the unwinder's, which two thirds of
//! [`Backtrace::force_capture`](std::backtrace::Backtrace::force_capture) is, too. The table takes no lock, but the library that
//! calls the unwinder ([`backtrace`](https://github.com/rust-lang/backtrace-rs)) has one for all threads: they take their stacks
//! one after the other. It also holds it while it looks up a name. So a thread that fires while a profile is written may wait
//! until the program's debug information has been read, some tenths of a second: once, it is kept. If that is too
//! long, write after [`finish`](Stacks::finish). For events that come often there is [`every`](StacksBuilder::every).
//!
//! In reading order: a firing's stack and labels (`capture.rs`); where they are counted (`table.rs`); what was
//! counted (`profile.rs`), its names (`symbols.rs`) and the frames that are not shown (`trim.rs`); the formats
//! (`pprof.rs`, `folded.rs`, `flame.rs`).

mod builder;
mod capture;
pub(crate) mod profile;
pub(crate) mod symbols;
pub(crate) mod table;
mod trim;

pub use builder::StacksBuilder;
pub use profile::{StackFrame, StackProfile, StackSample};

use capture::Busy;
use hotprobe::{AnyEvent, ProbeGroup, SynchronizeError, Value};
use profile::Raw;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};
use table::{Key, Labels, Sum, Table, Tally};

/// Counts the call stacks that lead to events, as long as it lives.
///
/// Made by [`Stacks::at`] and [`start`](StacksBuilder::start). Dropped, it detaches from its events.
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static TICK: fn(); }
///
/// let stacks = Stacks::at(&TICK).start()?;
/// TICK.fire();
/// assert_eq!(stacks.counts().fired, 1);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[must_use = "dropped, it counts nothing any more: bind it to a name"]
pub struct Stacks {
    shared: Arc<Shared>,
    group: ProbeGroup,
}

impl Stacks {
    /// What is to be counted: the stacks that lead to this event. Nothing happens before
    /// [`start`](StacksBuilder::start).
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static STORED: fn(key: &str, bytes: usize); }
    ///
    /// let stacks = Stacks::at(&STORED).weight("bytes").every(10).start()?;
    /// # drop(stacks);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    pub fn at(event: &'static dyn AnyEvent) -> StacksBuilder {
        StacksBuilder::new(event)
    }

    /// How many firings there have been, and what became of them. While they go on, each number is that of some
    /// moment during the call.
    ///
    /// Goes through the whole table; stops nobody.
    #[must_use]
    pub fn counts(&self) -> StackCounts {
        self.shared.counts()
    }

    /// What has been counted so far; counting goes on. Names are not looked up yet.
    ///
    /// Copies the table; stops nobody. A firing that is in progress may be in a stack's count and not in its weight
    /// yet.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let stacks = Stacks::at(&TICK).start()?;
    /// TICK.fire();
    /// let first = stacks.snapshot();
    /// TICK.fire();
    /// assert_eq!((first.counts().fired, stacks.snapshot().counts().fired), (1, 2));
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    #[must_use]
    pub fn snapshot(&self) -> StackProfile {
        let _busy = Busy::enter();
        StackProfile::new(self.shared.raw())
    }

    /// Detaches from all events, at one instant, waits until no firing is counted any more, and returns what was counted.
    /// A second call returns the same.
    ///
    /// Blocks the thread until firings in progress have ended.
    ///
    /// # Errors
    /// [`SynchronizeError::InProbe`] inside a probe, [`pinned`](hotprobe::pinned) or a captured `Drop`: it has detached,
    /// but could not wait. Call it again outside.
    ///
    /// ```
    /// use hotprobe_profile::Stacks;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let mut stacks = Stacks::at(&TICK).start()?;
    /// TICK.fire();
    /// let profile = stacks.finish()?;
    /// TICK.fire();
    /// assert_eq!(profile.counts().fired, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn finish(&mut self) -> Result<StackProfile, SynchronizeError> {
        self.group.detach_and_wait()?;
        Ok(self.snapshot())
    }
}

impl fmt::Debug for Stacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stacks")
            .field("sources", &self.shared.sources)
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

/// What became of the firings. `fired = sampled + skipped`, and `sampled` includes `other` and `nested`.
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static TICK: fn(); }
///
/// let stacks = Stacks::at(&TICK).every(3).start()?;
/// (0..10).for_each(|_| TICK.fire());
/// let counts = stacks.counts();
/// assert_eq!((counts.fired, counts.sampled, counts.skipped), (10, 4, 6));
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackCounts {
    /// Firings, all of them.
    pub fired: u64,
    /// Those that were counted with a stack, `(other)` and `(in hotprobe)` included.
    pub sampled: u64,
    /// Those that [`every`](StacksBuilder::every) passed over.
    pub skipped: u64,
    /// Those whose stack found no room in the table: they are counted at the stack `(other)`.
    pub other: u64,
    /// Those that the profile's own work fired, by an allocator that has events say: they are counted at the stack
    /// `(in hotprobe)`.
    pub nested: u64,
    /// Those whose weight was negative, not a number, or 2^64 or more: they are counted like the others, with weight 0.
    pub unweighed: u64,
    /// How many different stacks there are. (By their addresses: two of them may look the same when they are written.)
    pub stacks: usize,
    /// The sum of the weights of all that were sampled.
    pub weight: u128,
    /// The sum of the weights of those that were passed over.
    pub weight_skipped: u128,
}

/// An event, and where its weight and its labels are among its parameters.
struct Source {
    event: &'static dyn AnyEvent,
    weight: Option<usize>,
    labels: Vec<usize>,
    other: Tally,
    nested: Tally,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event.name())
    }
}

/// What the handle and the probes share.
struct Shared {
    sources: Vec<Source>,
    labels: Vec<String>,
    /// The weight's name and unit.
    weight: Option<(String, String)>,
    every: u64,
    frames_at_most: usize,
    started: (SystemTime, Instant),
    ticket: AtomicU64,
    skipped: Tally,
    unweighed: AtomicU64,
    table: Table,
}

impl Shared {
    /// A firing.
    fn fire(&self, index: usize, values: &[Value<'_>]) {
        let source = &self.sources[index];
        let weight = match source.weight {
            None => 1,
            Some(parameter) => capture::weight(values[parameter]).unwrap_or_else(|| {
                // Relaxed, here and below: numbers that nothing else depends on.
                self.unweighed.fetch_add(1, Ordering::Relaxed);
                0
            }),
        };
        if self.every > 1 && self.ticket.fetch_add(1, Ordering::Relaxed) % self.every != 0 {
            return self.skipped.add(weight);
        }
        let Some(_busy) = Busy::enter() else {
            return source.nested.add(weight);
        };
        let mut labels = Labels::new();
        for &parameter in &source.labels {
            capture::push_label(&mut labels, values[parameter]);
        }
        let addresses = capture::stack(self.frames_at_most + capture::INNER);
        let key = Key {
            event: index,
            addresses: &addresses,
            labels: &labels,
        };
        self.table.tally(key).unwrap_or(&source.other).add(weight);
    }

    fn counts(&self) -> StackCounts {
        let mut counts = StackCounts::default();
        let mut sum = Sum::default();
        for (_, row) in self.table.rows() {
            counts.stacks += 1;
            sum.add(row);
        }
        for source in &self.sources {
            let (other, nested) = (source.other.get(), source.nested.get());
            sum.add(other);
            sum.add(nested);
            counts.other += other.count;
            counts.nested += nested.count;
        }
        let skipped = self.skipped.get();
        StackCounts {
            fired: sum.count + skipped.count,
            sampled: sum.count,
            skipped: skipped.count,
            unweighed: self.unweighed.load(Ordering::Relaxed),
            weight: sum.weight,
            weight_skipped: skipped.weight,
            ..counts
        }
    }

    fn raw(&self) -> Raw {
        let rows = self.table.rows().map(|(key, sum)| profile::Row {
            event: key.event,
            stack: profile::RawStack::Addresses(key.addresses.into()),
            labels: capture::labels(key.labels),
            sum,
        });
        let mut raw = Raw {
            events: self
                .sources
                .iter()
                .map(|source| source.event.metadata())
                .collect(),
            labels: self.labels.clone(),
            weight: self.weight.clone(),
            every: self.every,
            frames_at_most: self.frames_at_most,
            started: self.started.0,
            lasted: self.started.1.elapsed(),
            rows: rows.collect(),
            skipped: self.skipped.get(),
            unweighed: self.unweighed.load(Ordering::Relaxed),
        };
        for (event, source) in self.sources.iter().enumerate() {
            raw.push_made_up(event, profile::OTHER, source.other.get());
            raw.push_made_up(event, profile::NESTED, source.nested.get());
        }
        raw
    }
}

static_assertions::assert_impl_all!(Stacks: Send, Sync);
