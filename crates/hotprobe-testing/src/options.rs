//! [`Options`]: the times of a test, and what happens to paused senders when it fails.

use std::env;
use std::ffi::OsString;
use std::time::Duration;

/// How a test is run. [`run`](crate::run), [`verify`](crate::verify) and
/// [`explore`](crate::explore) use the defaults.
///
/// Each time is one year at most; a longer one counts as a year.
///
/// ```
/// use hotprobe_testing::Options;
/// use std::time::Duration;
///
/// Options::new().dead_time(Duration::from_secs(10)).run(|t| {
///     assert_eq!(t.run_name(), "run");
/// });
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "options do nothing by themselves: call `run`, `verify` or `explore` on them"]
pub struct Options {
    /// The dead time, or what is wrong with the environment's.
    dead_time: Result<Duration, String>,
    pub(crate) min_delay: Duration,
    pub(crate) settle: Duration,
    pub(crate) cancel: bool,
}

/// The environment variable for the dead time, in seconds: `HOTPROBE_DEAD_TIME=10`,
/// `HOTPROBE_DEAD_TIME=0.5`.
const DEAD_TIME: &str = "HOTPROBE_DEAD_TIME";

const DEFAULT_DEAD_TIME: Duration = Duration::from_secs(3);

/// The longest time, a year. It can be added to any instant, and multiplied.
const MAX_TIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl Options {
    /// Returns the defaults: a dead time of 3 seconds, or that of the environment variable
    /// `HOTPROBE_DEAD_TIME` in seconds, which may have a decimal fraction.
    ///
    /// If the variable is not such a number, every test that is run with these options fails, and
    /// the report says why; [`dead_time`](Self::dead_time) overrides the variable.
    pub fn new() -> Self {
        Self {
            dead_time: from_environment(env::var_os(DEAD_TIME)),
            min_delay: Duration::from_millis(10),
            settle: Duration::from_millis(2),
            cancel: false,
        }
    }

    /// Sets the time after which a run in which nothing happens counts as a deadlock. It overrides
    /// the environment variable.
    ///
    /// # Panics
    /// If the time is zero.
    ///
    /// ```
    /// use hotprobe_testing::Options;
    /// use std::time::Duration;
    ///
    /// let options = Options::new().dead_time(Duration::from_millis(50));
    /// let failure = options.try_run(|t| t.expect("nobody", 1)).unwrap_err();
    /// assert!(failure.report().contains("for 50 ms"));
    /// ```
    pub fn dead_time(mut self, time: Duration) -> Self {
        assert!(
            !time.is_zero(),
            "the dead time is zero: expected a longer one, in which an event can come"
        );
        self.dead_time = Ok(time.min(MAX_TIME));
        self
    }

    /// Sets the shortest delay of an event in [`verify`](Self::verify); 10 ms by default. `verify`
    /// delays by ten times the longest gap between two events of the first run, at most by half the
    /// dead time.
    ///
    /// ```
    /// use hotprobe_testing::Options;
    /// use std::time::Duration;
    ///
    /// let options = Options::new().min_delay(Duration::from_millis(20));
    /// options.verify(|t| t.expect_none_for("nobody", Duration::from_millis(1)));
    /// ```
    pub fn min_delay(mut self, delay: Duration) -> Self {
        self.min_delay = delay.min(MAX_TIME);
        self
    }

    /// Sets how long [`explore`](Self::explore) waits for a released sender to reach its next
    /// event; 2 ms by default. After that it takes the sender to be blocked, and releases another
    /// one. (On Linux it also asks the system, and waits longer for a thread that is running.)
    ///
    /// ```
    /// use hotprobe_testing::Options;
    /// use std::time::Duration;
    ///
    /// let options = Options::new().settle(Duration::from_millis(10));
    /// options.explore(3, 42, |t| t.expect_none_for("nobody", Duration::from_millis(1)));
    /// ```
    pub fn settle(mut self, time: Duration) -> Self {
        self.settle = time.min(MAX_TIME);
        self
    }

    /// Makes paused senders panic when the test fails; by default they are released and continue.
    ///
    /// The panic is not printed. If the probe is attached with
    /// [`OnPanic::Propagate`](hotprobe::OnPanic::Propagate), the panic ends what the sender was
    /// doing; otherwise it ends the probe.
    ///
    /// ```
    /// use hotprobe_testing::Options;
    /// use std::time::Duration;
    ///
    /// let options = Options::new().cancel_senders();
    /// options.run(|t| t.expect_none_for("nobody", Duration::from_millis(1)));
    /// ```
    pub fn cancel_senders(mut self) -> Self {
        self.cancel = true;
        self
    }

    /// Returns the dead time; the default if the environment's is wrong, in which case no test
    /// runs.
    pub(crate) fn max_idle(&self) -> Duration {
        *self.dead_time.as_ref().unwrap_or(&DEFAULT_DEAD_TIME)
    }

    /// Returns what is wrong with these options, if anything is.
    pub(crate) fn error(&self) -> Option<&str> {
        self.dead_time.as_ref().err().map(String::as_str)
    }
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns a time that can be added to any instant.
pub(crate) fn bounded(time: Duration) -> Duration {
    time.min(MAX_TIME)
}

fn from_environment(value: Option<OsString>) -> Result<Duration, String> {
    let Some(value) = value else {
        return Ok(DEFAULT_DEAD_TIME);
    };
    let seconds = value.to_str().and_then(|value| value.trim().parse().ok());
    match seconds {
        Some(seconds) if seconds > 0.0 && seconds <= MAX_TIME.as_secs_f64() => {
            let time = Duration::from_secs_f64(seconds);
            Ok(time.max(Duration::from_nanos(1)))
        }
        _ => Err(format!(
            "{DEAD_TIME} is `{}`: expected the dead time in seconds, above 0 and at most {}, as in `10` or `0.5`",
            value.to_string_lossy().escape_debug(),
            MAX_TIME.as_secs()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::{Options, from_environment};
    use std::ffi::OsString;
    use std::time::Duration;

    fn parsed(value: &str) -> Result<Duration, String> {
        from_environment(Some(value.into()))
    }

    #[test]
    fn the_environment_gives_seconds() {
        assert_eq!(parsed("10"), Ok(Duration::from_secs(10)));
        assert_eq!(parsed(" 0.25 "), Ok(Duration::from_millis(250)));
        assert_eq!(parsed("1e-20"), Ok(Duration::from_nanos(1)));
        assert_eq!(parsed("31536000"), Ok(super::MAX_TIME));
        assert_eq!(from_environment(None), Ok(Duration::from_secs(3)));
    }

    #[test]
    fn anything_else_is_an_error_that_names_the_variable_the_value_and_what_is_possible() {
        for value in [
            "soon", "", " ", "0", "-1", "inf", "NaN", "31536001", "1e300", "3s",
        ] {
            let error = parsed(value).unwrap_err();
            assert_eq!(
                error,
                format!(
                    "HOTPROBE_DEAD_TIME is `{value}`: expected the dead time in seconds, above 0 and at most \
                     31536000, as in `10` or `0.5`"
                )
            );
        }
        assert!(parsed("1\n2").unwrap_err().contains("`1\\n2`"));
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_unicode_is_an_error() {
        use std::os::unix::ffi::OsStringExt;
        let value = OsString::from_vec(vec![b'1', 0xff]);
        let error = from_environment(Some(value)).unwrap_err();
        assert!(
            error.starts_with("HOTPROBE_DEAD_TIME is `1\u{fffd}`"),
            "{error}"
        );
    }

    #[test]
    fn times_without_end_do_not_overflow() {
        let options = Options::new()
            .dead_time(Duration::MAX)
            .min_delay(Duration::MAX)
            .settle(Duration::MAX);
        options.run(|t| {
            crate::spawn(|| ()).join();
            assert_eq!(t.run_name(), "run");
        });
        options.explore(1, 0, |_| {
            crate::spawn(|| ()).join();
        });
        let (ended, ends) = std::sync::mpsc::channel();
        let failure = options.try_run(|t| {
            hotprobe::event! { static STEP: fn(); }
            t.attach(|batch, to| STEP.attach_in(batch, move || to.send("t", ())));
            crate::spawn(move || {
                STEP.fire();
                ended.send(()).unwrap();
            });
            t.expect_none_for("t", Duration::MAX);
        });
        assert!(
            failure
                .unwrap_err()
                .report()
                .starts_with("unexpected event")
        );
        ends.recv().unwrap();
    }
}
