//! The cost of profiles on firing threads. The targets: for a pair of a latency, two readings of
//! the clock and 60 ns, and 1.3 times that on each of two threads at once; for a count, 5 ns more
//! than a probe that does nothing.
//!
//! Criterion measures each subject by itself. The lines with `target` compare subjects, so those
//! are measured in turn, in slices, in one run; the best slices count.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "counts and nanoseconds of one run are far below 2^53, and an index is below the length"
)]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use hotprobe::fire;
use hotprobe::{AnyEvent, ProbeGroup};
use hotprobe_profile::{
    Clock, Counter, Counts, CountsSession, LabelCounter, Latency, LatencyMeter, LatencySession,
};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, LazyLock};
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static BEGIN: fn(id: u64);
    static END: fn(id: u64, route: &str);
    static DYNAMIC_BEGIN: fn(id: u64);
    static DYNAMIC_END: fn(id: u64, route: &str);
    static NOTHING: fn(x: u64);
    static COUNTED: fn(x: u64);
    static DYNAMIC_NOTHING: fn(x: u64);
    static DYNAMIC_COUNTED: fn(x: u64);
}

const ROUTES: [&str; 4] = ["/orders", "/orders/{id}", "/users/{id}", "/health"];

/// The clock that latencies are measured by: the feature `tsc` chooses the processor's counter.
#[cfg(feature = "tsc")]
const CLOCK: Clock = Clock::Tsc;
#[cfg(not(feature = "tsc"))]
const CLOCK: Clock = Clock::System;

fn latency() -> LatencyMeter {
    let latency = LatencyMeter::builder().clock(CLOCK).build();
    latency.expect("possible")
}

/// The probes of the whole run.
struct Attached {
    latency: Arc<LatencyMeter>,
    counter: Counter,
    labels: LabelCounter,
    _probes: ProbeGroup,
    _dynamic: LatencySession,
    _counts: CountsSession,
}

static ATTACHED: LazyLock<Attached> = LazyLock::new(|| {
    let latency = Arc::new(latency());
    let counter = Counter::new("counted");
    let labels = LabelCounter::new("labels", 128).expect("possible");
    let mut probes = ProbeGroup::new();
    probes.add(BEGIN.attach({
        let latency = Arc::clone(&latency);
        move |id| latency.begin(id)
    }));
    probes.add(END.attach({
        let latency = Arc::clone(&latency);
        move |id, route| latency.end(&id, route)
    }));
    probes.add(NOTHING.attach(|x| {
        black_box(x);
    }));
    probes.add(COUNTED.attach({
        let counter = counter.clone();
        move |_| counter.inc()
    }));
    let nothing: &dyn AnyEvent = &DYNAMIC_NOTHING;
    probes.add(nothing.attach(|_, values| {
        black_box(values);
    }));
    Attached {
        latency,
        counter,
        labels,
        _probes: probes,
        _dynamic: Latency::between(&DYNAMIC_BEGIN, &DYNAMIC_END, "id")
            .clock(CLOCK)
            .label("route")
            .start()
            .expect("possible"),
        _counts: Counts::new()
            .event(&DYNAMIC_COUNTED)
            .start()
            .expect("possible"),
    }
});

fn route(id: u64) -> &'static str {
    ROUTES[id as usize % 4]
}

/// Reads the clock as the measurement does: `Instant`, or the processor's counter.
fn clock() -> impl Fn(u64) {
    #[cfg(feature = "tsc")]
    {
        let anchor = fastant::Anchor::new();
        move |_| {
            black_box(fastant::Instant::now().as_unix_nanos(&anchor));
            black_box(fastant::Instant::now().as_unix_nanos(&anchor));
        }
    }
    #[cfg(not(feature = "tsc"))]
    |id| {
        let start = Instant::now();
        black_box(id);
        black_box(start.elapsed());
    }
}

fn pair(latency: &LatencyMeter, id: u64) {
    latency.begin(black_box(id));
    latency.end(&black_box(id), route(id));
}

fn fired_pair(id: u64) {
    fire!(BEGIN, black_box(id));
    fire!(END, black_box(id), route(id));
}

