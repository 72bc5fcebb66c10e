//! Shared by the tests of all crates: a process of a test's own, waiting, panics that are planned.
//!
//! Tests run beside one another in one process, and grace periods and counters are process-wide: a
//! test that needs a process to itself uses [`isolated`].

#![allow(
    clippy::must_use_candidate,
    clippy::missing_panics_doc,
    clippy::duration_suboptimal_units,
    clippy::verbose_bit_mask,
    reason = "for tests only, run by the newest compiler; a panic is how they fail"
)]

pub mod system;

use std::env;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

/// The variable by which a test knows that it is the child of [`isolated`].
pub const CHILD: &str = "HOTPROBE_TEST_CHILD";

/// Runs `body` in a process of its own: this test again, and nothing beside it. `name` is its path.
pub fn isolated(name: &str, body: impl FnOnce()) {
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
pub fn child(name: &str) -> Command {
    let mut command = Command::new(env::current_exe().expect("the test binary has a path"));
    command
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD, name);
    command
}

/// All that a child printed.
pub fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Waits until `condition` holds; fails after a minute, which means forever.
pub fn eventually(what: &str, condition: impl Fn() -> bool) {
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
pub fn quiet_planned_panics() {
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
#[derive(Debug, Default)]
pub struct Door {
    arrived: AtomicBool,
    open: AtomicBool,
}

impl Door {
    /// A closed door.
    pub const fn new() -> Self {
        Self {
            arrived: AtomicBool::new(false),
            open: AtomicBool::new(false),
        }
    }

    /// Waits until somebody opens it.
    pub fn pass(&self) {
        self.arrived.store(true, Ordering::SeqCst);
        eventually("the door opens", || self.open.load(Ordering::SeqCst));
    }

    /// Waits until somebody stands before it.
    pub fn wait_for_arrival(&self) {
        eventually("somebody arrives at the door", || {
            self.arrived.load(Ordering::SeqCst)
        });
    }

    /// Opens it, for good.
    pub fn open(&self) {
        self.open.store(true, Ordering::SeqCst);
    }
}

/// A captured value that says when, and on which thread, it is dropped.
#[derive(Debug)]
pub struct Witness(Sender<std::thread::ThreadId>);

impl Witness {
    /// The value, and where its drop is reported.
    pub fn new() -> (Self, Receiver<std::thread::ThreadId>) {
        let (sender, receiver) = channel();
        (Self(sender), receiver)
    }

    /// Makes the closure that calls it own it.
    pub fn touch(&self) {}
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.0.send(std::thread::current().id());
    }
}

impl Witness {
    /// One that reports there.
    pub fn to(sender: Sender<std::thread::ThreadId>) -> Self {
        Self(sender)
    }
}

/// Makes [`Counting`](system::Counting) the allocator of a test binary, and declares the events
/// that it fires while `FIRES` is set: `ALLOCATED` and `FREED`. Once `PINS` is set, it fires them
/// inside `hotprobe::pinned`.
#[macro_export]
macro_rules! counting_allocator {
    () => {
        hotprobe::event! {
            /// Memory is being allocated. Fired by the allocator itself, on threads that ask for
            /// it.
            pub static ALLOCATED: fn(bytes: usize);
            /// Memory is being freed.
            pub static FREED: fn(bytes: usize);
        }

        /// Whether allocations fire events, process-wide.
        pub(crate) static FIRES: ::std::sync::atomic::AtomicBool =
            ::std::sync::atomic::AtomicBool::new(false);

        /// Whether those that fire do so inside `hotprobe::pinned`.
        pub(crate) static PINS: ::std::sync::atomic::AtomicBool =
            ::std::sync::atomic::AtomicBool::new(false);

        #[global_allocator]
        static ALLOCATOR: $crate::system::Counting = $crate::system::Counting {
            allocating: |bytes| {
                use ::std::sync::atomic::Ordering::Relaxed;
                if FIRES.load(Relaxed) {
                    if PINS.load(Relaxed) {
                        hotprobe::pinned(|| hotprobe::fire!(ALLOCATED, bytes));
                    } else {
                        hotprobe::fire!(ALLOCATED, bytes);
                    }
                }
            },
            freeing: |bytes| {
                if FIRES.load(::std::sync::atomic::Ordering::Relaxed) {
                    hotprobe::fire!(FREED, bytes);
                }
            },
        };
    };
}
