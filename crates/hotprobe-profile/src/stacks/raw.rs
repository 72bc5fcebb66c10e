//! What was counted, as addresses: no names are looked up yet.

use super::table::StackSum;
use hotprobe::Metadata;
use std::time::{Duration, SystemTime};

/// The made-up stack of firings that found no room in the table.
pub(crate) use crate::label::OTHER;

/// The made-up stack of firings by the profile's own work.
pub(crate) const NESTED: &str = "(in hotprobe)";

/// The made-up frame in place of the outer frames of a stack that is too deep.
pub(crate) const CUT: &str = "(cut off)";

/// What was counted, without names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawProfile {
    pub(crate) events: Vec<&'static Metadata>,
    pub(crate) labels: Vec<String>,
    /// Its name and unit.
    pub(crate) weight: Option<(String, String)>,
    pub(crate) every: u64,
    pub(crate) max_frames: usize,
    pub(crate) started: SystemTime,
    pub(crate) lasted: Duration,
    pub(crate) rows: Vec<RawRow>,
    pub(crate) skipped: StackSum,
    pub(crate) unweighed: u64,
    pub(crate) filter: Option<String>,
    pub(crate) rejected: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawRow {
    pub(crate) event: usize,
    pub(crate) stack: RawStack,
    /// One for each label of the profile; none for a made-up stack.
    pub(crate) labels: Vec<String>,
    pub(crate) sum: StackSum,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RawStack {
    Addresses(Box<[usize]>),
    /// A single frame of this name.
    MadeUp(&'static str),
}

impl RawProfile {
    /// Unless nothing was counted there.
    pub(crate) fn push_made_up(&mut self, event: usize, name: &'static str, sum: StackSum) {
        if sum != StackSum::default() {
            self.rows.push(RawRow {
                event,
                stack: RawStack::MadeUp(name),
                labels: Vec::new(),
                sum,
            });
        }
    }
}

/// What became of the firings. `fired = sampled + skipped`, and `sampled` includes `other` and
/// `nested`.
///
/// ```
/// use hotprobe_profile::Stacks;
/// hotprobe::event! { static TICK: fn(); }
///
/// let session = Stacks::at(&TICK).every(3).start()?;
/// (0..10).for_each(|_| TICK.fire());
/// let counts = session.counts();
/// assert_eq!((counts.fired, counts.sampled, counts.skipped), (10, 4, 6));
/// # Ok::<(), hotprobe_profile::ProfileError>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StackCounts {
    /// Firings that met the condition; all of them without one.
    pub fired: u64,
    /// Firings that were counted with a stack, `(other)` and `(in hotprobe)` included.
    pub sampled: u64,
    /// Firings that [`every`](super::Stacks::every) skipped.
    pub skipped: u64,
    /// Firings whose stack had no room in the table; they are counted as the stack `(other)`.
    pub other: u64,
    /// Firings by the profile's own work, such as those of an allocator with events; they are
    /// counted as the stack `(in hotprobe)`.
    pub nested: u64,
    /// Firings whose weight was negative, not a number, or at least 2^64; they are counted with
    /// weight 0.
    pub unweighed: u64,
    /// Firings that did not meet the condition ([`Stacks::filter`](super::Stacks::filter)); they
    /// are in no other number.
    pub rejected: u64,
    /// The number of different stacks, by their addresses: two of them may look the same when
    /// written.
    pub stacks: usize,
    /// The sum of the weights of the sampled firings.
    pub weight: u128,
    /// The sum of the weights of the skipped firings.
    pub weight_skipped: u128,
}
