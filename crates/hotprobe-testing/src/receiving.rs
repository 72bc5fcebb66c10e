//! The test's side of a run: it waits for an event, for a thread's end, or for nothing; blocking,
//! or as a future.

use crate::report::Report;
use crate::runtime::{self, ONE_THREAD};
use crate::state::{Awaiting, Caller, Checked, Found, Goal, Life, Phase, Run, RunState, lock};
use crate::text::span;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

impl Run {
    /// The test is at work.
    fn touch(&self, state: &mut RunState) {
        let now = Instant::now();
        state.touched = now;
        if !std::thread::panicking() {
            *lock(&self.unwinding) = None;
        }
    }

    fn check(
        &self,
        state: &mut RunState,
        goal: &Goal,
        what: &str,
        since: Instant,
        at: Caller,
    ) -> Checked {
        if state.failure.is_some() {
            return Checked::Failed;
        }
        if state.over {
            let report = Report::new(
                "the test continued after a panic, which released its senders".to_owned(),
            );
            self.fail(state, report, Some(at));
            return Checked::Failed;
        }
        let now = Instant::now();
        let dead = self.dead_time();
        let deadline = (state.moved.max(since) + dead).min(since + dead * 20);
        match goal {
            Goal::Event(streams) => {
                let first = streams
                    .iter()
                    .filter_map(|name| Some((state.streams.get(name)?.queue.front()?.ticket, name)))
                    .min();
                if let Some((ticket, name)) = first {
                    if let Some(paused) = state.paused.get_mut(&ticket) {
                        paused.phase = Phase::Taken;
                    }
                    if let Some(message) = state.stream(name).queue.pop_front() {
                        return Checked::Ready(Found::Message(name.clone(), message));
                    }
                }
                if now < deadline {
                    return Checked::Wait(deadline);
                }
                let report = Report::new(format!(
                    "deadlock: nothing came on {} for {}",
                    names(streams),
                    span(dead)
                ))
                .line("awaited", what);
                self.fail(state, report, Some(at));
                Checked::Failed
            }
            Goal::Nothing { stream, time } => {
                let came = state
                    .streams
                    .get(stream)
                    .and_then(|stream| stream.queue.front())
                    .map(|message| message.text.clone());
                if let Some(text) = came {
                    let report = Report::new(format!(
                        "unexpected event on stream {stream:?}: expected none for {}",
                        span(*time)
                    ))
                    .line("received", &text);
                    self.fail(state, report, Some(at));
                    Checked::Failed
                } else if now >= since + *time {
                    Checked::Ready(Found::Done)
                } else {
                    Checked::Wait(since + *time)
                }
            }
            Goal::Thread(number) => {
                let thread = &state.threads[*number];
                if !matches!(thread.life, Life::Running) {
                    return Checked::Ready(Found::Done);
                }
                if now < deadline {
                    return Checked::Wait(deadline);
                }
                let report = Report::new(format!(
                    "deadlock: a joined thread has not ended, and nothing happened for {}",
                    span(dead)
                ))
                .line(
                    "awaited",
                    &format!("the end of the thread started at {}", thread.started),
                );
                self.fail(state, report, Some(at));
                Checked::Failed
            }
            Goal::End => {
                let ended = state.threads.iter().all(|thread| {
                    !matches!(thread.life, Life::Running) || state.is_standing(thread)
                });
                if ended || now >= deadline {
                    Checked::Ready(Found::Done)
                } else {
                    Checked::Wait(deadline)
                }
            }
        }
    }

    /// Waits for the goal; blocks the thread. Panics with the report if the test has failed, or
    /// fails meanwhile.
    #[track_caller]
    pub(crate) fn wait(&self, goal: &Goal, what: &str, at: Caller) -> Found {
        let since = Instant::now();
        let mut state = self.lock();
        self.touch(&mut state);
        match self.check(&mut state, goal, what, since, at) {
            Checked::Ready(found) => return found,
            Checked::Failed => {
                drop(state);
                self.raise();
            }
            Checked::Wait(_) => (),
        }
        let (number, seen) = (state.ticket(), state.version);
        state.awaiting.push(Awaiting {
            number,
            deadline: since,
            waker: None,
            is_future: false,
            seen,
        });
        self.notify(&mut state);
        drop(state);
        let blocked = runtime::blocking(|| {
            let mut state = self.lock();
            loop {
                match self.check(&mut state, goal, what, since, at) {
                    Checked::Ready(found) => break Some(found),
                    Checked::Failed => break None,
                    Checked::Wait(until) => state = self.pause_until(state, until),
                }
            }
        });
        let mut state = self.lock();
        // (Without a waker, nothing happens in its drop.)
        drop(state.stops_awaiting(number));
        self.touch(&mut state);
        if blocked.is_none() {
            let report = Report::new("waiting here would stop the whole runtime".to_owned())
                .line("awaited", what)
                .line("why", ONE_THREAD)
                .line(
                    "help",
                    "use one of the `async` forms: `expect_async(…).await`",
                );
            self.fail(&mut state, report, Some(at));
        }
        drop(state);
        match blocked.flatten() {
            Some(found) => found,
            None => self.raise(),
        }
    }

