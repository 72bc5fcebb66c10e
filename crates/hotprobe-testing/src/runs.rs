//! The runs of a test: one; one more for each event, with that event delayed; or one for each
//! schedule.

use crate::options::Options;
use crate::quiet;
use crate::report::Report;
use crate::state::{Caller, Goal, Plan, Run, Traced};
use crate::test::Test;
use crate::threads::message;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

/// The size of a test that passed: runs, events, schedules.
///
/// ```
/// use hotprobe_testing::{Options, Summary};
///
/// let summary: Summary = Options::new().try_run(|_| ()).unwrap();
/// assert_eq!((summary.runs, summary.events, summary.outside), (1, 0, 0));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of times that the body ran.
    pub runs: usize,
    /// The number of events in the first run.
    pub events: usize,
    /// The number of firings that reached the test's probes and belonged to no test, in all runs.
    pub outside: u64,
    /// The delay of each event in [`verify`](Options::verify); zero otherwise.
    pub delay: Duration,
    /// The number of different schedules that [`explore`](Options::explore) tried; zero otherwise.
    pub schedules: usize,
}

/// The failure of a test. `Display` prints the report.
///
/// ```
/// use hotprobe_testing::{Failure, Options};
///
/// let failure: Failure = Options::new().try_run(|_| assert!(1 > 2, "odd")).unwrap_err();
/// assert_eq!((failure.run(), failure.report()), ("run", "odd"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    run: String,
    report: String,
}

impl Failure {
    /// Returns the name of the run that failed: `run`, `delay@3 (t2:1)`, `explore@17 (seed 0x2a)`.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.run
    }

    /// Returns the report, or the message of the panic if the body panicked by itself.
    #[must_use]
    pub fn report(&self) -> &str {
        &self.report
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl std::error::Error for Failure {}

/// A run that failed: the report, and the panic if there was one.
struct FailedRun {
    failure: Failure,
    payload: Option<Box<dyn Any + Send>>,
    /// Whether it is the body's own panic, not a report.
    foreign: bool,
}

impl FailedRun {
    /// Panics with the report. A panic that has been printed continues without another message.
    #[track_caller]
    fn raise(self) -> ! {
        match self.payload {
            Some(payload) if self.foreign => {
                if self.failure.run != "run" {
                    eprintln!(
                        "hotprobe_testing: the panic was in run {}",
                        self.failure.run
                    );
                }
                resume_unwind(payload)
            }
            Some(payload) if message(&*payload) == self.failure.report => resume_unwind(payload),
            _ => panic!("{}", self.failure.report),
        }
    }
}

/// A run that passed.
struct PassedRun {
    trace: Vec<Traced>,
    outside: u64,
    fingerprint: u64,
}

/// Starts a run. The test that its body gets holds the run. Fails if the options are wrong.
fn start(options: &Options, plan: Plan, name: &str, silent: bool) -> Result<Test, FailedRun> {
    if let Some(error) = options.error() {
        let report = error.to_owned();
        let run = name.to_owned();
        return Err(FailedRun {
            failure: Failure { run, report },
            payload: None,
            foreign: false,
        });
    }
    quiet::install();
    let run = Run::start(options, plan, name.to_owned(), silent);
    Ok(Test::new(run))
}

/// Ends a run whose body has returned, or has panicked.
fn end(test: &Test, result: Result<(), Box<dyn Any + Send>>) -> Result<PassedRun, FailedRun> {
    let run = Arc::clone(&test.run);
    if result.is_ok() {
        run.finish();
    }
    run.close();
    test.detach();
    let payload = result.err();
    if payload.is_some() {
        run.clear_up();
    }
    let report = run.failure();
    let foreign = report.is_none();
    let report_text = match (&report, &payload) {
        (None, None) => {
            return Ok(PassedRun {
                trace: run.trace(),
                outside: run.outside(),
                fingerprint: run.fingerprint(),
            });
        }
        (Some(report), _) => report.to_string(),
        (None, Some(payload)) => message(&**payload),
    };
    Err(FailedRun {
        failure: Failure {
            run: run.name.clone(),
            report: report_text,
        },
        payload,
        foreign,
    })
}

fn run_once(
    options: &Options,
    plan: Plan,
    name: &str,
    silent: bool,
    at: Caller,
    body: impl FnOnce(&Test),
) -> Result<PassedRun, FailedRun> {
    let test = start(options, plan, name, silent)?;
    let entered = test.scope().enter_as(0, true);
    let result = catch_unwind(AssertUnwindSafe(|| {
        body(&test);
        test.run.wait(&Goal::End, "the end of all threads", at);
    }));
    let result = end(&test, result);
    drop(entered);
    result
}

async fn run_once_async(
    options: &Options,
    plan: Plan,
    name: &str,
    silent: bool,
    at: Caller,
    body: impl AsyncFnOnce(&Test),
) -> Result<PassedRun, FailedRun> {
    let test = start(options, plan, name, silent)?;
    let whole = async {
        body(&test).await;
        test.run
            .wait_async(Goal::End, "the end of all threads".to_owned(), at)
            .await;
    };
    let result = Caught(Box::pin(test.scope().body(whole))).await;
    end(&test, result)
}

/// A future, and its panic caught.
struct Caught<F>(Pin<Box<F>>);

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Box<dyn Any + Send>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match catch_unwind(AssertUnwindSafe(|| self.0.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(payload) => Poll::Ready(Err(payload)),
        }
    }
}

