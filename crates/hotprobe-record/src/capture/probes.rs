//! The buffers of a recording, and the probes that write into them.

use super::buffers::Buffers;
use hotprobe::{Batch, ProbeGroup};
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a recording's handle, its streaming thread and the panic hook share.
pub(crate) struct Capture {
    pub(crate) buffers: Arc<Buffers>,
    probes: Mutex<ProbeGroup>,
}

impl Capture {
    pub(crate) fn new(buffers: Arc<Buffers>) -> Self {
        Self {
            buffers,
            probes: Mutex::default(),
        }
    }

    /// Attaches all probes at one instant.
    pub(crate) fn attach(&self, batch: Batch) {
        *self.lock() = batch.commit();
    }

    /// Detaches all probes: no firing begins to record after this.
    pub(crate) fn detach(&self) {
        // Taken out first: what detaching drops is not dropped under the lock.
        let mut probes = mem::take(&mut *self.lock());
        probes.detach();
    }

    fn lock(&self) -> MutexGuard<'_, ProbeGroup> {
        self.probes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
