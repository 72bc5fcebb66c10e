//! What writers do: attach, detach, commit. Buffers are allocated first and freed last, without the
//! lock; under it there is only copying and swapping (I4, I5).

use super::cell::{EventCell, Node, buffer, try_buffer};
use super::gate::Gate;
use super::reclaim::{self, DomainWriter, Effort, Ticket};
use super::slot::SlotPtr;
use super::snapshot::ProbeEntry;
use super::{domain, lane, pin};
use crate::sync::MODEL;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// One event's part in an update.
struct Change {
    cell: &'static EventCell,
    /// What the next snapshot is built in; none if it is expected to be empty.
    buffer: Option<Box<Node>>,
    /// Which of the added entries are this event's.
    added: Range<usize>,
    done: bool,
}

type Changes = SmallVec<[Change; 2]>;

impl Change {
    fn capacity(&self) -> usize {
        self.buffer.as_ref().map_or(0, |buffer| buffer.capacity())
    }

    /// Whether the buffer is large enough for the next snapshot.
    fn fits(&self, writer: &DomainWriter) -> bool {
        let capacity = self.capacity();
        // The guess is exact under the lock, and an upper bound; counting costs more.
        self.cell.guess_len(self.added.len()) <= capacity
            || self.cell.next_len(writer, self.added.len()) <= capacity
    }

    fn apply(&mut self, writer: &mut DomainWriter, entries: &[ProbeEntry]) {
        self.done = true;
        if self.added.is_empty() && self.cell.next_len(writer, 0) == self.cell.guess_len(0) {
            // Others have taken everything out already.
            return;
        }
        let added = entries[self.added.clone()].iter().copied();
        // What comes back was not needed, and is freed without the lock, with the change.
        self.buffer = self.cell.update(writer, self.buffer.take(), added);
    }
}

/// Attaches one probe.
pub(crate) fn attach(cell: &'static EventCell, entry: ProbeEntry) {
    lane::prepare();
    let mut change = Change {
        cell,
        buffer: Some(buffer(cell.guess_len(1))),
        added: 0..1,
        done: false,
    };
    let (heavy, ticket) = loop {
        let mut writer = domain().lock();
        if change.fits(&writer) {
            let number = begin(&mut writer, &[entry]);
            change.apply(&mut writer, &[entry]);
            domain().sequence.publish(number);
            break (writer.is_heavy(), writer.retired_so_far());
        }
        // Another writer was quicker.
        let needed = cell.next_len(&writer, 1);
        drop(writer);
        change.buffer = Some(buffer(needed));
    };
    drop(change);
    if heavy && !pin::is_inside() {
        reclaim::drive(ticket, Effort::SnapshotsOnly, || true);
    }
}

/// Detaches probes, by one swap in each slot and one of each event's snapshot, under one lock.
/// Returns how many this call detached. `gates` are closed first: one store, at which all that
/// share one end.
///
/// Allocates for shorter snapshots, but needs none of them: where there is no memory, the probe is
/// detached all the same, and stays in the snapshot as a tombstone (G15).
pub(crate) fn detach<S>(slots: S, gates: &[Arc<Gate>]) -> usize
where
    S: Iterator<Item = SlotPtr> + Clone,
{
    let mut changes = plan_detach(slots.clone());
    let mut detached = 0;
    let ticket = {
        let mut writer = domain().lock();
        for gate in gates {
            gate.close();
        }
        for slot in slots.clone() {
            // SAFETY: the caller's handles keep the slots alive.
            detached += usize::from(unsafe { writer.detach(slot) });
        }
        match &mut changes {
            // All of them had been detached already; but what they captured may still be there.
            _ if detached == 0 => {}
            Some(changes) => {
                for change in changes {
                    if change.fits(&writer) {
                        change.apply(&mut writer, &[]);
                    } else {
                        change.cell.keep_tombstones(&mut writer);
                    }
                }
            }
            None => {
                for slot in slots {
                    // SAFETY: as above.
                    let cell = unsafe { slot.header() }.cell;
                    cell.keep_tombstone(&mut writer, slot);
                }
            }
        }
        writer.retired_so_far()
    };
    if let Some(changes) = changes.as_mut().filter(|_| detached > 0) {
        compact(changes);
    }
    drop(changes);
    settle(ticket);
    detached
}