/// The delayed runs that follow a first one.
struct Delays {
    first: Vec<Traced>,
    by: Duration,
}

impl Delays {
    fn of(options: &Options, first: Vec<Traced>) -> Self {
        let longest = first
            .windows(2)
            .map(|pair| pair[1].at.saturating_duration_since(pair[0].at))
            .max();
        let by = (longest.unwrap_or_default() * 10)
            .max(options.min_delay)
            .min(options.max_idle() / 2);
        Self { first, by }
    }

    /// Each run's plan, and its name.
    fn runs(&self) -> impl Iterator<Item = (Plan, String)> {
        self.first.iter().enumerate().map(|(number, event)| {
            let stream = &event.stream;
            let earlier = &self.first[..number];
            let index = earlier
                .iter()
                .filter(|other| other.stream == *stream)
                .count();
            let plan = Plan::Delay {
                stream: stream.clone(),
                index,
                by: self.by,
            };
            (plan, format!("delay@{number} ({stream}:{index})"))
        })
    }

    /// The streams are to be the same in every run.
    fn compare(&self, run: String, trace: &[Traced]) -> Result<(), FailedRun> {
        let (expected, received) = (streams(&self.first), streams(trace));
        if expected == received {
            return Ok(());
        }
        let report = Report::new("the streams differ from those of the first run".to_owned())
            .difference(&expected, &received)
            .render(None, &run);
        Err(FailedRun {
            failure: Failure { run, report },
            payload: None,
            foreign: false,
        })
    }
}

/// A line for each event, by streams.
fn streams(trace: &[Traced]) -> String {
    let mut streams: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for event in trace {
        streams.entry(&event.stream).or_default().push(&event.text);
    }
    streams
        .into_iter()
        .flat_map(|(stream, events)| {
            events
                .into_iter()
                .map(move |event| format!("{stream}: {event}\n"))
        })
        .collect()
}

/// The schedules of `explore`: each one's plan, and its name.
fn schedules(number: usize, seed: u64) -> impl Iterator<Item = (Plan, String)> {
    (0..number).map(move |index| {
        let seed = seed.wrapping_add(index as u64);
        (
            Plan::Explore { seed },
            format!("explore@{index} (seed {seed:#x})"),
        )
    })
}

impl Options {
    /// Does what [`run`](crate::run) does, with these options.
    ///
    /// # Panics
    /// With the report, if the test fails; if the body panics, with the same.
    #[track_caller]
    pub fn run(&self, body: impl FnOnce(&Test)) {
        let at = Location::caller();
        if let Err(failed) = run_once(self, Plan::Plain, "run", false, at, body) {
            failed.raise();
        }
    }

