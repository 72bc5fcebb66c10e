//! A small number for each thread, so that each writes to a place of its own.

use std::cell::Cell;
use std::sync::{Mutex, PoisonError};

/// How many threads at a time have a number of their own, from 0; the others share this one.
pub(crate) const SHARED: usize = 64;
const NONE: usize = usize::MAX;

/// The numbers that are taken, a bit each.
static TAKEN: Mutex<u64> = Mutex::new(0);

thread_local! {
    /// Without a destructor: it can be read as long as the thread lives.
    static NUMBER: Cell<usize> = const { Cell::new(NONE) };
    static OWNER: Owner = const { Owner };
}

/// Gives the number back when the thread ends.
struct Owner;

impl Drop for Owner {
    fn drop(&mut self) {
        // What is fired after this, in other destructors, goes to the place that all share.
        let number = NUMBER.replace(SHARED);
        if number < SHARED {
            *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) &= !(1 << number);
        }
    }
}

/// The calling thread's number, at most [`SHARED`]. While it is less, no other thread has it; and
/// who had it before happened before.
#[inline(always)]
pub(crate) fn number() -> usize {
    let number = NUMBER.get();
    if number != NONE {
        return number;
    }
    first()
}

#[cold]
#[inline(never)]
fn first() -> usize {
    // Registering a destructor may allocate, and the allocator fire events: those share.
    NUMBER.set(SHARED);
    if OWNER.try_with(|_| ()).is_err() {
        return SHARED;
    }
    let number = {
        let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let number = taken.trailing_ones() as usize;
        if number < SHARED {
            *taken |= 1 << number;
        }
        number
    };
    NUMBER.set(number);
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::thread;

    #[test]
    fn threads_that_live_at_once_never_have_the_same_number_below_the_shared_one() {
        let barrier = Barrier::new(100);
        let mut numbers = thread::scope(|scope| {
            let threads: Vec<_> = (0..100)
                .map(|_| {
                    scope.spawn(|| {
                        let mine = number();
                        barrier.wait();
                        assert_eq!(mine, number());
                        mine
                    })
                })
                .collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().unwrap();
            threads.into_iter().map(join).collect::<Vec<_>>()
        });
        assert!(numbers.iter().all(|&number| number <= SHARED));
        numbers.retain(|&number| number < SHARED);
        let all = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), all);
    }

    #[test]
    fn who_has_given_its_number_back_does_not_use_it() {
        /// Says which number its destructor has.
        struct Last(std::sync::mpsc::Sender<usize>);
        impl Drop for Last {
            fn drop(&mut self) {
                self.0.send(number()).unwrap();
            }
        }
        thread_local! {
            static BEFORE: Cell<Option<Last>> = const { Cell::new(None) };
            static AFTER: Cell<Option<Last>> = const { Cell::new(None) };
        }
        let (sender, numbers) = std::sync::mpsc::channel();
        let own = thread::spawn(move || {
            BEFORE.set(Some(Last(sender.clone())));
            let own = number();
            AFTER.set(Some(Last(sender)));
            own
        });
        let own = own.join().unwrap();
        // Destructors run in one order or the other: the number is given back between the two.
        let mut numbers: Vec<_> = numbers.iter().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [own, SHARED]);
    }
}
