//! The summary of all phases.

use crate::latencies::micros;
use crate::load::{Phase, Tally};
use crate::phases::Findings;

use crate::service::Route;
use crate::statistics::event_names;
use hdrhistogram::Histogram;

/// Prints the summary. Returns true if all checks held.
pub(crate) fn print(
    tallies: &[Tally; Phase::ALL.len()],
    first_failure: Option<&str>,
    findings: &Findings,
) -> bool {
    traffic(tallies);
    what_the_probes_saw(findings);
    stats(findings);

    let failed: u64 = tallies.iter().map(|tally| tally.failed).sum();
    if let Some(reason) = first_failure {
        println!("\nFAILED: {failed} requests, the first with: {reason}");
    }
    for broken in &findings.broken {
        println!("\nBROKEN: {broken}");
    }
    let all_held = failed == 0 && findings.broken.is_empty();
    if all_held {
        println!("\nall checks held");
    }
    all_held
}

/// Prints the results of the clients.
fn traffic(tallies: &[Tally; Phase::ALL.len()]) {
    println!(
        "\n{:<12} {:>9} {:>7} {:>9} {:>9} {:>9}",
        "phase", "requests", "failed", "req/s", "p50 µs", "p99 µs"
    );
    let (mut requests, mut failed) = (0, 0);
    for (phase, tally) in Phase::ALL.iter().zip(tallies) {
        requests += tally.requests();
        failed += tally.failed;
        println!(
            "{:<12} {:>9} {:>7} {:>9.0} {:>9} {:>9}",
            phase.name(),
            tally.requests(),
            tally.failed,
            tally.requests() as f64 / tally.lasted.as_secs_f64(),
            micros(tally.latencies.value_at_quantile(0.50)),
            micros(tally.latencies.value_at_quantile(0.99)),
        );
    }
    println!("{:<12} {requests:>9} {failed:>7}", "total");
}

/// Prints the results of the probes of phase 2, inside the server.
fn what_the_probes_saw(findings: &Findings) {
    let totals = &findings.totals;
    println!("\n{:<40} {:>9}", "event", "firings");
    for (name, fired) in event_names().iter().zip(totals.fired) {
        println!("{name:<40} {fired:>9}");
    }

    println!(
        "\n{:<18} {:>9} {:>9} {:>9} {:>9}",
        "begin-end", "pairs", "p50 µs", "p99 µs", "max µs"
    );
    let routes = Route::ALL.iter().zip(&totals.routes);
    let routes = routes.map(|(route, latencies)| (format!("{route:?}"), latencies));
    let layers = [("> lookup", &totals.lookups), ("> store", &totals.stores)];
    let layers = layers.map(|(name, latencies)| (name.to_owned(), latencies));
    for (name, latencies) in routes.chain(layers) {
        if !latencies.is_empty() {
            println!("{name:<18} {}", pairs(latencies));
        }
    }
    println!(
        "requests: {} seen from begin to end, {} in flight at the attach, {} at the detach, {} without room",
        totals.timed(),
        totals.begun_before,
        totals.still_open,
        totals.no_room
    );
    println!(
        "the batch took {} µs to attach, {} µs to detach and wait for, under load",
        findings.attaching.as_micros(),
        findings.detaching.as_micros()
    );
}

fn pairs(latencies: &Histogram<u64>) -> String {
    format!(
        "{:>9} {:>9} {:>9} {:>9}",
        latencies.len(),
        micros(latencies.value_at_quantile(0.50)),
        micros(latencies.value_at_quantile(0.99)),
        micros(latencies.max())
    )
}

fn stats(findings: &Findings) {
    let stats = findings.stats;
    println!(
        "\nthe faulty probe: {} calls, then switched off",
        findings.faulty_calls
    );
    println!(
        "stats(): probe_panics {}, retired {}, reclaimed {}, skipped_nested {}, skipped_registering {}, drop_panics {}",
        stats.probe_panics,
        stats.retired,
        stats.reclaimed,
        stats.skipped_nested,
        stats.skipped_registering,
        stats.drop_panics
    );
}
