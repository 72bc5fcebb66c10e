//! Prints how long a firing that takes its stack takes at most, alone and while another thread
//! names stacks of this program: a firing waits for nothing that naming holds. And how long naming
//! takes at least: that of the first profile, for which the debug information is read, and of a
//! later one while the first lives. The program is as large as its build makes it; its size is
//! printed.

use hotprobe::fire;
use hotprobe_profile::{StackProfile, Stacks};
use std::error::Error;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

hotprobe::event! { static TICK: fn(); }

/// How often the debug information is read, and how often each time names are looked up after that.
const ROUNDS: u32 = 5;

/// Firings, sorted by how long they took.
struct Firings(Vec<Duration>);

impl Firings {
    fn until(is_over: impl Fn() -> bool) -> Self {
        let mut all = Vec::new();
        while !is_over() {
            let begin = Instant::now();
            tick();
            all.push(begin.elapsed());
        }
        all.sort_unstable();
        Self(all)
    }

    fn print(&self, what: &str) {
        let at = |per_mille: usize| self.0[(self.0.len() - 1) * per_mille / 1000];
        println!(
            "{what}: {} firings, p50 {:?}, p99.9 {:?}, longest {:?}",
            self.0.len(),
            at(500),
            at(999),
            at(1000)
        );
    }
}

#[inline(never)]
fn tick() {
    fire!(TICK);
    black_box(());
}

/// Returns how long it takes to name a profile that has no names yet.
fn name(profile: &StackProfile) -> Duration {
    let begin = Instant::now();
    black_box(profile.samples());
    begin.elapsed()
}

fn main() -> Result<(), Box<dyn Error>> {
    let stacks = Stacks::at(&TICK).start()?;
    tick();
    let size = std::env::current_exe()?.metadata()?.len();
    println!("a program of {} MB", size / 1_000_000);

    let begin = Instant::now();
    Firings::until(|| begin.elapsed() > Duration::from_secs(2)).print("nobody names stacks");

    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut first, mut later) = (Duration::MAX, Duration::MAX);
            for _ in 0..ROUNDS {
                // What was read is kept as long as this.
                let profile = stacks.snapshot();
                first = first.min(name(&profile));
                (0..ROUNDS).for_each(|_| later = later.min(name(&stacks.snapshot())));
            }
            println!("the first naming takes {first:?}, at least");
            println!("a later one {later:?}");
            is_over.store(true, Ordering::Relaxed);
        });
        let is_over = || is_over.load(Ordering::Relaxed);
        Firings::until(is_over).print("another thread names stacks");
    });
    Ok(())
}
