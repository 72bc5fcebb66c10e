//! The rounds: in each, every variant is asked for a short time, in an order of chance. What else
//! the machine does meets all of them, and what is compared is always of one round.

use crate::latencies::histogram;
use crate::load;
use crate::server::Server;
use crate::variant::Variant;
use hdrhistogram::Histogram;
use std::collections::hash_map::RandomState;
use std::fs::File;
use std::hash::BuildHasher;
use std::io::{self, Read, Seek};
use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// What one variant did in one round.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slice {
    /// A second.
    pub(crate) throughput: f64,
    /// Nanoseconds.
    pub(crate) p99: f64,
    /// Nanoseconds of the server's thread for each request; none where the system does not report
    /// it.
    pub(crate) cpu: Option<f64>,
}

/// What was seen of one variant: a slice for each round, and all latencies.
pub(crate) struct Measured {
    pub(crate) slices: Vec<Slice>,
    pub(crate) latencies: Histogram<u64>,
}

/// Both servers, on one thread, which is not that of the load.
struct Servers {
    plain: SocketAddr,
    traced: SocketAddr,
    cpu: Option<File>,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), String>>,
}

impl Servers {
    fn start() -> Result<Self, String> {
        let (ready, started) = mpsc::channel();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build();
            let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
            runtime.block_on(async {
                let start = |variant: Variant| Server::start(variant.routes(), 0);
                let no_socket = |error: io::Error| format!("no socket on 127.0.0.1: {error}");
                let plain = start(Variant::None).await.map_err(no_socket)?;
                let traced = start(Variant::Off).await.map_err(no_socket)?;
                // What is opened is this thread's file, whichever thread reads it.
                let cpu = File::open("/proc/thread-self/schedstat").ok();
                // (An error says that nobody waits any more.)
                ready.send((plain.address(), traced.address(), cpu)).ok();
                stopped.await.ok();
                plain.stop().await?;
                traced.stop().await
            })
        });
        match started.recv() {
            Ok((plain, traced, cpu)) => Ok(Self {
                plain,
                traced,
                cpu,
                stop,
                thread,
            }),
            // It has said why.
            Err(_) => Err(ended(thread).expect_err("it was not told to stop")),
        }
    }

    fn address(&self, variant: Variant) -> SocketAddr {
        match variant {
            Variant::None => self.plain,
            _ => self.traced,
        }
    }

    fn cpu(&mut self) -> Option<Duration> {
        ran(self.cpu.as_mut()?)
    }

    fn stop(self) -> Result<(), String> {
        self.stop.send(()).ok();
        ended(self.thread)
    }
}

/// How long a thread has run, by its file. To be asked while it sleeps: the system counts when it
/// stops.
pub(crate) fn ran(file: &mut File) -> Option<Duration> {
    let mut text = String::new();
    file.rewind().ok()?;
    file.read_to_string(&mut text).ok()?;
    let nanos = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn ended(thread: JoinHandle<Result<(), String>>) -> Result<(), String> {
    let broken = |_| Err("the servers' thread broke off".to_owned());
    thread.join().unwrap_or_else(broken)
}

/// Measures all variants.
pub(crate) fn run(
    rounds: usize,
    slice: Duration,
    connections: usize,
) -> Result<[Measured; Variant::ALL.len()], String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let mut servers = Servers::start()?;
    let mut all = Variant::ALL.map(|_| Measured {
        slices: Vec::with_capacity(rounds),
        latencies: histogram(),
    });
    for round in 0..rounds {
        for variant in order(Variant::ALL) {
            let detach = variant.attach()?;
            let before = servers.cpu();
            let asked = load::slice(servers.address(variant), connections, slice);
            let seen = runtime.block_on(asked).map_err(|error| {
                format!("round {round}, '{}': {error} (--connections {connections} takes two open files for each: \
                         `ulimit -n`)", variant.name())
            })?;
            // The connections are closed; the server has noticed when it sleeps.
            thread::sleep(Duration::from_millis(3));
            let after = servers.cpu();
            detach().map_err(|error| format!("round {round}, '{}': {error}", variant.name()))?;

            let measured = &mut all[variant as usize];
            let cpu = after.zip(before).map(|(after, before)| {
                after.saturating_sub(before).as_nanos() as f64 / seen.requests as f64
            });
            measured.slices.push(Slice {
                throughput: seen.latencies.len() as f64 / slice.as_secs_f64(),
                p99: seen.latencies.value_at_quantile(0.99) as f64,
                cpu,
            });
            measured.latencies += seen.latencies;
        }
    }
    servers.stop()?;
    Ok(all)
}

/// An order of chance.
pub(crate) fn order<T, const N: usize>(mut order: [T; N]) -> [T; N] {
    // (The standard library's source of chance.)
    let mut chance = RandomState::new().hash_one(0);
    for n in (2..=N).rev() {
        order.swap(n - 1, usize::try_from(chance % n as u64).expect("small"));
        chance /= n as u64;
    }
    order
}
