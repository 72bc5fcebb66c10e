//! Which labels there are: a bounded table that only grows, read without a lock.

use crate::hash::Seed;
use crate::label::{OTHER, cut};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

#[derive(Debug)]
struct TableLabel {
    hash: u64,
    number: u32,
    text: Box<str>,
}

#[derive(Debug)]
pub(crate) struct LabelTable {
    seed: Seed,
    /// At least half of them stay empty. Which one a label is in follows from its hash; or it is the next.
    slots: Box<[OnceLock<TableLabel>]>,
    max: u32,
    /// Only one thread may add; it allocates before. How many there are.
    adding: Mutex<u32>,
    /// Nothing will be added any more.
    full: AtomicBool,
}

impl LabelTable {
    pub(crate) fn new(seed: Seed, max: u32) -> Self {
        let slots = (max as usize * 2).next_power_of_two().max(2);
        Self {
            seed,
            slots: (0..slots).map(|_| OnceLock::new()).collect(),
            max,
            adding: Mutex::new(0),
            full: AtomicBool::new(false),
        }
    }

    /// What labels that have no number of their own have.
    pub(crate) const fn other(&self) -> u32 {
        self.max
    }

    /// The label's number; the first time that it is seen, it gets one, if there is one left.
    #[inline]
    pub(crate) fn number(&self, text: &str) -> u32 {
        let text = cut(text);
        let hash = self.seed.of(text);
        match self.find(hash, text) {
            Ok(number) => number,
            // Relaxed: it stays set, and who doesn't see it yet finds out under the lock.
            Err(_) if self.full.load(Ordering::Relaxed) => self.other(),
            Err(_) => self.add(hash, text),
        }
    }

    /// The number, or the slot in which it would be.
    #[inline]
    fn find(&self, hash: u64, text: &str) -> Result<u32, usize> {
        let mask = self.slots.len() - 1;
        #[allow(clippy::cast_possible_truncation, reason = "masked")]
        let mut index = hash as usize & mask;
        while let Some(label) = self.slots[index].get() {
            if label.hash == hash && *label.text == *text {
                return Ok(label.number);
            }
            index = (index + 1) & mask;
        }
        Err(index)
    }

    #[cold]
    #[inline(never)]
    fn add(&self, hash: u64, text: &str) -> u32 {
        if text == OTHER {
            return self.other();
        }
        // The allocator may fire events. Nothing is held yet.
        let text: Box<str> = text.into();
        let mut count = self.adding.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match self.find(hash, &text) {
            Ok(number) => return number,
            Err(slot) => slot,
        };
        if *count == self.max {
            drop(count);
            self.full.store(true, Ordering::Relaxed);
            return self.other();
        }
        let number = *count;
        *count += 1;
        // It is empty: only who has the lock fills one.
        let _ = self.slots[slot].set(TableLabel { hash, number, text });
        number
    }

    /// All that there are, with their numbers; the one for the others last.
    pub(crate) fn all(&self) -> Vec<(u32, String)> {
        let mut all: Vec<_> = self
            .slots
            .iter()
            .filter_map(OnceLock::get)
            .map(|label| (label.number, label.text.to_string()))
            .collect();
        all.sort_unstable();
        all.push((self.other(), OTHER.to_owned()));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_numbers_until_there_are_too_many() {
        let labels = LabelTable::new(Seed::new(), 2);
        assert_eq!(labels.number("a"), 0);
        assert_eq!(labels.number(""), 1);
        assert_eq!(labels.number("b"), labels.other());
        assert_eq!(labels.number("a"), 0);
        assert_eq!(labels.number(OTHER), labels.other());
        let texts: Vec<_> = labels.all().into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["a", "", OTHER]);
    }
}
