//! The cost of a firing: off, with 1, 2, 4 and 16 probes, in `pinned`, nested, by kind of argument.
//! Next to the floors. benches/src/lib.rs describes the guards against the optimizer.
//!
//! Criterion measures one subject after the other. `ci/overhead.sh` measures them in turn, which is
//! better for ratios.

use criterion::{Criterion, criterion_group, criterion_main};
use hotprobe::fire;
use hotprobe_benches::layout_a::ours::{FIRE, attached};
use std::hint::black_box;
use std::time::Instant;

fn fire(c: &mut Criterion) {
    let _attached = attached();
    let mut group = c.benchmark_group("fire");
    for subject in FIRE {
        group.throughput(criterion::Throughput::Elements(
            subject.per_iteration.into(),
        ));
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

#[derive(Clone, Copy)]
struct Wide([u64; 8]);

hotprobe::event! {
    static NONE: fn();
    static NUMBER: fn(x: u64);
    static TEXT: fn(text: &str);
    static SIX: fn(a: u64, b: &str, c: u16, d: Option<&u64>);
    static VALUE: fn(wide: Wide);
}

fn arguments(c: &mut Criterion) {
    let _probes = [
        NONE.attach(|| ()),
        NUMBER.attach(|_| ()),
        TEXT.attach(|_| ()),
        SIX.attach(|_, _, _, _| ()),
        VALUE.attach(|_| ()),
    ];
    let (number, text, wide) = (black_box(7), black_box("a text"), black_box(Wide([7; 8])));
    assert_eq!(wide.0[0], number);
    let mut group = c.benchmark_group("arguments");
    group.bench_function("none", |b| b.iter(|| fire!(NONE)));
    group.bench_function("u64", |b| b.iter(|| fire!(NUMBER, number)));
    group.bench_function("&str", |b| b.iter(|| fire!(TEXT, text)));
    group.bench_function("four, in six words", |b| {
        b.iter(|| fire!(SIX, number, text, 1, Some(&number)));
    });
    group.bench_function("64 bytes by value", |b| b.iter(|| fire!(VALUE, wide)));
    group.finish();
}

criterion_group!(benches, fire, arguments);
criterion_main!(benches);
