//! The integration tests, one binary, a module for each guarantee or subject.
//!
//! Tests run beside one another in one process, and grace periods and counters are process-wide: a test
//! that needs a process to itself says so by [`isolated`].

#![allow(
    clippy::items_after_statements,
    clippy::too_many_lines,
    clippy::unused_self,
    clippy::needless_for_each,
    clippy::semicolon_if_nothing_returned,
    clippy::verbose_bit_mask,
    reason = "a test reads best in one piece, with what it needs beside it"
)]
#![allow(
    clippy::incompatible_msrv,
    reason = "the tests are run by the newest compiler; the library keeps to its own"
)]

#[cfg(feature = "axum")]
mod admin;
mod alloc;
mod alloc_failure;
mod anywhere;
mod api;
mod captures;
mod catalog;
#[cfg(all(feature = "cli", feature = "axum"))]
mod cli;
mod consumers;
mod counts;
mod depth;
mod detach;
#[cfg(any(feature = "profile", feature = "record"))]
mod directory;
mod epoch;
mod hello;
mod instant;
mod live_server;
mod locks;
mod memory;
mod model;
mod off;
mod order;
mod overhead_server;
mod panics;
#[cfg(feature = "profile")]
mod profile;
#[cfg(feature = "profile")]
mod profile_example;
#[cfg(feature = "record")]
mod record;
#[cfg(feature = "record")]
mod record_example;
mod snapshot;
mod synchronize;
#[cfg(feature = "testing")]
mod testing;
mod ui;

use std::env;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const CHILD: &str = "HOTPROBE_TEST_CHILD";

/// Runs `body` in a process of its own: this test again, and nothing beside it. `name` is its path.
fn isolated(name: &str, body: impl FnOnce()) {
    if env::var(CHILD).is_ok_and(|child| child == name) {
        body();
        return;
    }
    let output = child(name).output().expect("the test binary starts");
    assert!(
        output.status.success() && text(&output).contains("1 passed"),
        "{name} failed in its own process ({}):\n{}",
        output.status,
        text(&output)
    );
}

/// The command that [`isolated`] runs.
fn child(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("the test binary has a path"));
    command
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, name);
    command
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Waits until `condition` holds; fails after a minute, which means for ever.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(
            begin.elapsed() < Duration::from_secs(60),
            "never happened: {what}"
        );
        std::thread::yield_now();
    }
}

/// Keeps the panics that tests provoke from the output: those whose message begins with `planned`.
fn quiet_planned_panics() {
    static INSTALLED: std::sync::Once = std::sync::Once::new();
    INSTALLED.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let planned = info
                .payload_as_str()
                .is_some_and(|message| message.starts_with("planned"));
            if !planned {
                others(info);
            }
        }));
    });
}

/// A door that code under test waits at: to stop it at a known point.
struct Door {
    arrived: AtomicBool,
    open: AtomicBool,
}

impl Door {
    const fn new() -> Self {
        Self {
            arrived: AtomicBool::new(false),
            open: AtomicBool::new(false),
        }
    }

    /// Waits until somebody opens it.
    fn pass(&self) {
        self.arrived.store(true, Ordering::SeqCst);
        eventually("the door opens", || self.open.load(Ordering::SeqCst));
    }

    /// Waits until somebody stands before it.
    fn wait_for_arrival(&self) {
        eventually("somebody arrives at the door", || {
            self.arrived.load(Ordering::SeqCst)
        });
    }

    fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

/// A captured value that says when, and on which thread, it is dropped.
struct Witness(Sender<std::thread::ThreadId>);

impl Witness {
    fn new() -> (Self, Receiver<std::thread::ThreadId>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }

    /// Makes the closure that calls it own it.
    fn touch(&self) {}
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.send(std::thread::current().id());
    }
}
