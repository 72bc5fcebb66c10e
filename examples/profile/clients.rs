//! Compares the clients' measurement with the server's: two independent measurements of one run.

use crate::events::{LOOKUP_BEGIN, LOOKUP_END, REQUEST_BEGIN, REQUEST_END, STORE_BEGIN, STORE_END};
use crate::latencies::micros;
use crate::load::Tally;
use crate::measuring::Measured;
use crate::service::{CATALOGUE, Route, Store};
use hdrhistogram::Histogram;
use hotprobe_profile::{
    Breakdown, EventCount, LabelCount, LabelLatency, LatencySnapshot, StackSample,
};
use std::time::Duration;

/// The calls of the catalogue and the store that one request of a route makes.
fn asks(route: Route) -> [u64; 2] {
    match route {
        Route::Create | Route::Read => [1, 1],
        Route::List => [0, 1],
        Route::Report => [CATALOGUE.len() as u64, Store::SHELVES as u64],
        Route::Unknown => [0, 0],
    }
}

/// Prints both measurements and their differences.
pub(crate) fn compare(measured: &Measured, tally: &Tally) -> Result<(), String> {
    println!(
        "{:<18} {:>9} {:>9}   {:>8} {:>8}   {:>8} {:>8}   {:>8}",
        "as measured by", "server", "clients", "server", "clients", "server", "clients", "outside"
    );
    println!(
        "{:<18} {:>19}   {:>17}   {:>17}   {:>8}",
        "", "requests", "p50 µs", "p99 µs", "mean µs"
    );
    let routes = || Route::ALL.into_iter().zip(&tally.routes);
    for (route, clients) in routes() {
        let name = format!("{route:?}");
        let server = measured.requests.label(&name);
        match (server, clients) {
            (None, None) => {}
            (Some(server), Some(clients)) => latencies(&name, server, clients)?,
            (server, clients) => {
                return Err(format!(
                    "{name}: the clients asked {} times, the server answered {}",
                    clients.as_ref().map_or(0, Histogram::len),
                    server.map_or(0, LabelLatency::count)
                ));
            }
        }
    }

    let [lookups, stores] = routes().fold([0; 2], |sum, (route, clients)| {
        let requests = clients.as_ref().map_or(0, Histogram::len);
        let asks = asks(route).map(|each| each * requests);
        [sum[0] + asks[0], sum[1] + asks[1]]
    });
    let requests = tally.requests();
    for (what, latencies, expected) in [
        ("requests", &measured.requests, requests),
        ("lookups", &measured.lookups, lookups),
        ("stores", &measured.stores, stores),
    ] {
        pairs(what, latencies, expected)?;
    }
    for (event, expected) in [
        (REQUEST_BEGIN.name(), requests),
        (REQUEST_END.name(), requests),
        (LOOKUP_BEGIN.name(), lookups),
        (LOOKUP_END.name(), lookups),
        (STORE_BEGIN.name(), stores),
        (STORE_END.name(), stores),
    ] {
        let counted = measured.counts.event(event).map_or(0, EventCount::count);
        equal(&format!("firings of {event}"), counted, expected)?;
    }
    for (route, clients) in routes() {
        let name = format!("{route:?}");
        let labels = measured
            .counts
            .breakdowns()
            .iter()
            .flat_map(Breakdown::labels);
        let counted = labels
            .filter(|label| label.label() == name)
            .map(LabelCount::count);
        let asked = clients.as_ref().map_or(0, Histogram::len);
        equal(&format!("requests counted to {name}"), counted.sum(), asked)?;
    }
    stacks(measured, tally, stores)?;
    println!(
        "{requests} requests asked, {requests} counted; {stores} stores, {stores} stacks taken: all checks held"
    );
    Ok(())
}

fn equal(what: &str, found: u64, expected: u64) -> Result<(), String> {
    if found == expected {
        return Ok(());
    }
    Err(format!(
        "{what}: {found}; by what the clients asked it has to be {expected}"
    ))
}

/// Prints a line. A request takes no longer than its client waits, so no percentile does.
fn latencies(name: &str, server: &LabelLatency, clients: &Histogram<u64>) -> Result<(), String> {
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    let both = |percent| {
        let ours = nanos(server.percentile(percent));
        (ours, clients.value_at_quantile(percent / 100.0))
    };
    let (p50, p99) = (both(50.0), both(99.0));
    let mean = (nanos(server.mean()), clients.mean());
    println!(
        "{name:<18} {:>9} {:>9}   {:>8} {:>8}   {:>8} {:>8}   {:>8}",
        server.count(),
        clients.len(),
        micros(p50.0),
        micros(p50.1),
        micros(p99.0),
        micros(p99.1),
        format!("{:.1}", (mean.1 - mean.0 as f64) / 1000.0),
    );
    equal(
        &format!("requests to {name}"),
        server.count(),
        clients.len(),
    )?;
    let of_clients = [clients.min(), p50.1, p99.1, clients.max()];
    let of_server = [nanos(server.min()), p50.0, p99.0, nanos(server.max())];
    for ((what, ours), theirs) in ["shortest", "p50", "p99", "longest"]
        .into_iter()
        .zip(of_server)
        .zip(of_clients)
    {
        // Each histogram is exact to a hundredth, and two kinds of clock may differ by as much.
        if ours as f64 > theirs as f64 * 1.02 + 1000.0 {
            return Err(format!(
                "{name}, {what}: {ours} ns in the server, {theirs} ns for its clients, who waited for it"
            ));
        }
    }
    Ok(())
}

/// All requests have begun and ended.
fn pairs(what: &str, latencies: &LatencySnapshot, expected: u64) -> Result<(), String> {
    let counts = latencies.counts();
    for (which, count) in [
        ("begun", counts.begins),
        ("ended", counts.ends),
        ("matched", counts.matched),
    ] {
        equal(&format!("{what} {which}"), count, expected)?;
    }
    Ok(())
}

/// The store fires once per response. For operations whose orders the clients know, the orders are
/// checked as well.
fn stacks(measured: &Measured, tally: &Tally, stores: u64) -> Result<(), String> {
    let counts = measured.stacks.counts();
    equal("firings with a stack", counts.sampled, stores)?;
    equal("stacks without place", counts.other + counts.nested, 0)?;
    let samples = measured.stacks.samples();
    for (operation, route) in [("Put", Route::Create), ("Get", Route::Read)] {
        let of_it = samples.iter().filter(|sample| {
            let mut labels = sample.labels();
            labels.any(|label| label == ("operation", operation))
        });
        let orders: u128 = of_it.map(StackSample::weight).sum();
        // One order each.
        let expected = tally.routes[route as usize]
            .as_ref()
            .map_or(0, Histogram::len);
        let orders = u64::try_from(orders).unwrap_or(u64::MAX);
        equal(&format!("orders by {operation}"), orders, expected)?;
    }
    Ok(())
}
