//! Hashes of keys and labels: fast, and seeded, so that nobody from outside can choose what meets.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};

/// What a table's hashes start from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seed(u64);

impl Seed {
    pub(crate) fn new() -> Self {
        Self(RandomState::new().hash_one(0_u8))
    }

    #[inline]
    pub(crate) fn of<T: Hash + ?Sized>(self, value: &T) -> u64 {
        let mut hasher = Fold(self.0);
        value.hash(&mut hasher);
        hasher.finish()
    }
}

/// Multiplies, and folds the upper half onto the lower.
struct Fold(u64);

const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the halves")]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}

impl Hasher for Fold {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut words = bytes.chunks_exact(8);
        for word in &mut words {
            let mut eight = [0; 8];
            eight.copy_from_slice(word);
            self.write_u64(u64::from_le_bytes(eight));
        }
        let mut last = 0;
        for &byte in words.remainder() {
            last = last << 8 | u64::from(byte);
        }
        // With its length: "a" and "a\0" have different hashes.
        self.write_u64(last ^ (bytes.len() as u64) << 56);
    }

    #[inline]
    fn write_u8(&mut self, value: u8) {
        self.write_u64(value.into());
    }

    #[inline]
    fn write_u32(&mut self, value: u32) {
        self.write_u64(value.into());
    }

    #[inline]
    fn write_u64(&mut self, value: u64) {
        self.0 = fold(self.0 ^ value, ODD);
    }

    #[inline]
    #[allow(clippy::cast_possible_truncation, reason = "the halves")]
    fn write_u128(&mut self, value: u128) {
        self.write_u64(value as u64);
        self.write_u64((value >> 64) as u64);
    }

    #[inline]
    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }

    #[inline]
    fn finish(&self) -> u64 {
        fold(self.0, ODD)
    }
}
