//! The four phases, on one load that never pauses.

use crate::events::REQUEST_END;
use crate::load::{Load, Phase};
use crate::statistics::{Statistics, Totals};
use hotprobe::{Probe, ProbeGroup, ProbeOptions, Stats, SynchronizeError};
use std::panic;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The results of the phases.
pub(crate) struct Findings {
    /// The counts and latencies of phase 2.
    pub(crate) totals: Totals,
    /// How long it took to attach the batch, and to detach it and wait.
    pub(crate) attaching: Duration,
    pub(crate) detaching: Duration,
    /// How often the faulty probe of phase 4 was called.
    pub(crate) faulty_calls: u64,
    /// The result of `hotprobe::stats()` after all probes are detached.
    pub(crate) stats: Stats,
    /// The checks that failed.
    pub(crate) broken: Vec<String>,
}

/// The warm-up, which is not measured: connections, caches, the branch predictor.
const WARM_UP: Duration = Duration::from_millis(300);

/// Runs all phases, each for `seconds` seconds. If all events are also recorded, none is ever off.
pub(crate) async fn run(load: &mut Load, seconds: u64, streamed: bool) -> Findings {
    let mut checks = Checks::default();
    sleep(WARM_UP).await;

    load.enter(Phase::Off);
    let state = if streamed {
        "all events recorded, nothing else"
    } else {
        "all events off"
    };
    watch(load, seconds, || state.to_owned()).await;

    let (statistics, group, attaching) = attached(load, seconds).await;
    let detaching = detached(load, seconds, &statistics, group, &mut checks).await;
    let totals = statistics.totals();
    checks.hold(totals.balance(), || {
        let (begun, ended) = totals.begun_and_ended();
        format!("the accounts of phase 2 do not balance: {begun} requests begun, {ended} ended")
    });
    checks.hold(totals.gaps == 0, || {
        format!("{} requests missed an event in their middle", totals.gaps)
    });
    checks.hold(totals.timed() > 0, || {
        "the batch of phase 2 saw no request from begin to end".to_owned()
    });

    let faulty_calls = panicking(load, seconds, streamed, &mut checks).await;
    Findings {
        totals,
        attaching,
        detaching,
        faulty_calls,
        stats: hotprobe::stats(),
        broken: checks.broken,
    }
}

/// Phase 2: a batch, attached while requests are in flight.
async fn attached(load: &mut Load, seconds: u64) -> (Arc<Statistics>, ProbeGroup, Duration) {
    load.enter(Phase::Attached);
    let statistics = Arc::new(Statistics::new());
    let begun = Instant::now();
    let group = statistics.attach();
    let attaching = begun.elapsed();

    watch(load, seconds, || {
        format!(
            "{} firings seen by {} probes",
            statistics.seen(),
            group.len()
        )
    })
    .await;
    (statistics, group, attaching)
}

/// Phase 3: the batch is detached, the traffic continues.
async fn detached(
    load: &mut Load,
    seconds: u64,
    statistics: &Arc<Statistics>,
    group: ProbeGroup,
    checks: &mut Checks,
) -> Duration {
    let begun = Instant::now();
    let outcome = off_the_runtime(group, |mut group| group.detach_and_wait()).await;
    let detaching = begun.elapsed();
    load.enter(Phase::Detached);
    checks.hold(outcome.is_ok(), || {
        format!("the batch was not waited for: {outcome:?}")
    });

    // From here on, no probe is running, none will run, and all captures have been dropped.
    let seen = statistics.seen();
    let holders = Arc::strong_count(statistics) - 1;
    checks.hold(holders == 0, || {
        format!("after detach_and_wait, {holders} probes still hold the statistics")
    });

    watch(load, seconds, || {
        let now = statistics.seen();
        checks.hold(now == seen, || {
            format!("after detach_and_wait, the counters moved from {seen} to {now}")
        });
        format!("the counters stand still at {now}")
    })
    .await;
    let (_, requests, _) = load.progress();
    checks.hold(requests > 0, || {
        "no traffic in phase 3, so that nothing is shown by counters that stand still".to_owned()
    });
    detaching
}

/// The payload of the faulty probe's panic. The panic hook recognizes it by its type.
struct Deliberate {
    request: u64,
}

