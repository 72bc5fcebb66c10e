//! The groups that measure time. Their rows are printed and never fail: times, and ratios of times,
//! depend on the processor and on other load.

use crate::values::print;
use hdrhistogram::Histogram;
use hotprobe_benches::contended::{self, Churn};
use hotprobe_benches::writers::Beside;
use hotprobe_benches::{Subject, layout_a, layout_b, layout_c, measure, subject, writers};
use std::time::Duration;

/// Measures firings.
pub(crate) fn fire() {
    interleaved(
        [
            layout_a::ours::FIRE,
            layout_b::ours::FIRE,
            layout_c::ours::FIRE,
        ],
        150,
    );
}

/// Measures attach and detach.
pub(crate) fn attach() {
    interleaved(
        [
            layout_a::ours::ATTACH,
            layout_b::ours::ATTACH,
            layout_c::ours::ATTACH,
        ],
        150,
    );
}

/// Measures the first attach of the process, beside a second thread, and the next one.
pub(crate) fn first() {
    let (first, next) = writers::first_attach();
    for (name, time) in [("first_attach", first), ("next_attach", next)] {
        let nanoseconds = time.as_nanos() as f64;
        print(name, nanoseconds, nanoseconds);
    }
}

fn interleaved(layouts: [&[Subject]; 3], rounds: usize) {
    let _attached = [
        layout_a::ours::attached(),
        layout_b::ours::attached(),
        layout_c::ours::attached(),
    ];
    for subjects in layouts {
        for (subject, figures) in subjects.iter().zip(measure::interleave(subjects, rounds)) {
            print(subject.name, figures.best, figures.median);
        }
    }
}

/// Measures attach and detach next to a large heap, many threads or many other probes.
pub(crate) fn elsewhere() {
    let pair = [
        subject("", layout_a::ours::attach_detach_0),
        subject("_floor", layout_a::floors::swaps_over),
    ];
    let measured = |name: &str| {
        for (subject, figures) in pair.iter().zip(measure::interleave(&pair, 400)) {
            print(
                &format!("{name}{}", subject.name),
                figures.best,
                figures.median,
            );
        }
    };
    measured("pair");
    writers::with_heap(256, || measured("pair_heap"));
    measured("pair");
    writers::with_threads(64, || measured("pair_threads"));
    measured("pair");
    writers::with_events(|| measured("pair_events"));
    measured("pair");
}

/// Measures batches of three sizes.
pub(crate) fn batch() {
    for _ in 0..5 {
        for (n, attach, detach) in [
            (1_000, "batch_1k", "group_1k"),
            (10_000, "batch_10k", "group_10k"),
            (100_000, "batch_100k", "group_100k"),
        ] {
            // As many probes in each: the smaller ones are repeated.
            let times: Vec<_> = (0..100_000 / n).map(|_| writers::batch(n)).collect();
            let of = |part: fn(&(Duration, Duration)) -> Duration| {
                measure::figures(times.iter().map(|t| part(t).as_nanos() as f64).collect())
            };
            let (attached, detached) = (of(|t| t.0), of(|t| t.1));
            print(attach, attached.best, attached.median);
            print(detach, detached.best, detached.median);
        }
    }
}

/// Measures changes of an event while other threads fire it.
pub(crate) fn busy() {
    let mut idle = Beside::default();
    writers::with_busy(0, |none| {
        idle.repeat(Duration::from_millis(100), none, writers::synchronize);
    });
    let p50 = idle.times.value_at_quantile(0.5) as f64;
    print("synchronize", p50, p50);
    // This thread needs a core, too.
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let readers = (cores - 1).clamp(1, 2);
    let time = Duration::from_millis(300);
    let mut waits = Beside::default();
    let mut pairs = Beside::default();
    for _ in 0..20 {
        writers::with_busy(readers, |readers| {
            waits.repeat(time, readers, writers::synchronize);
        });
        writers::with_busy(readers, |readers| {
            pairs.repeat(time, readers, writers::pair);
        });
        if waits.times.len().min(pairs.times.len()) > 20_000 {
            let p50 = |times: &Histogram<u64>| times.value_at_quantile(0.5) as f64;
            print("synchronize_busy", p50(&waits.times), waits.times.mean());
            print("pair_busy", p50(&pairs.times), pairs.times.mean());
            let backlog = pairs.backlog.value_at_quantile(0.99) as f64;
            print("backlog", backlog, backlog);
            break;
        }
    }
}

/// Measures two threads that fire one event.
pub(crate) fn threads() {
    let _attached = layout_a::ours::attached();
    for (name, alone, together) in [
        ("fire_1", "fire_alone", "fire_together"),
        ("pin_call", "pin_alone", "pin_together"),
        ("cas_call", "cas_alone", "cas_together"),
    ] {
        let subject = layout_a::ours::named(name);
        // Where others use the machine too, the second thread often does not run.
        let tries = || contended::alone_and_together(subject, 2, 400);
        if let Some((first, second)) = (0..15).find_map(|_| tries()) {
            print(alone, first.best, first.median);
            print(together, second.best, second.median);
        }
    }
}

/// Measures gaps between firings while another thread changes the event.
pub(crate) fn gaps() {
    const CHURNS: [(&str, Churn); 3] = [
        ("gap", Churn::None),
        ("gap_now", Churn::Now),
        ("gap_always", Churn::Always),
    ];
    let mut gaps = [const { Vec::new() }; 3];
    for _ in 0..12 {
        for (gaps, (_, churn)) in gaps.iter_mut().zip(CHURNS) {
            gaps.push(contended::gap(churn, Duration::from_millis(80)));
        }
    }
    for (gaps, (name, _)) in gaps.into_iter().zip(CHURNS) {
        // The median of all parts: one part is as good or bad as what else the machine did then.
        let median = measure::figures(gaps).median;
        print(name, median, median);
    }
}
