//! Threads that attach and detach, in every way there is.

use crate::fire::{Captured, Kind, OnDrop, detach, probe};
use crate::oracle::{GroupLog, InFlight, Log, Oracle, Rule, inside};
use crate::plant::Plant;
use crate::random::{Digest, Random};
use crate::{EVENTS, with_event};
use hotprobe::SynchronizeError::TimedOut;
use hotprobe::{Batch, GracePeriod, OnPanic, Probe, ProbeGroup, ProbeOptions};
use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// What a churning thread has done.
pub(crate) struct Churned {
    pub(crate) digest: u64,
    pub(crate) pairs: u64,
}

/// What it has attached.
enum Attached {
    One(Arc<Probe>, Arc<Log>, usize),
    Group(ProbeGroup, Arc<GroupLog>, Vec<Arc<Log>>),
}

struct Churner<'a> {
    oracle: &'a Arc<Oracle>,
    random: Random,
    thread: usize,
    number: u64,
    attached: VecDeque<Attached>,
    /// Detached, and not waited for yet.
    limbo: Vec<Arc<Log>>,
    /// Detached before this grace period began.
    waiting: Option<(GracePeriod, InFlight, Vec<Arc<Log>>)>,
    /// Waited for: they must not be called any more. With the number of calls that there had been.
    over: VecDeque<(Arc<Log>, u64)>,
    /// The probe that stands on each event.
    standing: [u64; EVENTS],
    digest: Digest,
}

/// Attaches and detaches until the end.
pub(crate) fn keep_churning(oracle: &Arc<Oracle>, random: Random, thread: usize) -> Churned {
    let mut churner = Churner {
        oracle,
        random,
        thread,
        number: 0,
        attached: VecDeque::new(),
        limbo: Vec::new(),
        waiting: None,
        over: VecDeque::new(),
        standing: [0; EVENTS],
        digest: Digest::default(),
    };
    while !oracle.is_over(&churner.digest) {
        churner.step();
    }
    churner.end();
    Churned {
        digest: churner.digest.get(),
        pairs: churner.number,
    }
}

