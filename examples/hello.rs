//! Two events around a greeting, with probes that the greeting does not know of.
//!
//! ```text
//! cargo run --example hello
//! ```

use hotprobe::{Batch, ProbeGroup, SynchronizeError, fire};
use std::sync::mpsc;
use std::thread;
use std::time::SystemTime;

hotprobe::event! {
    /// About to greet `who`.
    pub static SAY_HELLO: fn(who: &str);
    /// `who` has been greeted.
    pub static SAID_HELLO: fn(who: &str);
}

fn say_hello(who: &str) {
    fire!(SAY_HELLO, who);
    println!("Hello {who}");
    fire!(SAID_HELLO, who);
}

const PEOPLE: [&str; 3] = ["JP", "Kirr", "Varya"];

fn main() -> Result<(), SynchronizeError> {
    one_probe()?;
    println!();
    a_batch()
}

/// One probe, which sends each greeting to a thread that prints it.
fn one_probe() -> Result<(), SynchronizeError> {
    let (sender, receiver) = mpsc::channel::<(String, SystemTime)>();
    let printer = thread::spawn(move || {
        for (who, when) in receiver {
            println!("Said hello to {who} @ {}", seconds(when));
        }
    });

    let probe = SAID_HELLO.attach(move |who| {
        // If the receiver is gone, the program is ending. The greeting is not affected.
        let _ = sender.send((who.to_owned(), SystemTime::now()));
    });
    for who in PEOPLE {
        say_hello(who);
    }
    // No firing runs the probe any more, and the sender that it captured has been dropped, so the
    // loop above ends.
    probe.detach_and_wait()?;
    printer.join().unwrap();
    say_hello("nobody in particular");
    Ok(())
}

/// Two probes that are attached together and detached together.
fn a_batch() -> Result<(), SynchronizeError> {
    let (sender, receiver) = mpsc::channel::<(&str, String, SystemTime)>();
    let printer = thread::spawn(move || {
        for (what, who, when) in receiver {
            println!("{what} hello to {who} @ {}", seconds(when));
        }
    });

    let mut batch = Batch::new();
    let before = sender.clone();
    SAY_HELLO.attach_in(&mut batch, move |who| {
        let _ = before.send(("About to say", who.to_owned(), SystemTime::now()));
    });
    SAID_HELLO.attach_in(&mut batch, move |who| {
        let _ = sender.send(("Said", who.to_owned(), SystemTime::now()));
    });
    let mut group: ProbeGroup = batch.commit();
    for who in PEOPLE {
        say_hello(who);
    }
    group.detach_and_wait()?;
    printer.join().unwrap();
    Ok(())
}

/// Seconds since the epoch, to the microsecond.
fn seconds(when: SystemTime) -> String {
    let since = when
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    format!("{}.{:06}", since.as_secs(), since.subsec_micros())
}
