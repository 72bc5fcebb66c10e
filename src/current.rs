//! Which span is current on this thread: [`SpanId`], and the stack behind
//! [`SpanId::current`].

use crate::sync::{Ordering, plain, thread_field};
use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU64;

/// The identity of a span that has begun while a probe was attached to it.
///
/// Unique in the process: no two spans have the same one. An id says nothing of the order in which
/// spans began.
///
/// ```
/// use hotprobe::{SpanId, start};
/// hotprobe::span! { static REQUEST: fn(); }
///
/// let probe = REQUEST.attach_end(|end| println!("{} ended", end.id()));
/// let span = start!(REQUEST);
/// let id = span.id().expect("a probe is attached");
/// assert_eq!(SpanId::current(), None, "it is not entered");
/// id.scope(|| assert_eq!(SpanId::current(), Some(id)));
/// # drop((span, probe));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(NonZeroU64);

impl SpanId {
    /// Returns the innermost span that is current on this thread: entered
    /// ([`Entered`](crate::Entered)), or that of the future being polled
    /// ([`InSpan`](crate::InSpan)). Spans without probes do not count.
    ///
    /// # Cost
    /// A load from thread-local storage. Works anywhere, also while the thread ends.
    #[inline]
    #[must_use]
    pub fn current() -> Option<Self> {
        current()
    }

    /// Runs `f` with this span as the current one of this thread, so that it is the parent of what
    /// begins inside, and returns what `f` returns.
    ///
    /// For work that is done for a span elsewhere, in a thread pool for example. The span may have
    /// ended already.
    ///
    /// ```
    /// use hotprobe::SpanId;
    ///
    /// let current = SpanId::current();
    /// let worker = std::thread::spawn(move || match current {
    ///     Some(id) => id.scope(|| work()),
    ///     None => work(),
    /// });
    /// # fn work() {}
    /// # worker.join().unwrap();
    /// ```
    pub fn scope<R>(self, f: impl FnOnce() -> R) -> R {
        // (Where there is no room for it, an outer scope of the same span must stay.)
        let _leave = Leave(has_room().then_some(self));
        push(self);
        f()
    }

