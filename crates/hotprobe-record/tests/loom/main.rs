//! Models of the recorder's ring, on loom: `cargo loom`. Empty in other builds.
//!
//! The code that runs is the ring's own; only the primitives below it are loom's. `ci/mutants.sh`
//! plants bugs that these models have to catch (`mutants/`).
//!
//! **Bounds.** `check(UNLIMITED, …)` sets no bound on preemptions; `check(preemptions(n), …)`
//! explores the interleavings with at most `n` preemptions. **Cost** is written beside each model:
//! executions, and seconds on an idle core.
#![cfg(crossbeam_loom)]

mod ring;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// No bound on preemptions.
const UNLIMITED: Option<usize> = None;

/// At most this many preemptions.
const fn preemptions(bound: usize) -> Option<usize> {
    Some(bound)
}

/// Explores a model, and prints what it cost (`cargo loom -- --nocapture`).
fn check(bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executions);
    let start = Instant::now();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    builder.max_branches = 20_000;
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!(
        "{}: {} executions, {:.1} s",
        std::thread::current().name().unwrap_or("model"),
        executions.load(Ordering::Relaxed),
        start.elapsed().as_secs_f64()
    );
}
