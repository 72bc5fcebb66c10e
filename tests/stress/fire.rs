//! Threads that fire, and what the probes do when they are called.

use crate::oracle::{self, GroupLog, Log, Oracle, PLANNED, Rule, inside};
use crate::plant::Plant;
use crate::random::{Digest, Random};
use crate::{EVENTS, with_event};
use hotprobe::{Probe, SynchronizeError, fire};
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;

/// A firing, as its probes see it: they write themselves down in it.
pub(crate) struct Firing<'a> {
    oracle: &'a Arc<Oracle>,
    /// The time just before it.
    began: u64,
    /// How many firings of this thread are around it.
    depth: usize,
    calls: RefCell<Vec<Call>>,
    /// Odd while a probe runs, on a thread that keeps firing.
    mark: Option<&'a AtomicU64>,
    random: &'a Random,
}

impl Firing<'_> {
    fn toggle(&self) {
        if let Some(mark) = self.mark {
            mark.fetch_add(1, Ordering::Release);
        }
    }
}

/// A call of a probe.
struct Call {
    churner: usize,
    number: u64,
    /// The batch that it was attached by.
    group: Option<Arc<GroupLog>>,
    /// It panics, and is switched off.
    switched_off: Option<Arc<Log>>,
}

/// Fires; returns what was called, and whether a panic came out.
fn fire_once(
    oracle: &Arc<Oracle>,
    event: usize,
    depth: usize,
    mark: Option<&AtomicU64>,
    random: &Random,
) -> (Vec<Call>, bool) {
    let firing = Firing {
        oracle,
        began: oracle.now(),
        depth,
        calls: RefCell::default(),
        mark,
        random,
    };
    let result = inside(|| {
        catch_unwind(AssertUnwindSafe(|| {
            with_event!(event, |e| fire!(e, &firing));
        }))
    });
    let calls = firing.calls.into_inner();
    for log in calls.iter().filter_map(|call| call.switched_off.as_ref()) {
        oracle.switched_off(log);
    }
    (calls, result.is_err())
}

/// A firing, with every check that needs no other firing.
fn fire_checked(oracle: &Arc<Oracle>, event: usize, mark: Option<&AtomicU64>, random: &Random) {
    let standing: Vec<_> = if oracle.light {
        Vec::new()
    } else {
        oracle.standing(event).collect()
    };
    let (calls, unwound) = fire_once(oracle, event, 0, mark, random);
    if unwound {
        return;
    }
    for (churner, number) in standing {
        let called = |call: &&Call| (call.churner, call.number) == (churner, number);
        let count = calls.iter().filter(called).count();
        if count != 1 && oracle.still_stands(event, churner, number) {
            oracle.fail(
                Rule::AttachedIsCalled,
                format_args!("probe {number} of thread {churner}, called {count} times"),
            );
        }
    }
    for (n, call) in calls.iter().enumerate() {
        let earlier = |other: &&Call| other.churner == call.churner;
        // (What probes attach, they attach on many threads: in no order that could be known.)
        if let Some(before) = calls[..n].iter().rfind(earlier) {
            oracle.check(
                before.number < call.number || call.churner == NOBODY,
                Rule::AttachOrder,
                format_args!(
                    "{} before {} of thread {}",
                    before.number, call.number, call.churner
                ),
            );
        }
    }
}

/// Some firings one after the other: a batch's probes are in all of them, from the first to the
/// last.
fn fire_in_turn(oracle: &Arc<Oracle>, events: &[usize], mark: Option<&AtomicU64>, random: &Random) {
    let has = |calls: &[Call], group: &Arc<GroupLog>| {
        let mut groups = calls.iter().filter_map(|call| call.group.as_ref());
        groups.any(|other| Arc::ptr_eq(other, group))
    };
    let mut seen: Vec<Arc<GroupLog>> = Vec::new();
    let mut gone: Vec<Arc<GroupLog>> = Vec::new();
    for &event in events {
        let (calls, unwound) = fire_once(oracle, event, 0, mark, random);
        if unwound {
            // Some probes have not had their turn.
            return;
        }
        for group in &gone {
            oracle.check(
                !has(&calls, group),
                Rule::OneInstant,
                format_args!("called after one of its probes was gone: {group:?}"),
            );
        }
        seen.retain(|group| {
            let there = has(&calls, group);
            if !there {
                oracle.check(
                    group.is_detaching(),
                    Rule::OneInstant,
                    format_args!("not there, after one of its probes was: {group:?}"),
                );
                gone.push(Arc::clone(group));
            }
            there
        });
        for group in calls.iter().filter_map(|call| call.group.as_ref()) {
            if !seen.iter().any(|other| Arc::ptr_eq(other, group)) {
                seen.push(Arc::clone(group));
            }
        }
    }
}

