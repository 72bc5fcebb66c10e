//! The cost of a condition on firing threads. The aim: `status >= 500 && route != "/health"` takes
//! at most 30 ns of a firing that it rejects, counting the rejection.
//!
//! Criterion measures each subject by itself. The line with `aim` is printed at the end: its
//! subjects are measured in turn, in slices, in one run; the best slices count.

use criterion::{Criterion, criterion_group, criterion_main};
use hotprobe::{AnyEvent, ProbeGroup};
use hotprobe_filter::{Bound, Condition, Filter};
use std::hint::black_box;
use std::time::{Duration, Instant};

hotprobe::event! {
    static NOTHING: fn(status: u16, route: &str, id: u64);
    static FILTERED: fn(status: u16, route: &str, id: u64);
}

const CONDITION: &str = r#"status >= 500 && route != "/health""#;

fn bound(condition: &str) -> Bound {
    let condition = Condition::parse(condition).expect("it is a condition");
    condition.bind(FILTERED.metadata()).expect("it fits")
}

fn attached() -> ProbeGroup {
    let filter = Filter::new([bound(CONDITION)]);
    let (nothing, filtered): (&dyn AnyEvent, &dyn AnyEvent) = (&NOTHING, &FILTERED);
    [
        nothing.attach(|_, values| {
            black_box(values);
        }),
        filtered.attach(move |_, values| {
            black_box(filter.accepts(0, values));
        }),
    ]
    .into_iter()
    .collect()
}

/// The best time of a call, of many slices of each in turn.
#[allow(clippy::cast_precision_loss, reason = "nanoseconds of a slice")]
fn best(subjects: &[&dyn Fn()]) -> Vec<f64> {
    const CALLS: u32 = 2000;
    let mut best = vec![Duration::MAX; subjects.len()];
    for _ in 0..2000 {
        for (best, subject) in best.iter_mut().zip(subjects) {
            let begin = Instant::now();
            (0..CALLS).for_each(|_| subject());
            *best = begin.elapsed().min(*best);
        }
    }
    let each = |time: &Duration| time.as_nanos() as f64 / f64::from(CALLS);
    best.iter().map(each).collect()
}

fn conditions(criterion: &mut Criterion) {
    let _probes = attached();
    let mut group = criterion.benchmark_group("filter");
    group.bench_function("a probe that does nothing", |bencher| {
        bencher.iter(|| NOTHING.fire(black_box(200), black_box("/orders"), 1));
    });
    group.bench_function("rejected by the status", |bencher| {
        bencher.iter(|| FILTERED.fire(black_box(200), black_box("/orders"), 1));
    });
    group.bench_function("rejected by the route", |bencher| {
        bencher.iter(|| FILTERED.fire(black_box(503), black_box("/health"), 1));
    });
    let values = || {
        let route = hotprobe::Value::Str(black_box("/orders/1234567"));
        [
            hotprobe::Value::U64(black_box(200)),
            route,
            hotprobe::Value::U64(black_box(123_456)),
        ]
    };
    for condition in [
        r#"route matches "/users/*""#,
        r#"route matches "*/items/*""#,
        r#"route contains "items""#,
        r#"route in ("/a", "/b", "/c", "/d")"#,
        "sample(1/100 by id)",
    ] {
        let bound = bound(condition);
        group.bench_function(format!("evaluating {condition}"), |bencher| {
            bencher.iter(|| bound.matches(&values()));
        });
    }
    group.finish();

    let times = best(&[
        &|| NOTHING.fire(black_box(200), black_box("/orders"), 1),
        &|| FILTERED.fire(black_box(200), black_box("/orders"), 1),
        &|| FILTERED.fire(black_box(503), black_box("/health"), 1),
    ]);
    println!(
        "`{CONDITION}`, above a probe that does nothing ({:.1} ns): rejected by the status {:.1} ns, by the route \
         {:.1} ns (aim: 30 ns)",
        times[0],
        times[1] - times[0],
        times[2] - times[0]
    );
}

criterion_group!(benches, conditions);
criterion_main!(benches);
