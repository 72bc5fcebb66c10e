//! The cost of changes: attach and detach (by the number of probes attached already, of threads
//! that fire meanwhile, and of those that have fired), a batch and its group, `synchronize`. Next
//! to the floors.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hotprobe_benches::layout_a::ours::{ATTACH, attached};
use hotprobe_benches::writers;
use std::time::{Duration, Instant};

fn single(c: &mut Criterion) {
    let _attached = attached();
    let mut group = c.benchmark_group("attach");
    for subject in ATTACH {
        group.bench_function(subject.name, |b| {
            b.iter_custom(|n| {
                let start = Instant::now();
                (subject.run)(n);
                start.elapsed()
            });
        });
    }
    group.finish();
}

/// The sum of the durations that `operation` returns.
fn sum(n: u64, mut operation: impl FnMut(u64) -> Duration) -> Duration {
    (0..n).map(&mut operation).sum()
}

fn beside(c: &mut Criterion) {
    let mut group = c.benchmark_group("beside busy readers");
    for readers in [0, 1, 2, 4] {
        group.bench_function(BenchmarkId::new("attach + detach", readers), |b| {
            b.iter_custom(|n| {
                writers::with_busy(readers, |_| {
                    sum(n, |i| Duration::from_nanos(writers::pair(i)))
                })
            });
        });
        group.bench_function(BenchmarkId::new("membarrier alone", readers), |b| {
            b.iter_custom(|n| {
                writers::with_busy(readers, |_| {
                    sum(n, |i| Duration::from_nanos(writers::membarrier(i)))
                })
            });
        });
        group.bench_function(BenchmarkId::new("synchronize", readers), |b| {
            b.iter_custom(|n| {
                writers::with_busy(readers, |_| {
                    sum(n, |i| Duration::from_nanos(writers::synchronize(i)))
                })
            });
        });
    }
    group.finish();
}

/// With threads that have fired: those that sleep, and those that are gone.
fn threads(c: &mut Criterion) {
    let mut group = c.benchmark_group("threads that have fired");
    let pairs = |n| sum(n, |i| Duration::from_nanos(writers::pair(i)));
    for threads in [0, 64, 512, 2048] {
        group.bench_function(BenchmarkId::new("attach + detach, asleep", threads), |b| {
            b.iter_custom(|n| writers::with_threads(threads, || pairs(n)));
        });
    }
    writers::threads_that_end(10_000);
    group.bench_function(BenchmarkId::new("attach + detach, ended", 10_000), |b| {
        b.iter_custom(pairs);
    });
    group.finish();
}

fn batch(c: &mut Criterion) {
    let mut group = c.benchmark_group("batch");
    group.sample_size(10);
    for size in [1, 100, 10_000, 100_000] {
        group.throughput(criterion::Throughput::Elements(size));
        group.bench_function(BenchmarkId::new("commit", size), |b| {
            b.iter_custom(|n| sum(n, |_| writers::batch(size).0));
        });
        group.bench_function(BenchmarkId::new("the group's detach", size), |b| {
            b.iter_custom(|n| sum(n, |_| writers::batch(size).1));
        });
    }
    group.finish();
}

criterion_group!(benches, single, beside, threads, batch);
criterion_main!(benches);
