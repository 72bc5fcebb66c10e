//! The groups that measure time. Their rows are printed and never fail: times, and ratios of times,
//! depend on the processor and on other load.

use crate::apart;
use crate::values::{print, print_exact};
use hdrhistogram::Histogram;
use hotprobe_benches::contended::{self, Meanwhile, Rate, Tail};
use hotprobe_benches::writers::Beside;
use hotprobe_benches::{Subject, layout_a, layout_b, layout_c, measure, subject, writers};
use std::sync::mpsc;
use std::thread;
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
    writers::with_threads(512, || measured("pair_parked"));
    measured("pair");
    writers::with_events(|| measured("pair_events"));
    measured("pair");
    writers::threads_that_end(10_000);
    measured("pair_gone");
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
    let mut barriers = Beside::default();
    for _ in 0..20 {
        writers::with_busy(readers, |readers| {
            waits.repeat(time, readers, writers::synchronize);
        });
        writers::with_busy(readers, |readers| {
            pairs.repeat(time, readers, writers::pair);
        });
        writers::with_busy(readers, |readers| {
            barriers.repeat(time, readers, writers::membarrier);
        });
        if waits.times.len().min(pairs.times.len()) > 20_000 {
            let p50 = |times: &Histogram<u64>| times.value_at_quantile(0.5) as f64;
            print("synchronize_busy", p50(&waits.times), waits.times.mean());
            print("pair_busy", p50(&pairs.times), pairs.times.mean());
            let barrier = p50(&barriers.times);
            print("membarrier_busy", barrier, barriers.times.mean());
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
        ("call", "call_alone", "call_together"),
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

/// Measures the first attach of a process, with one thread and with two, in ten processes each.
pub(crate) fn first() {
    for threads in ["1", "2"] {
        let mut each: Vec<f64> = (0..10)
            .map(|_| apart::measure(&format!("first:{threads}")))
            .map(|nanoseconds| nanoseconds.trim().parse().expect("a number"))
            .collect();
        each.sort_by(f64::total_cmp);
        print_exact(&format!("first_{threads}"), each[each.len() / 2]);
        print_exact(&format!("first_{threads}_longest"), each[each.len() - 1]);
    }
}

/// Prints the nanoseconds of the first attach of this process, which has this many threads.
pub(crate) fn first_once(threads: &str) {
    let (done, wait) = mpsc::channel::<()>();
    let second = (threads == "2").then(|| thread::spawn(move || wait.recv()));
    println!("{}", writers::first_attach().as_nanos());
    drop(done);
    if let Some(second) = second {
        // The channel was closed.
        let _ = second.join().expect("it only waits");
    }
}

/// Percentiles of the tables and pictures.
pub(crate) const PERCENTILES: [f64; 14] = [
    50.0, 75.0, 90.0, 95.0, 99.0, 99.3, 99.5, 99.7, 99.9, 99.95, 99.99, 99.995, 99.999, 100.0,
];

/// What is measured as a distribution: the name, the threads that have fired and sleep, and what
/// another thread does.
pub(crate) const TAILS: [(&str, usize, Meanwhile); 8] = [
    ("alone", 0, Meanwhile::Nothing),
    ("parked_64", 64, Meanwhile::Nothing),
    ("parked_512", 512, Meanwhile::Nothing),
    ("parked_2048", 2048, Meanwhile::Nothing),
    ("changes_100", 0, Meanwhile::Changes(Rate::Hundred)),
    ("barriers_100", 0, Meanwhile::Barriers(Rate::Hundred)),
    ("changes", 0, Meanwhile::Changes(Rate::Unlimited)),
    ("barriers", 0, Meanwhile::Barriers(Rate::Unlimited)),
];

/// Measures the distributions of single firings.
pub(crate) fn tails() {
    const TIME: Duration = Duration::from_millis(100);
    const ROUNDS: usize = 24;
    let names = TAILS.map(|(name, ..)| name).into_iter().chain(["nothing"]);
    let mut tails: Vec<(&str, Vec<Tail>)> = names.map(|name| (name, Vec::new())).collect();
    for _ in 0..ROUNDS {
        // All in turn: the machine may be busy at times.
        for (n, (_, parked, meanwhile)) in TAILS.into_iter().enumerate() {
            let tail = || contended::tail(meanwhile, TIME);
            tails[n].1.push(match parked {
                0 => tail(),
                _ => writers::with_threads(parked, tail),
            });
        }
        let nothing = contended::tail_of_nothing(TIME);
        tails[TAILS.len()].1.push(nothing);
    }
    for (name, tails) in tails {
        for percentile in PERCENTILES {
            let mut each: Vec<f64> = tails.iter().map(|tail| tail.at(percentile)).collect();
            each.sort_by(f64::total_cmp);
            // Not the best: what happens a hundred times a second is not in every part.
            let [quarter, median] = [each.len() / 4, each.len() / 2];
            print(
                &format!("tail_{name}_{percentile}"),
                each[quarter],
                each[median],
            );
        }
    }
}
