//! A bounded queue that is checked with loom, and has events at its steps: `ci/downstream-loom.sh`.
//!
//! It is an example of a crate that knows nothing of how hotprobe is made, and whose models go
//! through hotprobe's events all the same.

#[cfg_attr(feature = "probes", path = "events_on.rs")]
#[cfg_attr(not(feature = "probes"), path = "events_off.rs")]
#[macro_use]
pub mod events;

#[cfg(loom)]
use loom::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};
use std::collections::VecDeque;
#[cfg(not(loom))]
use std::sync::{
    Mutex, MutexGuard,
    atomic::{AtomicUsize, Ordering},
};

/// A queue that holds a limited number of items. Pushing reserves a place first, and then puts the
/// item there.
#[derive(Debug)]
pub struct Queue<T> {
    reserved: AtomicUsize,
    items: Mutex<VecDeque<T>>,
    capacity: usize,
}

impl<T> Queue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            reserved: AtomicUsize::new(0),
            items: Mutex::new(VecDeque::with_capacity(capacity)),
            capacity,
        }
    }

    fn items(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.items.lock().expect("nothing panics under the lock")
    }

    /// Appends an item.
    ///
    /// # Errors
    /// The item, if the queue is full.
    pub fn push(&self, item: T) -> Result<(), T> {
        if !self.reserve() {
            step!(FULL, self.capacity);
            return Err(item);
        }
        let len = {
            let mut items = self.items();
            items.push_back(item);
            items.len()
        };
        step!(PUSHED, len, self.capacity);
        Ok(())
    }

    /// Takes the first item.
    pub fn pop(&self) -> Option<T> {
        let (item, len) = {
            let mut items = self.items();
            let item = items.pop_front()?;
            (item, items.len())
        };
        step!(POPPED, len);
        self.reserved.fetch_sub(1, Ordering::Release);
        Some(item)
    }

    #[cfg(not(feature = "planted"))]
    fn reserve(&self) -> bool {
        let mut reserved = self.reserved.load(Ordering::Relaxed);
        while reserved < self.capacity {
            match self.reserved.compare_exchange(
                reserved,
                reserved + 1,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) => return true,
                Err(now) => reserved = now,
            }
        }
        false
    }

    /// The planted bug: two threads may find the same last place free.
    #[cfg(feature = "planted")]
    fn reserve(&self) -> bool {
        let free = self.reserved.load(Ordering::Relaxed) < self.capacity;
        if free {
            self.reserved.fetch_add(1, Ordering::Acquire);
        }
        free
    }
}
