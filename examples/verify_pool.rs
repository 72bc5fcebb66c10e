//! A first test with `hotprobe_testing`: a connection pool that loses a wake-up, and how a test
//! finds that.
//!
//! ```sh
//! cargo run --release --example verify_pool
//! ```
//!
//! 1. The pool below has events at the points where the order of threads matters.
//! 2. `usage` is a test that takes them one at a time. `verify` repeats it, each time with another
//!    event delayed.
//! 3. `held` follows a suspicion: it stops two threads at the points where the bug may be.
//! 4. `explore` needs no suspicion: it chooses the order of threads by seed, and finds the bug. The
//!    seed replays it.

use hotprobe::fire;
use hotprobe_testing::{self as testing, Options, Test};
use std::error::Error;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// The events of the pool. In production they are off: a load and a branch each.
mod events {
    hotprobe::event! {
        /// `who` has got a connection.
        pub static TAKEN: fn(who: &str);
        /// There is none for `who`, who is about to wait.
        pub static EMPTY: fn(who: &str);
        /// `who` has returned a connection.
        pub static RETURNED: fn(who: &str);
    }
}

struct Connection;

/// Connections that threads share.
struct Pool {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
    planted: bool,
}

impl Pool {
    /// A pool of one connection.
    fn new(planted: bool) -> Arc<Self> {
        Arc::new(Self {
            idle: Mutex::new(vec![Connection]),
            returned: Condvar::new(),
            planted,
        })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().expect("nobody panics under the lock")
    }

    /// Takes a connection; waits for one if there is none.
    fn take(&self, who: &str) -> Connection {
        loop {
            let connection = self.idle().pop();
            if let Some(connection) = connection {
                fire!(events::TAKEN, who);
                return connection;
            }
            fire!(events::EMPTY, who);
            let idle = self.idle();
            // The planted bug: the pool was empty a moment ago, but may not be any more. If the
            // connection has been returned meanwhile, its notification is past, and another may
            // never come.
            let idle = if self.planted {
                self.returned.wait(idle)
            } else {
                self.returned.wait_while(idle, |idle| idle.is_empty())
            };
            drop(idle);
        }
    }

    fn put(&self, who: &str, connection: Connection) {
        self.idle().push(connection);
        self.returned.notify_one();
        fire!(events::RETURNED, who);
    }
}

/// The events as the tests see them. The type needs only `Debug` and `PartialEq`.
#[derive(Debug, PartialEq)]
enum Event {
    Taken,
    Empty,
    Returned,
}

/// Each event goes to the stream of its thread.
fn attach(t: &Test) {
    t.attach(|batch, to| {
        events::TAKEN.attach_in(batch, move |who| to.send(who, Event::Taken));
        events::EMPTY.attach_in(batch, move |who| to.send(who, Event::Empty));
        events::RETURNED.attach_in(batch, move |who| to.send(who, Event::Returned));
    });
}

/// Starts a thread that takes a connection and returns it.
fn user(pool: &Arc<Pool>, who: &'static str) -> testing::JoinHandle<()> {
    let pool = Arc::clone(pool);
    testing::spawn(move || {
        let connection = pool.take(who);
        pool.put(who, connection);
    })
}

/// The pool in use. A thread pauses where it fired until the test has taken its event.
fn usage(t: &Test) {
    attach(t);
    let pool = Pool::new(false);
    let a = user(&pool, "a");
    // `a` has the connection, and keeps it as long as its event is held.
    let a_has_it = t.expect_held("a", Event::Taken);
    let b = user(&pool, "b");
    t.expect("b", Event::Empty);
    a_has_it.release();
    // Each of the two streams has an order. Which one comes first is the test's choice.
    t.expect("a", Event::Returned);
    t.expect("b", Event::Taken);
    t.expect("b", Event::Returned);
    a.join();
    b.join();
}

/// Two threads at known points: `b` has seen that the pool is empty, but does not wait yet, when
/// `a` returns the connection.
fn held(t: &Test, planted: bool) {
    attach(t);
    let pool = Pool::new(planted);
    let a = user(&pool, "a");
    let a_has_it = t.expect_held("a", Event::Taken);
    let b = user(&pool, "b");
    let b_about_to_wait = t.expect_held("b", Event::Empty);

    a_has_it.release();
    t.expect("a", Event::Returned);
    a.join();
    assert_eq!(
        pool.idle().len(),
        1,
        "while b stands still, this can be looked at"
    );

    b_about_to_wait.release();
    t.expect("b", Event::Taken);
    t.expect("b", Event::Returned);
    b.join();
}

/// Without a suspicion: two users, in any order. The test checks that both end.
fn any_order(t: &Test, planted: bool) {
    attach(t);
    let pool = Pool::new(planted);
    let users = ["a", "b"].map(|who| user(&pool, who));
    for user in users {
        user.join();
    }
    assert_eq!(pool.idle().len(), 1);
}

fn main() -> Result<(), Box<dyn Error>> {
    // In a test, each of these is one line: `testing::verify(usage)`. Here they return values,
    // which are printed.
    let options = Options::new();
    let impatient = options.clone().dead_time(Duration::from_millis(700));

    println!("== the planted bug, held at two points:");
    let failure = impatient.try_run(|t| held(t, true)).err();
    println!("{}\n", failure.ok_or("it was not found by holding")?);

    println!("== the planted bug, explored:");
    let failure = impatient.try_explore(200, 1, |t| any_order(t, true)).err();
    let failure = failure.ok_or("it was not found by exploring")?;
    println!("{failure}\n");

    println!("== fixed:");
    let summary = options.try_verify(usage)?;
    println!(
        "verify: {} runs of {} events pass",
        summary.runs, summary.events
    );
    options.try_run(|t| held(t, false))?;
    println!("held at two points: passes");
    let summary = options.try_explore(100, 1, |t| any_order(t, false))?;
    println!(
        "explore: {} runs pass, {} different schedules",
        summary.runs, summary.schedules
    );
    Ok(())
}
