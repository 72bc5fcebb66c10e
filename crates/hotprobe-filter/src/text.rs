//! Tests of texts that are seen piece by piece, so that what a `Debug` writes needs no memory.

use hotprobe::__private::{Written, write_user_text};
use hotprobe::Value;
use std::cmp::Ordering;

/// What reads a text, a piece after the other.
pub(crate) trait Reader {
    fn read(&mut self, piece: &[u8]);
}

/// Passes the text of a value to the reader: a text, a character, bytes, or what its `Debug` or
/// `Display` writes. Returns whether there was a text, and whether it was read whole.
#[inline]
pub(crate) fn read(value: Value<'_>, reader: &mut dyn Reader) -> bool {
    match value {
        Value::Str(text) => reader.read(text.as_bytes()),
        Value::Bytes(bytes) => reader.read(bytes),
        Value::Char(character) => reader.read(character.encode_utf8(&mut [0; 4]).as_bytes()),
        Value::Debug(value) => return read_user(format_args!("{value:?}"), reader),
        Value::Display(value) => return read_user(format_args!("{value}"), reader),
        _ => return false,
    }
    true
}

fn read_user(text: std::fmt::Arguments<'_>, reader: &mut dyn Reader) -> bool {
    let mut put = |piece: &str| reader.read(piece.as_bytes());
    write_user_text(text, crate::MAX_TEXT_BYTES, &mut put) == Written::Whole
}

/// Compares the text with another one.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    rest: &'a [u8],
    decided: Ordering,
}

impl<'a> Comparison<'a> {
    pub(crate) const fn with(other: &'a [u8]) -> Self {
        Self {
            rest: other,
            decided: Ordering::Equal,
        }
    }

    /// Returns how the text that was read compares with the other one.
    pub(crate) const fn result(&self) -> Ordering {
        match self.decided {
            Ordering::Equal if !self.rest.is_empty() => Ordering::Less,
            decided => decided,
        }
    }
}

impl Reader for Comparison<'_> {
    fn read(&mut self, piece: &[u8]) {
        if self.decided.is_ne() {
            return;
        }
        let common = piece.len().min(self.rest.len());
        let (compared, rest) = self.rest.split_at(common);
        self.rest = rest;
        self.decided = match piece[..common].cmp(compared) {
            Ordering::Equal if piece.len() > common => Ordering::Greater,
            decided => decided,
        };
    }
}

/// Counts the bytes of the text.
#[derive(Debug, Default)]
pub(crate) struct Length(pub(crate) usize);

impl Reader for Length {
    fn read(&mut self, piece: &[u8]) {
        self.0 += piece.len();
    }
}

/// A text to look for, by Knuth, Morris and Pratt: each byte is read once.
#[derive(Debug)]
pub(crate) struct Needle {
    text: Box<[u8]>,
    /// Of each prefix, the longest shorter prefix that it ends with.
    shorter: Box<[usize]>,
}

impl Needle {
    pub(crate) fn new(text: &str) -> Self {
        let text: Box<[u8]> = text.as_bytes().into();
        let mut shorter = vec![0; text.len()];
        let mut len = 0;
        for index in 1..text.len() {
            while len > 0 && text[index] != text[len] {
                len = shorter[len - 1];
            }
            len += usize::from(text[index] == text[len]);
            shorter[index] = len;
        }
        Self {
            text,
            shorter: shorter.into(),
        }
    }

    /// Returns how much of it is at the end after another byte, if `len` were before.
    fn next(&self, mut len: usize, byte: u8) -> usize {
        loop {
            if self.text.get(len) == Some(&byte) {
                return len + 1;
            }
            if len == 0 {
                return 0;
            }
            len = self.shorter[len - 1];
        }
    }
}

/// Finds texts one after the other, which do not overlap.
///
/// The last one may have to be at the end, and the first one at the beginning: then it has no `*`
/// before it.
#[derive(Debug)]
pub(crate) struct Pattern {
    /// What the text begins with.
    prefix: Box<[u8]>,
    /// What is found after that.
    needles: Box<[Needle]>,
    /// What it ends with. None if the prefix is all of it.
    suffix: Option<Needle>,
}

