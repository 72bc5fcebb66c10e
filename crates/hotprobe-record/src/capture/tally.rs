//! Counts of what was written and what was lost.

use super::buffers::Buffers;
use crate::formats::export::{Lost, ThreadInfo, Total};
use std::collections::BTreeMap;

/// Counts by thread and event, in the making.
#[derive(Debug, Default)]
pub(crate) struct Tally(BTreeMap<(usize, usize), (u64, u64)>);

impl Tally {
    pub(crate) fn written(&mut self, thread: usize, event: usize, count: u64) {
        self.0.entry((thread, event)).or_default().0 += count;
    }

    pub(crate) fn lost(&mut self, thread: usize, event: usize, count: u64) {
        self.0.entry((thread, event)).or_default().1 += count;
    }

    pub(crate) fn totals(&self) -> Vec<Total> {
        let total = |(&(thread, event), &(written, lost)): (&(usize, usize), &(u64, u64))| Total {
            thread,
            event,
            fired: written + lost,
            written,
            lost,
        };
        self.0.iter().map(total).collect()
    }
}

/// What threads lost that had no buffer: those for which there was none, and those that were about
/// to get one, which are told as a thread of their own.
pub(crate) fn lost_without_buffer(buffers: &Buffers, threads: &mut Vec<ThreadInfo>) -> Vec<Lost> {
    let mut lost = buffers.beyond();
    let index = threads.len();
    lost.extend(buffers.between().map(|(event, count)| Lost {
        time: 0,
        thread: index,
        event,
        count,
    }));
    if lost.last().is_some_and(|lost| lost.thread == index) {
        threads.push(ThreadInfo {
            index,
            id: 0,
            name: Some("(threads that were about to get a buffer)".into()),
        });
    }
    lost
}
