//! The cost of a record, from `fire` to the buffer, next to a reading of the clock, a probe that
//! does nothing, and the peers. With the system's clock, or with the processor's: `--features tsc`.
//!
//! Buffers are fresh and have room; "overwriting" is a full one. Each peer has a global state,
//! which no other peer sees.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use hotprobe::fire;
use hotprobe_record::{Clock, Overflow, Recorder};
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static NONE: fn();
    static NUMBER: fn(x: u64);
    static TEXT: fn(text: &str);
    static SIX: fn(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64);
    static DEBUG: fn(x: Option<u64>);
    static NOT_RECORDED: fn(x: u64);
}

/// The number of records made with one recording; they fit.
const CHUNK: u64 = 8192;

/// The recordings' clock: the feature `tsc` chooses the processor's counter.
#[cfg(feature = "tsc")]
const CLOCK: Clock = Clock::Tsc;
#[cfg(not(feature = "tsc"))]
const CLOCK: Clock = Clock::System;

const TEXT_OF_32: &str = "0123456789abcdef0123456789abcdef";

fn recorder() -> Recorder {
    Recorder::new()
        .clock(CLOCK)
        .event(&NONE)
        .event(&NUMBER)
        .event(&TEXT)
        .event(&SIX)
        .event(&DEBUG)
}

/// Returns the time of `n` calls, with a new recording for each chunk of them.
fn fresh(n: u64, call: impl Fn(u64)) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = n;
    while left > 0 {
        let now = left.min(CHUNK);
        let recording = recorder().start().expect("it can start");
        // This thread's buffer.
        call(0);
        let start = Instant::now();
        for i in 0..now {
            call(black_box(i));
        }
        time += start.elapsed();
        let sum = recording.finish().expect("outside probes").sum();
        assert_eq!((sum.fired, sum.lost), (now + 1, 0));
        left -= now;
    }
    time
}

fn kinds(group: &mut BenchmarkGroup<'_, WallTime>) {
    let text = black_box(TEXT_OF_32);
    group.bench_function("no argument", |b| {
        b.iter_custom(|n| fresh(n, |_| fire!(NONE)));
    });
    group.bench_function("u64", |b| b.iter_custom(|n| fresh(n, |i| fire!(NUMBER, i))));
    group.bench_function("32-byte text", |b| {
        b.iter_custom(|n| fresh(n, |_| fire!(TEXT, text)));
    });
    group.bench_function("six u64", |b| {
        b.iter_custom(|n| fresh(n, |i| fire!(SIX, i, i, i, i, i, i)));
    });
    group.bench_function("by its Debug", |b| {
        b.iter_custom(|n| fresh(n, |i| fire!(DEBUG, Some(i))));
    });
}

fn record(c: &mut Criterion) {
    let mut group = c.benchmark_group(if cfg!(feature = "tsc") {
        "record (tsc)"
    } else {
        "record"
    });
    group.throughput(Throughput::Elements(1));
    // What is always paid.
    let start = Instant::now();
    group.bench_function("floor: Instant, elapsed", |b| b.iter(|| start.elapsed()));
    #[cfg(feature = "tsc")]
    {
        let anchor = fastant::Anchor::new();
        group.bench_function("floor: fastant, nanoseconds", |b| {
            b.iter(|| fastant::Instant::now().as_unix_nanos(&anchor));
        });
        group.bench_function("floor: fastant, cycles", |b| b.iter(fastant::Instant::now));
    }
    {
        let _probe = NOT_RECORDED.attach(|_| ());
        group.bench_function("floor: a typed probe that does nothing", |b| {
            b.iter(|| fire!(NOT_RECORDED, black_box(7)));
        });
    }
    {
        let event: &dyn hotprobe::AnyEvent = &NOT_RECORDED;
        let _probe = event.attach(|_, values| {
            black_box(values);
        });
        group.bench_function("floor: a dynamic probe that does nothing", |b| {
            b.iter(|| fire!(NOT_RECORDED, black_box(7)));
        });
    }
    kinds(&mut group);
    group.bench_function("u64, overwriting", |b| {
        let recording = recorder()
            .overflow(Overflow::OverwriteOldest)
            .start()
            .expect("it can start");
        (0..1_000_000).for_each(|i| fire!(NUMBER, i));
        b.iter(|| fire!(NUMBER, black_box(7)));
        drop(recording);
    });
    group.bench_function("u64, lost", |b| {
        let recording = recorder().start().expect("it can start");
        (0..1_000_000).for_each(|i| fire!(NUMBER, i));
        b.iter(|| fire!(NUMBER, black_box(7)));
        drop(recording);
    });
    group.bench_function("u64, two threads", |b| b.iter_custom(two_threads));
    #[cfg(feature = "peers")]
    peers::all(&mut group);
    group.finish();
}

/// The time of each of two threads that record at once.
fn two_threads(n: u64) -> Duration {
    let mut time = Duration::ZERO;
    let mut left = n;
    while left > 0 {
        let now = left.min(CHUNK * 2);
        let recording = recorder().start().expect("it can start");
        let barrier = Barrier::new(2);
        let one = || {
            fire!(NUMBER, 0);
            barrier.wait();
            let start = Instant::now();
            (0..now).for_each(|i| fire!(NUMBER, black_box(i)));
            start.elapsed()
        };
        time += thread::scope(|scope| {
            let [a, b] = [scope.spawn(one), scope.spawn(one)];
            (a.join().expect("it ends well") + b.join().expect("it ends well")) / 2
        });
        drop(recording);
        left -= now;
    }
    time
}

/// Peers that record one number.
#[cfg(feature = "peers")]
mod peers {
    use super::{BenchmarkGroup, Duration, Instant, WallTime, black_box};
    use fastrace::collector::{Config, Reporter, SpanContext, SpanId, SpanRecord, TraceId};
    use fastrace::local::LocalSpan;
    use std::io;
    use tracing_subscriber::layer::SubscriberExt;

    struct Nothing;

    impl Reporter for Nothing {
        fn report(&mut self, _: Vec<SpanRecord>) {}
    }

    /// A trace holds a limited number of spans.
    fn spans(n: u64) -> Duration {
        let mut time = Duration::ZERO;
        for from in (0..n).step_by(256) {
            let context = SpanContext::new(TraceId(1), SpanId(1));
            let root = fastrace::Span::root("root", context);
            let parent = root.set_local_parent();
            let start = Instant::now();
            for i in from..(from + 256).min(n) {
                let span = LocalSpan::enter_with_local_parent("number");
                drop(span.with_property(|| ("x", black_box(i).to_string())));
            }
            time += start.elapsed();
            drop(parent);
        }
        time
    }

    pub(super) fn all(group: &mut BenchmarkGroup<'_, WallTime>) {
        fastrace::set_reporter(Nothing, Config::default());
        group.bench_function("fastrace: a span with a property", |b| b.iter_custom(spans));
        let (layer, guard) = tracing_chrome::ChromeLayerBuilder::new()
            .writer(io::sink())
            .include_args(true)
            .build();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            group.bench_function("tracing-chrome: an event", |b| {
                b.iter(|| tracing::info!(x = black_box(7_u64)));
            });
        });
        drop(guard);
    }
}

criterion_group!(benches, record);
criterion_main!(benches);