impl Churner<'_> {
    fn step(&mut self) {
        let choice = self.random.below(64);
        self.digest.add(choice);
        // A wait lasts until every thread that fires has been scheduled: thousands of attaches.
        let waits = self.random.one_in(64);
        let many = self.attached.len() > 10;
        match choice {
            // Attaches must not outrun detaches.
            0..=21 if !many => self.attach(),
            0..=43 => self.detach(),
            44..=47 if !many => self.commit(),
            44..=47 => self.replace(),
            48..=49 => self.drop_a_batch(),
            50..=51 => self.group_of_singles(),
            52 if waits => self.synchronize(),
            53 if waits => self.synchronize_timeout(),
            54 if waits => self.attach_detach_and_wait(),
            52..=59 => self.grace_period(),
            60 => hotprobe::reclaim(),
            61 => self.pinned(),
            62 => {
                let stats = hotprobe::stats();
                self.oracle.check(
                    stats.retired >= stats.reclaimed,
                    Rule::ExactCounts,
                    format_args!("{stats:?}"),
                );
            }
            _ => self.lie(),
        }
    }

    fn kind(&self, event: usize, this: &Arc<Mutex<Weak<Probe>>>) -> Kind {
        match self.random.below(24) {
            0..=1 => Kind::Lingers,
            2..=3 => Kind::Fires(self.random.below(EVENTS)),
            4 => Kind::Fires(event),
            5..=6 => Kind::DetachesItself(Arc::clone(this)),
            7 => Kind::DetachesAnother,
            8 => Kind::Attaches(self.random.below(EVENTS)),
            9 => Kind::Synchronizes,
            10 => Kind::Panics,
            11 => Kind::PanicsAloud,
            _ => Kind::Plain,
        }
    }

    fn on_drop(&self) -> OnDrop {
        match self.random.below(32) {
            0 => OnDrop::Fires(self.random.below(EVENTS)),
            1 => OnDrop::Attaches(self.random.below(EVENTS)),
            2 => OnDrop::DetachesAnother,
            3 => OnDrop::Synchronizes,
            4 => OnDrop::Panics,
            _ => OnDrop::Nothing,
        }
    }

    fn log(&mut self) -> Arc<Log> {
        self.number += 1;
        let mut number = self.number;
        if self.oracle.plant == Some(Plant::WrongOrder) && self.random.one_in(16) {
            number = number.saturating_sub(32);
        }
        Log::new(self.thread, number)
    }

    fn attach(&mut self) {
        let event = self.random.below(EVENTS);
        let log = self.log();
        let captured = Captured::new(self.oracle, &log, self.on_drop());
        let this = Arc::<Mutex<Weak<Probe>>>::default();
        let kind = self.kind(event, &this);
        let lasts = !matches!(
            kind,
            Kind::Panics | Kind::DetachesItself(_) | Kind::PanicsAloud
        );
        let with_options = match kind {
            Kind::PanicsAloud => Some(ProbeOptions::new().on_panic(OnPanic::Propagate)),
            _ if self.random.one_in(4) => Some(ProbeOptions::new().name("stress")),
            _ => None,
        };
        let probe = probe(captured, kind);
        let probe = Arc::new(inside(|| match with_options {
            None => with_event!(event, |e| e.attach(probe)),
            Some(options) => with_event!(event, |e| e.attach_with(options, probe)),
        }));
        if let Ok(mut this) = this.try_lock() {
            *this = Arc::downgrade(&probe);
        }
        // (One that would detach itself is not leaked.)
        if self.oracle.plant == Some(Plant::Leak) && lasts && self.random.one_in(100) {
            mem::forget(Arc::clone(&probe));
            self.oracle.stop();
            return mem::forget(probe);
        }
        let is_lost = self.oracle.plant == Some(Plant::LostAttach) && self.random.one_in(1000);
        if is_lost {
            self.oracle.detaching(&log);
            probe.detach();
        }
        if lasts && self.standing[event] == 0 && (is_lost || self.random.one_in(2)) {
            self.standing[event] = log.number;
            self.oracle.stands(event, &log);
        } else if self.random.one_in(4) {
            // For others to detach. (What stands must not be among them.)
            self.oracle.give_neighbour(&probe, &log);
        }
        self.attached.push_back(Attached::One(probe, log, event));
    }

    fn take(&mut self) -> Option<Attached> {
        let len = self.attached.len();
        let index = if len == 0 { 0 } else { self.random.below(len) };
        let taken = self.attached.remove(index)?;
        if let Attached::One(_, log, event) = &taken {
            if self.standing[*event] == log.number {
                self.standing[*event] = 0;
                self.oracle.falls(*event, self.thread);
            }
            self.oracle.take_neighbour(log);
        }
        Some(taken)
    }

    fn detach(&mut self) {
        match self.take() {
            None => {}
            Some(Attached::One(probe, log, _)) => {
                match self.random.below(4) {
                    // By the last handle's end.
                    0 => {
                        if self.oracle.plant != Some(Plant::DroppedUndetached) {
                            self.oracle.detaching(&log);
                        }
                        drop(probe);
                    }
                    1 => {
                        self.oracle.detaching(&log);
                        let mut batch = Batch::new();
                        batch.detach(&probe);
                        drop(batch.commit());
                        self.gone(vec![log]);
                    }
                    _ => {
                        detach(self.oracle, &probe, &log);
                        self.limbo.push(log);
                    }
                }
            }
            Some(Attached::Group(group, group_log, logs)) => {
                self.detach_group(group, &group_log, logs);
            }
        }
    }

    fn detach_group(&mut self, mut group: ProbeGroup, group_log: &GroupLog, logs: Vec<Arc<Log>>) {
        self.announce(group_log, &logs);
        match self.random.below(3) {
            0 => group.detach(),
            1 => drop(group),
            _ => {
                let mut batch = Batch::new();
                batch.detach_group(group);
                drop(batch.commit());
            }
        }
        self.gone(logs);
    }

    /// Before a group's detach.
    fn announce(&self, group: &GroupLog, logs: &[Arc<Log>]) {
        group.detaching();
        for log in logs {
            self.oracle.detaching(log);
        }
    }

    /// After it.
    fn gone(&mut self, logs: Vec<Arc<Log>>) {
        for log in &logs {
            self.oracle.detached(log);
        }
        self.limbo.extend(logs);
    }

    /// Queues a probe on each event, and some more: what is to be one instant.
    fn queue(&mut self, batch: &mut Batch) -> (Arc<GroupLog>, Vec<Arc<Log>>) {
        let group = Arc::<GroupLog>::default();
        let mut logs = Vec::new();
        for event in 0..EVENTS + self.random.below(3) {
            let event = event % EVENTS;
            let log = self.log();
            let captured = Captured::new(self.oracle, &log, self.on_drop()).of_group(&group);
            logs.push(log);
            let probe = probe(captured, Kind::Plain);
            if self.random.one_in(4) {
                let options = ProbeOptions::new().name("of a batch");
                with_event!(event, |e| e.attach_in_with(batch, options, probe));
            } else {
                with_event!(event, |e| e.attach_in(batch, probe));
            }
        }
        (group, logs)
    }

    /// A batch over all events.
    fn commit(&mut self) {
        if self.oracle.plant == Some(Plant::TwoInstants) {
            return self.commit_one_by_one();
        }
        let mut batch = Batch::new();
        let (group_log, logs) = self.queue(&mut batch);
        let group = batch.commit();
        self.committed(group, group_log, logs);
    }

    fn committed(&mut self, group: ProbeGroup, group_log: Arc<GroupLog>, logs: Vec<Arc<Log>>) {
        self.oracle.check(
            group.len() == logs.len() && group.iter().all(Probe::is_attached),
            Rule::TellsTheTruth,
            format_args!("of a batch: {group:?}"),
        );
        self.attached
            .push_back(Attached::Group(group, group_log, logs));
    }

    /// What is planted: no batch, but said to be one.
    fn commit_one_by_one(&mut self) {
        let group_log = Arc::<GroupLog>::default();
        let mut group = ProbeGroup::new();
        let mut logs = Vec::new();
        for event in 0..EVENTS {
            let log = self.log();
            let captured = Captured::new(self.oracle, &log, OnDrop::Nothing).of_group(&group_log);
            group.add(with_event!(event, |e| e.attach(probe(captured, Kind::Plain))));
            logs.push(log);
        }
        self.committed(group, group_log, logs);
    }

    /// Commits a batch that detaches all groups and single probes, and attaches a group.
    fn replace(&mut self) {
        let mut batch = Batch::new();
        let mut logs = Vec::new();
        // Handles of single probes that it detaches: dropped after the commit.
        let mut handles = Vec::new();
        for _ in 0..=self.random.below(4) {
            match self.take() {
                None => {}
                Some(Attached::One(probe, log, _)) => {
                    self.oracle.detaching(&log);
                    batch.detach(&probe);
                    logs.push(log);
                    handles.push(probe);
                }
                Some(Attached::Group(group, group_log, of_group)) => {
                    self.announce(&group_log, &of_group);
                    batch.detach_group(group);
                    logs.extend(of_group);
                }
            }
        }
        let (group_log, new) = self.queue(&mut batch);
        let group = batch.commit();
        self.gone(logs);
        self.oracle.check(
            !handles.iter().any(|probe| probe.is_attached()),
            Rule::TellsTheTruth,
            "attached after a commit that detached it",
        );
        self.committed(group, group_log, new);
    }

    /// A batch that is not committed: nothing happens.
    fn drop_a_batch(&mut self) {
        let mut batch = Batch::new();
        let mut logs = Vec::new();
        for event in 0..EVENTS {
            let log = self.log();
            let captured = Captured::new(self.oracle, &log, OnDrop::Nothing).of_no_batch();
            with_event!(event, |e| e
                .attach_in(&mut batch, probe(captured, Kind::Plain)));
            logs.push(log);
        }
        if let Some(Attached::One(probe, ..)) = self.attached.back() {
            batch.detach(probe);
        }
        drop(batch);
        self.oracle.check(
            logs.iter().all(|log| log.drops() == 1),
            Rule::DroppedOnce,
            "a batch that was dropped has dropped what it held",
        );
    }

    /// Single probes in a group, detached together.
    fn group_of_singles(&mut self) {
        let mut group = ProbeGroup::new();
        let mut logs = Vec::new();
        for _ in 0..=self.random.below(8) {
            let event = self.random.below(EVENTS);
            let log = self.log();
            let captured = Captured::new(self.oracle, &log, self.on_drop());
            let probe = probe(captured, Kind::Plain);
            group.add(inside(|| with_event!(event, |e| e.attach(probe))));
            logs.push(log);
        }
        for log in &logs {
            self.oracle.detaching(log);
        }
        if self.random.one_in(256) {
            let waited = group.detach_and_wait();
            self.oracle.check(
                waited.is_ok(),
                Rule::TellsTheTruth,
                format_args!("detach_and_wait: {waited:?}"),
            );
            self.are_over(logs);
        } else {
            group.detach();
            self.gone(logs);
        }
    }

    /// `synchronize` has returned after this one's detach.
    fn wait_is_over(&mut self, log: Arc<Log>) {
        self.oracle.synchronized(&log);
        let calls = log.calls();
        self.over.push_back((log, calls));
        if self.over.len() > 1000
            && let Some((log, calls)) = self.over.pop_front()
        {
            self.oracle.check(
                log.calls() == calls,
                Rule::NeverAfterSynchronize,
                format_args!("there had been {calls} calls: {log:?}"),
            );
        }
    }

    fn are_over(&mut self, logs: Vec<Arc<Log>>) {
        for log in logs {
            self.wait_is_over(log);
        }
    }

    fn synchronize(&mut self) {
        let limbo = mem::take(&mut self.limbo);
        // Twice: the second time there may be nothing to wait for but the firings.
        for _ in 0..2 {
            let in_flight = self.oracle.in_flight();
            if self.oracle.plant == Some(Plant::NoWait) {
                self.oracle.have_ended(&in_flight);
            }
            let result = hotprobe::synchronize();
            self.oracle.have_ended(&in_flight);
            self.oracle.check(
                result.is_ok(),
                Rule::TellsTheTruth,
                format_args!("synchronize: {result:?}"),
            );
        }
        self.are_over(limbo);
    }

    fn synchronize_timeout(&mut self) {
        let timeout = Duration::from_micros(100 * self.random.below(4) as u64);
        let limbo = mem::take(&mut self.limbo);
        let in_flight = self.oracle.in_flight();
        match hotprobe::synchronize_timeout(timeout) {
            Ok(()) => {
                self.oracle.have_ended(&in_flight);
                self.are_over(limbo);
            }
            Err(TimedOut) => self.limbo = limbo,
            Err(error) => self.oracle.fail(Rule::TellsTheTruth, error),
        }
    }

    fn grace_period(&mut self) {
        let Some((grace, in_flight, logs)) = self.waiting.take() else {
            let (in_flight, logs) = (self.oracle.in_flight(), mem::take(&mut self.limbo));
            self.waiting = Some((hotprobe::grace_period(), in_flight, logs));
            return;
        };
        if grace.is_over() {
            self.oracle.have_ended(&in_flight);
            self.are_over(logs);
        } else {
            self.waiting = Some((grace, in_flight, logs));
        }
    }

    fn attach_detach_and_wait(&mut self) {
        let event = self.random.below(EVENTS);
        let log = self.log();
        let captured = Captured::new(self.oracle, &log, self.on_drop());
        let probe = with_event!(event, |e| e.attach(probe(captured, Kind::Lingers)));
        self.oracle.detaching(&log);
        let waited = probe.detach_and_wait();
        self.oracle.check(
            waited.is_ok(),
            Rule::TellsTheTruth,
            format_args!("detach_and_wait: {waited:?}"),
        );
        self.wait_is_over(log);
    }

    /// Everything inside a scope, where nothing is dropped.
    fn pinned(&mut self) {
        inside(|| {
            hotprobe::pinned(|| {
                self.attach();
                self.detach();
                hotprobe::reclaim();
                self.commit();
                self.detach();
            });
        });
    }

    /// Reports a false fact to the oracle, if that is planted.
    fn lie(&mut self) {
        if let Some(Attached::One(_, log, _)) = self.attached.front() {
            self.oracle.lie(log);
        }
    }

    fn end(&mut self) {
        while !self.attached.is_empty() {
            self.detach();
        }
        self.synchronize();
        if let Some((grace, _, logs)) = self.waiting.take() {
            self.oracle.check(
                grace.is_over(),
                Rule::TellsTheTruth,
                "an earlier grace period is over when a later one is",
            );
            self.are_over(logs);
        }
        for (log, calls) in &self.over {
            self.oracle.check(
                log.calls() == *calls,
                Rule::NeverAfterSynchronize,
                format_args!("there had been {calls} calls: {log:?}"),
            );
        }
    }
}
