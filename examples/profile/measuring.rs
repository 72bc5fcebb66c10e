//! Measures the service; prints and writes the results.

use crate::events::{LOOKUP_BEGIN, LOOKUP_END, REQUEST_BEGIN, REQUEST_END, STORE_BEGIN, STORE_END};
use crate::service::Operation;
use hotprobe::{Batch, ProbeGroup};
use hotprobe_profile::{
    Clock, Counts, CountsSession, CountsSnapshot, Latency, LatencyMeter, LatencySession,
    LatencySnapshot, ProfileError, StackProfile, Stacks, StacksSession,
};
use std::collections::HashMap;
use std::error::Error;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

const LOG: &str = "latency.hlog";
const HISTOGRAMS: &str = "latency.svg";
const PPROF: &str = "stacks.pb.gz";
const FOLDED: &str = "stacks.folded";
const FLAMES: &str = "flame.svg";
const METRICS: &str = "metrics.txt";

/// The files, and the programs that open them.
pub(crate) const FILES: [(&str, &str); 6] = [
    (LOG, "readers of HDR histogram logs, a tag for each route"),
    (HISTOGRAMS, "a browser"),
    (PPROF, "go tool pprof -http=: FILE"),
    (FOLDED, "speedscope, inferno, flamegraph.pl"),
    (FLAMES, "a browser"),
    (METRICS, "Prometheus"),
];

/// The processor's counter is faster to read than the system's clock, and not available everywhere.
#[cfg(feature = "tsc")]
const CLOCK: Clock = Clock::Tsc;
#[cfg(not(feature = "tsc"))]
const CLOCK: Clock = Clock::System;

/// The running measurements, until [`finish`](Self::finish).
pub(crate) struct Measuring {
    requests: LatencySession,
    lookups: LatencySession,
    stores: (Arc<LatencyMeter>, ProbeGroup),
    stacks: StacksSession,
    counts: CountsSession,
}

/// The results.
pub(crate) struct Measured {
    pub(crate) requests: LatencySnapshot,
    pub(crate) lookups: LatencySnapshot,
    pub(crate) stores: LatencySnapshot,
    pub(crate) stacks: StackProfile,
    pub(crate) counts: CountsSnapshot,
}

impl Measuring {
    /// Latencies before stacks: probes run in attach order, so the latency of a store call does not
    /// include capturing its stack. (That of a request does.)
    pub(crate) fn start() -> Result<Self, String> {
        Self::attach().map_err(|error| format!("nothing is measured: {error}"))
    }

    fn attach() -> Result<Self, ProfileError> {
        Ok(Self {
            requests: Latency::between(&REQUEST_BEGIN, &REQUEST_END, "request")
                .title("request")
                .clock(CLOCK)
                .label("route")
                .start()?,
            lookups: Latency::between(&LOOKUP_BEGIN, &LOOKUP_END, "request")
                .title("lookup")
                .clock(CLOCK)
                .label("item")
                .start()?,
            stores: stores()?,
            // The callers of the store, weighted by orders. The label is the operation.
            stacks: Stacks::at(&STORE_END)
                .weight("orders")
                .label("operation")
                .start()?,
            counts: Counts::new()
                .matching("*::events::*")
                .by(&REQUEST_END, "route")
                .start()?,
        })
    }

    /// After the last request.
    pub(crate) fn finish(self) -> Result<Measured, String> {
        self.detach().map_err(|error| error.to_string())
    }

    fn detach(self) -> Result<Measured, Box<dyn Error>> {
        let stacks = self.stacks.finish();
        let (stores, mut probes) = self.stores;
        probes.detach_and_wait()?;
        Ok(Measured {
            requests: self.requests.finish()?,
            lookups: self.lookups.finish()?,
            stores: stores.snapshot(),
            stacks: stacks?,
            counts: self.counts.finish()?,
        })
    }
}

/// The same by hand-written probes, for a key and a label that are not plain parameters: the
/// sixteen sums of a report are one label.
fn stores() -> Result<(Arc<LatencyMeter>, ProbeGroup), ProfileError> {
    let latency = Arc::new(
        LatencyMeter::builder()
            .title("store")
            .clock(CLOCK)
            .build()?,
    );
    let mut batch = Batch::new();
    STORE_BEGIN.attach_in(&mut batch, {
        let latency = Arc::clone(&latency);
        move |request, _| latency.begin(request.0)
    });
    STORE_END.attach_in(&mut batch, {
        let latency = Arc::clone(&latency);
        move |request, operation, _| {
            let label = match operation {
                Operation::Put => "put",
                Operation::Get => "get",
                Operation::Scan => "scan",
                Operation::Sum { .. } => "sum",
            };
            latency.end(&request.0, label);
        }
    });
    Ok((latency, batch.commit()))
}

impl Measured {
    pub(crate) fn print(&self) {
        let seconds = self.requests.duration().as_secs_f64();
        println!("profiled {seconds:.1} s\n");
        for latencies in [&self.requests, &self.lookups, &self.stores] {
            println!("{latencies}");
        }
        println!("{}", self.counts);
        self.print_stacks();
    }

    /// Prints the functions that fire, and their numbers of orders.
    fn print_stacks(&self) {
        const MOST: usize = 5;
        let counts = self.stacks.counts();
        println!(
            "{} firings of {} by {} stacks, {} orders; the functions that fire:",
            counts.fired,
            STORE_END.name(),
            counts.stacks,
            counts.weight
        );
        let mut functions = HashMap::new();
        for sample in self.stacks.samples() {
            let name = sample
                .frames()
                .first()
                .map_or("(none)", |frame| frame.name());
            let (firings, orders) = functions.entry(name.to_owned()).or_insert((0, 0));
            *firings += sample.count();
            *orders += sample.weight();
        }
        let mut functions: Vec<_> = functions.into_iter().collect();
        functions.sort_by(|(a, (_, x)), (b, (_, y))| y.cmp(x).then_with(|| a.cmp(b)));
        println!("{:>9}  {:>12}", "firings", "orders");
        for (name, (firings, orders)) in functions.iter().take(MOST) {
            println!("{firings:>9}  {orders:>12}  {name}");
        }
        if let Some(rest) = functions.get(MOST..).filter(|rest| !rest.is_empty()) {
            println!("           … and {} more", rest.len());
        }
    }

    /// Writes all of [`FILES`].
    pub(crate) fn save(&self, out: &Path) -> Result<(), String> {
        let latencies = [LOG, HISTOGRAMS].map(|file| self.requests.save(out.join(file)));
        let stacks = [PPROF, FOLDED, FLAMES].map(|file| self.stacks.save(out.join(file)));
        for saved in latencies.into_iter().chain(stacks) {
            saved.map_err(|error| match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            })?;
        }
        let metrics = out.join(METRICS);
        self.save_metrics(&metrics)
            .map_err(|error| format!("{} could not be written: {error}", metrics.display()))
    }

    /// Both in one file: their metrics have different names.
    fn save_metrics(&self, path: &Path) -> io::Result<()> {
        let mut file = File::create(path)?;
        self.requests.write_prometheus(&mut file)?;
        self.counts.write_prometheus(&mut file)
    }
}
