//! Numbers of any type, compared by value.

use hotprobe::Value;
use std::cmp::Ordering;
use std::fmt;

/// A number of a condition.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Number {
    Integer(Integer),
    /// Finite.
    Float(f64),
}

/// An integer that any integer type can hold. Zero is not negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Integer {
    negative: bool,
    magnitude: u128,
}

impl Integer {
    pub(crate) const fn new(negative: bool, magnitude: u128) -> Self {
        Self {
            negative: negative && magnitude != 0,
            magnitude,
        }
    }

    #[inline]
    fn compare(self, other: Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.magnitude.cmp(&other.magnitude),
            (true, true) => other.magnitude.cmp(&self.magnitude),
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
        }
    }

    /// Compares with a float, exactly: neither is rounded. `None` for NaN.
    fn compare_with_float(self, float: f64) -> Option<Ordering> {
        /// 2^128: no magnitude is that large.
        const BEYOND: f64 = 340_282_366_920_938_463_463_374_607_431_768_211_456.0;
        if float.is_nan() {
            return None;
        }
        if float >= BEYOND {
            return Some(Ordering::Less);
        }
        if float <= -BEYOND {
            return Some(Ordering::Greater);
        }
        let whole = float.trunc();
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is whole, not negative, and less than 2^128"
        )]
        let magnitude = whole.abs() as u128;
        let rest = float - whole;
        // `total_cmp` would distinguish the zeros.
        let by_rest = 0.0.partial_cmp(&rest);
        match self.compare(Self::new(float < 0.0, magnitude)) {
            Ordering::Equal => by_rest,
            different => Some(different),
        }
    }
}

impl Number {
    /// Compares a value with this number; `None` if the value is no number, or NaN.
    ///
    /// A 32-bit float is compared with the 32-bit float nearest to a number that has a decimal
    /// point, as Rust would: `ratio == 0.1` holds for `0.1_f32`.
    #[inline]
    pub(crate) fn compared(self, value: Value<'_>) -> Option<Ordering> {
        let integer = match value {
            Value::U64(value) => Integer::new(false, value.into()),
            Value::I64(value) => Integer::new(value < 0, value.unsigned_abs().into()),
            Value::U128(value) => Integer::new(false, value),
            Value::I128(value) => Integer::new(value < 0, value.unsigned_abs()),
            Value::F32(value) => return self.compared_with_f32(value),
            Value::F64(value) => return self.compared_with_f64(value),
            _ => return None,
        };
        match self {
            Self::Integer(number) => Some(integer.compare(number)),
            Self::Float(number) => integer.compare_with_float(number),
        }
    }

    /// Compares the length of a text with this number.
    pub(crate) fn compared_with_length(self, length: usize) -> Option<Ordering> {
        #[allow(clippy::cast_lossless, reason = "`usize` is at most 64 bits wide")]
        self.compared(Value::U64(length as u64))
    }

    fn compared_with_f32(self, value: f32) -> Option<Ordering> {
        match self {
            #[allow(clippy::cast_possible_truncation, reason = "rounded, as documented")]
            Self::Float(number) => value.partial_cmp(&(number as f32)),
            Self::Integer(_) => self.compared_with_f64(value.into()),
        }
    }

    fn compared_with_f64(self, value: f64) -> Option<Ordering> {
        match self {
            Self::Float(number) => value.partial_cmp(&number),
            Self::Integer(number) => number.compare_with_float(value).map(Ordering::reverse),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(Integer {
                negative,
                magnitude,
            }) => {
                let sign = if *negative { "-" } else { "" };
                write!(f, "{sign}{magnitude}")
            }
            // With a decimal point or an exponent, and read back as the same number.
            Self::Float(number) => write!(f, "{number:?}"),
        }
    }
}
