//! What `/debug/probes` costs a server with four events a request: mounted and idle, and while all
//! four are recorded to a client that reads. In turn, as in `rounds.rs`. What it costs that each
//! request knows its peer, which is axum's own (`ConnectInfo`), is told apart.

use crate::load;
use crate::rounds::{order, ran};
use crate::server::Server;
use crate::service;
use hotprobe_admin::{Admin, router};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// How many are compared.
pub(crate) const VARIANTS: usize = Variant::ALL.len();

/// What recording may cost.
const ALLOWED: f64 = 0.03;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Variant {
    Without,
    Peers,
    Mounted,
    Recording,
}

impl Variant {
    const ALL: [Self; 4] = [Self::Without, Self::Peers, Self::Mounted, Self::Recording];

    fn name(self) -> &'static str {
        match self {
            Self::Without => "without",
            Self::Peers => "with peers",
            Self::Mounted => "mounted, idle",
            Self::Recording => "recording",
        }
    }
}

/// Prints the throughput of each, the same for each second of the servers' thread's CPU time, their
/// ratios round by round, and whether these contradict what is promised.
pub(crate) fn run(rounds: usize, slice: Duration, connections: usize) -> Result<(), String> {
    let (ready, started) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let servers = thread::spawn(move || serve(&ready, stopped));
    let Ok((addresses, mut cpu)) = started.recv() else {
        return servers
            .join()
            .map_err(|_| "the servers' thread broke off".to_owned())?;
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    let mut seen = [(); 4].map(|()| Vec::with_capacity(rounds));
    let mut took = [(); 4].map(|()| Vec::with_capacity(rounds));
    let (mut requests, mut bytes) = (0, 0);
    for _ in 0..rounds {
        for variant in order(Variant::ALL) {
            let recording = (variant == Variant::Recording)
                .then(|| Recording::start(addresses[Variant::Mounted as usize]))
                .transpose()?;
            let address = addresses[(variant as usize).min(Variant::Mounted as usize)];
            let before = cpu.as_mut().and_then(ran);
            let asked = runtime.block_on(load::slice(address, connections, slice));
            let asked = asked.map_err(|error| format!("'{}': {error}", variant.name()))?;
            // The connections are closed; the server has noticed when it sleeps.
            thread::sleep(Duration::from_millis(3));
            if let Some((after, before)) = cpu.as_mut().and_then(ran).zip(before) {
                let each = after.saturating_sub(before).as_nanos() as f64 / asked.requests as f64;
                // So that more is better, as with throughput.
                took[variant as usize].push(1e9 / each);
            }
            if let Some(recording) = recording {
                requests += asked.requests;
                bytes += recording.end()?;
            }
            seen[variant as usize].push(asked.latencies.len() as f64 / slice.as_secs_f64());
        }
    }
    stop.send(()).ok();
    servers
        .join()
        .map_err(|_| "the servers' thread broke off".to_owned())??;
    println!(
        "{bytes} bytes were recorded, {:.1} for each firing\n",
        bytes as f64 / (requests * service::EVENTS) as f64
    );
    let mut holds = print("requests/s", &seen);
    if took.iter().all(|each| each.len() == rounds) {
        println!();
        holds &= print("of CPU", &took);
    }
    println!(
        "\nratio: to the line above in the same round; its median and quartiles. `of CPU`: requests for each second that the \
         servers' thread ran.\n{}: mounting it, and recording, each keep at least {:.0} %",
        if holds {
            "Not contradicted"
        } else {
            "CONTRADICTED"
        },
        (1.0 - ALLOWED) * 100.0
    );
    Ok(())
}

fn serve(
    ready: &mpsc::Sender<([SocketAddr; 3], Option<File>)>,
    stopped: oneshot::Receiver<()>,
) -> Result<(), String> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let no_socket = |error| format!("no socket on 127.0.0.1: {error}");
        let admin = Admin::new();
        let shutdown = admin.shutdown();
        let with = service::routes::<true>().nest_service("/debug/probes", router(admin));
        let without = Server::start(service::routes::<true>(), 0)
            .await
            .map_err(no_socket)?;
        let peers = Server::start_with_peers(service::routes::<true>(), 0)
            .await
            .map_err(no_socket)?;
        let mounted = Server::start_with_peers(with, 0).await.map_err(no_socket)?;
        // What is opened is this thread's file, whichever thread reads it.
        let cpu = File::open("/proc/thread-self/schedstat").ok();
        let addresses = [without.address(), peers.address(), mounted.address()];
        ready.send((addresses, cpu)).ok();
        stopped.await.ok();
        shutdown.begin();
        without.stop().await?;
        peers.stop().await?;
        mounted.stop().await
    })
}

