//! What happens when a probe panics: decided here, once.

use super::cell::quarantine;
use super::domain;
use super::slot::Header;
use crate::options::OnPanic;
use crate::sync::Ordering;
use std::any::Any;
use std::cell::Cell;
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

/// Collects what the probes of one half of a span propagate, so that the others run all the same
/// (G16).
pub(crate) struct Propagated(Cell<Option<Box<dyn Any + Send>>>);

impl Propagated {
    pub(crate) fn new() -> Self {
        Self(Cell::new(None))
    }

    /// Runs a probe, and keeps the first panic that gets out of one.
    #[inline(always)]
    pub(crate) fn collect(&self, probe: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(probe)) {
            self.keep(payload);
        }
    }

    #[cold]
    #[inline(never)]
    fn keep(&self, payload: Box<dyn Any + Send>) {
        match self.0.take() {
            None => self.0.set(Some(payload)),
            Some(first) => {
                self.0.set(Some(first));
                discard(payload);
            }
        }
    }

    /// The panic continues, if there was one. Not while this thread unwinds already: a span may end
    /// in a destructor, and a second panic there would end the process.
    #[inline(always)]
    pub(crate) fn resume(self) {
        if let Some(payload) = self.0.into_inner() {
            resume(payload);
        }
    }
}

#[cold]
#[inline(never)]
fn resume(payload: Box<dyn Any + Send>) {
    if std::thread::panicking() {
        discard(payload);
    } else {
        resume_unwind(payload);
    }
}

/// Drops a panic's payload, which may itself panic.
pub fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // Enough of it.
        mem::forget(again);
    }
}
