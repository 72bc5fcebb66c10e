//! Whether threads that fire slow each other down; and the distribution of single firings, next to
//! threads that sleep and to one that attaches and detaches. Criterion shows no percentiles, so
//! these are printed. (`ci/overhead.sh --write tails` measures them for longer, and draws them.)

use criterion::{BenchmarkId, Criterion, criterion_group};
use hotprobe_benches::contended::{Meanwhile, Rate, Tail, tail, tail_of_nothing};
use hotprobe_benches::layout_a::ours::{attached, fire_1};
use hotprobe_benches::writers::with_threads;
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

fn tails() {
    const TIME: Duration = Duration::from_secs(1);
    println!(
        "{:40} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
        "a firing, ns", "p50", "p99", "p99.3", "p99.9", "p99.99", "max"
    );
    let show = |name: &str, tail: Tail| {
        let at = [50.0, 99.0, 99.3, 99.9, 99.99, 100.0].map(|percentile| tail.at(percentile));
        let each = at.map(|ns| format!(" {ns:9.1}"));
        println!("{name:40}{}", each.concat());
    };
    show("the readings of the counter alone", tail_of_nothing(TIME));
    show("no other thread", tail(Meanwhile::Nothing, TIME));
    for threads in [64, 512, 2048] {
        let tail = with_threads(threads, || tail(Meanwhile::Nothing, TIME));
        show(&format!("{threads} threads have fired and sleep"), tail);
    }
    for rate in [Rate::Hundred, Rate::Unlimited] {
        let often = match rate {
            Rate::Hundred => "100 a second",
            Rate::Unlimited => "without a pause",
        };
        let barriers = tail(Meanwhile::Barriers(rate), TIME);
        show(&format!("membarriers alone, {often}"), barriers);
        let changes = tail(Meanwhile::Changes(rate), TIME);
        show(&format!("attach + detach, {often}"), changes);
    }
}

criterion_group!(benches, threads);

fn main() {
    benches();
    tails();
    Criterion::default().configure_from_args().final_summary();
}