    /// The same, without blocking.
    pub(crate) fn wait_async(self: &Arc<Self>, goal: Goal, what: String, at: Caller) -> Wait {
        Wait {
            run: Arc::clone(self),
            goal,
            what,
            at,
            begun: None,
        }
    }

    /// Wakes futures when something has changed, or when their time has come; not by a runtime's
    /// clock, which may be paused. Outside the lock, since a waker is foreign code.
    pub(crate) fn watch(self: Arc<Self>) {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let (version, closed) = (state.version, state.is_closed());
            let due: Vec<Waker> = state
                .awaiting
                .iter_mut()
                .filter(|one| closed || one.seen < version || one.deadline <= now)
                .filter_map(|one| one.waker.take())
                .collect();
            if !due.is_empty() {
                drop(state);
                due.into_iter().for_each(Waker::wake);
                state = self.lock();
            } else if closed {
                // A later wait finds the run closed.
                return;
            } else {
                let next = state.awaiting.iter().map(|one| one.deadline).min();
                let next = next.unwrap_or(now + Duration::from_millis(50));
                state = self.pause_until(state, next.max(now + Duration::from_millis(1)));
            }
        }
    }

    /// Releases the sender of an event that has been taken.
    pub(crate) fn release(&self, ticket: u64) {
        let mut state = self.lock();
        self.touch(&mut state);
        if let Some(paused) = state.paused.get_mut(&ticket) {
            paused.phase = Phase::Free;
        }
        self.notify(&mut state);
    }

    /// Keeps it paused.
    pub(crate) fn hold(&self, ticket: u64, at: Caller) {
        let mut state = self.lock();
        self.touch(&mut state);
        if let Some(paused) = state.paused.get_mut(&ticket) {
            paused.phase = Phase::Held(at);
        }
    }

    /// An event's value has been checked.
    pub(crate) fn checked(&self, message_number: usize, text: &str) {
        text.clone_into(&mut self.lock().trace[message_number].text);
    }

    /// Whether senders can be held: not where their order is chosen by a schedule.
    #[track_caller]
    pub(crate) fn must_hold(&self, at: Caller) {
        if self.is_explored() {
            let mut state = self.lock();
            let report = Report::new(
                "a sender cannot be held in `explore`, which chooses the order itself".to_owned(),
            )
            .line("help", "hold senders in `run` and `verify` only");
            self.fail(&mut state, report, Some(at));
            drop(state);
            self.raise();
        }
    }

    /// Fails unless a grace period can end: while a sender is paused, none does.
    #[track_caller]
    pub(crate) fn must_not_be_paused(&self, at: Caller) {
        let mut state = self.lock();
        self.touch(&mut state);
        if state.failure.is_none() && state.standing().next().is_some() {
            let report = Report::new(
                "deadlock: no grace period ends while senders of this test are paused".to_owned(),
            );
            self.fail(&mut state, report, Some(at));
        }
        let failed = state.failure.is_some();
        drop(state);
        if failed {
            self.raise();
        }
    }
}

fn names(streams: &[String]) -> String {
    if let [stream] = streams {
        return format!("stream {stream:?}");
    }
    let streams: Vec<String> = streams.iter().map(|stream| format!("{stream:?}")).collect();
    format!("any of the streams {}", streams.join(", "))
}

/// A wait for a [`Goal`], as a future.
pub(crate) struct Wait {
    run: Arc<Run>,
    goal: Goal,
    what: String,
    at: Caller,
    /// When it was first polled, and its number.
    begun: Option<(Instant, u64)>,
}

impl Future for Wait {
    type Output = Found;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Found> {
        let this = &mut *self;
        let run = Arc::clone(&this.run);
        let waker = context.waker().clone();
        let mut state = run.lock();
        run.touch(&mut state);
        let (since, number) = *this
            .begun
            .get_or_insert_with(|| (Instant::now(), state.ticket()));
        let checked = run.check(&mut state, &this.goal, &this.what, since, this.at);
        let before = state.stops_awaiting(number);
        if let Checked::Wait(deadline) = checked {
            let seen = state.version;
            state.awaiting.push(Awaiting {
                number,
                deadline,
                waker: Some(waker),
                is_future: true,
                seen,
            });
            if !std::mem::replace(&mut state.watched, true) {
                let run = Arc::clone(&run);
                std::thread::spawn(move || run.watch());
            }
            // The watcher has one more to watch.
            run.changed.notify_all();
        }
        drop(state);
        drop(before);
        match checked {
            Checked::Ready(found) => Poll::Ready(found),
            Checked::Failed => run.raise(),
            Checked::Wait(_) => Poll::Pending,
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some((_, number)) = self.begun {
            let given_up = self.run.lock().stops_awaiting(number);
            drop(given_up);
        }
    }
}
