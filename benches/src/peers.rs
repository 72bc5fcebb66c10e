//! The same work done by peers. Some have one state for the whole process, so each is measured in
//! its own process, next to this crate.

// Hazard pointers, and pointers that seize protects, are followed by `unsafe` methods only; a
// static key is switched by one.
#![allow(unsafe_code)]

use crate::layout_a::floors::{Closure, closure, counter};
use crate::{Subject, subject};
use std::hint::black_box;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, LazyLock, RwLock};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::reload;

/// The work that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Eight places that are off.
    Off,
    /// One place with one closure, or its equivalent, that does nothing.
    On,
    /// Adding and removing such a closure.
    Change,
}

/// A subject of a peer.
#[derive(Clone, Copy, Debug)]
pub struct Peer {
    /// What it does.
    pub work: Work,
    /// The name in the tables.
    pub what: &'static str,
    /// The loop.
    pub subject: Subject,
    /// Brings the process into the state that is measured.
    pub prepare: fn(),
}

macro_rules! eight_times {
    ($n:ident, $i:ident, $site:expr) => {
        for $i in counter($n) {
            black_box($i);
            $site;
            $site;
            $site;
            $site;
            $site;
            $site;
            $site;
            $site;
        }
    };
}

#[inline(never)]
fn tracing_8(n: u64) {
    eight_times!(n, i, tracing::info!(target: "measured", x = i));
}

#[inline(never)]
fn tracing_1(n: u64) {
    for i in counter(n) {
        tracing::info!(target: "measured", x = i);
    }
}

#[inline(never)]
fn log_8(n: u64) {
    eight_times!(n, i, log::info!("{i}"));
}

#[inline(never)]
fn log_1(n: u64) {
    for i in counter(n) {
        log::info!("{i}");
    }
}

#[inline(never)]
fn fastrace_8(n: u64) {
    eight_times!(
        n,
        i,
        drop(fastrace::local::LocalSpan::enter_with_local_parent(
            "measured"
        ))
    );
}

#[inline(never)]
fn fastrace_1(n: u64) {
    // A trace holds a limited number of spans.
    for from in counter(n).step_by(256) {
        let root = fastrace::Span::root(
            "root",
            fastrace::collector::SpanContext::new(
                fastrace::collector::TraceId(1),
                fastrace::collector::SpanId(1),
            ),
        );
        let parent = root.set_local_parent();
        for _ in from..(from + 256).min(n) {
            drop(fastrace::local::LocalSpan::enter_with_local_parent(
                "measured",
            ));
        }
        drop(parent);
    }
}

static_keys::define_static_key_false!(KEY);

#[inline(never)]
fn static_key_on(x: u64) {
    black_box(x);
}

#[inline(never)]
fn static_keys_8(n: u64) {
    eight_times!(
        n,
        i,
        if static_keys::static_branch_unlikely!(KEY) {
            static_key_on(i);
        }
    );
}

#[inline(never)]
fn usdt_8(n: u64) {
    eight_times!(n, i, probe::probe!(overhead, measured, i));
}

static ARC_SWAP: LazyLock<arc_swap::ArcSwap<List>> =
    LazyLock::new(|| arc_swap::ArcSwap::from_pointee(vec![Arc::new(closure())]));

#[inline(never)]
fn arc_swap_1(n: u64) {
    let list = &*ARC_SWAP;
    for i in counter(n) {
        for f in list.load().iter() {
            f(i);
        }
    }
}

#[inline(never)]
fn arc_swap_pair(n: u64) {
    let list = &*ARC_SWAP;
    for _ in counter(n) {
        let added = Arc::new(closure());
        list.rcu(|old| {
            let mut next = Vec::with_capacity(old.len() + 1);
            next.extend(old.iter().cloned());
            next.push(added.clone());
            next
        });
        list.rcu(|old| old[..old.len() - 1].to_vec());
    }
}

static STD_LOCK: LazyLock<RwLock<Vec<Closure>>> = LazyLock::new(|| RwLock::new(vec![closure()]));
static PARKING_LOT: LazyLock<parking_lot::RwLock<Vec<Closure>>> =
    LazyLock::new(|| parking_lot::RwLock::new(vec![closure()]));

#[inline(never)]
fn std_lock_1(n: u64) {
    let list = &*STD_LOCK;
    for i in counter(n) {
        for f in list.read().expect("nothing panics").iter() {
            f(i);
        }
    }
}

#[inline(never)]
fn std_lock_pair(n: u64) {
    let list = &*STD_LOCK;
    for _ in counter(n) {
        list.write().expect("nothing panics").push(closure());
        drop(list.write().expect("nothing panics").pop());
    }
}

#[inline(never)]
fn parking_lot_1(n: u64) {
    let list = &*PARKING_LOT;
    for i in counter(n) {
        for f in list.read().iter() {
            f(i);
        }
    }
}

