//! The time of what is recorded and measured: nanoseconds since it started. (For the features; events have none.)

use std::time::{Instant, SystemTime};

/// What a recording, or a measurement, tells the time by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
    wall: SystemTime,
    #[cfg(feature = "tsc")]
    tsc: Option<tsc::Tsc>,
}

impl Clock {
    /// It is 0 now.
    pub(crate) fn start() -> Self {
        Self {
            start: Instant::now(),
            wall: SystemTime::now(),
            #[cfg(feature = "tsc")]
            tsc: tsc::Tsc::start(),
        }
    }

    /// The wall clock at time 0.
    pub(crate) const fn wall(&self) -> SystemTime {
        self.wall
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        #[cfg(feature = "tsc")]
        if let Some(tsc) = &self.tsc {
            return tsc.now();
        }
        #[allow(
            clippy::cast_possible_truncation,
            reason = "it is enough for 584 years"
        )]
        let now = self.start.elapsed().as_nanos() as u64;
        now
    }
}

/// The processor's counter, where it is one clock for all cores. (`fastant` calibrates it before `main`.) It is read
/// without a fence: between threads it may step back by some tens of nanoseconds.
#[cfg(feature = "tsc")]
mod tsc {
    use fastant::{Anchor, Instant};

    #[derive(Clone, Copy)]
    pub(super) struct Tsc {
        anchor: Anchor,
        start: u64,
    }

    impl std::fmt::Debug for Tsc {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Tsc").finish_non_exhaustive()
        }
    }

    impl Tsc {
        pub(super) fn start() -> Option<Self> {
            if !fastant::is_tsc_available() {
                return None;
            }
            let anchor = Anchor::new();
            let start = Instant::now().as_unix_nanos(&anchor);
            Some(Self { anchor, start })
        }

        #[inline(always)]
        pub(super) fn now(&self) -> u64 {
            Instant::now()
                .as_unix_nanos(&self.anchor)
                .saturating_sub(self.start)
        }
    }
}
