//! A stress of the whole API with an oracle: threads that fire, threads that attach and detach,
//! threads that come and go, and for each probe a log of what has been done to it, against which
//! each call of it is checked.
//!
//! ```text
//! cargo test --test stress                                      two seconds, then the planted bugs
//! cargo test --release --test stress -- --seconds 600           longer
//! cargo test --release --test stress -- --seed 7                the same choices in each thread
//! cargo test --release --test stress -- --plant late-call       a run whose oracle must fail
//! ```
//!
//! A failure names its seed. The seed fixes what each thread chooses to do, one thing after
//! the other; how the threads interleave is the machine's affair. `--light` leaves out the checks
//! that order threads by themselves (they would hide races from a race detector: `ci/tsan.sh`).

#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

mod churn;
mod fire;
mod oracle;
mod plant;
mod random;

use oracle::{Oracle, Rule};
use plant::Plant;
use random::Random;
use std::env;
use std::process::{Command, ExitCode};
use std::str::FromStr;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What the events are fired with: the firing, which the probes write down.
mod events {
    use crate::fire::Firing;

    hotprobe::event! {
        pub(crate) static FIRST: fn(firing: &Firing<'_>);
        pub(crate) static SECOND: fn(firing: &Firing<'_>);
        pub(crate) static THIRD: fn(firing: &Firing<'_>);
        pub(crate) static FOURTH: fn(firing: &Firing<'_>);
    }
}

/// How many events there are.
pub(crate) const EVENTS: usize = 4;

/// Calls something of one of the events, by its number.
macro_rules! with_event {
    ($number:expr, |$event:ident| $body:expr) => {
        match $number {
            0 => {
                let $event = crate::events::FIRST;
                $body
            }
            1 => {
                let $event = crate::events::SECOND;
                $body
            }
            2 => {
                let $event = crate::events::THIRD;
                $body
            }
            _ => {
                let $event = crate::events::FOURTH;
                $body
            }
        }
    };
}
pub(crate) use with_event;

#[derive(Clone, Debug)]
struct Options {
    seconds: f64,
    seed: u64,
    firing: usize,
    churning: usize,
    light: bool,
    plant: Option<Plant>,
    /// Nothing was asked for in particular: `cargo test`.
    plain: bool,
}

impl Options {
    /// None: nothing is to be run (`--list`, or a filter that is not ours).
    fn parse() -> Result<Option<Self>, String> {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let mut options = Self {
            seconds: 2.0,
            seed: u64::from(time.subsec_nanos()),
            firing: 8,
            churning: 2,
            light: false,
            plant: None,
            plain: true,
        };
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            if !argument.starts_with('-') {
                // A test's name, as `cargo test NAME` hands it to each test binary.
                if !"stress".contains(&argument) {
                    return Ok(None);
                }
                continue;
            }
            let mut value = || {
                let value = arguments.next();
                value.ok_or(format!("{argument} wants a value"))
            };
            options.plain &= !matches!(
                &*argument,
                "--seconds" | "--firing" | "--churning" | "--light" | "--plant"
            );
            match &*argument {
                "--seconds" => options.seconds = number(&value()?)?,
                "--seed" => options.seed = number(&value()?)?,
                "--firing" => options.firing = number(&value()?)?,
                "--churning" => options.churning = number(&value()?)?,
                "--light" => options.light = true,
                "--plant" => options.plant = Some(value()?.parse()?),
                "--list" => {
                    // cargo-nextest asks which tests there are, and once more which of them to
                    // ignore.
                    if !env::args().any(|argument| argument == "--ignored") {
                        println!("stress: test");
                    }
                    return Ok(None);
                }
                // libtest's, with a value.
                "--skip" | "--test-threads" | "--format" | "--color" | "--logfile" => {
                    value()?;
                }
                // Whatever else `cargo test` passes to a test binary.
                _ => {}
            }
        }
        Ok(Some(options))
    }
}

fn number<T: FromStr>(value: &str) -> Result<T, String> {
    let number = value.parse();
    number.map_err(|_| format!("{value}: not a number"))
}

fn main() -> ExitCode {
    let options = match Options::parse() {
        Ok(Some(options)) => options,
        Ok(None) => return ExitCode::SUCCESS,
        Err(mistake) => {
            eprintln!("stress: {mistake}");
            return ExitCode::from(2);
        }
    };
    quiet_planned_panics();
    let Some(choices) = run(&options) else {
        return ExitCode::FAILURE;
    };
    let seed = options.seed;
    if options.plain && !(choices_come_again(seed, &choices) && plants_are_found(seed)) {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Runs it. If the oracle has nothing to say, returns what was chosen, in a number.
fn run(options: &Options) -> Option<String> {
    println!(
        "stress: --seed {} --seconds {} ({} firing, {} churning{}{})",
        options.seed,
        options.seconds,
        options.firing,
        options.churning,
        if options.light { ", light" } else { "" },
        options
            .plant
            .map_or(String::new(), |plant| format!(", planted: {plant:?}")),
    );
    let oracle = Arc::new(Oracle::new(
        options.light,
        options.plant,
        options.firing,
        options.churning,
    ));
    let begin = Instant::now();
    watch_for_a_hang(&oracle, options.seconds);
    let mut digest = 0;
    let mut pairs = 0;
    thread::scope(|scope| {
        let oracle = &oracle;
        // Each thread has a stream of its own.
        let stream = |number: usize| Random::new(options.seed, number as u64);
        let firing: Vec<_> = (0..options.firing)
            .map(|number| {
                let random = stream(number);
                scope.spawn(move || fire::keep_firing(oracle, &random, number))
            })
            .collect();
        let churning: Vec<_> = (0..options.churning)
            .map(|number| {
                let random = stream(1000 + number);
                scope.spawn(move || churn::keep_churning(oracle, random, number))
            })
            .collect();
        let passing = scope.spawn(move || fire::come_and_go(oracle, &stream(2000)));
        let over = || oracle.has_failed() || oracle.is_stopped();
        while begin.elapsed().as_secs_f64() < options.seconds && !over() {
            thread::sleep(Duration::from_millis(10));
        }
        oracle.stop();
        for thread in churning {
            let churned = thread.join().expect("a churning thread does not panic");
            digest ^= churned.digest;
            pairs += churned.pairs;
        }
        for thread in firing {
            digest ^= thread.join().expect("a firing thread does not panic");
        }
        passing.join().expect("nor does one that comes and goes");
    });
    oracle.check_the_end();
    let choices = format!("stress: choices {digest:016x}");
    println!("{choices}");
    println!(
        "stress: {} firings, {} calls, {pairs} attaches and detaches, {} synchronized, {} panics, {} s",
        oracle.firings(),
        oracle.calls(),
        oracle.synchronized_count(),
        hotprobe::stats().probe_panics,
        begin.elapsed().as_secs(),
    );
    let failures = oracle.failures();
    for failure in &failures {
        println!("stress: FAILED {failure}");
    }
    if !failures.is_empty() {
        println!("stress: the same choices again: --seed {}", options.seed);
    }
    failures.is_empty().then_some(choices)
}

/// A grace period that never ends would be a silent failure.
fn watch_for_a_hang(oracle: &Arc<Oracle>, seconds: f64) {
    let oracle = Arc::downgrade(oracle);
    thread::spawn(move || {
        thread::sleep(Duration::from_secs_f64(seconds + 120.0));
        if let Some(oracle) = oracle.upgrade() {
            println!("stress: FAILED {:?}: it does not end", Rule::Ends);
            println!("stress: {:?}", hotprobe::stats());
            drop(oracle);
            std::process::abort();
        }
    });
}

/// This binary again, in a process of its own: whether it succeeded, and what it printed.
fn again(seed: u64, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env::current_exe().expect("the binary has a path"))
        .args(arguments)
        .args(["--seed", &seed.to_string()])
        .output()
        .expect("the binary starts");
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text.into_owned())
}

/// An oracle that cannot fail says nothing: each planted bug must be reported, by the rule that it
/// breaks.
fn plants_are_found(seed: u64) -> bool {
    let mut all = true;
    for &(name, plant) in Plant::ALL {
        let seconds = plant.seconds().to_string();
        let (passed, text) = again(seed, &["--plant", name, "--seconds", &seconds]);
        let expected = format!("stress: FAILED {:?}", plant.breaks());
        let found = !passed && text.contains(&expected);
        println!(
            "stress: planted {name}: {}",
            if found { "found" } else { "NOT FOUND" }
        );
        if !found {
            println!("{text}");
            all = false;
        }
    }
    all
}

/// A seed is of use only if it gives the same choices again.
fn choices_come_again(seed: u64, choices: &str) -> bool {
    let (passed, text) = again(seed, &["--seconds", "0.5"]);
    let same = passed && text.contains(choices);
    if !same {
        println!("stress: with the same seed it chose differently, or failed\n{text}");
    }
    same
}

/// Keeps the panics that the probes are meant to have from the output.
fn quiet_planned_panics() {
    let others = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload_as_str() != Some(oracle::PLANNED) {
            others(info);
        }
    }));
}