#[inline(never)]
fn parking_lot_pair(n: u64) {
    let list = &*PARKING_LOT;
    for _ in counter(n) {
        list.write().push(closure());
        drop(list.write().pop());
    }
}

/// A probe as an event has it: shared by the vectors that contain it.
type List = Vec<Arc<Closure>>;

static SEIZE: LazyLock<seize::Collector> = LazyLock::new(seize::Collector::new);
static SEIZED: LazyLock<AtomicPtr<List>> =
    LazyLock::new(|| AtomicPtr::new(Box::into_raw(Box::new(vec![Arc::new(closure())]))));

#[inline(never)]
fn seize_1(n: u64) {
    use seize::Guard;
    let (collector, list) = (&*SEIZE, &*SEIZED);
    for i in counter(n) {
        let guard = collector.enter();
        // SAFETY: never null, and protected as long as the guard lives.
        for f in unsafe { &*guard.protect(list, Ordering::Acquire) } {
            f(i);
        }
    }
}

#[inline(never)]
fn seize_pair(n: u64) {
    use seize::Guard;
    let (collector, list) = (&*SEIZE, &*SEIZED);
    let update = |change: &dyn Fn(&List) -> List| {
        let guard = collector.enter();
        let old = guard.protect(list, Ordering::Acquire);
        // SAFETY: never null, and this thread alone replaces it.
        let next = change(unsafe { &*old });
        let old = guard.swap(list, Box::into_raw(Box::new(next)), Ordering::AcqRel);
        // SAFETY: unlinked just now; it comes from `Box::into_raw`.
        unsafe { guard.defer_retire(old, seize::reclaim::boxed) };
    };
    for _ in counter(n) {
        let added = Arc::new(closure());
        update(&|old| {
            let mut next = Vec::with_capacity(old.len() + 1);
            next.extend(old.iter().cloned());
            next.push(added.clone());
            next
        });
        update(&|old| old[..old.len() - 1].to_vec());
    }
}

static HAZARD: LazyLock<haphazard::AtomicPtr<List>> =
    LazyLock::new(|| haphazard::AtomicPtr::from(Box::new(vec![Arc::new(closure())])));

#[inline(never)]
fn haphazard_1(n: u64) {
    let list = &*HAZARD;
    // Kept, as a thread would.
    let mut hazard = haphazard::HazardPointer::new();
    for i in counter(n) {
        for f in list.safe_load(&mut hazard).expect("never null") {
            f(i);
        }
        hazard.reset_protection();
    }
}

#[inline(never)]
fn haphazard_pair(n: u64) {
    let list = &*HAZARD;
    let mut hazard = haphazard::HazardPointer::new();
    let mut update = |change: &dyn Fn(&List) -> List| {
        let next = change(list.safe_load(&mut hazard).expect("never null"));
        hazard.reset_protection();
        if let Some(old) = list.swap(Box::new(next)) {
            // SAFETY: unlinked just now, once.
            unsafe { old.retire() };
        }
    };
    for _ in counter(n) {
        let added = Arc::new(closure());
        update(&|old| {
            let mut next = Vec::with_capacity(old.len() + 1);
            next.extend(old.iter().cloned());
            next.push(added.clone());
            next
        });
        update(&|old| old[..old.len() - 1].to_vec());
    }
}

static EPOCH: LazyLock<crossbeam_epoch::Atomic<Closure>> =
    LazyLock::new(|| crossbeam_epoch::Atomic::new(closure()));

#[inline(never)]
fn epoch_1(n: u64) {
    let one = &*EPOCH;
    for i in counter(n) {
        let guard = crossbeam_epoch::pin();
        // SAFETY: never replaced.
        if let Some(f) = unsafe { one.load(Ordering::Acquire, &guard).as_ref() } {
            f(i);
        }
    }
}

/// A `Subscriber`, or a `Layer`, or a logger, that does nothing.
struct Nothing;