/// The events that a detach changes, each once, with a buffer if there is memory. None if there is
/// not even memory for the list.
fn plan_detach(slots: impl Iterator<Item = SlotPtr>) -> Option<Changes> {
    let mut cells: SmallVec<[&'static EventCell; 2]> = SmallVec::new();
    for slot in slots {
        // SAFETY: the caller's handles keep the slots alive.
        let cell = unsafe { slot.header() }.cell;
        if cells.last().is_none_or(|last| !std::ptr::eq(*last, cell)) {
            cells.try_reserve(1).ok()?;
            cells.push(cell);
        }
    }
    cells.sort_unstable_by_key(|cell| std::ptr::from_ref::<EventCell>(cell).addr());
    let mut changes = Changes::new();
    let mut rest = &cells[..];
    while let Some(&cell) = rest.first() {
        let run = rest
            .iter()
            .take_while(|other| std::ptr::eq(**other, cell))
            .count();
        rest = &rest[run..];
        changes.try_reserve(1).ok()?;
        changes.push(Change {
            cell,
            buffer: match cell.guess_len(0) {
                // The last one is being detached, most likely.
                0 | 1 => None,
                len => try_buffer(len - 1),
            },
            added: 0..0,
            done: false,
        });
    }
    Some(changes)
}

/// Takes out the tombstones that a detach left since its guess was too short.
fn compact(changes: &mut Changes) {
    for change in changes {
        while !change.done {
            let needed = change.cell.next_len(&domain().lock(), 0);
            if needed > change.capacity() {
                change.buffer = try_buffer(needed);
            }
            let mut writer = domain().lock();
            if change.fits(&writer) {
                change.apply(&mut writer, &[]);
            } else if change.buffer.is_none() {
                // No memory: a later update will.
                break;
            }
        }
    }
}

/// Begins an attach of `entries`, which are not published yet: gives them their number.
fn begin(writer: &mut DomainWriter, entries: &[ProbeEntry]) -> u64 {
    let number = writer.next_attach();
    for entry in entries {
        // SAFETY: the caller's handles keep the slots alive.
        unsafe { entry.slot.header() }.be_born(number);
    }
    number
}

/// Detaches `slots`, closing `closing` first, then attaches `entries`: all under one lock.
/// `entries` are sorted by event. Everything that can fail is done before anything changes.
pub(crate) fn commit(slots: &[SlotPtr], closing: &[Arc<Gate>], entries: &[ProbeEntry]) {
    lane::prepare();
    let mut changes = plan_commit(slots, entries);
    let ticket = loop {
        let mut writer = domain().lock();
        let short = |change: &Change| !change.fits(&writer);
        if !changes.iter().any(short) {
            for gate in closing {
                gate.close();
            }
            for &slot in slots {
                // SAFETY: the batch's handles keep the slots alive.
                unsafe { writer.detach(slot) };
            }
            let number = begin(&mut writer, entries);
            for change in &mut changes {
                change.apply(&mut writer, entries);
            }
            // Last: a thread that sees the number sees all snapshots in place (G5, G16).
            if !entries.is_empty() {
                domain().sequence.publish(number);
            }
            break writer.retired_so_far();
        }
        // Another writer was quicker.
        drop(writer);
        for change in &mut changes {
            let needed = change.cell.next_len(&domain().lock(), change.added.len());
            if needed > change.capacity() {
                change.buffer = Some(buffer(needed));
            }
        }
    };
    drop(changes);
    settle(ticket);
}

fn plan_commit(slots: &[SlotPtr], entries: &[ProbeEntry]) -> Changes {
    // (Without detaches, the entries are by event already: a model keeps their order.)
    let order = |cell: &EventCell| {
        let is_sorted = MODEL && slots.is_empty();
        (!is_sorted).then(|| std::ptr::from_ref(cell).addr())
    };
    // SAFETY: the batch's handles keep the slots alive.
    let cell_of = |slot: &SlotPtr| unsafe { slot.header() }.cell;
    let mut cells: Vec<(&'static EventCell, Range<usize>)> = Vec::new();
    let mut start = 0;
    for run in entries.chunk_by(|a, b| std::ptr::eq(cell_of(&a.slot), cell_of(&b.slot))) {
        cells.push((cell_of(&run[0].slot), start..start + run.len()));
        start += run.len();
    }
    cells.extend(slots.iter().map(|slot| (cell_of(slot), 0..0)));
    // Those with additions first among equals, so that `dedup` keeps them.
    cells.sort_by_key(|(cell, added)| (order(cell), added.is_empty()));
    cells.dedup_by(|b, a| std::ptr::eq(a.0, b.0));
    cells
        .into_iter()
        .map(|(cell, added)| Change {
            cell,
            buffer: match cell.guess_len(added.len()) {
                0 => None,
                len => Some(buffer(len)),
            },
            added,
            done: false,
        })
        .collect()
}

/// Drops what was just retired, if it can be without waiting, and if this is a place for it (G7).
fn settle(ticket: Ticket) {
    if pin::is_inside() {
        pin::note_retired_inside(ticket.number());
    } else if !MODEL {
        // (A model that is about reclaiming asks for it: crossbeam's collection in each detach
        // would make every other model too large.)
        reclaim::drive(ticket, Effort::UntilOver, || true);
    }
}
