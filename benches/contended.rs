//! Whether threads that fire slow each other down; and how long the gaps between firings are while
//! another thread attaches and detaches. Criterion shows no percentiles, so the gaps are printed.

use criterion::{BenchmarkId, Criterion, criterion_group};
use hotprobe_benches::contended::{Churn, gap};
use hotprobe_benches::layout_a::ours::{attached, fire_1};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

fn threads(c: &mut Criterion) {
    let _attached = attached();
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let mut group = c.benchmark_group("threads");
    for threads in [1, 2, 4, 8, 16].into_iter().filter(|n| *n <= cores) {
        group.bench_function(BenchmarkId::new("fire_1", threads), |b| {
            b.iter_custom(|n| {
                let begin = Barrier::new(threads);
                let times = thread::scope(|scope| {
                    let all: Vec<_> = (0..threads)
                        .map(|_| {
                            scope.spawn(|| {
                                begin.wait();
                                let start = Instant::now();
                                fire_1(n);
                                start.elapsed()
                            })
                        })
                        .collect();
                    let each = all.into_iter().map(|one| one.join().expect("no panic"));
                    each.sum::<Duration>()
                });
                times / u32::try_from(threads).expect("few")
            });
        });
    }
    group.finish();
}

fn gaps() {
    println!("gap between firings, p99.99, 5 times a second:");
    for churn in [Churn::None, Churn::Now, Churn::Always] {
        let gaps: Vec<f64> = (0..5).map(|_| gap(churn, Duration::from_secs(1))).collect();
        println!("  {churn:?}: {gaps:?} ns");
    }
}

criterion_group!(benches, threads);

fn main() {
    benches();
    gaps();
    Criterion::default().configure_from_args().final_summary();
}
