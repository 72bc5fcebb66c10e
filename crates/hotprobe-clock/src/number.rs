//! Reads the number inside a type that shows it only through `Hash`: the `Instant`s of std and of
//! fastant, and tokio's task id.

use std::hash::{Hash, Hasher};
use std::time::Instant;

/// Returns the number that the value hashes.
///
/// ```
/// assert_eq!(hotprobe_clock::number::of(std::num::Wrapping(7_u64)), 7);
/// ```
#[inline(always)]
pub fn of(value: impl Hash) -> u64 {
    let mut number = Number(0);
    value.hash(&mut number);
    number.0
}

struct Number(u64);

impl Hasher for Number {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0 << 8 | u64::from(byte);
        }
    }

    #[inline(always)]
    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// Returns the nanoseconds of an instant of the standard library, counted from a moment that is the
/// same for all instants of a process. None if it does not consist of seconds and nanoseconds,
/// which the compiler knows.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// let now = Instant::now();
/// let later = now + Duration::from_micros(3);
/// let of = |instant| hotprobe_clock::number::of_instant(instant);
/// if let (Some(now), Some(later)) = (of(now), of(later)) {
///     assert_eq!(later - now, 3000);
/// }
/// ```
#[inline(always)]
#[must_use]
pub fn of_instant(instant: Instant) -> Option<u64> {
    let mut time = SecondsAndNanos::Nothing;
    instant.hash(&mut time);
    match time {
        SecondsAndNanos::Both(seconds, nanos) => Some(
            seconds
                .wrapping_mul(1_000_000_000)
                .wrapping_add(nanos.into()),
        ),
        _ => None,
    }
}

/// What an instant has hashed so far.
enum SecondsAndNanos {
    Nothing,
    Seconds(u64),
    Both(u64, u32),
    Other,
}

impl Hasher for SecondsAndNanos {
    #[inline(always)]
    fn write(&mut self, _: &[u8]) {
        *self = Self::Other;
    }

    #[inline(always)]
    fn write_u64(&mut self, seconds: u64) {
        *self = match *self {
            Self::Nothing => Self::Seconds(seconds),
            _ => Self::Other,
        };
    }

    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "clocks start at 0 or later")]
    fn write_i64(&mut self, seconds: i64) {
        self.write_u64(seconds as u64);
    }

    #[inline(always)]
    fn write_u32(&mut self, nanos: u32) {
        *self = match *self {
            Self::Seconds(seconds) => Self::Both(seconds, nanos),
            _ => Self::Other,
        };
    }

    fn finish(&self) -> u64 {
        0
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    #[test]
    fn instants_differ_by_the_nanoseconds_between_them() {
        let now = Instant::now();
        let start = super::of_instant(now);
        // Elsewhere, the clock uses `elapsed`.
        assert!(start.is_some() || !cfg!(target_os = "linux"));
        let Some(start) = start else { return };
        for nanos in [1, 999_999_999, 1_000_000_000, 86_400_000_000_001] {
            let later = super::of_instant(now + Duration::from_nanos(nanos));
            assert_eq!(later, Some(start + nanos));
        }
    }

    #[test]
    fn it_is_the_number() {
        assert_eq!(super::of(7_u64), 7);
        #[cfg(feature = "tsc")]
        {
            use fastant::Instant;
            assert_eq!(super::of(Instant::ZERO), 0);
            let later = super::of(Instant::ZERO + Duration::from_secs(2));
            assert_eq!(later, 2 * super::of(Instant::ZERO + Duration::from_secs(1)));
            assert!(later > 0);
        }
    }
}
