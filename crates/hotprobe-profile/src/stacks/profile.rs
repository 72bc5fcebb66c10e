//! What was counted: [`StackProfile`], its samples, and where it can be written.

use super::capture::Busy;
use super::raw::{OTHER, RawProfile, RawRow, RawStack, StackCounts};
use super::resolver::{ModuleCache, NamedModules};
use super::symbols::{FrameFunction, Symbols};
use super::table::StackSum;
use std::fmt;
use std::sync::OnceLock;

/// The call stacks up to a moment, with their counts and weights. Returned by
/// [`StacksSession::snapshot`](super::StacksSession::snapshot).
///
/// The first call of [`samples`](Self::samples), `save` or a writer looks up the names. That may
/// read the program's debug information. The profile keeps what was read, for other profiles, while
/// it lives. In a debug build of 28 MB, the first naming takes 1.8 s and another one 1 to 5 ms (on
/// two shared cores of an Intel Xeon, Sapphire or Emerald Rapids; `ci/profile.sh` prints both).
///
/// Two profiles are equal if they have the same addresses, labels, counts and times.
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static STORED: fn(bytes: usize); }
///
/// let session = Stacks::at(&STORED).weight("bytes").start()?;
/// STORED.fire(7);
/// let profile = session.finish()?;
///
/// let mut folded = Vec::new();
/// profile.write_folded(&mut folded)?;
/// assert!(String::from_utf8(folded)?.ends_with(" 7\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct StackProfile {
    raw: RawProfile,
    /// With what was read for them.
    symbols: OnceLock<(Symbols, NamedModules)>,
}

impl StackProfile {
    pub(crate) fn new(raw: RawProfile) -> Self {
        Self {
            raw,
            symbols: OnceLock::new(),
        }
    }

    pub(crate) fn raw(&self) -> &RawProfile {
        &self.raw
    }

    pub(crate) fn symbols(&self) -> &Symbols {
        let (symbols, _) = self.symbols.get_or_init(|| {
            if let Some(_busy) = Busy::enter() {
                Symbols::of(&self.raw, ModuleCache::of_this_process())
            } else {
                // By what this thread's own naming fires, which may hold the locks of the cache.
                let (symbols, _) = Symbols::of(&self.raw, &ModuleCache::new());
                (symbols, NamedModules::default())
            }
        });
        symbols
    }

    /// Returns the number of firings, and what became of them.
    #[must_use]
    pub fn counts(&self) -> StackCounts {
        let mut counts = StackCounts {
            skipped: self.raw.skipped.count,
            weight_skipped: self.raw.skipped.weight,
            unweighed: self.raw.unweighed,
            rejected: self.raw.rejected,
            ..StackCounts::default()
        };
        for row in &self.raw.rows {
            counts.sampled += row.sum.count;
            counts.weight += row.sum.weight;
            match row.stack {
                RawStack::Addresses(_) => counts.stacks += 1,
                RawStack::MadeUp(OTHER) => counts.other += row.sum.count,
                RawStack::MadeUp(_) => counts.nested += row.sum.count,
            }
        }
        counts.fired = counts.sampled + counts.skipped;
        counts
    }

    /// Returns the condition that counted firings meet; `None` if all are counted.
    #[must_use]
    pub fn filter(&self) -> Option<&str> {
        self.raw.filter.as_deref()
    }

    /// Returns the stacks with their counts and weights, the heaviest first, `(other)` and `(in
    /// hotprobe)` included.
    ///
    /// Looks up names, the first time.
    #[must_use]
    pub fn samples(&self) -> Vec<StackSample<'_>> {
        let symbols = self.symbols();
        let rows = self.raw.rows.iter().enumerate();
        let mut samples: Vec<_> = rows
            .map(|(index, row)| StackSample {
                profile: self,
                row,
                frames: symbols
                    .lines(index)
                    .map(|(function, line)| StackFrame { function, line })
                    .collect(),
            })
            .collect();
        samples.sort_by_key(|sample| std::cmp::Reverse((sample.weight(), sample.count())));
        samples
    }
}

impl PartialEq for StackProfile {
    fn eq(&self, other: &Self) -> bool {
        // The names follow from the addresses.
        self.raw == other.raw
    }
}

impl Eq for StackProfile {}

impl fmt::Debug for StackProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackProfile")
            .field("events", &self.event_names())
            .field("counts", &self.counts())
            .finish_non_exhaustive()
    }
}