    /// Does what [`run`](crate::run) does, but returns the report and prints nothing.
    ///
    /// # Errors
    /// The [`Failure`], if the test fails; if the body panics, with what it panicked with.
    ///
    /// ```
    /// use hotprobe_testing::Options;
    /// use std::time::Duration;
    ///
    /// let options = Options::new().dead_time(Duration::from_millis(50));
    /// let failure = options.try_run(|t| t.expect("nobody", 1)).unwrap_err();
    /// let report = failure.report();
    /// assert!(report.starts_with(r#"deadlock: nothing came on stream "nobody" for 50 ms"#));
    /// ```
    #[track_caller]
    pub fn try_run(&self, body: impl FnOnce(&Test)) -> Result<Summary, Failure> {
        let at = Location::caller();
        let passed = run_once(self, Plan::Plain, "run", true, at, body);
        let passed = passed.map_err(|failed| failed.failure)?;
        Ok(Summary {
            runs: 1,
            events: passed.trace.len(),
            outside: passed.outside,
            ..Summary::default()
        })
    }

    /// Does what [`verify`](crate::verify) does, with these options.
    ///
    /// # Panics
    /// With the report, if a run fails; if the body panics, with the same.
    #[track_caller]
    pub fn verify(&self, body: impl FnMut(&Test)) {
        if let Err(failed) = self.all_delays(false, Location::caller(), body) {
            failed.raise();
        }
    }

    /// Does what [`verify`](crate::verify) does, but returns the report and prints nothing.
    ///
    /// # Errors
    /// The [`Failure`] of the first run that fails.
    ///
    /// ```
    /// use hotprobe_testing::{self as testing, Options};
    /// hotprobe::event! { static TICK: fn(n: u32); }
    ///
    /// let summary = Options::new().try_verify(|t| {
    ///     t.attach(|batch, to| TICK.attach_in(batch, move |n| to.send("ticker", n)));
    ///     let ticker = testing::spawn(|| (1..=2).for_each(|n| TICK.fire(n)));
    ///     t.expect("ticker", 1_u32);
    ///     t.expect("ticker", 2_u32);
    ///     ticker.join();
    /// }).unwrap();
    /// assert_eq!((summary.runs, summary.events), (3, 2));
    /// ```
    #[track_caller]
    pub fn try_verify(&self, body: impl FnMut(&Test)) -> Result<Summary, Failure> {
        self.all_delays(true, Location::caller(), body)
            .map_err(|failed| failed.failure)
    }

    fn all_delays(
        &self,
        silent: bool,
        at: Caller,
        mut body: impl FnMut(&Test),
    ) -> Result<Summary, FailedRun> {
        let first = run_once(self, Plan::Plain, "run", silent, at, &mut body)?;
        let mut summary = Summary {
            runs: 1,
            events: first.trace.len(),
            outside: first.outside,
            ..Summary::default()
        };
        let delays = Delays::of(self, first.trace);
        summary.delay = delays.by;
        for (plan, name) in delays.runs() {
            let passed = run_once(self, plan, &name, silent, at, &mut body)?;
            delays.compare(name, &passed.trace)?;
            summary.runs += 1;
            summary.outside += passed.outside;
        }
        Ok(summary)
    }

    /// Does what [`explore`](crate::explore) does, with these options.
    ///
    /// # Panics
    /// With the report, if a run fails; if the body panics, with the same.
    #[track_caller]
    pub fn explore(&self, number: usize, seed: u64, body: impl FnMut(&Test)) {
        if let Err(failed) = self.all_schedules(number, seed, false, Location::caller(), body) {
            failed.raise();
        }
    }

    /// Does what [`explore`](crate::explore) does, but returns the report and prints nothing.
    ///
    /// # Errors
    /// The [`Failure`] of the first schedule that fails.
    ///
    /// ```
    /// use hotprobe_testing::{self as testing, Options};
    /// hotprobe::event! { static STEP: fn(by: &str); }
    ///
    /// let summary = Options::new().try_explore(10, 42, |t| {
    ///     t.attach(|batch, to| STEP.attach_in(batch, move |by| to.send(by, "step")));
    ///     let a = testing::spawn(|| STEP.fire("a"));
    ///     let b = testing::spawn(|| STEP.fire("b"));
    ///     a.join();
    ///     b.join();
    /// }).unwrap();
    /// assert_eq!(summary.runs, 10);
    /// ```
    #[track_caller]
    pub fn try_explore(
        &self,
        number: usize,
        seed: u64,
        body: impl FnMut(&Test),
    ) -> Result<Summary, Failure> {
        self.all_schedules(number, seed, true, Location::caller(), body)
            .map_err(|failed| failed.failure)
    }