/// Fires until the end; returns a digest of what it chose to do.
pub(crate) fn keep_firing(oracle: &Arc<Oracle>, random: &Random, number: usize) -> u64 {
    let mark = oracle.mark(number);
    // What the probes draw depends on which are called, and must not disturb what this thread
    // chooses.
    let of_probes = random.split();
    let mut digest = Digest::default();
    while !oracle.is_over(&digest) {
        let choice = random.below(32);
        let event = random.below(EVENTS);
        digest.add(choice);
        digest.add(event);
        let in_turn = || [event, random.below(EVENTS), random.below(EVENTS), event];
        match choice {
            0 => {
                let events = in_turn();
                inside(|| hotprobe::pinned(|| fire_in_turn(oracle, &events, mark, &of_probes)));
                oracle.fired(4);
            }
            1..=6 => {
                fire_in_turn(oracle, &in_turn(), mark, &of_probes);
                oracle.fired(4);
            }
            7 => {
                // Scopes inside scopes, and inside firings, are one.
                inside(|| {
                    hotprobe::pinned(|| {
                        fire_checked(oracle, event, mark, &of_probes);
                        hotprobe::pinned(|| {
                            expect_in_probe(oracle, hotprobe::synchronize());
                            fire_checked(oracle, event, mark, &of_probes);
                        });
                    });
                });
                oracle.fired(2);
            }
            8 => {
                let (enabled, count) = with_event!(event, |e| (e.is_enabled(), e.probe_count()));
                std::hint::black_box((enabled, count));
            }
            _ => {
                fire_checked(oracle, event, mark, &of_probes);
                oracle.fired(1);
            }
        }
    }
    digest.get()
}

