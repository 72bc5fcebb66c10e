//! The cost of a stack, from `fire` until it is counted: next to the standard library's capture of
//! the same stack, per frame, for a new stack, and on two threads.

use criterion::measurement::WallTime;
use criterion::{
    BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main,
};
use hotprobe::fire;
use hotprobe_profile::Stacks;
use std::backtrace::Backtrace;
use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! {
    static FIRED: fn(n: u64);
}

/// Calls `f` below `frames` more frames.
#[inline(never)]
fn under(frames: u32, f: &mut dyn FnMut()) {
    if frames == 0 {
        f();
    } else {
        under(black_box(frames - 1), f);
    }
    black_box(());
}

/// Returns the number of frames on the stack, as the standard library counts them.
fn depth() -> usize {
    let text = Backtrace::force_capture().to_string();
    text.lines()
        .filter(|line| !line.trim_start().starts_with("at "))
        .count()
}

/// Calls `f` where about `frames` frames are on the stack.
fn at_depth(frames: usize, f: &mut dyn FnMut()) {
    let missing = frames.saturating_sub(depth());
    under(u32::try_from(missing).unwrap_or(0), f);
}

fn sample(group: &mut BenchmarkGroup<'_, WallTime>, frames: usize) {
    group.throughput(Throughput::Elements(frames as u64));
    at_depth(frames, &mut || {
        let stacks = Stacks::at(&FIRED)
            .max_frames(448)
            .start()
            .expect("it can start");
        group.bench_function(format!("{frames} frames, known"), |b| {
            b.iter(|| fire!(FIRED, black_box(1)));
        });
        drop(stacks);
        group.bench_function(format!("{frames} frames, std's force_capture"), |b| {
            b.iter(Backtrace::force_capture);
        });
    });
}

/// The time of `n` calls on each of `threads` threads.
fn together(threads: usize, n: u64, call: impl Fn() + Sync) -> Duration {
    let barrier = Barrier::new(threads);
    let times = thread::scope(|scope| {
        let spawned: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut time = Duration::ZERO;
                    at_depth(30, &mut || {
                        barrier.wait();
                        let start = Instant::now();
                        (0..n).for_each(|_| call());
                        time = start.elapsed();
                    });
                    time
                })
            })
            .collect();
        spawned
            .into_iter()
            .map(|thread| thread.join().expect("it does not panic"))
            .max()
    });
    times.unwrap_or_default()
}

fn stacks(c: &mut Criterion) {
    let mut group = c.benchmark_group("stacks");
    for frames in [30, 60, 120] {
        sample(&mut group, frames);
    }
    group.throughput(Throughput::Elements(1));

    // As new as can be: another label each time, and a table that has room.
    group.bench_function("30 frames, new", |b| {
        at_depth(30, &mut || {
            let mut n = 0;
            b.iter_batched(
                || Stacks::at(&FIRED).label("n").start().expect("it can start"),
                |stacks| {
                    for _ in 0..100 {
                        n += 1;
                        fire!(FIRED, n);
                    }
                    stacks
                },
                BatchSize::PerIteration,
            );
        });
    });
    group.bench_function("30 frames, known, with a label: 100 of them", |b| {
        at_depth(30, &mut || {
            let stacks = Stacks::at(&FIRED).label("n").start().expect("it can start");
            b.iter(|| (0..100).for_each(|_| fire!(FIRED, black_box(1))));
            drop(stacks);
        });
    });

    group.bench_function("passed over", |b| {
        let stacks = Stacks::at(&FIRED)
            .every(usize::MAX)
            .start()
            .expect("it can start");
        b.iter(|| fire!(FIRED, black_box(1)));
        drop(stacks);
    });

    for threads in [1, 2] {
        let stacks = Stacks::at(&FIRED).start().expect("it can start");
        group.bench_function(format!("30 frames, {threads} threads at once"), |b| {
            b.iter_custom(|n| together(threads, n, || fire!(FIRED, black_box(1))));
        });
        drop(stacks);
    }
    group.finish();
}

criterion_group!(benches, stacks);
criterion_main!(benches);
