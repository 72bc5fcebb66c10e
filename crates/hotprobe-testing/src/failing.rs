//! How a run fails: the report says which thread waits where, and all paused senders are released.

use crate::report::Report;
use crate::state::{Caller, Life, Phase, Run, RunState, lock};
use crate::text::span;
use std::sync::Arc;
use std::sync::atomic::Ordering;

impl Run {
    /// Fails the run with a report, and releases all senders. The first report counts.
    pub(crate) fn fail(&self, state: &mut RunState, report: Report, at: Option<Caller>) {
        if state.failure.is_some() {
            return;
        }
        let report = self.describe(state, report);
        state.failure = Some(report.render(at, &self.name).into());
        self.failed.store(true, Ordering::Relaxed);
        self.notify(state);
    }

    pub(crate) fn fails(&self, report: Report, at: Option<Caller>) {
        let mut state = self.lock();
        self.fail(&mut state, report, at);
    }

    /// Adds what else is known to a report: which sender and thread is where.
    pub(crate) fn describe(&self, state: &RunState, mut report: Report) -> Report {
        for (name, stream) in &state.streams {
            for message in &stream.queue {
                report = report.line("pending", &format!("{name}: {}", message.text));
            }
        }
        for paused in state.paused.values() {
            if let Phase::Held(at) = paused.phase {
                report = report.line("held", &format!("{}: {}", paused.stream, paused.text));
                report = report.line("", &format!("since {at}"));
            }
        }
        if let Some(delayed) = &state.delayed {
            report = report.line("delayed", delayed);
        }
        for (stream, index) in state.schedule.paused() {
            report = report.line(
                "waiting",
                &format!("{stream}: until the schedule chooses it (sender {index})"),
            );
        }
        for (name, stream) in &state.streams {
            if stream.queue.is_empty() {
                let events = match stream.arrived {
                    0 => "no event".to_owned(),
                    1 => "after 1 event".to_owned(),
                    n => format!("after {n} events"),
                };
                report = report.line("quiet", &format!("{name}: {events}"));
            }
        }
        for thread in &state.threads {
            let started = thread.started;
            match &thread.life {
                Life::Running => {
                    report = report.line("running", &format!("a thread started at {started}"));
                }
                Life::Ended => (),
                Life::Panicked(what) => {
                    report = report
                        .line("panicked", &format!("the thread started at {started}"))
                        .line("", what);
                }
            }
        }
        self.describe_outside(report)
    }

    /// Adds the firings that passed, since they belong to no test, and what to do about them.
    fn describe_outside(&self, mut report: Report) -> Report {
        let outside = lock(&self.outside);
        for line in outside.lines("of threads and tasks that belong to no test:") {
            report = report.line("outside", &line);
        }
        if outside.count > 0 {
            let help: &[&str] = if cfg!(feature = "tokio") {
                &[
                    "to receive them, start the thread or task by `testing::spawn` or `spawn_task`, or",
                    "wrap its work by `Scope::wrap` or `wrap_future`; if a library starts it, call",
                    "`Test::adopt_runtime` or `adopt_process`",
                ]
            } else {
                &[
                    "to receive them, start the thread by `testing::spawn`, or wrap its work by",
                    "`Scope::wrap`; if a library starts it, call `Test::adopt_process`, or",
                    "`Test::adopt_runtime` with the feature `tokio`",
                ]
            };
            report = report.line("help", help[0]);
            for line in &help[1..] {
                report = report.line("", line);
            }
        }
        drop(outside);
        let stale = lock(&self.stale);
        for line in stale.lines("of threads and tasks in the scope of a run that has ended:") {
            report = report.line("outside", &line);
        }
        if stale.count > 0 {
            report = report
                .line("help", "such a thread or task has to enter the scope of each run: `Entered::stay` suits a")
                .line("", "thread that ends with its run");
        }
        report
    }

    /// The report, if the test has failed.
    pub(crate) fn failure(&self) -> Option<Arc<str>> {
        self.lock().failure.clone()
    }

    /// Panics with the report.
    #[track_caller]
    pub(crate) fn raise(&self) -> ! {
        match self.failure() {
            Some(report) => panic!("{report}"),
            None => unreachable!("it fails before it is raised"),
        }
    }

    /// Fails the run if anything is left after its end: pending events, panics that nobody joined,
    /// running threads.
    pub(crate) fn finish(&self) {
        let mut state = self.lock();
        let running = state
            .threads
            .iter()
            .any(|thread| matches!(thread.life, Life::Running) && !state.is_standing(thread));
        let panicked = state
            .threads
            .iter()
            .any(|thread| matches!(thread.life, Life::Panicked(_)) && !thread.joined);
        let left = state.standing().count();
        let title = if state.failure.is_some() {
            None
        } else if left > 0 {
            let events = if left == 1 {
                "1 event is"
            } else {
                &format!("{left} events are")
            };
            Some(format!(
                "leftover: the test has ended, but {events} pending"
            ))
        } else if panicked {
            Some("a thread of the test panicked, and was not joined".to_owned())
        } else if running {
            Some(format!(
                "a thread of the test has not ended, and nothing happened for {}",
                span(self.dead_time())
            ))
        } else {
            None
        };
        if let Some(title) = title {
            self.fail(&mut state, Report::new(title), None);
        }
    }
}
