//! Reads the number inside a type that shows it only through `Hash`: fastant's `Instant` and
//! tokio's task id.

use std::hash::{Hash, Hasher};

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

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_the_number() {
        assert_eq!(super::of(7_u64), 7);
        #[cfg(feature = "tsc")]
        {
            use fastant::Instant;
            use std::time::Duration;
            assert_eq!(super::of(Instant::ZERO), 0);
            let later = super::of(Instant::ZERO + Duration::from_secs(2));
            assert_eq!(later, 2 * super::of(Instant::ZERO + Duration::from_secs(1)));
            assert!(later > 0);
        }
    }
}
