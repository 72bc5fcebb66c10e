//! What the handle and the probes share: firings are counted here.

use super::capture::{self, Busy};
use super::raw::{self, RawProfile, RawRow, RawStack, StackCounts};
use super::table::{LabelBytes, StackKey, StackSum, StackTable, StackTally};
use hotprobe::{AnyEvent, Value};
use hotprobe_filter::{Condition, Filter};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime};

/// An event, and where its weight and its labels are among its parameters.
pub(super) struct StackSource {
    pub(super) event: &'static dyn AnyEvent,
    pub(super) weight: Option<usize>,
    pub(super) labels: Vec<usize>,
    pub(super) other: StackTally,
    pub(super) nested: StackTally,
}

impl fmt::Debug for StackSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.event.name())
    }
}

/// What the handle and the probes share.
pub(super) struct StackCollector {
    pub(super) sources: Vec<StackSource>,
    pub(super) labels: Vec<String>,
    /// The weight's name and unit.
    pub(super) weight: Option<(String, String)>,
    pub(super) every: u64,
    pub(super) max_frames: usize,
    pub(super) started: (SystemTime, Instant),
    pub(super) ticket: AtomicU64,
    pub(super) skipped: StackTally,
    pub(super) unweighed: AtomicU64,
    pub(super) table: StackTable,
    pub(super) filter: Filter,
    pub(super) condition: Option<Condition>,
}

impl StackCollector {
    /// A firing.
    pub(super) fn fire(&self, index: usize, values: &[Value<'_>]) {
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
        let mut labels = LabelBytes::new();
        for &parameter in &source.labels {
            capture::push_label(&mut labels, values[parameter]);
        }
        let addresses = capture::stack(self.max_frames + capture::INNER);
        let key = StackKey {
            event: index,
            addresses: &addresses,
            labels: &labels,
        };
        self.table.tally(key).unwrap_or(&source.other).add(weight);
    }

    pub(super) fn counts(&self) -> StackCounts {
        let mut counts = StackCounts::default();
        let mut sum = StackSum::default();
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
            rejected: self.filter.rejected_in_total(),
            weight: sum.weight,
            weight_skipped: skipped.weight,
            ..counts
        }
    }

    pub(super) fn raw(&self) -> RawProfile {
        let rows = self.table.rows().map(|(key, sum)| RawRow {
            event: key.event,
            stack: RawStack::Addresses(key.addresses.into()),
            labels: capture::labels(key.labels),
            sum,
        });
        let mut raw = RawProfile {
            events: self
                .sources
                .iter()
                .map(|source| source.event.metadata())
                .collect(),
            labels: self.labels.clone(),
            weight: self.weight.clone(),
            every: self.every,
            max_frames: self.max_frames,
            started: self.started.0,
            lasted: self.started.1.elapsed(),
            rows: rows.collect(),
            skipped: self.skipped.get(),
            unweighed: self.unweighed.load(Ordering::Relaxed),
            filter: self.condition.as_ref().map(ToString::to_string),
            rejected: self.filter.rejected_in_total(),
        };
        for (event, source) in self.sources.iter().enumerate() {
            raw.push_made_up(event, raw::OTHER, source.other.get());
            raw.push_made_up(event, raw::NESTED, source.nested.get());
        }
        raw
    }
}