fn dynamic_pair(id: u64) {
    fire!(DYNAMIC_BEGIN, black_box(id));
    fire!(DYNAMIC_END, black_box(id), route(id));
}

/// Returns the nanoseconds of one call of each subject, in its best slice. The subjects take turns.
fn best(subjects: &[&(dyn Fn(u64) + Sync)]) -> Vec<f64> {
    const CALLS: u64 = 2_000;
    let mut best = vec![f64::MAX; subjects.len()];
    for _ in 0..400 {
        for (subject, best) in subjects.iter().zip(&mut best) {
            let start = Instant::now();
            (0..CALLS).for_each(subject);
            *best = best.min(start.elapsed().as_nanos() as f64 / CALLS as f64);
        }
    }
    best
}

/// Returns the nanoseconds of one call while two threads make it, each with its own keys: those of
/// the slower thread, in the best of the slices in which both really ran at once. None if there was
/// no such slice, as on a machine without two free processors.
fn best_of_two(subject: &(dyn Fn(u64) + Sync)) -> Option<f64> {
    const CALLS: u64 = 1_000;
    const ROUNDS: u64 = 4_000;
    let arrived = AtomicU64::new(0);
    let slices = |from: u64| {
        let mut slices = Vec::new();
        for round in 0..ROUNDS {
            arrived.fetch_add(1, Ordering::AcqRel);
            while arrived.load(Ordering::Acquire) < 2 * (round + 1) {
                std::hint::spin_loop();
            }
            let start = Instant::now();
            let from = from + round * CALLS;
            (from..from + CALLS).for_each(subject);
            slices.push((start, Instant::now()));
        }
        slices
    };
    let (a, b) = thread::scope(|scope| {
        let a = scope.spawn(|| slices(0));
        let b = scope.spawn(|| slices(1 << 32));
        (
            a.join().expect("it ends well"),
            b.join().expect("it ends well"),
        )
    });
    let both = a.into_iter().zip(b).filter_map(|(a, b)| {
        let longer = (a.1 - a.0).max(b.1 - b.0);
        let together = a.1.min(b.1).saturating_duration_since(a.0.max(b.0));
        let ran_at_once = together.as_secs_f64() >= 0.9 * longer.as_secs_f64();
        ran_at_once.then_some(longer.as_nanos() as f64 / CALLS as f64)
    });
    both.reduce(f64::min)
}

/// Prints whether a target is met.
fn target(what: &str, value: f64, max: f64, unit: &str) {
    let met = if value <= max { "met" } else { "MISSED" };
    println!("target {met}: {what}: {value:.2} {unit}, at most {max:.2} {unit}");
}

fn targets() {
    let attached = &*ATTACHED;
    let clocks = clock();
    let alone = |id: u64| pair(&attached.latency, id);
    let nothing = |x: u64| fire!(NOTHING, black_box(x));
    let counted = |x: u64| fire!(COUNTED, black_box(x));
    let dynamic_nothing = |x: u64| fire!(DYNAMIC_NOTHING, black_box(x));
    let dynamic_counted = |x: u64| fire!(DYNAMIC_COUNTED, black_box(x));
    let labelled = |id: u64| attached.labels.inc(black_box(route(id)));
    let [
        clocks,
        pair,
        fired,
        dynamic,
        nothing,
        counted,
        dynamic_nothing,
        dynamic_counted,
        labelled,
    ] = best(&[
        &clocks,
        &alone,
        &fired_pair,
        &dynamic_pair,
        &nothing,
        &counted,
        &dynamic_nothing,
        &dynamic_counted,
        &labelled,
    ])[..]
    else {
        unreachable!("one figure for each subject")
    };
    println!("two readings of the clock: {clocks:.2} ns");
    target("begin and end, above the clock", pair - clocks, 60.0, "ns");
    target(
        "both fired, typed probes, above the clock",
        fired - clocks,
        60.0,
        "ns",
    );
    println!(
        "both fired, dynamic probes, above the clock: {:.2} ns",
        dynamic - clocks
    );
    target(
        "a count, above a typed probe that does nothing",
        counted - nothing,
        5.0,
        "ns",
    );
    target(
        "a count, above a dynamic probe that does nothing",
        dynamic_counted - dynamic_nothing,
        5.0,
        "ns",
    );
    println!("a label, one of four, without an event: {labelled:.2} ns");
    for (what, subject, alone) in [
        (
            "two readings of the clock",
            &clock() as &(dyn Fn(u64) + Sync),
            clocks,
        ),
        ("begin and end", &alone, pair),
        ("both fired", &fired_pair, fired),
    ] {
        let what = format!("{what}, on each of two threads at once");
        match best_of_two(subject) {
            Some(two) => target(&what, two / alone, 1.3, "times"),
            None => println!("target not measured: {what}: they never ran at once"),
        }
    }
}

