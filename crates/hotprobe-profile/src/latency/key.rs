//! Arguments of dynamic probes as keys of pairs.

use crate::label::Short;
use hotprobe::Value;

/// A text that is longer than this is no key: pairs would take any amount of memory.
pub(crate) const KEY_BYTES: usize = 256;

/// The value by which begin and end are paired, while it is borrowed from a firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum KeyRef<'a> {
    /// An integer of whatever type; the flag: negative.
    Int(bool, u128),
    Bool(bool),
    Char(char),
    Float(u64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// What its `Debug` writes.
    Debug(&'a str),
}

/// The same, kept.
#[derive(Clone, Debug)]
pub(crate) enum Key {
    Int(bool, u128),
    Bool(bool),
    Char(char),
    Float(u64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    Debug(Box<str>),
}

impl Key {
    #[inline]
    pub(crate) fn borrowed(&self) -> KeyRef<'_> {
        match self {
            Self::Int(negative, value) => KeyRef::Int(*negative, *value),
            Self::Bool(value) => KeyRef::Bool(*value),
            Self::Char(value) => KeyRef::Char(*value),
            Self::Float(value) => KeyRef::Float(*value),
            Self::Text(text) => KeyRef::Text(text),
            Self::Bytes(bytes) => KeyRef::Bytes(bytes),
            Self::Debug(text) => KeyRef::Debug(text),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.borrowed() == other.borrowed()
    }
}

impl Eq for Key {}

impl<'a> KeyRef<'a> {
    /// Calls `with` with the key; with none for what cannot be told apart: a text that is too long, a value that has no
    /// `Debug`, or whose `Debug` panics.
    #[inline]
    pub(crate) fn of<R>(value: Value<'a>, with: impl FnOnce(Option<KeyRef<'_>>) -> R) -> R {
        let key = match value {
            Value::Bool(value) => KeyRef::Bool(value),
            Value::Char(value) => KeyRef::Char(value),
            Value::U64(value) => KeyRef::Int(false, value.into()),
            Value::I64(value) => KeyRef::Int(value < 0, value.unsigned_abs().into()),
            Value::U128(value) => KeyRef::Int(false, value),
            Value::I128(value) => KeyRef::Int(value < 0, value.unsigned_abs()),
            Value::F32(value) => KeyRef::Float(f64::from(value).to_bits()),
            Value::F64(value) => KeyRef::Float(value.to_bits()),
            Value::Str(text) if text.len() <= KEY_BYTES => KeyRef::Text(text),
            Value::Bytes(bytes) if bytes.len() <= KEY_BYTES => KeyRef::Bytes(bytes),
            Value::Debug(value) => {
                let mut text = Short::<KEY_BYTES>::new();
                return match text.debug(value) {
                    Ok(()) => with(Some(KeyRef::Debug(text.as_str()))),
                    Err(_) => with(None),
                };
            }
            _ => return with(None),
        };
        with(Some(key))
    }

    pub(crate) fn to_owned(self) -> Key {
        match self {
            Self::Int(negative, value) => Key::Int(negative, value),
            Self::Bool(value) => Key::Bool(value),
            Self::Char(value) => Key::Char(value),
            Self::Float(value) => Key::Float(value),
            Self::Text(text) => Key::Text(text.into()),
            Self::Bytes(bytes) => Key::Bytes(bytes.into()),
            Self::Debug(text) => Key::Debug(text.into()),
        }
    }
}
