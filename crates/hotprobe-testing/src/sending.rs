//! The sender's side of a run: it adds an event to a stream, and pauses until the test releases it.

use crate::report::Report;
use crate::runtime::{self, ONE_THREAD};
use crate::schedule;
use crate::scope::Current;
use crate::state::{
    Awaiting, Life, Message, Paused, Phase, Plan, Router, Run, RunState, Sent, Traced, lock,
};
use crate::text::{name_of, span};
use std::any::Any;
use std::panic::resume_unwind;
use std::sync::MutexGuard;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// Whether a paused sender continues or panics.
enum Verdict {
    Go,
    Cancel,
}

/// What a cancelled sender panics with.
struct Cancelled;

impl Run {
    pub(crate) fn add_router(&self, router: Router) {
        lock(&self.routers).push(router);
    }

    /// The stream that the routers say; the first that knows the type does.
    pub(crate) fn route(&self, event: &dyn Any) -> String {
        let routers = lock(&self.routers).clone();
        routers
            .iter()
            .find_map(|router| router(event))
            .unwrap_or_else(|| "default".to_owned())
    }

    pub(crate) fn send(&self, current: &Current, stream: &str, event: Box<dyn Sent>) {
        if self.lock().is_closed() {
            return;
        }
        let text = event.text();
        if current.body {
            if runtime::blocking(|| ()).is_none() {
                self.stops_the_runtime(stream, &text);
                return;
            }
            let mut state = self.lock();
            let report = Report::new(format!(
                "the test's body fires {text} on stream {stream:?}, and would wait for itself"
            ))
            .line(
                "help",
                "fire it in `testing::spawn`; prepare and clean up in `outside` or `outside_async`",
            );
            self.fail(&mut state, report, None);
            return;
        }
        match runtime::blocking(|| self.pause(current.actor, stream, event, &text)) {
            Some(Verdict::Go) => (),
            Some(Verdict::Cancel) => resume_unwind(Box::new(Cancelled)),
            None => self.stops_the_runtime(stream, &text),
        }
    }

    fn stops_the_runtime(&self, stream: &str, text: &str) {
        let mut state = self.lock();
        let report = Report::new(format!(
            "a task fires {text} on stream {stream:?}, and pausing it would stop the whole runtime"
        ))
        .line("why", ONE_THREAD)
        .line("help", "use `#[tokio::test(flavor = \"multi_thread\")]`");
        self.fail(&mut state, report, None);
    }

    fn pause(&self, actor: u64, stream: &str, event: Box<dyn Sent>, text: &str) -> Verdict {
        let mut state = self.lock();
        let index = state.stream(stream).arrived;
        state.stream(stream).arrived += 1;
        state = self.delay(state, stream, index, text);
        if self.is_explored() {
            state = self.take_turns(state, actor, stream);
        }
        if state.is_closed() {
            return self.verdict(&state);
        }
        let now = Instant::now();
        let ticket = state.ticket();
        let number = state.trace.len();
        state.moved = now;
        state.trace.push(Traced {
            stream: stream.to_owned(),
            at: now,
            text: name_of(text).to_owned(),
        });
        state.stream(stream).queue.push_back(Message {
            ticket,
            event,
            text: text.to_owned(),
            number,
        });
        if self.is_explored() {
            // It has had its pause. The test takes it when it comes to it.
            self.notify(&mut state);
            return Verdict::Go;
        }
        state.paused.insert(
            ticket,
            Paused {
                phase: Phase::Pending,
                actor,
                stream: stream.to_owned(),
                text: text.to_owned(),
            },
        );
        self.notify(&mut state);
        self.stand_still(state, ticket, now)
    }

