//! Models of the design, on loom and the real crossbeam-epoch: `cargo loom`. Empty in other builds.
//!
//! One file for each theorem. The code that runs is the crate's own, and crossbeam-epoch's own:
//! only the primitives below them are loom's. `docs::orderings` says what loom cannot see;
//! `ci/mutants.sh` plants bugs that these models have to catch.
//!
//! **Bounds.** `check(UNLIMITED, …)` explores every interleaving of its threads, and every value
//! that their orderings let them read. `check(preemptions(n), …)` explores those with at most `n`
//! preemptions (a thread that blocks or ends is no preemption): what three threads do without a
//! bound is out of reach.
//!
//! **Warm and cold.** A *warm* thread gets a registration that was made before the model's threads
//! began: a lane, and a handle of crossbeam's collector that has been pinned once. A *cold* one
//! takes a lane at its first firing, and joins the collector when it first reclaims. Most threads
//! are warm, since what a cold one does is the same in each model; cold are those that the theorem
//! is about.
//!
//! **Cost** is written beside each model: executions, which are exact, and seconds on an idle core.
//! All of them take about two minutes of one core, and one minute on two.
//! `cargo loom -- --nocapture` measures them.
//!
//! **Each execution must do the same** given the same schedule, or loom explores nonsense, and may
//! report it. What goes by addresses is the trap: a commit goes through its events in their order
//! ([`address`]).
#![cfg(crossbeam_loom)]

mod attach_is_seen_whole;
mod batch_detaches_and_attaches;
mod batch_is_one_instant;
mod deferred_runs_anywhere;
mod detach_inside_a_probe;
mod detach_then_synchronize;
mod drop_panics;
mod first_registration;
mod lane;
mod nested_fire;
mod no_use_after_retire;
mod order_across_events;
mod panic_against_detach;
mod panic_against_fire;
mod pinned_against_synchronize;
mod reclaim_drops_once;
mod spans;
mod three_items_two_drainers;
mod two_detachers;
mod two_synchronizers;
mod two_writers;

use hotprobe::__private::{Canary, Participant};
use loom::thread::{self, JoinHandle};
use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Every interleaving.
const UNLIMITED: Option<usize> = None;

/// Every interleaving with at most this many preemptions.
const fn preemptions(bound: usize) -> Option<usize> {
    Some(bound)
}

/// Explores a model; its main thread is warm. Says what it cost (`cargo loom -- --nocapture`).
fn check(bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    check_cold(bound, move || {
        Participant::new().enter();
        model();
    });
}

/// As `check`, but the main thread is cold.
fn check_cold(bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    let executions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&executions);
    let start = Instant::now();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = bound;
    builder.max_branches = 20_000;
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        PLANNED.set(0);
        model();
        // What fails inside a probe or a captured `Drop` is caught there: here it comes out.
        let stats = hotprobe::stats();
        assert_eq!(stats.probe_panics + stats.drop_panics, PLANNED.get());
        // Before the domain is gone, which the last functions deferred refer to.
        drop(Participant::leave());
        PARTED.take();
    });
    println!(
        "{}: {} executions, {:.1} s",
        std::thread::current().name().unwrap_or("model"),
        executions.load(Ordering::Relaxed),
        start.elapsed().as_secs_f64()
    );
}

std::thread_local! {
    /// Registrations of warm threads that have ended: given up at the end of the execution, all
    /// together.
    static PARTED: RefCell<Vec<Participant>> = const { RefCell::new(Vec::new()) };

    /// Panics that the model means, in this execution.
    static PLANNED: Cell<u64> = const { Cell::new(0) };
}

/// A warm thread.
struct Warm<R>(JoinHandle<(Option<Participant>, R)>);

/// Spawns a warm thread.
fn warm<R: 'static>(body: impl FnOnce() -> R + 'static) -> Warm<R> {
    spawn(Participant::new(), body)
}

/// Spawns a thread past its destructors: its firings pin through crossbeam-epoch, which collects at
/// each of them.
fn past_its_destructors<R: 'static>(body: impl FnOnce() -> R + 'static) -> Warm<R> {
    spawn(Participant::past_its_destructors(), body)
}

fn spawn<R: 'static>(participant: Participant, body: impl FnOnce() -> R + 'static) -> Warm<R> {
    Warm(thread::spawn(move || {
        participant.enter();
        let result = body();
        (Participant::leave(), result)
    }))
}

impl<R> Warm<R> {
    fn join(self) -> R {
        let (participant, result) = self.0.join().unwrap();
        PARTED.with_borrow_mut(|parted| parted.extend(participant));
        result
    }
}

/// Spawns a cold thread: it registers when it has to, and leaves when it ends.
fn cold<R: 'static>(body: impl FnOnce() -> R + 'static) -> JoinHandle<R> {
    thread::spawn(body)
}

/// What a probe of a model captures. It knows whether it has been dropped, and loom reports a use
/// that is not ordered before its drop.
struct Captured {
    memory: Canary,
    fate: Arc<Fate>,
}

/// What became of a [`Captured`].
#[derive(Default)]
struct Fate {
    /// Plain: it orders nothing, and loom does not see it.
    runs: AtomicUsize,
    /// Loom's: it explores who looks before the drop, and who after.
    drops: loom::sync::atomic::AtomicUsize,
}

impl Captured {
    fn new() -> (Self, Arc<Fate>) {
        let fate = Arc::new(Fate::default());
        let captured = Self {
            memory: Canary::new(),
            fate: Arc::clone(&fate),
        };
        (captured, fate)
    }

    /// The probe runs.
    fn run(&self) {
        self.memory.alive();
        self.fate.runs.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        self.fate.drops.fetch_add(1, Ordering::Relaxed);
        self.memory.dead();
        assert!(
            !FIRES_ONLY.with(Cell::get),
            "dropped on a thread that only fires"
        );
    }
}

loom::thread_local! {
    /// This thread fires, and does nothing else.
    static FIRES_ONLY: Cell<bool> = Cell::new(false);
}

/// The body of a thread that only fires: nothing may be dropped on it.
fn fires_only<R>(body: impl FnOnce() -> R) -> impl FnOnce() -> R {
    || {
        FIRES_ONLY.with(|fires_only| fires_only.set(true));
        body()
    }
}

/// An event's address: a commit goes through its events in this order, which has to be the same in
/// each execution.
fn address<F: ?Sized>(event: &hotprobe::Event<F>) -> usize {
    std::ptr::from_ref(event).addr()
}

/// A panic that prints nothing, and that the model means.
fn quiet_panic() {
    PLANNED.set(PLANNED.get() + 1);
    std::panic::resume_unwind(Box::new("as planned"));
}

/// Reclaims what is left, with no other thread running, and finds that nothing was lost or
/// reclaimed twice.
fn all_is_reclaimed() {
    hotprobe::reclaim();
    hotprobe::reclaim();
    let stats = hotprobe::stats();
    assert_eq!(stats.retired, stats.reclaimed);
}

impl Fate {
    fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }

    fn drops(&self) -> usize {
        self.drops.load(Ordering::Relaxed)
    }
}