impl Pattern {
    /// Compiles a pattern in which `*` matches any text.
    pub(crate) fn glob(pattern: &str) -> Self {
        let mut parts = pattern.split('*');
        let prefix = parts.next().unwrap_or_default();
        let suffix = parts.next_back();
        Self {
            prefix: prefix.as_bytes().into(),
            needles: parts
                .filter(|part| !part.is_empty())
                .map(Needle::new)
                .collect(),
            suffix: suffix.map(Needle::new),
        }
    }

    /// Compiles `*text*`.
    pub(crate) fn containing(text: &str) -> Self {
        Self {
            prefix: Box::default(),
            needles: (!text.is_empty())
                .then(|| Needle::new(text))
                .into_iter()
                .collect(),
            suffix: Some(Needle::new("")),
        }
    }

    pub(crate) const fn matching(&self) -> Matching<'_> {
        Matching {
            pattern: self,
            begun: 0,
            failed: false,
            found: 0,
            len: 0,
        }
    }
}

/// How far a text matches a pattern.
#[derive(Debug)]
pub(crate) struct Matching<'a> {
    pattern: &'a Pattern,
    /// How many bytes of the prefix were read.
    begun: usize,
    failed: bool,
    /// How many needles were found.
    found: usize,
    /// How much of the next needle, or of the suffix, is at the end.
    len: usize,
}

impl Matching<'_> {
    pub(crate) fn result(&self) -> bool {
        let ends = |suffix: &Needle| self.len == suffix.text.len();
        !self.failed
            && self.begun == self.pattern.prefix.len()
            && self.found == self.pattern.needles.len()
            && self.pattern.suffix.as_ref().is_none_or(ends)
    }
}

impl Reader for Matching<'_> {
    fn read(&mut self, piece: &[u8]) {
        if self.failed {
            return;
        }
        let wanted = &self.pattern.prefix[self.begun..];
        let common = wanted.len().min(piece.len());
        let (beginning, mut rest) = piece.split_at(common);
        self.begun += common;
        self.failed = beginning != &wanted[..common];
        while let Some(needle) = self.pattern.needles.get(self.found) {
            let Some((&byte, after)) = rest.split_first() else {
                return;
            };
            rest = after;
            self.len = needle.next(self.len, byte);
            if self.len == needle.text.len() {
                self.found += 1;
                self.len = 0;
            }
        }
        let Some(suffix) = &self.pattern.suffix else {
            self.failed |= !rest.is_empty();
            return;
        };
        // Only the last bytes can be the suffix.
        let skipped = rest.len().saturating_sub(suffix.text.len());
        for &byte in &rest[skipped..] {
            self.len = suffix.next(self.len, byte);
        }
    }
}

/// FNV-1a of 64 bits: simple enough to be the same in every language.
#[derive(Debug)]
pub(crate) struct Fnv(u64);

impl Fnv {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    pub(crate) const fn result(&self) -> u64 {
        self.0
    }

    /// Hashes the value's text; returns false if it has none.
    pub(crate) fn value(&mut self, value: Value<'_>) -> bool {
        match value {
            Value::U64(value) => self.integer(false, value.into()),
            Value::I64(value) => self.integer(value < 0, value.unsigned_abs().into()),
            Value::U128(value) => self.integer(false, value),
            Value::I128(value) => self.integer(value < 0, value.unsigned_abs()),
            Value::Bool(value) => self.read(if value { b"true" } else { b"false" }),
            Value::F32(value) if !value.is_nan() => {
                return read_user(format_args!("{value}"), self);
            }
            Value::F64(value) if !value.is_nan() => {
                return read_user(format_args!("{value}"), self);
            }
            value => return read(value, self),
        }
        true
    }

    fn integer(&mut self, negative: bool, mut magnitude: u128) {
        let mut digits = Digits::default();
        // Divisions of 128 bits are slow: few numbers need one, and none more than two.
        while u64::try_from(magnitude).is_err() {
            #[allow(clippy::cast_possible_truncation, reason = "19 digits")]
            let low = (magnitude % TEN_TO_THE_19) as u64;
            digits.push(low, 19);
            magnitude /= TEN_TO_THE_19;
        }
        #[allow(clippy::cast_possible_truncation, reason = "it fits")]
        digits.push(magnitude as u64, 1);
        if negative {
            self.read(b"-");
        }
        self.read(digits.text());
    }
}

