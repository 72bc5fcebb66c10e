//! The same work by this crate and its peers: off, on, attach and detach. Some peers have one state
//! for the whole process (a global subscriber, a log level), so each is measured in its own
//! process, next to this crate. Without `VERSUS_PEER=NAME` in the environment, the program starts
//! itself once per peer. LTTng-UST is a C program, which criterion cannot drive: its figures are
//! printed at the end, or that it is not installed.

use criterion::Criterion;
use hotprobe_benches::layout_a::ours::{ATTACH, FIRE, attached};
use hotprobe_benches::lttng::Programs;
use hotprobe_benches::measure::figures;
use hotprobe_benches::peers::{PEERS, Work, named};
use std::process::{Command, ExitCode};
use std::time::Instant;

fn main() -> ExitCode {
    match std::env::var("VERSUS_PEER") {
        Ok(peer) => {
            measure(&peer);
            ExitCode::SUCCESS
        }
        Err(_) => all(),
    }
}

fn all() -> ExitCode {
    let program = std::env::current_exe().expect("the path of this program");
    for peer in PEERS {
        let status = Command::new(&program)
            .args(std::env::args_os().skip(1))
            .env("VERSUS_PEER", peer.subject.name)
            .status()
            .expect("another process");
        if !status.success() {
            return ExitCode::FAILURE;
        }
    }
    lttng();
    ExitCode::SUCCESS
}

fn lttng() {
    // Says so if it is not installed.
    let Some(programs) = Programs::compile() else {
        return;
    };
    for (what, program, argument) in [
        ("off", "peer", "off"),
        ("a callback that does nothing", "peer", "noop"),
        ("the same with liburcu inlined", "peer_inlined", "noop"),
        ("register and unregister a callback", "peer", "change"),
    ] {
        let figures = figures(programs.run(program, &[argument]));
        let (best, median) = (figures.best, figures.median);
        println!("LTTng-UST, {what}: {best:.2} ns, median {median:.2}");
    }
}

fn measure(peer: &str) {
    let peer = named(peer);
    let ours = match peer.work {
        Work::Off => "off",
        Work::On => "fire_1",
        Work::Change => "attach_detach_0",
    };
    let ours = FIRE
        .iter()
        .chain(ATTACH)
        .find(|ours_too| ours_too.name == ours);
    let _attached = attached();
    (peer.prepare)();
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group(format!("{:?} (hotprobe, {})", peer.work, peer.what));
    for subject in ours.into_iter().chain([&peer.subject]) {
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