fn latencies(group: &mut BenchmarkGroup<'_, WallTime>) {
    let attached = &*ATTACHED;
    let mut id = 0;
    let mut next = || {
        id += 1;
        id
    };
    group.bench_function("floor: two readings of the clock", |b| {
        let clocks = clock();
        b.iter(|| clocks(0));
    });
    group.bench_function("begin, end", |b| b.iter(|| pair(&attached.latency, next())));
    group.bench_function("begin, end, a thousand open", |b| {
        let latency = latency();
        (0..1000).for_each(|key| latency.begin(u64::MAX - key));
        b.iter(|| pair(&latency, next()));
    });
    group.bench_function("begin, end, twice too many begun", |b| {
        let latency = latency();
        (0..2 * 65_536).for_each(|key| latency.begin(u64::MAX - key));
        b.iter(|| pair(&latency, next()));
    });
    group.bench_function("fired, typed probes", |b| b.iter(|| fired_pair(next())));
    group.bench_function("fired, dynamic probes", |b| b.iter(|| dynamic_pair(next())));
    group.bench_function("fired, two threads", |b| b.iter_custom(two_threads));
}

/// The time of each of two threads that measure at once.
fn two_threads(n: u64) -> Duration {
    let barrier = Barrier::new(2);
    let one = |from: u64| {
        barrier.wait();
        let start = Instant::now();
        (from..from + n).for_each(fired_pair);
        start.elapsed()
    };
    thread::scope(|scope| {
        let [a, b] = [scope.spawn(|| one(0)), scope.spawn(|| one(1 << 32))];
        (a.join().expect("it ends well") + b.join().expect("it ends well")) / 2
    })
}

fn counts(group: &mut BenchmarkGroup<'_, WallTime>) {
    let attached = &*ATTACHED;
    group.bench_function("floor: a typed probe that does nothing", |b| {
        b.iter(|| fire!(NOTHING, black_box(7)));
    });
    group.bench_function("a count in a typed probe", |b| {
        b.iter(|| fire!(COUNTED, black_box(7)));
    });
    group.bench_function("floor: a dynamic probe that does nothing", |b| {
        b.iter(|| fire!(DYNAMIC_NOTHING, black_box(7)));
    });
    group.bench_function("a count of any event", |b| {
        b.iter(|| fire!(DYNAMIC_COUNTED, black_box(7)));
    });
    group.bench_function("a counter alone", |b| b.iter(|| attached.counter.inc()));
    let mut id = 0;
    group.bench_function("a label, one of four", |b| {
        b.iter(|| {
            id += 1;
            attached.labels.inc(black_box(route(id)));
        });
    });
    let names: Vec<_> = (0..10_000).map(|i| format!("label {i}")).collect();
    group.bench_function("a label, one of ten thousand", |b| {
        let labels = LabelCounter::new("too many", 128).expect("possible");
        b.iter(|| {
            id += 1;
            labels.inc(black_box(&names[id as usize % names.len()]));
        });
    });
}

fn profile(c: &mut Criterion) {
    targets();
    let with = if cfg!(feature = "tsc") { " (tsc)" } else { "" };
    let mut group = c.benchmark_group(format!("latency{with}"));
    group.throughput(Throughput::Elements(1));
    latencies(&mut group);
    group.finish();
    let mut group = c.benchmark_group("counts");
    group.throughput(Throughput::Elements(1));
    counts(&mut group);
    group.finish();
}

criterion_group!(benches, profile);
criterion_main!(benches);
