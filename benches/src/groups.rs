//! Groups of rows. Each is measured in processes of its own, which print what they find: where the loader puts a
//! program's parts is different each time.

use crate::rows::Values;
use crate::{code, count};
use hdrhistogram::Histogram;
use overhead::contended::{self, Churn};
use overhead::writers::Beside;
use overhead::{Subject, layout_a, layout_b, layout_c, measure, subject, writers};
use std::process::{Command, ExitCode};
use std::time::Duration;

/// Each with the number of processes that measure it.
pub const GROUPS: &[(&str, usize)] = &[
    ("code", 1),
    ("count", 1),
    ("fire", 3),
    ("attach", 2),
    ("elsewhere", 1),
    ("batch", 1),
    ("busy", 1),
    ("threads", 1),
    ("gaps", 1),
];

/// Measures a group in a process of its own.
pub fn measure_apart(group: &str, values: &mut Values) {
    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new(program)
        .args(["measure", group])
        .output()
        .expect("another process");
    assert!(
        output.status.success(),
        "measuring {group} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut words = line.split_whitespace();
        if let (Some(name), Some(Ok(best)), Some(Ok(median))) = (
            words.next(),
            words.next().map(str::parse),
            words.next().map(str::parse),
        ) {
            values.add(name, best, median);
        }
    }
}

/// Measures a group in this process, and prints it.
pub fn print(group: &str) -> ExitCode {
    match group {
        "code" => code::print(),
        "count" => count::print(),
        "fire" => interleaved(
            [
                layout_a::ours::FIRE,
                layout_b::ours::FIRE,
                layout_c::ours::FIRE,
            ],
            150,
        ),
        "attach" => interleaved(
            [
                layout_a::ours::ATTACH,
                layout_b::ours::ATTACH,
                layout_c::ours::ATTACH,
            ],
            150,
        ),
        "elsewhere" => elsewhere(),
        "batch" => batch(),
        "busy" => busy(),
        "threads" => threads(),
        "gaps" => gaps(),
        #[cfg(feature = "peers")]
        peer if peer.starts_with("peer:") => crate::versus::print(&peer[5..]),
        other => panic!("no group `{other}`"),
    }
    ExitCode::SUCCESS
}

pub fn line(name: &str, best: f64, median: f64) {
    println!("{name} {best:.4} {median:.4}");
}

fn interleaved(layouts: [&[Subject]; 3], rounds: usize) {
    let _attached = [
        layout_a::ours::attached(),
        layout_b::ours::attached(),
        layout_c::ours::attached(),
    ];
    for subjects in layouts {
        for (subject, figures) in subjects.iter().zip(measure::interleave(subjects, rounds)) {
            line(subject.name, figures.best, figures.median);
        }
    }
}

/// Attach and detach, while there is much of something that should not matter.
fn elsewhere() {
    let pair = [
        subject("", layout_a::ours::attach_detach_0),
        subject("_floor", layout_a::floors::swaps_over),
    ];
    let measured = |name: &str| {
        for (subject, figures) in pair.iter().zip(measure::interleave(&pair, 400)) {
            line(
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

fn batch() {
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
            line(attach, attached.best, attached.median);
            line(detach, detached.best, detached.median);
        }
    }
}

fn busy() {
    let mut idle = Beside::default();
    writers::with_busy(0, |none| {
        idle.repeat(Duration::from_millis(100), none, writers::synchronize);
    });
    let p50 = idle.times.value_at_quantile(0.5) as f64;
    line("synchronize", p50, p50);
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
            pairs.repeat(time, readers, writers::pair)
        });
        if waits.times.len().min(pairs.times.len()) > 20_000 {
            let p50 = |times: &Histogram<u64>| times.value_at_quantile(0.5) as f64;
            line("synchronize_busy", p50(&waits.times), waits.times.mean());
            line("pair_busy", p50(&pairs.times), pairs.times.mean());
            let backlog = pairs.backlog.value_at_quantile(0.99) as f64;
            line("backlog", backlog, backlog);
            break;
        }
    }
}

fn threads() {
    let _attached = layout_a::ours::attached();
    for (name, alone, together) in [
        ("fire_1", "fire_alone", "fire_together"),
        ("pin_call", "pin_alone", "pin_together"),
        ("cas_call", "cas_alone", "cas_together"),
    ] {
        let subject = subject_named(name);
        // Where others use the machine too, the second thread often does not run.
        let tries = || contended::alone_and_together(subject, 2, 400);
        if let Some((first, second)) = (0..15).find_map(|_| tries()) {
            line(alone, first.best, first.median);
            line(together, second.best, second.median);
        }
    }
}

fn gaps() {
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
        line(name, median, median);
    }
}

/// Runs one subject, `iterations` times.
pub fn run(name: &str, iterations: u64) {
    let _attached = layout_a::ours::attached();
    run_counted(subject_named(name).run, iterations);
}

/// What callgrind counts, by this function's name.
#[inline(never)]
fn run_counted(run: fn(u64), iterations: u64) {
    run(iterations);
    std::hint::black_box(iterations);
}

pub fn subject_named(name: &str) -> &'static Subject {
    layout_a::ours::FIRE
        .iter()
        .chain(layout_a::ours::ATTACH)
        .find(|subject| subject.name == name)
        .expect("a subject of that name")
}
