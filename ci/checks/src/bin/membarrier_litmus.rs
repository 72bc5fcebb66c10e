//! Store buffering on this machine, with `membarrier` on one side (`ci/membarrier.sh`).
//!
//! ```text
//! firing:  x = i; light barrier; r = y        grace period:  y = j; heavy barrier; q = x
//! ```
//!
//! That both miss the other's store is what a lane must exclude. The firing runs without pause, and
//! logs what it reads; the other side makes one round after the other, and looks in the log for the
//! first firing whose store it has missed: number `q + 1`. If that has missed the round's store as
//! well, the two have been reordered. So no round waits for another thread to begin, and hardly any
//! for one to end, however busy the machine is.
//!
//! Rounds with `membarrier` take turns with two controls: without any barrier, and with a fence of
//! this thread only. Both show reordering where it is possible at all: two processors that run the
//! two threads at the same time. A run whose controls show none proves nothing, and fails.
//!
//! Usage: `membarrier_litmus ROUNDS [--plant]`: with `--plant`, no `membarrier` is called.

use rustix::thread::{MembarrierCommand, membarrier};
use std::hint::spin_loop;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, compiler_fence, fence};
use std::thread;

/// On cache lines of its own: processors fetch them in pairs.
#[repr(align(128))]
struct Line<T>(T);

static X: Line<AtomicU64> = Line(AtomicU64::new(0));
static Y: Line<AtomicU64> = Line(AtomicU64::new(0));
/// The last firing that is in the log.
static LOGGED: Line<AtomicU64> = Line(AtomicU64::new(0));
static STOP: Line<AtomicBool> = Line(AtomicBool::new(false));

const LOG: usize = 1 << 16;
static READ: [AtomicU64; LOG] = [const { AtomicU64::new(0) }; LOG];

fn log(firing: u64) -> &'static AtomicU64 {
    #[allow(clippy::cast_possible_truncation, reason = "a power of two divides it")]
    &READ[firing as usize % LOG]
}

fn fire() {
    let mut firing = 0;
    while !STOP.0.load(Ordering::Relaxed) {
        firing += 1;
        X.0.store(firing, Ordering::Relaxed);
        // As `asymmetric::light` in the core's `sync.rs`.
        compiler_fence(Ordering::SeqCst);
        let read = Y.0.load(Ordering::Relaxed);
        // Release: pairs with the Acquire in `judge`: who finds this entry in the place of an older
        // one finds that it has been logged so far.
        log(firing).store(read, Ordering::Release);
        // Release: pairs with the Acquire in `judge`, for the entry.
        LOGGED.0.store(firing, Ordering::Release);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Barrier {
    None,
    Own,
    Heavy,
}

#[derive(Default)]
struct Tally {
    rounds: u64,
    /// The log had been overwritten.
    unknown: u64,
    reordered: u64,
}

/// Whether a round and the first firing that it has missed have missed each other; none if the log
/// does not say.
fn judge(round: u64, missed: u64) -> Option<bool> {
    let mut spins = 0;
    // Acquire: pairs with the Release in `fire`.
    while LOGGED.0.load(Ordering::Acquire) < missed {
        spins += 1;
        if spins % 128 == 0 {
            thread::yield_now();
        } else {
            spin_loop();
        }
    }
    // Acquire: likewise.
    let read = log(missed).load(Ordering::Acquire);
    let is_overwritten = LOGGED.0.load(Ordering::Acquire) >= missed + LOG as u64 - 1;
    (!is_overwritten).then_some(read < round)
}

/// Rounds of one kind, one after the other.
const TURN: u64 = 50;

fn turn(round: &mut u64, barrier: Barrier, tally: &mut Tally) -> rustix::io::Result<()> {
    for _ in 0..TURN {
        *round += 1;
        Y.0.store(*round, Ordering::Relaxed);
        match barrier {
            Barrier::None => compiler_fence(Ordering::SeqCst),
            Barrier::Own => fence(Ordering::SeqCst),
            Barrier::Heavy => membarrier(MembarrierCommand::PrivateExpedited)?,
        }
        let seen = X.0.load(Ordering::Relaxed);
        tally.rounds += 1;
        match judge(*round, seen + 1) {
            None => tally.unknown += 1,
            Some(is_reordered) => tally.reordered += u64::from(is_reordered),
        }
    }
    Ok(())
}

fn run(rounds: u64, heavy: Barrier) -> rustix::io::Result<[Tally; 3]> {
    membarrier(MembarrierCommand::RegisterPrivateExpedited)?;
    let mut tallies = [Tally::default(), Tally::default(), Tally::default()];
    let firing = thread::spawn(fire);
    let mut round = 0;
    let mut result = Ok(());
    while result.is_ok() {
        let [none, own, other] = &tallies;
        let enough = other.rounds - other.unknown >= rounds;
        let is_controlled = none.reordered > 0 && own.reordered > 0;
        if enough && is_controlled || none.rounds >= 10 * rounds {
            break;
        }
        // When there are enough, only the controls continue.
        let kinds = [Barrier::None, Barrier::Own, heavy];
        let kinds = &kinds[..if enough { 2 } else { 3 }];
        for (kind, tally) in kinds.iter().zip(&mut tallies) {
            result = result.and_then(|()| turn(&mut round, *kind, tally));
        }
    }
    STOP.0.store(true, Ordering::Relaxed);
    let _ = firing.join();
    result.map(|()| tallies)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rounds = arguments.first().and_then(|rounds| rounds.parse().ok());
    let Some(rounds) = rounds else {
        eprintln!("usage: membarrier_litmus ROUNDS [--plant]");
        return ExitCode::from(2);
    };
    let heavy = match arguments.get(1) {
        None => Barrier::Heavy,
        Some(_) => Barrier::Own,
    };
    let [none, own, other] = match run(rounds, heavy) {
        Ok(tallies) => tallies,
        Err(error) => {
            eprintln!("membarrier_litmus: no membarrier here, nothing is shown: {error}");
            return ExitCode::FAILURE;
        }
    };
    for (name, tally) in [
        ("no barrier", &none),
        ("a fence of one side", &own),
        ("membarrier", &other),
    ] {
        println!(
            "{name:20} {:9} rounds, {:7} reordered ({} unknown)",
            tally.rounds, tally.reordered, tally.unknown
        );
    }
    if other.reordered > 0 {
        eprintln!("membarrier_litmus: REORDERED in spite of membarrier");
        return ExitCode::FAILURE;
    }
    if none.reordered == 0 || own.reordered == 0 || other.rounds - other.unknown < rounds {
        eprintln!(
            "membarrier_litmus: no control: {} rounds without membarrier show no reordering \
             either, or too few are known, so this run proves nothing. Are there two processors?",
            none.rounds + own.rounds
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
