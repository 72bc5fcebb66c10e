//! The time of what is recorded and measured: nanoseconds since it started. (For the features; events have none.)

pub mod number;

use std::time::{Instant, SystemTime};

/// What a recording, or a measurement, tells the time by.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Instant,
    wall: SystemTime,
    #[cfg(feature = "tsc")]
    tsc: Option<tsc::Tsc>,
}

impl Clock {
    /// It is 0 now.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
            wall: SystemTime::now(),
            #[cfg(feature = "tsc")]
            tsc: tsc::Tsc::start(),
        }
    }

    /// The wall clock at time 0.
    pub const fn wall(&self) -> SystemTime {
        self.wall
    }

    /// Whether it is the processor's counter.
    #[cfg(feature = "tsc")]
    pub const fn is_tsc(&self) -> bool {
        self.tsc.is_some()
    }

    #[cfg(not(feature = "tsc"))]
    #[allow(clippy::unused_self, reason = "it has one where there is that feature")]
    pub const fn is_tsc(&self) -> bool {
        false
    }

    /// What the clock shows: what is cheapest to read. Later is more.
    pub fn ticks(&self) -> u64 {
        if self.is_tsc() {
            self.ticks_of::<true>()
        } else {
            self.ticks_of::<false>()
        }
    }

    /// The same for those who know which it is. (Code that has only one of the two has fewer registers to save.)
    #[inline(always)]
    pub fn ticks_of<const TSC: bool>(&self) -> u64 {
        #[cfg(feature = "tsc")]
        if TSC {
            return tsc::ticks();
        }
        #[allow(
            clippy::cast_possible_truncation,
            reason = "it is enough for 584 years"
        )]
        let ticks = self.start.elapsed().as_nanos() as u64;
        ticks
    }

    /// Nanoseconds since it started. Done when records are read, and not when they are written.
    #[cfg_attr(
        not(feature = "tsc"),
        allow(
            clippy::unused_self,
            reason = "it has a use where there is that feature"
        )
    )]
    pub fn nanos(&self, ticks: u64) -> u64 {
        #[cfg(feature = "tsc")]
        if let Some(tsc) = &self.tsc {
            return tsc.nanos(ticks);
        }
        ticks
    }

    /// The time now.
    pub fn now(&self) -> u64 {
        self.nanos(self.ticks())
    }
}

/// The processor's counter, where it is one clock for all cores. (`fastant` calibrates it before `main`.) It is read
/// without a fence: between threads it may step back by some tens of nanoseconds.
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
            // Long, so that the quotient is as good as `fastant` knows it; ten days.
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
        // (It is. But so the compiler knows it, too, and leaves out what is done where it is not.)
        if fastant::is_tsc_available() {
            number::of(Instant::now())
        } else {
            0
        }
    }
}
