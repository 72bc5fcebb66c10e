//! What happens when a probe panics: decided here, once.

use super::cell::quarantine;
use super::domain;
use super::slot::Header;
use crate::options::OnPanic;
use crate::sync::Ordering;
use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Calls a probe under its panic policy.
#[inline(always)]
pub(crate) fn run(header: &Header, call: impl FnOnce()) {
    // Unwind safety is the probe's own affair: after a panic it is not called again.
    if let Err(payload) = catch_unwind(AssertUnwindSafe(call)) {
        panicked(header, payload);
    }
}

#[cold]
#[inline(never)]
fn panicked(header: &Header, payload: Box<dyn Any + Send>) {
    // Relaxed: a statistic.
    domain()
        .counters
        .probe_panics
        .fetch_add(1, Ordering::Relaxed);
    header.panicked.store(true, Ordering::Relaxed);
    match header.options.on_panic {
        OnPanic::Propagate => resume_unwind(payload),
        OnPanic::Quarantine => {
            quarantine(header);
            discard(payload);
        }
    }
}

/// Drops a panic's payload, which may itself panic.
pub fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Enough of it.
        mem::forget(again);
    }
}