    /// Returns the id as a number, which is not zero.
    #[inline]
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0.get()
    }

    /// The id of this number, which is another's [`get`](Self::get); none if it is zero.
    #[inline(always)]
    pub(crate) fn new(number: u64) -> Option<Self> {
        NonZeroU64::new(number).map(Self)
    }

    /// A new one.
    #[inline(always)]
    pub(crate) fn next() -> Self {
        NEXT.with(|next| match SpanId::new(next.get()) {
            Some(id) if id.get() % BLOCK != 0 => {
                next.set(id.get() + 1);
                id
            }
            _ => next_block(next),
        })
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SpanId({})", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Ids that a thread takes at once: a counter that all threads share would cost each begin a cache
/// miss.
const BLOCK: u64 = 1 << 10;

/// The number of the next block.
static BLOCKS: plain::AtomicU64 = plain::AtomicU64::new(0);

thread_field! {
    /// This thread's next id; a multiple of [`BLOCK`] if it has to take another block.
    static NEXT: Cell<u64> = Cell::new(0);
}

#[cold]
#[inline(never)]
fn next_block(next: &Cell<u64>) -> SpanId {
    // Relaxed: only that no two threads get the same matters.
    let first = BLOCKS.fetch_add(1, Ordering::Relaxed) * BLOCK + 1;
    next.set(first + 1);
    SpanId(NonZeroU64::MIN.saturating_add(first - 1))
}

/// Current spans of a thread that are remembered. Further ones are not current.
const DEPTH: usize = 32;

/// The spans that are current on a thread, the innermost last.
struct Stack {
    depth: Cell<usize>,
    ids: [Cell<Option<SpanId>>; DEPTH],
}

thread_field! {
    static STACK: Stack = Stack {
        depth: Cell::new(0),
        ids: [const { Cell::new(None) }; DEPTH],
    };
}

/// The innermost current span.
#[inline(always)]
pub(crate) fn current() -> Option<SpanId> {
    STACK.with(|stack| stack.ids.get(stack.depth.get().wrapping_sub(1))?.get())
}

/// Whether a further span can become current.
fn has_room() -> bool {
    STACK.with(|stack| stack.depth.get() < DEPTH)
}

/// Makes a span current.
pub(crate) fn push(id: SpanId) {
    STACK.with(|stack| {
        let depth = stack.depth.get();
        if let Some(place) = stack.ids.get(depth) {
            place.set(Some(id));
            stack.depth.set(depth + 1);
        }
    });
}

/// Undoes a push: neither this span nor what has become current inside it is current any more.
/// Nothing if it was one too many.
pub(crate) fn cut(id: SpanId) {
    STACK.with(|stack| {
        if let Some(at) = stack.find(id) {
            stack.depth.set(at);
        }
    });
}

/// A span is no longer current, whatever has been entered since. Nothing if it is not: it was one
/// too many, or the poll in which it was entered is over.
pub(crate) fn remove(id: SpanId) {
    STACK.with(|stack| {
        if let Some(at) = stack.find(id) {
            let inside = &stack.ids[at..stack.depth.get()];
            for pair in inside.windows(2) {
                pair[0].set(pair[1].get());
            }
            stack.depth.set(at + inside.len() - 1);
        }
    });
}

impl Stack {
    /// Where a span is, the innermost time.
    #[inline(always)]
    fn find(&self, id: SpanId) -> Option<usize> {
        let known = self.ids.get(..self.depth.get())?;
        known.iter().rposition(|place| place.get() == Some(id))
    }
}

/// Undoes the push of its span when it is dropped; none: it does nothing.
#[derive(Debug)]
pub(crate) struct Leave(pub(crate) Option<SpanId>);

impl Drop for Leave {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(id) = self.0 {
            cut(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<SpanId> {
        STACK.with(|stack| {
            let known = &stack.ids[..stack.depth.get()];
            known.iter().filter_map(Cell::get).collect()
        })
    }

    #[test]
    fn ids_are_unique_over_threads_and_blocks() {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                std::thread::spawn(|| (0..3 * BLOCK).map(|_| SpanId::next()).collect::<Vec<_>>())
            })
            .collect();
        let ids: Vec<_> = threads
            .into_iter()
            .flat_map(|t| t.join().unwrap())
            .collect();
        let distinct: std::collections::HashSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }

    #[test]
    fn spans_may_be_left_in_any_order() {
        let [a, b, c] = [(); 3].map(|()| SpanId::next());
        for id in [a, b, c] {
            push(id);
        }
        remove(a);
        assert_eq!(ids(), [b, c]);
        remove(c);
        remove(a);
        assert_eq!(current(), Some(b));
        remove(b);
        assert_eq!(current(), None);
    }

    #[test]
    fn a_cut_takes_what_was_entered_inside_and_leaves_what_is_outside() {
        let [a, b, c] = [(); 3].map(|()| SpanId::next());
        push(a);
        push(b);
        push(c);
        cut(b);
        assert_eq!(ids(), [a]);
        // The outer one is left inside the inner one.
        push(b);
        remove(a);
        cut(b);
        assert_eq!(ids(), []);
        // The same span twice.
        push(a);
        push(a);
        cut(a);
        assert_eq!(ids(), [a]);
        cut(a);
        cut(a);
        assert_eq!(ids(), []);
    }

    #[test]
    fn beyond_the_limit_the_innermost_remembered_span_stays_current() {
        let ids: Vec<_> = (0..DEPTH + 3).map(|_| SpanId::next()).collect();
        ids.iter().copied().for_each(push);
        assert_eq!(current(), Some(ids[DEPTH - 1]));
        ids[DEPTH - 1].scope(|| ids[DEPTH - 1].scope(|| ()));
        assert_eq!(current(), Some(ids[DEPTH - 1]));
        ids.iter().copied().rev().for_each(remove);
        assert_eq!(current(), None);
    }
}