    /// The delay that `verify` puts before an event.
    fn delay<'a>(
        &self,
        mut state: MutexGuard<'a, RunState>,
        stream: &str,
        index: usize,
        text: &str,
    ) -> MutexGuard<'a, RunState> {
        let by = match &self.plan {
            Plan::Delay {
                stream: delayed,
                index: number,
                by,
            } if delayed == stream && *number == index => *by,
            _ => return state,
        };
        state.delayed = Some(format!("{stream}: {text}"));
        let until = Instant::now() + by;
        while Instant::now() < until && !state.is_closed() {
            state = self.pause_until(state, until);
        }
        state.delayed = None;
        state
    }

    /// Waits until the schedule chooses the sender.
    fn take_turns<'a>(
        &self,
        mut state: MutexGuard<'a, RunState>,
        actor: u64,
        stream: &str,
    ) -> MutexGuard<'a, RunState> {
        let ticket = state.ticket();
        let now = Instant::now();
        state.moved = now;
        state.schedule.arrives(ticket, actor, stream, now);
        self.notify(&mut state);
        loop {
            if state.is_closed() || state.schedule.goes(ticket) {
                state.schedule.leaves(ticket);
                return state;
            }
            let now = Instant::now();
            let settle = self.options.settle;
            if state.everyone_is_paused(self.actors.load(Ordering::Relaxed))
                || (state.schedule.is_quiet(now, settle) && !self.somebody_runs(&mut state, now))
            {
                state.schedule.choose(now);
                state.moved = now;
                self.notify(&mut state);
            } else {
                state = self.pause_until(state, now + settle);
            }
        }
    }

    /// Returns whether a thread can be expected to continue by itself, as far as the system
    /// reports.
    fn somebody_runs(&self, state: &mut RunState, now: Instant) -> bool {
        let running = state.schedule.has_let_go()
            || self.is_entered()
            || (state.awaiting.is_empty() && self.body.is_some_and(schedule::is_running))
            || state.threads.iter().any(|thread| {
                matches!(thread.life, Life::Running)
                    && !state.schedule.has(thread.actor)
                    && (thread.actor == 0 || thread.system_id.is_some_and(schedule::is_running))
            });
        state.schedule.looks(running, now, self.options.settle)
    }

    /// Waits until the test releases the sender, or cannot any more.
    fn stand_still(
        &self,
        mut state: MutexGuard<'_, RunState>,
        ticket: u64,
        since: Instant,
    ) -> Verdict {
        let dead = self.dead_time();
        loop {
            let phase = state.paused.get(&ticket).map(|paused| paused.phase);
            if state.is_closed() || phase.is_none_or(|phase| phase == Phase::Free) {
                state.paused.remove(&ticket);
                state.moved = Instant::now();
                let verdict = match phase {
                    Some(Phase::Free) => Verdict::Go,
                    _ => self.verdict(&state),
                };
                self.notify(&mut state);
                return verdict;
            }
            let now = Instant::now();
            // While the test waits in the kit, its own time runs.
            if state.awaiting.is_empty() {
                let unwinding = *lock(&self.unwinding);
                if unwinding.is_some_and(|begin| now >= begin + dead / 10) {
                    // Nobody will come any more; what the test panicked with is the report.
                    state.over = true;
                    self.notify(&mut state);
                    continue;
                }
                if now >= since.max(state.touched) + dead {
                    self.nobody_comes(&mut state, phase);
                    continue;
                }
            }
            // Unless it is a future, and this very thread is the one that would poll it.
            let unpolled = |one: &Awaiting| one.is_future && now >= one.deadline + dead;
            if !state.awaiting.is_empty() && state.awaiting.iter().all(unpolled) {
                let report = Report::new(
                    "deadlock: events are pending, and nothing polls the waiting test".to_owned(),
                )
                .line(
                    "help",
                    "a paused sender blocks the thread that polls the test (on tokio, the feature",
                )
                .line("", "`tokio` of this crate detects this at once)");
                self.fail(&mut state, report, None);
                continue;
            }
            state = self.pause_until(state, now + (dead / 10).max(Duration::from_millis(1)));
        }
    }

    fn verdict(&self, state: &RunState) -> Verdict {
        if self.options.cancel && state.failure.is_some() {
            Verdict::Cancel
        } else {
            Verdict::Go
        }
    }

    /// The sender's side of the deadlock detection.
    fn nobody_comes(&self, state: &mut RunState, phase: Option<Phase>) {
        let dead = span(self.dead_time());
        let report = match phase {
            Some(Phase::Held(_)) => Report::new(format!(
                "deadlock: the test holds a sender, and its body has done nothing for {dead}"
            ))
            .line(
                "help",
                "the body may be waiting for the held sender: joining its thread, locking what it has",
            )
            .line(
                "",
                "locked, or for a grace period (`synchronize`, `detach_and_wait`)",
            ),
            _ => Report::new(format!(
                "deadlock: events are pending, and the test has taken none for {dead}"
            ))
            .line(
                "help",
                "the body may be waiting for a paused sender: locking what it has locked, or joining",
            )
            .line(
                "",
                "its thread (`testing::JoinHandle::join` reports which one)",
            ),
        };
        self.fail(state, report, None);
    }
}
