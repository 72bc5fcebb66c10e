//! The clocks of hotprobe's recordings and measurements: nanoseconds since a start, by the system's
//! monotonic clock or by the processor's time stamp counter.
//!
//! This crate is an implementation detail of `hotprobe-record` and `hotprobe-profile`, which
//! re-export [`Clock`]. Its interface may change with any of their releases.
//!
//! ```
//! use hotprobe_clock::Clock;
//!
//! let timer = Clock::default().start();
//! let ticks = timer.ticks(); // cheap to read
//! let nanos = timer.nanos(ticks); // converted later
//! assert!(nanos <= timer.now());
//! ```
//!
//! # What do you want to do?
//!
//! | task | use |
//! |---|---|
//! | choose the clock of a recording or a measurement | [`Clock`], given to its builder's `clock` |
//! | read a clock | [`Clock::start`], [`Timer::now`] |
//! | read a clock as cheaply as possible, and convert the reading later | [`Timer::ticks`], [`Timer::nanos`] |
//! | find out which clock is read | [`Timer::clock`] |
//! | relate a reading to the time of day | [`Timer::wall`] |
//!
//! # Features
//!
//! * `tsc` adds `Clock::Tsc`, the processor's counter. The feature alone changes nothing: the
//!   default stays [`Clock::System`], and a program chooses `Clock::Tsc` in code.
//!
//! # Environment variables
//!
//! None.
//!
//! # Cost
//!
//! Reading [`Clock::System`] takes 25 ns, reading `Clock::Tsc` 9.5 ns, on a virtual core of an AMD
//! EPYC (`cargo benches --bench recorded`, with `--features tsc` for the latter). A conversion of
//! ticks is one multiplication. With the feature `tsc`, the counter is calibrated before `main`.

pub mod number;

use std::time::{Instant, SystemTime};

/// The clock of a recording or a measurement.
///
/// ```
/// use hotprobe_clock::Clock;
/// assert_eq!(Clock::default(), Clock::System);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Clock {
    /// The system's monotonic clock, as [`Instant`] reads it. Right everywhere.
    #[default]
    System,
    /// The processor's time stamp counter (feature `tsc`): faster to read than the system's clock.
    ///
    /// It is calibrated before `main`, and it is read without a fence: between threads it may step
    /// back by some tens of nanoseconds. Where the processor has no counter that is the same for
    /// all cores, the system's clock takes its place. [`Timer::clock`] returns the clock that is
    /// used.
    #[cfg(feature = "tsc")]
    Tsc,
}

impl Clock {
    /// Starts a timer at 0.
    #[must_use]
    pub fn start(self) -> Timer {
        let start = Instant::now();
        Timer {
            start,
            start_ticks: number::of_instant(start).unwrap_or(0),
            wall: SystemTime::now(),
            #[cfg(feature = "tsc")]
            tsc: match self {
                Self::System => None,
                Self::Tsc => tsc::Tsc::start(),
            },
        }
    }
}

/// A started clock, which [`Clock::start`] returns.
///
/// ```
/// use hotprobe_clock::Clock;
///
/// let timer = Clock::System.start();
/// let (begin, end) = (timer.ticks(), timer.ticks());
/// assert!(timer.nanos(begin) <= timer.nanos(end));
/// assert_eq!(timer.clock(), Clock::System);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Timer {
    start: Instant,
    /// The system clock's ticks at the start.
    start_ticks: u64,
    wall: SystemTime,
    #[cfg(feature = "tsc")]
    tsc: Option<tsc::Tsc>,
}

impl Timer {
    /// Returns the clock that this timer reads: [`Clock::System`] if the processor has no usable
    /// counter.
    #[must_use]
    pub const fn clock(&self) -> Clock {
        #[cfg(feature = "tsc")]
        if self.tsc.is_some() {
            return Clock::Tsc;
        }
        Clock::System
    }

    /// Returns the time of day at which the timer started.
    #[must_use]
    pub const fn wall(&self) -> SystemTime {
        self.wall
    }

    /// Returns whether it reads the processor's counter.
    #[must_use]
    pub const fn is_tsc(&self) -> bool {
        !matches!(self.clock(), Clock::System)
    }