/// Phase 4: a probe that panics on each tenth request. After the first panic it is switched off,
/// and `REQUEST_END`, of which it is the only probe (unless it is recorded), is off again. Returns
/// the number of calls: ten, and one for each concurrent firing that called the probe before the
/// panic had switched it off.
async fn panicking(load: &mut Load, seconds: u64, streamed: bool, checks: &mut Checks) -> u64 {
    announce_deliberate_panics();
    load.enter(Phase::Panicking);
    let panics_before = hotprobe::stats().probe_panics;
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    let options = ProbeOptions::new().name("panics on each tenth request");
    let faulty: Probe = REQUEST_END.attach_with(options, move |_, _, _| {
        let request = counted.fetch_add(1, Ordering::Relaxed) + 1;
        if request % 10 == 0 {
            panic::panic_any(Deliberate { request });
        }
    });

    // The probe is off long before the deadline, but a firing that began earlier may still run it.
    // So wait for a grace period, without blocking a thread. After that, the number of calls is
    // final.
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let switched_off = || faulty.has_panicked() && REQUEST_END.is_enabled() == streamed;
    while !switched_off() && Instant::now() < deadline {
        sleep(Duration::from_millis(1)).await;
    }
    checks.hold(switched_off(), || {
        "the panicking probe was not switched off".to_owned()
    });
    let grace = hotprobe::grace_period();
    while !grace.is_over() {
        sleep(Duration::from_millis(1)).await;
    }
    let at_switch_off = calls.load(Ordering::Relaxed);

    watch(load, seconds, || {
        let now = calls.load(Ordering::Relaxed);
        checks.hold(now == at_switch_off, || {
            format!("the switched-off probe was called again: {at_switch_off} calls, then {now}")
        });
        format!("the faulty probe is off after {now} calls")
    })
    .await;

    let panics = hotprobe::stats().probe_panics - panics_before;
    checks.hold(panics > 0, || {
        "stats() counts no panic of a probe".to_owned()
    });
    // The probe was switched off, but still attached, and kept its captures. This drops them.
    let outcome = off_the_runtime(faulty, |faulty| faulty.detach_and_wait()).await;
    checks.hold(outcome.is_ok(), || {
        format!("the faulty probe was not waited for: {outcome:?}")
    });
    checks.hold(Arc::strong_count(&calls) == 1, || {
        "the faulty probe, detached, still holds its counter".to_owned()
    });
    at_switch_off
}

/// Prints the deliberate panic in one line, and every other one as before.
fn announce_deliberate_panics() {
    let previous = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        match info.payload().downcast_ref::<Deliberate>() {
            Some(Deliberate { request }) => {
                eprintln!("  (the probe panics on request {request}, as it is meant to)");
            }
            None => previous(info),
        }
    }));
}

/// `detach_and_wait` blocks its thread. A worker of the runtime has other tasks to run, perhaps
/// even the one that is inside a firing. So the call runs in the pool for blocking calls.
async fn off_the_runtime<T: Send + 'static>(
    probes: T,
    wait: impl FnOnce(T) -> Result<(), SynchronizeError> + Send + 'static,
) -> Result<(), SynchronizeError> {
    tokio::task::spawn_blocking(move || wait(probes))
        .await
        .expect("waiting does not panic")
}

/// Prints a line per second: the phase, its traffic, and a remark.
async fn watch(load: &Load, seconds: u64, mut remark: impl FnMut() -> String) {
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks.tick().await; // at once
    let (mut before, mut begun) = (load.progress().1, Instant::now());
    for second in 1..=seconds {
        ticks.tick().await;
        let (phase, requests, failed) = load.progress();
        let rate = (requests - before) as f64 / begun.elapsed().as_secs_f64();
        (before, begun) = (requests, Instant::now());
        println!(
            "{:<12} {second:>3} s {rate:>8.0} req/s  {failed} failed  {}",
            phase.name(),
            remark()
        );
    }
}

/// Runs the checks. Returns a sentence for each one that failed.
#[derive(Default)]
struct Checks {
    broken: Vec<String>,
}

impl Checks {
    fn hold(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.broken.push(otherwise());
        }
    }
}
