//! The most frequent labels, in bounded memory: Space-Saving (Metwally, Agrawal, El Abbadi: "Efficient Computation of
//! Frequent and Top-k Elements in Data Streams", 2005), in stripes that are merged on reading.
//!
//! A summary counts a limited number of labels. One more takes the place of the least frequent, and
//! its count, which is its error: a
//! count is too high by its error at most, and never too low.

use crate::hash::Seed;
use crate::label::{LABEL_BYTES, cut};
use crate::threads;
use crossbeam_utils::CachePadded;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;

const NONE: u32 = u32::MAX;

/// One stripe's. All that it needs is allocated at the start: nothing fires under its lock.
#[derive(Debug)]
struct LabelSummary {
    total: u64,
    used: usize,
    /// Whether a label has taken another one's place.
    replaced: bool,
    /// Of each label that is counted: …
    hashes: Box<[u64]>,
    counts: Box<[u64]>,
    errors: Box<[u64]>,
    texts: Box<[String]>,
    /// … and the next with the same place in `heads`.
    nexts: Box<[u32]>,
    heads: Box<[u32]>,
}

fn of<T: Clone>(value: T, len: usize) -> Box<[T]> {
    vec![value; len].into()
}

impl LabelSummary {
    fn new(labels: usize) -> Self {
        Self {
            total: 0,
            used: 0,
            replaced: false,
            hashes: of(0, labels),
            counts: of(0, labels),
            errors: of(0, labels),
            texts: (0..labels)
                .map(|_| String::with_capacity(LABEL_BYTES))
                .collect(),
            nexts: of(NONE, labels),
            heads: of(NONE, labels.next_power_of_two()),
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "masked")]
    fn head(&self, hash: u64) -> usize {
        hash as usize & (self.heads.len() - 1)
    }

    fn find(&self, hash: u64, text: &str) -> Option<usize> {
        let mut index = self.heads[self.head(hash)];
        while index != NONE {
            let at = index as usize;
            if self.hashes[at] == hash && self.texts[at] == text {
                return Some(at);
            }
            index = self.nexts[at];
        }
        None
    }

    fn add(&mut self, hash: u64, text: &str, n: u64) {
        self.total += n;
        if let Some(at) = self.find(hash, text) {
            self.counts[at] += n;
            return;
        }
        let at = if self.used < self.counts.len() {
            self.used += 1;
            self.used - 1
        } else {
            let at = self.least();
            self.replaced = true;
            self.unlink(at);
            self.errors[at] = self.counts[at];
            at
        };
        self.counts[at] += n;
        self.hashes[at] = hash;
        self.texts[at].clear();
        self.texts[at].push_str(text);
        let head = self.head(hash);
        #[allow(clippy::cast_possible_truncation, reason = "checked by `LabelCounter`")]
        let index = at as u32;
        self.nexts[at] = self.heads[head];
        self.heads[head] = index;
    }

    fn least(&self) -> usize {
        let mut least = 0;
        for (at, count) in self.counts.iter().enumerate() {
            if *count < self.counts[least] {
                least = at;
            }
        }
        least
    }

    fn unlink(&mut self, at: usize) {
        let head = self.head(self.hashes[at]);
        let next = self.nexts[at];
        let mut index = self.heads[head];
        if index as usize == at {
            self.heads[head] = next;
            return;
        }
        while index != NONE {
            let before = index as usize;
            index = self.nexts[before];
            if index as usize == at {
                self.nexts[before] = next;
                return;
            }
        }
    }

    /// What a label that is not counted may have had.
    fn floor(&self) -> u64 {
        if self.replaced {
            self.counts[self.least()]
        } else {
            0
        }
    }
}

type Stripe = CachePadded<Mutex<LabelSummary>>;

fn lock(stripe: &Stripe) -> MutexGuard<'_, LabelSummary> {
    stripe.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
pub(crate) struct FrequentLabels {
    seed: Seed,
    stripes: Box<[Stripe]>,
    labels: usize,
}