impl tracing::Subscriber for Nothing {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }
    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn event(&self, _: &tracing::Event<'_>) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Nothing {}

impl log::Log for Nothing {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, _: &log::Record<'_>) {}
    fn flush(&self) {}
}

impl fastrace::collector::Reporter for Nothing {
    fn report(&mut self, _: Vec<fastrace::collector::SpanRecord>) {}
}

fn install(subscriber: impl tracing::Subscriber + Send + Sync) {
    tracing::subscriber::set_global_default(subscriber).expect("the first of this process");
}

type Reload = reload::Handle<Nothing, tracing_subscriber::Registry>;
static RELOAD: LazyLock<Reload> = LazyLock::new(|| {
    let (layer, handle) = reload::Layer::new(Nothing);
    install(tracing_subscriber::registry().with(layer));
    handle
});

#[inline(never)]
fn reload_pair(n: u64) {
    let handle = &*RELOAD;
    for _ in counter(n) {
        handle.reload(Nothing).expect("it lives");
        handle.reload(Nothing).expect("it lives");
    }
}

fn nothing() {}

fn other_target() {
    let filter =
        tracing_subscriber::filter::Targets::new().with_target("other", tracing::Level::INFO);
    install(tracing_subscriber::registry().with(filter).with(Nothing));
    // The target that is on has been used.
    tracing::info!(target: "other", "on");
}

fn trace_with_fastrace() {
    fastrace::set_reporter(Nothing, fastrace::collector::Config::default());
}

fn log_all() {
    log::set_logger(&Nothing).expect("the first of this process");
    log::set_max_level(log::LevelFilter::Info);
}

fn switch_static_key() {
    static_keys::global_init();
    // Once on, and off again. (There is one thread.)
    // SAFETY: no other thread runs the code that is changed.
    unsafe {
        KEY.enable();
        KEY.disable();
    }
}

const fn off(what: &'static str, name: &'static str, run: fn(u64), prepare: fn()) -> Peer {
    let subject = Subject {
        name,
        per_iteration: 8,
        run,
    };
    Peer {
        work: Work::Off,
        what,
        subject,
        prepare,
    }
}

const fn peer(
    work: Work,
    what: &'static str,
    (name, run): (&'static str, fn(u64)),
    prepare: fn(),
) -> Peer {
    Peer {
        work,
        what,
        subject: subject(name, run),
        prepare,
    }
}

/// All of them.
pub const PEERS: &[Peer] = &[
    off("tracing, no subscriber", "tracing_off", tracing_8, nothing),
    off(
        "tracing, another target on",
        "tracing_other",
        tracing_8,
        other_target,
    ),
    off("log, off", "log_off", log_8, nothing),
    off(
        "fastrace, no trace begun",
        "fastrace_off",
        fastrace_8,
        trace_with_fastrace,
    ),
    off(
        "static-keys, off",
        "static_keys_off",
        static_keys_8,
        switch_static_key,
    ),
    off("USDT (probe), not traced", "usdt_off", usdt_8, nothing),
    peer(
        Work::On,
        "tracing, a subscriber that does nothing",
        ("tracing_nothing", tracing_1),
        || install(Nothing),
    ),
    peer(
        Work::On,
        "tracing, registry + a layer that does nothing",
        ("tracing_layer", tracing_1),
        || install(tracing_subscriber::registry().with(Nothing)),
    ),
    peer(
        Work::On,
        "the same with reload",
        ("tracing_reload", tracing_1),
        || {
            LazyLock::force(&RELOAD);
        },
    ),
    peer(
        Work::On,
        "log, a logger that does nothing",
        ("log_nothing", log_1),
        log_all,
    ),
    peer(
        Work::On,
        "fastrace, a span",
        ("fastrace_span", fastrace_1),
        trace_with_fastrace,
    ),
    peer(
        Work::On,
        "arc-swap + Vec",
        ("arc_swap", arc_swap_1),
        nothing,
    ),
    peer(
        Work::On,
        "std RwLock + Vec",
        ("std_lock", std_lock_1),
        nothing,
    ),
    peer(
        Work::On,
        "parking_lot RwLock + Vec",
        ("parking_lot", parking_lot_1),
        nothing,
    ),
    peer(Work::On, "seize + Vec", ("seize", seize_1), nothing),
    peer(
        Work::On,
        "haphazard + Vec",
        ("haphazard", haphazard_1),
        nothing,
    ),
    peer(
        Work::On,
        "crossbeam-epoch, its default collector",
        ("epoch", epoch_1),
        nothing,
    ),
    peer(
        Work::Change,
        "tracing, reload twice",
        ("reload_pair", reload_pair),
        || {
            LazyLock::force(&RELOAD);
            // A place that has been passed is asked about again each time.
            tracing_1(1);
        },
    ),
    peer(
        Work::Change,
        "arc-swap + Vec",
        ("arc_swap_pair", arc_swap_pair),
        nothing,
    ),
    peer(
        Work::Change,
        "std RwLock + Vec",
        ("std_lock_pair", std_lock_pair),
        nothing,
    ),
    peer(
        Work::Change,
        "parking_lot RwLock + Vec",
        ("parking_lot_pair", parking_lot_pair),
        nothing,
    ),
    peer(
        Work::Change,
        "seize + Vec",
        ("seize_pair", seize_pair),
        nothing,
    ),
    peer(
        Work::Change,
        "haphazard + Vec",
        ("haphazard_pair", haphazard_pair),
        nothing,
    ),
];

/// The peer of that name.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn named(name: &str) -> &'static Peer {
    PEERS
        .iter()
        .find(|peer| peer.subject.name == name)
        .expect("a peer of that name")
}