/// Threads that come, fire, and go, and fire once more while they go.
pub(crate) fn come_and_go(oracle: &Arc<Oracle>, random: &Random) {
    struct Last(Arc<Oracle>, Random);
    impl Drop for Last {
        fn drop(&mut self) {
            fire_checked(&self.0, self.1.below(EVENTS), None, &self.1);
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    while !oracle.is_stopped() {
        let (early, mine) = (random.one_in(2), random.split());
        let oracle = Arc::clone(oracle);
        let come = move || {
            let last = Last(Arc::clone(&oracle), mine.split());
            // Before hotprobe's own thread-local, or after it: its destructor runs after or before.
            if early {
                LAST.set(Some(last));
                fire_checked(&oracle, mine.below(EVENTS), None, &mine);
            } else {
                fire_checked(&oracle, mine.below(EVENTS), None, &mine);
                LAST.set(Some(last));
            }
            if mine.one_in(4) {
                attach_and_detach(&oracle, mine.below(EVENTS));
            }
        };
        thread::spawn(come).join().expect("it does not panic");
        thread::sleep(std::time::Duration::from_micros(200));
    }
}

/// The number of the churning thread that is none.
pub(crate) const NOBODY: usize = usize::MAX;

/// What a probe does when it is called.
pub(crate) enum Kind {
    Plain,
    /// Lets other threads run meanwhile.
    Lingers,
    /// Fires an event, its own perhaps.
    Fires(usize),
    /// Detaches itself.
    DetachesItself(Arc<Mutex<Weak<Probe>>>),
    /// Detaches some other.
    DetachesAnother,
    /// Attaches one, and detaches it.
    Attaches(usize),
    /// Tries to synchronize.
    Synchronizes,
    /// Panics; quarantined.
    Panics,
    /// Panics now and then, and is meant to be heard.
    PanicsAloud,
}

/// What a captured value does when it is dropped.
#[derive(Clone, Copy)]
pub(crate) enum OnDrop {
    Nothing,
    Fires(usize),
    Attaches(usize),
    DetachesAnother,
    Synchronizes,
    Panics,
}

/// What a probe captures.
pub(crate) struct Captured {
    oracle: Arc<Oracle>,
    pub(crate) log: Arc<Log>,
    group: Option<Arc<GroupLog>>,
    on_drop: OnDrop,
    /// It goes with a batch that is not committed.
    unattached: bool,
}

impl Captured {
    pub(crate) fn new(oracle: &Arc<Oracle>, log: &Arc<Log>, on_drop: OnDrop) -> Self {
        oracle.captured();
        Self {
            oracle: Arc::clone(oracle),
            log: Arc::clone(log),
            group: None,
            on_drop,
            unattached: false,
        }
    }

    pub(crate) fn of_group(mut self, group: &Arc<GroupLog>) -> Self {
        self.group = Some(Arc::clone(group));
        self
    }

    pub(crate) fn of_no_batch(mut self) -> Self {
        self.unattached = true;
        self
    }
}

impl Drop for Captured {
    fn drop(&mut self) {
        let oracle = &self.oracle;
        if self.unattached {
            oracle.dropped_unattached(&self.log);
            return;
        }
        let panics = matches!(self.on_drop, OnDrop::Panics);
        oracle.dropped(&self.log, || match self.on_drop {
            OnDrop::Nothing | OnDrop::Panics => {}
            OnDrop::Fires(event) => drop(fire_once(oracle, event, 0, None, &Random::new(0, 0))),
            OnDrop::Attaches(event) => attach_and_detach(oracle, event),
            OnDrop::DetachesAnother => detach_another(oracle, &Random::new(self.log.number, 0)),
            OnDrop::Synchronizes => expect_in_probe(oracle, hotprobe::synchronize()),
        });
        if panics {
            oracle.drop_panics();
            panic_any(PLANNED);
        }
    }
}

/// A probe of that kind.
pub(crate) fn probe(captured: Captured, kind: Kind) -> impl Fn(&Firing<'_>) + Send + Sync {
    move |firing| {
        let log = &captured.log;
        let oracle = firing.oracle;
        let switched_off = matches!(kind, Kind::Panics).then(|| Arc::clone(log));
        oracle.called(log, firing.began);
        firing.toggle();
        firing.calls.borrow_mut().push(Call {
            churner: log.churner,
            number: log.number,
            group: captured.group.clone(),
            switched_off,
        });
        match &kind {
            Kind::Plain => {}
            Kind::Lingers => {
                if firing.random.one_in(8) {
                    thread::yield_now();
                }
            }
            Kind::Fires(event) => {
                // Seldom enough that firings end, and often enough that the limit is met.
                if firing.depth == 0 || firing.random.one_in(3) {
                    fire_nested(firing, *event);
                }
            }
            Kind::DetachesItself(this) => {
                if firing.random.one_in(16)
                    && let Ok(this) = this.try_lock().map(|this| this.upgrade())
                    && let Some(this) = this
                {
                    detach(oracle, &this, log);
                }
            }
            Kind::DetachesAnother => detach_another(oracle, firing.random),
            Kind::Attaches(event) => {
                if firing.random.one_in(16) {
                    attach_and_detach(oracle, *event);
                }
            }
            Kind::Synchronizes => expect_in_probe(oracle, hotprobe::synchronize()),
            Kind::Panics => {
                oracle.probe_panics();
                firing.toggle();
                oracle.returns(log);
                panic_any(PLANNED);
            }
            Kind::PanicsAloud => {
                if firing.random.one_in(16) {
                    oracle.probe_panics();
                    firing.toggle();
                    oracle.returns(log);
                    panic_any(PLANNED);
                }
            }
        }
        if oracle.plant == Some(Plant::Race) {
            race();
        }
        firing.toggle();
        oracle.returns(log);
    }
}

fn fire_nested(firing: &Firing<'_>, event: usize) {
    /// The limit that is documented.
    const LEVELS: usize = 8;
    let (calls, unwound) = fire_once(firing.oracle, event, firing.depth + 1, None, firing.random);
    firing.oracle.check(
        firing.depth + 1 < LEVELS || (calls.is_empty() && !unwound),
        Rule::TellsTheTruth,
        format_args!("called at depth {}", firing.depth + 1),
    );
}

fn expect_in_probe(oracle: &Oracle, result: Result<(), SynchronizeError>) {
    oracle.check(
        result == Err(SynchronizeError::InProbe),
        Rule::TellsTheTruth,
        format_args!("synchronize inside: {result:?}"),
    );
}

/// Detaches a probe, and reports it to the oracle.
pub(crate) fn detach(oracle: &Oracle, probe: &Probe, log: &Log) {
    oracle.detaching(log);
    probe.detach();
    oracle.detached(log);
    oracle.check(
        !probe.is_attached() && !probe.detach(),
        Rule::TellsTheTruth,
        format_args!("attached after its detach: {log:?}"),
    );
}

fn detach_another(oracle: &Oracle, random: &Random) {
    if random.one_in(16)
        && let Some((probe, log)) = oracle.neighbour(random)
    {
        detach(oracle, &probe, &log);
    }
}

fn attach_and_detach(oracle: &Arc<Oracle>, event: usize) {
    let log = Log::new(NOBODY, 0);
    let captured = Captured::new(oracle, &log, OnDrop::Nothing);
    let probe = oracle::inside(|| with_event!(event, |e| e.attach(probe(captured, Kind::Plain))));
    detach(oracle, &probe, &log);
}

/// Writes where other threads write, without asking. (This is what is planted.)
fn race() {
    use std::cell::UnsafeCell;
    struct Unguarded(UnsafeCell<u64>);
    #[allow(unsafe_code, reason = "a planted data race")]
    // SAFETY: not so: this is the bug.
    unsafe impl Sync for Unguarded {}
    static VALUE: Unguarded = Unguarded(UnsafeCell::new(0));
    #[allow(unsafe_code, reason = "a planted data race")]
    // SAFETY: not so: this is the bug.
    unsafe {
        let value = VALUE.0.get();
        value.write_volatile(value.read_volatile() + 1);
    }
}
