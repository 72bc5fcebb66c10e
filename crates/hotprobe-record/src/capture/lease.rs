//! What a firing thread knows of its recordings: which buffer it writes, and whether it is just
//! getting one.
//!
//! The leases are in a thread-local without a destructor, so that a firing finds its own at any
//! moment of the thread's life. Another thread-local, which has one, gives the buffers back when
//! the thread ends.

use std::cell::{Cell, RefCell};
use std::sync::Weak;

/// In place of a number: no buffer, no thread.
pub(super) const NONE: u32 = u32::MAX;

/// The buffer into which a thread records.
#[derive(Clone, Copy)]
pub(super) struct BufferLease {
    /// 0: none.
    pub(super) recording: u64,
    /// `NONE`: it has none, for now.
    pub(super) buffer: u32,
    pub(super) thread: u32,
}

impl BufferLease {
    const EMPTY: Self = Self {
        recording: 0,
        buffer: NONE,
        thread: NONE,
    };

    /// Returns this thread's lease of the recording, if it is at hand; otherwise one of another
    /// recording, or none.
    #[inline(always)]
    pub(super) fn at_hand(recording: u64) -> Self {
        HERE.with(|here| here.lease(recording).get())
    }

    /// Returns this thread's lease of the recording where another recording's is at hand.
    pub(super) fn owned(recording: u64) -> Option<Self> {
        let of_recording = |owned: &Owned| {
            let owned = owned.0.borrow();
            let mut leases = owned.iter().map(|&(_, lease)| lease);
            leases.find(|lease| lease.recording == recording)
        };
        OWNED.try_with(of_recording).ok().flatten()
    }

    /// Has the lease at hand from now on.
    pub(super) fn put_at_hand(self) {
        HERE.with(|here| here.lease(self.recording).set(self));
    }

    /// Keeps the lease until the thread ends. Returns whether that is possible.
    pub(super) fn own(self, lender: Weak<dyn Lender>) -> bool {
        if HERE.with(|here| here.ended.get()) {
            return false;
        }
        let own = |owned: &Owned| {
            let mut owned = owned.0.borrow_mut();
            owned.retain(|(lender, other)| {
                lender.strong_count() > 0 && other.recording != self.recording
            });
            owned.push((lender, self));
        };
        OWNED.try_with(own).is_ok()
    }
}

/// Gets a buffer back when its thread ends.
pub(super) trait Lender {
    fn give_back(&self, buffer: u32);
}

/// The number of recordings whose leases are at hand.
const LEASES: usize = 4;

/// Firings of one event, lost by a thread that was about to get its buffer.
#[derive(Clone, Copy)]
pub(super) struct Waiting {
    pub(super) event: u32,
    pub(super) count: u64,
}

impl Waiting {
    const NONE: Self = Self { event: 0, count: 0 };

    /// Takes what waits on this thread, of one event.
    pub(super) fn take() -> Option<Self> {
        HERE.with(|here| {
            let row = here.waiting.iter().find(|row| row.get().count > 0)?;
            Some(row.replace(Self::NONE))
        })
    }

    /// Adds a firing that this thread lost while it was getting a buffer of this recording. Returns
    /// false for one that another recording has brought about, and if those of too many events
    /// wait already.
    pub(super) fn add(recording: u64, event: u32) -> bool {
        HERE.with(|here| {
            let is_own = here.busy.get() == Some(recording);
            let fits = |row: &&Cell<Self>| row.get().count == 0 || row.get().event == event;
            let Some(row) = here.waiting.iter().find(fits).filter(|_| is_own) else {
                return false;
            };
            let count = row.get().count + 1;
            row.set(Self { event, count });
            true
        })
    }
}

/// The number of events whose firings wait.
const WAITING: usize = 8;

thread_local! {
    static HERE: Here = const {
        Here {
            leases: [const { Cell::new(BufferLease::EMPTY) }; LEASES],
            busy: Cell::new(None),
            waiting: [const { Cell::new(Waiting::NONE) }; WAITING],
            ended: Cell::new(false),
        }
    };

    static OWNED: Owned = const { Owned(RefCell::new(Vec::new())) };
}

/// What a thread knows of its recordings. Without a destructor.
struct Here {
    /// Of the recordings of these numbers, modulo their number. More than that at once
    /// have to look into `OWNED`.
    leases: [Cell<BufferLease>; LEASES],
    /// In the registry of this recording, or about to be.
    busy: Cell<Option<u64>>,
    /// What it lost there meanwhile, of that recording.
    waiting: [Cell<Waiting>; WAITING],
    /// `OWNED` is gone.
    ended: Cell<bool>,
}

impl Here {
    #[inline(always)]
    fn lease(&self, recording: u64) -> &Cell<BufferLease> {
        #[allow(clippy::cast_possible_truncation, reason = "modulo a few")]
        let index = recording as usize % LEASES;
        &self.leases[index]
    }
}

/// The buffers that a thread gives back when it ends.
struct Owned(RefCell<Vec<(Weak<dyn Lender>, BufferLease)>>);

impl Drop for Owned {
    fn drop(&mut self) {
        HERE.with(|here| here.ended.set(true));
        for (lender, lease) in self.0.get_mut().drain(..) {
            HERE.with(|here| {
                let place = here.lease(lease.recording);
                if place.get().recording == lease.recording {
                    place.set(BufferLease {
                        buffer: NONE,
                        ..lease
                    });
                }
            });
            if let Some(lender) = lender.upgrade().filter(|_| lease.buffer != NONE) {
                lender.give_back(lease.buffer);
            }
        }
    }
}

/// As long as it lives, firings on this thread get no further than to be counted as lost.
pub(super) struct Busy(());

impl Busy {
    /// For the sake of no recording.
    pub(super) const READING: u64 = 0;

    pub(super) fn enter(recording: u64) -> Option<Self> {
        HERE.with(|here| {
            let is_free = here.busy.get().is_none();
            is_free.then(|| {
                here.busy.set(Some(recording));
                Self(())
            })
        })
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        HERE.with(|here| here.busy.set(None));
    }
}