/// A client that records, and reads what comes.
struct Recording {
    connection: TcpStream,
    reader: thread::JoinHandle<u64>,
}

impl Recording {
    fn start(address: SocketAddr) -> Result<Self, String> {
        let broken = |error: std::io::Error| format!("the recording's client: {error}");
        let mut connection = TcpStream::connect(address).map_err(broken)?;
        write!(
            connection,
            "POST /debug/probes/record?match=overhead_server::*&seconds=300 HTTP/1.1\r\nHost: {address}\r\n\
             Content-Length: 0\r\n\r\n"
        )
        .map_err(broken)?;
        // The head comes when all is attached.
        let mut head = [0; 12];
        connection.read_exact(&mut head).map_err(broken)?;
        if &head != b"HTTP/1.1 200" {
            return Err(format!(
                "the recording is refused: {}",
                String::from_utf8_lossy(&head)
            ));
        }
        let mut from = connection.try_clone().map_err(broken)?;
        let reader = thread::spawn(move || {
            let (mut read, mut bytes) = (0, vec![0; 64 << 10]);
            while let Ok(count @ 1..) = from.read(&mut bytes) {
                read += count as u64;
            }
            read
        });
        Ok(Self { connection, reader })
    }

    /// How many bytes have come.
    fn end(self) -> Result<u64, String> {
        // (An error says that it has ended.)
        self.connection.shutdown(Shutdown::Both).ok();
        let read = self
            .reader
            .join()
            .map_err(|_| "the reader broke off".to_owned())?;
        // The next variant is to find nothing attached.
        for _ in 0..1000 {
            if hotprobe::matching("overhead_server::*")
                .iter()
                .all(|event| event.probe_count() == 0)
            {
                return Ok(read);
            }
            thread::sleep(Duration::from_millis(5));
        }
        Err("the recording is attached though its client has gone".to_owned())
    }
}

/// More is better.
fn print(what: &str, seen: &[Vec<f64>; 4]) -> bool {
    println!(
        "{:<14} {:>9} {:>9} {:>8} {:>8} {:>17}",
        what, "median", "best", "of best", "ratio", "quartiles"
    );
    let sorted = |each: &mut Vec<f64>| each.sort_by(f64::total_cmp);
    let best = |each: &[f64]| each.iter().copied().fold(0.0, f64::max);
    let mut holds = true;
    for variant in Variant::ALL {
        let this = &seen[variant as usize];
        let mut each = this.clone();
        sorted(&mut each);
        print!(
            "{:<14} {:>9.0} {:>9.0}",
            variant.name(),
            each[each.len() / 2],
            best(&each)
        );
        if variant == Variant::Without {
            println!();
            continue;
        }
        // Each with the one before: recording with what is mounted and idle, that with what only
        // knows its peers.
        let base = &seen[variant as usize - 1];
        let mut ratios: Vec<f64> = this.iter().zip(base).map(|(a, b)| a / b).collect();
        sorted(&mut ratios);
        let at = |part: usize| ratios[(ratios.len() - 1) * part / 4];
        let of_best = best(this) / best(base);
        println!(
            " {of_best:>8.3} {:>8.3} {:>8.3} to {:.3}",
            at(2),
            at(1),
            at(3)
        );
        // Both would have to say so. (What peers cost is axum's.)
        holds &= variant == Variant::Peers || of_best.max(at(2)) >= 1.0 - ALLOWED;
    }
    holds
}