    /// Reads the clock, in the unit that is cheapest to read. [`nanos`](Self::nanos) converts the
    /// reading.
    #[must_use]
    pub fn ticks(&self) -> u64 {
        if self.is_tsc() {
            self.ticks_of::<true>()
        } else {
            self.ticks_of::<false>()
        }
    }

    /// Does the same as [`ticks`](Self::ticks), for callers that know which clock it is. Code for
    /// only one of the clocks saves fewer registers.
    #[must_use]
    #[inline(always)]
    pub fn ticks_of<const TSC: bool>(&self) -> u64 {
        #[cfg(feature = "tsc")]
        if TSC {
            return tsc::ticks();
        }
        let now = Instant::now();
        // Nanoseconds since the system's own start: `elapsed` compares and subtracts, which takes
        // twice as long as the rest. The compiler drops the case that does not apply.
        #[allow(clippy::cast_possible_truncation, reason = "64 bits hold 584 years")]
        number::of_instant(now)
            .unwrap_or_else(|| now.saturating_duration_since(self.start).as_nanos() as u64)
    }

    /// Converts a reading of this timer to nanoseconds since the start. Recordings convert when
    /// records are read, not when they are written.
    #[must_use]
    pub fn nanos(&self, ticks: u64) -> u64 {
        #[cfg(feature = "tsc")]
        if let Some(tsc) = &self.tsc {
            return tsc.nanos(ticks);
        }
        ticks.saturating_sub(self.start_ticks)
    }

    /// Returns the nanoseconds since the start.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.nanos(self.ticks())
    }
}

/// The processor's counter, where it is one clock for all cores. `fastant` calibrates it before
/// `main`.
#[cfg(feature = "tsc")]
mod tsc {
    use crate::number;
    use fastant::Instant;
    use std::time::Duration;

    #[derive(Clone, Copy, Debug)]
    pub(super) struct Tsc {
        start: u64,
        nanos_per_tick: f64,
    }

    impl Tsc {
        pub(super) fn start() -> Option<Self> {
            if !fastant::is_tsc_available() {
                return None;
            }
            // Eleven days: long enough for the quotient to be as exact as `fastant`'s calibration.
            let nanos = 1_000_000_000_000_000;
            #[allow(clippy::cast_precision_loss, reason = "both are below 2^53")]
            let nanos_per_tick =
                nanos as f64 / number::of(Instant::ZERO + Duration::from_nanos(nanos)) as f64;
            Some(Self {
                start: ticks(),
                nanos_per_tick,
            })
        }

        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "exact for a month, and positive"
        )]
        pub(super) fn nanos(&self, ticks: u64) -> u64 {
            (ticks.saturating_sub(self.start) as f64 * self.nanos_per_tick) as u64
        }
    }

    #[inline(always)]
    pub(super) fn ticks() -> u64 {
        // It is available here. Because of the test, the compiler drops the code for the other
        // case.
        if fastant::is_tsc_available() {
            number::of(Instant::now())
        } else {
            0
        }
    }
}

/// The code in README.md compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(test)]
mod tests {
    use super::Clock;
    use std::time::{Duration, Instant};

    #[test]
    fn the_feature_alone_does_not_choose_the_counter() {
        let timer = Clock::default().start();
        assert_eq!(timer.clock(), Clock::System);
        assert!(!timer.is_tsc());
    }

    #[cfg(feature = "tsc")]
    #[test]
    fn a_processor_without_a_counter_falls_back_to_the_system_clock() {
        let timer = Clock::Tsc.start();
        let expected = if fastant::is_tsc_available() {
            Clock::Tsc
        } else {
            Clock::System
        };
        assert_eq!(timer.clock(), expected);
        assert_eq!(timer.is_tsc(), expected == Clock::Tsc);
    }

    #[test]
    fn a_timer_counts_nanoseconds_from_its_start() {
        let before = Instant::now();
        let timer = Clock::System.start();
        let pause = Duration::from_millis(3);
        std::thread::sleep(pause);
        let elapsed = Duration::from_nanos(timer.now());
        assert!((pause..=before.elapsed()).contains(&elapsed), "{elapsed:?}");
        assert_eq!(timer.nanos(0), 0);
    }

    #[test]
    fn readings_never_step_back_on_one_thread() {
        let timer = Clock::default().start();
        let first = timer.ticks();
        let second = timer.ticks();
        assert!(first <= second && timer.nanos(first) <= timer.nanos(second));
    }
}