/// All stripes together.
#[derive(Clone, Debug, Default)]
pub(crate) struct MergedLabels {
    pub(crate) total: u64,
    /// Label, and how often it was there at least and at most; the most frequent first.
    pub(crate) labels: Vec<(String, u64, u64)>,
    /// How often one that is not among them was there, at most.
    pub(crate) max_unlisted: u64,
}

impl FrequentLabels {
    /// Makes room for `labels` labels, at least one and less than `u32::MAX`.
    pub(crate) fn new(labels: usize) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        let stripes = (2 * cores).next_power_of_two().clamp(4, 32);
        Self::with_stripes(labels, stripes)
    }

    fn with_stripes(labels: usize, stripes: usize) -> Self {
        let stripe = |_| CachePadded::new(Mutex::new(LabelSummary::new(labels)));
        Self {
            seed: Seed::new(),
            stripes: (0..stripes).map(stripe).collect(),
            labels,
        }
    }

    #[inline]
    pub(crate) fn add(&self, text: &str, n: u64) {
        self.add_to(threads::number(), text, n);
    }

    #[inline]
    fn add_to(&self, stripe: usize, text: &str, n: u64) {
        let text = cut(text);
        let hash = self.seed.of(text);
        let stripe = &self.stripes[stripe & (self.stripes.len() - 1)];
        lock(stripe).add(hash, text, n);
    }

    pub(crate) fn merged(&self) -> MergedLabels {
        let mut merged = MergedLabels::default();
        // At least, at most, and the floors of the stripes that have it.
        let mut labels: HashMap<String, (u64, u64, u64)> = HashMap::new();
        for stripe in &self.stripes {
            // Allocated before the lock is taken, for the same reason as above.
            let mut copies: Vec<(String, u64, u64)> = (0..self.labels)
                .map(|_| (String::with_capacity(LABEL_BYTES), 0, 0))
                .collect();
            let summary = lock(stripe);
            for (at, (text, count, error)) in copies.iter_mut().take(summary.used).enumerate() {
                text.push_str(&summary.texts[at]);
                *count = summary.counts[at];
                *error = summary.errors[at];
            }
            let (total, floor, used) = (summary.total, summary.floor(), summary.used);
            drop(summary);
            merged.total += total;
            merged.max_unlisted += floor;
            copies.truncate(used);
            for (text, count, error) in copies {
                let label = labels.entry(text).or_default();
                label.0 += count - error;
                label.1 += count;
                label.2 += floor;
            }
        }
        let floors = merged.max_unlisted;
        merged.labels = labels
            .into_iter()
            .map(|(text, (least, most, its_floors))| (text, least, most + floors - its_floors))
            .collect();
        merged
            .labels
            .sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        if let Some((_, _, most)) = merged.labels.get(self.labels) {
            merged.max_unlisted = merged.max_unlisted.max(*most);
            merged.labels.truncate(self.labels);
        }
        merged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_count_lies_between_its_bounds(
            labels in 1_usize..6,
            adds in vec((0_usize..3, 0_u8..12, 1_u64..4), 0..200),
        ) {
            let top = FrequentLabels::with_stripes(labels, 4);
            let mut exact: HashMap<String, u64> = HashMap::new();
            for (stripe, label, n) in adds {
                // The lower the more frequent.
                let label = format!("label {}", u64::from(label) * u64::from(label) / 12);
                top.add_to(stripe, &label, n);
                *exact.entry(label).or_default() += n;
            }
            let merged = top.merged();
            let total: u64 = exact.values().sum();
            prop_assert_eq!(merged.total, total);
            prop_assert!(merged.labels.len() <= labels);
            for (label, least, most) in &merged.labels {
                let exact = exact[label];
                prop_assert!(*least <= exact && exact <= *most, "{} {} {} {}", label, least, exact, most);
                prop_assert!(most - least <= total / labels as u64);
            }
            for (label, exact) in &exact {
                if !merged.labels.iter().any(|(listed, ..)| listed == label) {
                    prop_assert!(*exact <= merged.max_unlisted);
                }
            }
            if exact.len() <= labels {
                prop_assert_eq!(merged.max_unlisted, 0);
                prop_assert!(merged.labels.iter().all(|(_, least, most)| least == most));
            }
        }
    }
}
