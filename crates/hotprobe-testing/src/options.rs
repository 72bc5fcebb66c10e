//! [`Options`]: the times of a test, and what happens to paused senders when it fails.

use std::time::Duration;

/// How a test is run. [`run`](crate::run), [`verify`](crate::verify) and [`explore`](crate::explore) use the defaults.
///
/// ```
/// use hotprobe_testing::Options;
/// use std::time::Duration;
///
/// Options::new().dead_time(Duration::from_secs(10)).run(|t| {
///     assert_eq!(t.run_name(), "run");
/// });
/// ```
#[derive(Clone, Debug)]
#[must_use = "options do nothing by themselves: call `run`, `verify` or `explore` on them"]
pub struct Options {
    pub(crate) dead_time: Duration,
    pub(crate) min_delay: Duration,
    pub(crate) settle: Duration,
    pub(crate) cancel: bool,
}

/// The environment's dead time, in seconds: `HOTPROBE_DEAD_TIME=10`, `HOTPROBE_DEAD_TIME=0.5`.
const DEAD_TIME: &str = "HOTPROBE_DEAD_TIME";

impl Options {
    /// The defaults: a dead time of 3 seconds, or of as many as the environment variable `HOTPROBE_DEAD_TIME` says
    /// (a decimal fraction is allowed).
    ///
    /// # Panics
    /// If that variable is set, and is not a number of seconds above 0.
    pub fn new() -> Self {
        Self {
            dead_time: std::env::var(DEAD_TIME)
                .map_or(Duration::from_secs(3), |value| seconds(&value)),
            min_delay: Duration::from_millis(10),
            settle: Duration::from_millis(2),
            cancel: false,
        }
    }

    /// For how long nothing may happen until that is called a deadlock. It goes before the environment's.
    ///
    /// # Panics
    /// If it is zero.
    pub fn dead_time(mut self, time: Duration) -> Self {
        assert!(!time.is_zero(), "a dead time of zero lets no event in");
        self.dead_time = time;
        self
    }

    /// The least that [`verify`](Self::verify) delays an event by; 10 ms by default. It delays by ten times the
    /// longest gap between two events of the first run, but always by less than the dead time.
    ///
    /// ```
    /// use hotprobe_testing::Options;
    /// use std::time::Duration;
    ///
    /// let options = Options::new().min_delay(Duration::from_millis(20));
    /// options.verify(|t| t.expect_none_for("nobody", Duration::from_millis(1)));
    /// ```
    pub fn min_delay(mut self, delay: Duration) -> Self {
        self.min_delay = delay;
        self
    }

    /// For how long [`explore`](Self::explore) waits, after it has let a sender go, for that one to come to its next
    /// event, before it takes it to be blocked and lets another go; 2 ms by default. (On Linux it asks the system
    /// too, and waits longer for a thread that is running.)
    ///
    /// ```
    /// use hotprobe_testing::Options;
    /// use std::time::Duration;
    ///
    /// let options = Options::new().settle(Duration::from_millis(10));
    /// options.explore(3, 42, |t| t.expect_none_for("nobody", Duration::from_millis(1)));
    /// ```
    pub fn settle(mut self, time: Duration) -> Self {
        self.settle = time;
        self
    }

    /// What becomes of paused senders when the test fails: by default they are let go, and run on. With this they
    /// panic, quietly; if the probe is attached with [`OnPanic::Propagate`](hotprobe::OnPanic::Propagate), that
    /// ends what they were doing, in others it ends the probe.
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
}

impl Default for Options {
    fn default() -> Self {
        Self::new()
    }
}

fn seconds(value: &str) -> Duration {
    value
        .trim()
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .filter(|time| !time.is_zero())
        .unwrap_or_else(|| panic!("{DEAD_TIME} is `{value}`: not a number of seconds above 0"))
}

#[cfg(test)]
mod tests {
    use super::seconds;
    use std::time::Duration;

    #[test]
    fn the_environment_gives_seconds() {
        assert_eq!(seconds("10"), Duration::from_secs(10));
        assert_eq!(seconds(" 0.25 "), Duration::from_millis(250));
    }

    #[test]
    #[should_panic(expected = "HOTPROBE_DEAD_TIME is `soon`: not a number of seconds above 0")]
    fn and_nothing_else() {
        seconds("soon");
    }
}
