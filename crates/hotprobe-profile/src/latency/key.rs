//! Arguments of dynamic probes as keys of pairs.

use crate::label::ShortText;
use hotprobe::Value;

/// A text that is longer than this is no key: pairs would take any amount of memory.
pub(crate) const KEY_BYTES: usize = 256;

/// The value by which begin and end are paired, while it is borrowed from a firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PairKeyRef<'a> {
    /// An integer of whatever type; the flag: negative.
    Int(bool, u128),
    Bool(bool),
    Char(char),
    Float(u64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// What its `Debug` or `Display` writes.
    Debug(&'a str),
    /// No value: `None`.
    Absent,
}

/// The same, kept.
#[derive(Clone, Debug)]
pub(crate) enum PairKey {
    Int(bool, u128),
    Bool(bool),
    Char(char),
    Float(u64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Debug(Box<str>),
    Absent,
}

impl PairKey {
    #[inline]
    pub(crate) fn borrowed(&self) -> PairKeyRef<'_> {
        match self {
            Self::Int(negative, value) => PairKeyRef::Int(*negative, *value),
            Self::Bool(value) => PairKeyRef::Bool(*value),
            Self::Char(value) => PairKeyRef::Char(*value),
            Self::Float(value) => PairKeyRef::Float(*value),
            Self::Text(text) => PairKeyRef::Text(text),
            Self::Bytes(bytes) => PairKeyRef::Bytes(bytes),
            Self::Debug(text) => PairKeyRef::Debug(text),
            Self::Absent => PairKeyRef::Absent,
        }
    }
}

impl PartialEq for PairKey {
    fn eq(&self, other: &Self) -> bool {
        self.borrowed() == other.borrowed()
    }
}

impl Eq for PairKey {}

impl<'a> PairKeyRef<'a> {
    /// Calls `with` with the key; with none for what cannot be told apart: a text that is too long,
    /// a value that has no `Debug`, or whose `Debug` panics.
    #[inline]
    pub(crate) fn of<R>(value: Value<'a>, with: impl FnOnce(Option<PairKeyRef<'_>>) -> R) -> R {
        let key = match value {
            Value::Bool(value) => PairKeyRef::Bool(value),
            Value::Char(value) => PairKeyRef::Char(value),
            Value::U64(value) => PairKeyRef::Int(false, value.into()),
            Value::I64(value) => PairKeyRef::Int(value < 0, value.unsigned_abs().into()),
            Value::U128(value) => PairKeyRef::Int(false, value),
            Value::I128(value) => PairKeyRef::Int(value < 0, value.unsigned_abs()),
            Value::F32(value) => PairKeyRef::Float(f64::from(value).to_bits()),
            Value::F64(value) => PairKeyRef::Float(value.to_bits()),
            Value::Str(text) if text.len() <= KEY_BYTES => PairKeyRef::Text(text),
            Value::Bytes(bytes) if bytes.len() <= KEY_BYTES => PairKeyRef::Bytes(bytes),
            Value::Debug(_) | Value::Display(_) => {
                let mut text = ShortText::<KEY_BYTES>::new();
                return match text.user(format_args!("{value}")) {
                    Ok(()) => with(Some(PairKeyRef::Debug(text.as_str()))),
                    Err(_) => with(None),
                };
            }
            Value::Absent => PairKeyRef::Absent,
            _ => return with(None),
        };
        with(Some(key))
    }

    pub(crate) fn to_owned(self) -> PairKey {
        match self {
            Self::Int(negative, value) => PairKey::Int(negative, value),
            Self::Bool(value) => PairKey::Bool(value),
            Self::Char(value) => PairKey::Char(value),
            Self::Float(value) => PairKey::Float(value),
            Self::Text(text) => PairKey::Text(text.into()),
            Self::Bytes(bytes) => PairKey::Bytes(bytes.into()),
            Self::Debug(text) => PairKey::Debug(text.into()),
            Self::Absent => PairKey::Absent,
        }
    }
}