const TEN_TO_THE_19: u128 = 10_u128.pow(19);

/// The decimal digits of an integer, filled from the end.
struct Digits {
    digits: [u8; 40],
    first: usize,
}

impl Default for Digits {
    #[inline]
    fn default() -> Self {
        Self {
            digits: [b'0'; 40],
            first: 40,
        }
    }
}

impl Digits {
    /// Puts this number before the others, filled up to `at_least` digits.
    #[inline]
    fn push(&mut self, mut number: u64, at_least: usize) {
        let end = self.first - at_least;
        while number > 0 || self.first > end {
            #[allow(clippy::cast_possible_truncation, reason = "a digit")]
            let digit = (number % 10) as u8;
            self.first -= 1;
            self.digits[self.first] = b'0' + digit;
            number /= 10;
        }
    }

    fn text(&self) -> &[u8] {
        &self.digits[self.first..]
    }
}

impl Reader for Fnv {
    fn read(&mut self, piece: &[u8]) {
        for &byte in piece {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fnv_is_that_of_its_authors() {
        fn of(value: Value<'_>) -> u64 {
            let mut hash = Fnv::new();
            assert!(hash.value(value));
            hash.result()
        }
        assert_eq!(of(Value::Str("")), 0xcbf2_9ce4_8422_2325);
        assert_eq!(of(Value::Str("a")), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(of(Value::Str("foobar")), 0x8594_4171_f739_67e8);
        assert_eq!(of(Value::U64(0)), of(Value::Str("0")));
        assert_eq!(
            of(Value::I64(i64::MIN)),
            of(Value::Str(&i64::MIN.to_string()))
        );
        // Around the lengths where numbers are divided.
        for power in 0..=38 {
            for near in [
                10_u128.pow(power) - 1,
                10_u128.pow(power),
                10_u128.pow(power) + 1,
            ] {
                assert_eq!(of(Value::U128(near)), of(Value::Str(&near.to_string())));
            }
        }
        for near in [u128::from(u64::MAX), u128::from(u64::MAX) + 1] {
            assert_eq!(of(Value::U128(near)), of(Value::Str(&near.to_string())));
        }
        assert_eq!(
            of(Value::U128(u128::MAX)),
            of(Value::Str(&u128::MAX.to_string()))
        );
        assert_eq!(of(Value::F32(0.1)), of(Value::Str("0.1")));
    }

    /// What is read in pieces, each of these many bytes.
    fn pieces(text: &[u8], lengths: &[usize], reader: &mut dyn Reader) {
        let mut rest = text;
        for length in lengths {
            let (piece, after) = rest.split_at((*length).min(rest.len()));
            reader.read(piece);
            rest = after;
        }
        reader.read(rest);
    }

    /// A pattern's parts, tried in every way.
    fn reference(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| reference(rest, &text[at..])),
            Some((byte, rest)) => text.first() == Some(byte) && reference(rest, &text[1..]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn texts_in_pieces_are_matched_compared_and_hashed_as_whole_ones(
            text in "[ab]{0,9}",
            pattern in "[ab*]{0,6}",
            lengths in proptest::collection::vec(0_usize..4, 0..6),
        ) {
            let (bytes, other) = (text.as_bytes(), pattern.as_bytes());
            let glob = Pattern::glob(&pattern);
            let mut matching = glob.matching();
            pieces(bytes, &lengths, &mut matching);
            prop_assert_eq!(matching.result(), reference(other, bytes));
            let containing = Pattern::containing(&pattern);
            let mut matching = containing.matching();
            pieces(bytes, &lengths, &mut matching);
            prop_assert_eq!(matching.result(), text.contains(&pattern));
            let mut comparison = Comparison::with(other);
            pieces(bytes, &lengths, &mut comparison);
            prop_assert_eq!(comparison.result(), bytes.cmp(other));
            let mut hash = Fnv::new();
            pieces(bytes, &lengths, &mut hash);
            let mut whole = Fnv::new();
            whole.read(bytes);
            prop_assert_eq!(hash.result(), whole.result());
        }
    }
}