impl StackProfile {
    pub(crate) fn event_names(&self) -> Vec<&'static str> {
        self.raw.events.iter().map(|event| event.name()).collect()
    }

    /// What pictures show: the weight, otherwise the number of samples.
    pub(crate) fn value(&self, sum: StackSum) -> u128 {
        match self.raw.weight {
            Some(_) => sum.weight,
            None => sum.count.into(),
        }
    }
}

/// A call stack with its count and weight. Returned by [`StackProfile::samples`].
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static STORED: fn(route: &str, bytes: usize); }
///
/// let session = Stacks::at(&STORED).weight("bytes").label("route").start()?;
/// STORED.fire("/orders", 7);
/// let profile = session.snapshot();
/// for sample in profile.samples() {
///     let labels: Vec<_> = sample.labels().collect();
///     assert_eq!(labels, [("route", "/orders")]);
///     println!("{} firings, {} bytes:", sample.count(), sample.weight());
///     for frame in sample.frames() {
///         println!("  {} ({:?}:{:?})", frame.name(), frame.file(), frame.line());
///     }
/// }
/// # assert_eq!(profile.samples()[0].weight(), 7);
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone)]
pub struct StackSample<'a> {
    profile: &'a StackProfile,
    row: &'a RawRow,
    frames: Vec<StackFrame<'a>>,
}

impl<'a> StackSample<'a> {
    /// Returns the event's full name.
    #[must_use]
    pub fn event(&self) -> &'static str {
        self.profile.raw.events[self.row.event].name()
    }

    /// Returns the functions, inlined ones included, the innermost first: the one that fired.
    #[must_use]
    pub fn frames(&self) -> &[StackFrame<'a>] {
        &self.frames
    }

    /// Returns the labels with their values, in the order in which they were chosen; none of
    /// `(other)` and `(in hotprobe)`.
    pub fn labels(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let names = self.profile.raw.labels.iter().map(String::as_str);
        names.zip(self.row.labels.iter().map(String::as_str))
    }

    /// Returns the number of firings that were sampled with this stack.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.row.sum.count
    }

    /// Returns the sum of their weights; without a weight, their number.
    #[must_use]
    pub fn weight(&self) -> u128 {
        self.row.sum.weight
    }
}

impl PartialEq for StackSample<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.event() == other.event()
            && self.frames == other.frames
            && self.labels().eq(other.labels())
            && self.row.sum == other.row.sum
    }
}

impl Eq for StackSample<'_> {}

impl fmt::Debug for StackSample<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackSample")
            .field("event", &self.event())
            .field("frames", &self.frames)
            .field("labels", &self.labels().collect::<Vec<_>>())
            .field("count", &self.count())
            .field("weight", &self.weight())
            .finish()
    }
}

/// A function on a call stack, with its file and line if they are known. Its `Debug` is one line.
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static TICK: fn(); }
///
/// fn work() {
///     TICK.fire();
/// }
///
/// let session = Stacks::at(&TICK).start()?;
/// work();
/// let profile = session.snapshot();
/// let innermost = profile.samples()[0].frames()[0];
/// assert!(innermost.name().ends_with("::work"));
/// println!("{innermost:?}"); // shop::work (src/shop.rs:7)
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Copy)]
pub struct StackFrame<'a> {
    function: &'a FrameFunction,
    line: u32,
}

impl<'a> StackFrame<'a> {
    /// Returns its name, demangled, without the compiler's hash; an address if there is none.
    #[must_use]
    pub fn name(&self) -> &'a str {
        &self.function.name
    }

    /// Returns its source file, as it was passed to the compiler, if there is debug information.
    #[must_use]
    pub fn file(&self) -> Option<&'a str> {
        (!self.function.file.is_empty()).then_some(&self.function.file)
    }

    /// Returns the line of the call, from 1, if it is known.
    #[must_use]
    pub fn line(&self) -> Option<u32> {
        (self.line > 0).then_some(self.line)
    }
}

impl PartialEq for StackFrame<'_> {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), self.file(), self.line) == (other.name(), other.file(), other.line)
    }
}

impl Eq for StackFrame<'_> {}

impl fmt::Debug for StackFrame<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        match (self.file(), self.line()) {
            (Some(file), Some(line)) => write!(f, " ({file}:{line})"),
            (Some(file), None) => write!(f, " ({file})"),
            _ => Ok(()),
        }
    }
}

static_assertions::assert_impl_all!(StackProfile: Send, Sync);
