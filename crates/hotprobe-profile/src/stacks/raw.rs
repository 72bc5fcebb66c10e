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
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RawRow {
    pub(crate) event: usize,
    pub(crate) stack: RawStack,
    /// As many as the profile has; of a made-up stack, none.
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

/// What became of the firings. `fired = sampled + skipped`, and `sampled` includes `other` and `nested`.
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
    /// Firings, all of them.
    pub fired: u64,
    /// Those that were counted with a stack, `(other)` and `(in hotprobe)` included.
    pub sampled: u64,
    /// Those that [`every`](super::Stacks::every) passed over.
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