    fn all_schedules(
        &self,
        number: usize,
        seed: u64,
        silent: bool,
        at: Caller,
        mut body: impl FnMut(&Test),
    ) -> Result<Summary, FailedRun> {
        let mut summary = Summary::default();
        let mut tried = BTreeSet::new();
        for (plan, name) in schedules(number, seed) {
            let passed = run_once(self, plan, &name, silent, at, &mut body)?;
            explored(&mut summary, &mut tried, &passed);
        }
        Ok(summary)
    }

    /// Does what [`run_async`](crate::run_async) does, with these options.
    ///
    /// # Panics
    /// With the report, if the test fails; if the body panics, with the same.
    #[track_caller]
    pub fn run_async(&self, body: impl AsyncFnOnce(&Test)) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            if let Err(failed) = run_once_async(self, Plan::Plain, "run", false, at, body).await {
                failed.raise();
            }
        }
    }

    /// Does what [`verify_async`](crate::verify_async) does, with these options.
    ///
    /// # Panics
    /// With the report, if a run fails; if the body panics, with the same.
    #[track_caller]
    pub fn verify_async(&self, mut body: impl AsyncFnMut(&Test)) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            let result: Result<(), FailedRun> = async {
                let first = run_once_async(self, Plan::Plain, "run", false, at, &mut body).await?;
                let delays = Delays::of(self, first.trace);
                for (plan, name) in delays.runs() {
                    let passed = run_once_async(self, plan, &name, false, at, &mut body).await?;
                    delays.compare(name, &passed.trace)?;
                }
                Ok(())
            }
            .await;
            if let Err(failed) = result {
                failed.raise();
            }
        }
    }

    /// Does what [`explore_async`](crate::explore_async) does, with these options.
    ///
    /// # Panics
    /// With the report, if a run fails; if the body panics, with the same.
    #[track_caller]
    pub fn explore_async(
        &self,
        number: usize,
        seed: u64,
        mut body: impl AsyncFnMut(&Test),
    ) -> impl Future<Output = ()> {
        let at = Location::caller();
        async move {
            for (plan, name) in schedules(number, seed) {
                if let Err(failed) = run_once_async(self, plan, &name, false, at, &mut body).await {
                    failed.raise();
                }
            }
        }
    }
}

fn explored(summary: &mut Summary, tried: &mut BTreeSet<u64>, passed: &PassedRun) {
    if summary.runs == 0 {
        summary.events = passed.trace.len();
    }
    summary.runs += 1;
    summary.outside += passed.outside;
    tried.insert(passed.fingerprint);
    summary.schedules = tried.len();
}

#[cfg(test)]
mod tests {
    use super::{Delays, Traced};
    use crate::Options;
    use std::time::{Duration, Instant};

    /// A trace of events with these gaps between them, in milliseconds.
    fn trace(gaps: &[u64]) -> Vec<Traced> {
        let mut at = Instant::now();
        let mut event = |gap| {
            at += Duration::from_millis(gap);
            Traced {
                stream: "t".to_owned(),
                at,
                text: String::new(),
            }
        };
        std::iter::once(0)
            .chain(gaps.iter().copied())
            .map(&mut event)
            .collect()
    }

    #[test]
    fn the_delay_is_ten_times_the_longest_gap_within_its_bounds() {
        let options = Options::new().dead_time(Duration::from_secs(3));
        let delay = |gaps: &[u64]| Delays::of(&options, trace(gaps)).by.as_millis();
        assert_eq!(delay(&[1, 5, 2]), 50);
        assert_eq!(delay(&[]), 10, "at least 10 ms");
        assert_eq!(delay(&[1000]), 1500, "always below the dead time");
    }
}
