//! A condition as it is evaluated: parameters by index, texts compiled.

use crate::expression::Operator;
use crate::number::Number;
use crate::text::{Comparison, Fnv, Length, Pattern, read};
use hotprobe::Value;
use std::time::Duration;

/// A condition that is bound to the parameters of an event. Returned by
/// [`Condition::bind`](crate::Condition::bind).
///
/// ```
/// use hotprobe::Value;
/// use hotprobe_filter::Condition;
/// hotprobe::event! { static REQUEST_DONE: fn(route: &str, status: u16); }
///
/// let bound = Condition::parse("status >= 500")?.bind(REQUEST_DONE.metadata())?;
/// assert!(bound.matches(&[Value::Str("/orders"), Value::U64(503)]));
/// assert!(!bound.matches(&[Value::Str("/orders"), Value::U64(200)]));
/// # Ok::<(), hotprobe_filter::FilterError>(())
/// ```
///
/// # Cost
/// `matches` neither allocates nor locks. It stops at the first part that decides. A comparison
/// with a number or a text takes some nanoseconds. A value of a type without a kind of its own
/// ([`Value::Debug`], [`Value::Display`]) is formatted each time that a text is compared with it; a
/// panic in its implementation is caught.
#[derive(Debug)]
pub struct Bound {
    root: Check,
}

impl Bound {
    pub(crate) const fn new(root: Check) -> Self {
        Self { root }
    }

    /// Returns whether these values of a firing meet the condition. They are in the order of the
    /// event's parameters; a value that is missing makes its comparison false, as does `elapsed`.
    #[inline]
    #[must_use]
    pub fn matches(&self, values: &[Value<'_>]) -> bool {
        self.root.holds(values, None)
    }

    /// Returns whether these values meet the condition, for a span that took this long.
    #[inline]
    #[must_use]
    pub fn matches_elapsed(&self, values: &[Value<'_>], elapsed: Duration) -> bool {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.root.holds(values, Some(nanoseconds))
    }
}

/// A part of a bound condition.
#[derive(Debug)]
pub(crate) enum Check {
    Any(Box<[Check]>),
    All(Box<[Check]>),
    Not(Box<Check>),
    Flag {
        index: usize,
        wanted: bool,
    },
    Number {
        index: usize,
        operator: Operator,
        number: Number,
    },
    Text {
        index: usize,
        operator: Operator,
        text: Box<str>,
    },
    Pattern {
        index: usize,
        pattern: Pattern,
    },
    Length {
        index: usize,
        operator: Operator,
        number: Number,
    },
    Elapsed {
        operator: Operator,
        nanoseconds: u64,
    },
    Sample {
        index: usize,
        take: u64,
        of: u64,
    },
}

impl Check {
    #[inline]
    fn holds(&self, values: &[Value<'_>], elapsed: Option<u64>) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds_nested(values, elapsed)),
            Self::All(parts) => parts.iter().all(|part| part.holds_nested(values, elapsed)),
            Self::Not(part) => !part.holds_nested(values, elapsed),
            Self::Elapsed {
                operator,
                nanoseconds,
            } => elapsed.is_some_and(|elapsed| operator.accepts(elapsed.cmp(nanoseconds))),
            Self::Flag { index, .. }
            | Self::Number { index, .. }
            | Self::Text { index, .. }
            | Self::Pattern { index, .. }
            | Self::Length { index, .. }
            | Self::Sample { index, .. } => {
                values.get(*index).is_some_and(|&value| self.accepts(value))
            }
        }
    }

    /// The same. (Of its own, so that the parts of the outermost level are inlined.)
    fn holds_nested(&self, values: &[Value<'_>], elapsed: Option<u64>) -> bool {
        self.holds(values, elapsed)
    }

    #[inline]
    fn accepts(&self, value: Value<'_>) -> bool {
        match self {
            Self::Flag { wanted, .. } => matches!(value, Value::Bool(flag) if flag == *wanted),
            Self::Number {
                operator, number, ..
            } => number
                .compared(value)
                .is_some_and(|ordering| operator.accepts(ordering)),
            Self::Text { operator, text, .. } => text_is(value, *operator, text),
            Self::Pattern { pattern, .. } => {
                let mut matching = pattern.matching();
                read(value, &mut matching) && matching.result()
            }
            Self::Length {
                operator, number, ..
            } => length(value)
                .and_then(|length| number.compared_with_length(length))
                .is_some_and(|ordering| operator.accepts(ordering)),
            Self::Sample { take, of, .. } => {
                let mut hash = Fnv::new();
                hash.value(value) && hash.result() % of < *take
            }
            Self::Any(_) | Self::All(_) | Self::Not(_) | Self::Elapsed { .. } => false,
        }
    }
}

#[inline]
fn text_is(value: Value<'_>, operator: Operator, text: &str) -> bool {
    if let Value::Str(value) = value {
        return match operator {
            Operator::Equal => value == text,
            Operator::NotEqual => value != text,
            _ => operator.accepts(value.cmp(text)),
        };
    }
    let mut comparison = Comparison::with(text.as_bytes());
    read(value, &mut comparison) && operator.accepts(comparison.result())
}

/// The length of a text, bytes, or what a `Display` writes. (What a `Debug` writes of a list is no
/// measure of the list.)
fn length(value: Value<'_>) -> Option<usize> {
    match value {
        Value::Str(text) => Some(text.len()),
        Value::Bytes(bytes) => Some(bytes.len()),
        Value::Display(_) => {
            let mut length = Length::default();
            read(value, &mut length).then_some(length.0)
        }
        _ => None,
    }
}

static_assertions::assert_impl_all!(Bound: Send, Sync);
