//! Adoption: the test that gets the firings of threads and tasks that have entered no scope. The
//! runtime that a task runs on identifies its test; otherwise the test that has adopted the whole
//! process gets the firing.
//!
//! Most tests adopt nothing. A firing outside all scopes then costs one load here.

use crate::identity::{self, Territory};
use crate::report::Report;
use crate::state::{Caller, Run, lock};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

struct Adoption {
    territory: Territory,
    test: u64,
    run: Weak<Run>,
    at: Caller,
}

/// The test that code belongs to by adoption, and the actor that it is there.
pub(crate) struct Adopted {
    pub(crate) run: Arc<Run>,
    pub(crate) actor: u64,
}

static ADOPTIONS: Mutex<Vec<Adoption>> = Mutex::new(Vec::new());

/// The length of `ADOPTIONS`.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Returns the test that has adopted the code on this thread, by its runtime or with the process.
pub(crate) fn current() -> Option<Adopted> {
    current_by_runtime().or_else(|| of(Territory::Process))
}

/// Returns the test that has adopted the runtime of this thread.
pub(crate) fn current_by_runtime() -> Option<Adopted> {
    // Relaxed: code that a test starts after it has adopted sees the adoption by whatever has
    // started the code.
    if COUNT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    of(identity::territory()?)
}

fn of(territory: Territory) -> Option<Adopted> {
    if COUNT.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let adoptions = lock(&ADOPTIONS);
    let adoption = adoptions.iter().find(|one| one.territory == territory)?;
    let run = adoption.run.upgrade()?;
    drop(adoptions);
    Some(Adopted {
        actor: run.adopted_actor(),
        run,
    })
}

impl Run {
    /// Adopts a runtime, or the process, until this run is closed. Fails the run if another test
    /// has adopted it.
    #[track_caller]
    pub(crate) fn adopt(self: &Arc<Self>, territory: Territory, at: Caller) {
        let mut adoptions = lock(&ADOPTIONS);
        let other = adoptions.iter().find(|one| one.territory == territory);
        match other.map(|one| (one.test, one.at)) {
            None => {
                adoptions.push(Adoption {
                    territory,
                    test: self.id,
                    run: Arc::downgrade(self),
                    at,
                });
                COUNT.store(adoptions.len(), Ordering::Relaxed);
            }
            Some((test, _)) if test == self.id => (),
            Some((_, since)) => {
                drop(adoptions);
                self.fails(refusal(territory, since), Some(at));
                self.raise();
            }
        }
    }

    /// Gives up what the run has adopted.
    pub(crate) fn end_adoptions(&self) {
        let mut adoptions = lock(&ADOPTIONS);
        adoptions.retain(|one| one.test != self.id);
        COUNT.store(adoptions.len(), Ordering::Relaxed);
    }

    /// Returns the actor that the adopted task, or thread, is in this run.
    fn adopted_actor(&self) -> u64 {
        *lock(&self.adopted)
            .entry(identity::sender())
            .or_insert_with(|| self.new_actor())
    }
}

/// The report of a second adoption.
fn refusal(territory: Territory, since: Caller) -> Report {
    let (title, help) = match territory {
        Territory::Process => (
            "another running test has adopted the process",
            [
                "give this test a process of its own: a test file of its own, `cargo nextest`,",
                "or `cargo test -- --test-threads=1`",
            ],
        ),
        #[cfg(feature = "tokio")]
        Territory::Runtime(_) => (
            "another running test has adopted this runtime",
            [
                "give each test a runtime of its own, as `#[tokio::test]` does, or let the outer",
                "test end first",
            ],
        ),
    };
    Report::new(title.to_owned())
        .line("since", &since.to_string())
        .line("help", help[0])
        .line("", help[1])
}
