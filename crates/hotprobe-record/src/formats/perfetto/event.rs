//! The packets of events and their arguments, written by hand: most packets of a trace are those of
//! slices and of what fires inside them, and `prost` would allocate for each. All fields have the
//! order of their numbers, as `prost` writes them. (The most frequent packets are written by
//! `instant.rs`, and those that are rare through `prost`.)

use super::clock::Timestamp;
use super::names::{SEQUENCE, argument};
use super::proto::{SEQ_NEEDS_INCREMENTAL_STATE, Type};
use crate::formats::bytes::hex;
use crate::formats::export::Field;
use std::borrow::Cow;

/// The packet of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventPacket<'a> {
    pub(crate) time: Timestamp,
    pub(crate) kind: Type,
    /// `None`: the default.
    pub(crate) track: Option<u64>,
    pub(crate) category: Option<u64>,
    pub(crate) name: EventName<'a>,
    /// The arguments, as [`put_argument`] writes them.
    pub(crate) arguments: &'a [u8],
    pub(crate) flows: &'a [u64],
    pub(crate) terminating_flows: &'a [u64],
}

/// The name of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EventName<'a> {
    None,
    /// An interned name.
    Interned(u64),
    /// An interned name, and the place in the source that has the same number.
    Located(u64),
    Text(&'a str),
}

/// Keys of fields: the number, and how the value is written.
const fn varint(field: u64) -> u64 {
    field << 3
}
const fn fixed64(field: u64) -> u64 {
    field << 3 | 1
}
const fn bytes(field: u64) -> u64 {
    field << 3 | 2
}

/// A flow: its key has two bytes, its number eight.
const FLOW: usize = 10;

impl EventPacket<'_> {
    /// Appends the packet, as a field of the trace.
    pub(crate) fn put(&self, to: &mut Vec<u8>) {
        let event = self.event_len();
        // Time; sequence; event; flags; clock, whose key has two bytes.
        let time = self.time.number();
        let clock = self.time.clock();
        let clock_len = if clock.is_some() { 3 } else { 0 };
        let packet = 1 + len(time) + 2 + 1 + len(event as u64) + event + 2 + clock_len;
        to.reserve(packet + 11);
        number(to, bytes(1));
        number(to, packet as u64);
        field(to, varint(8), time);
        field(to, varint(10), SEQUENCE.into());
        field(to, bytes(11), event as u64);
        self.put_event(to);
        field(to, varint(13), SEQ_NEEDS_INCREMENTAL_STATE.into());
        if let Some(clock) = clock {
            field(to, varint(58), clock.into());
        }
    }

    fn event_len(&self) -> usize {
        let category = self.category.map_or(0, |category| 1 + len(category));
        let name = match self.name {
            EventName::None => 0,
            EventName::Interned(iid) => 1 + len(iid),
            EventName::Located(iid) => 1 + len(iid) + 2 + len(iid),
            EventName::Text(text) => 2 + len(text.len() as u64) + text.len(),
        };
        let flows = FLOW * (self.flows.len() + self.terminating_flows.len());
        // The type has two bytes.
        let track = self.track.map_or(0, |track| 1 + len(track));
        category + self.arguments.len() + 2 + track + name + flows
    }

    fn put_event(&self, to: &mut Vec<u8>) {
        if let Some(category) = self.category {
            field(to, varint(3), category);
        }
        to.extend_from_slice(self.arguments);
        field(to, varint(9), self.kind as u64);
        if let EventName::Interned(iid) | EventName::Located(iid) = self.name {
            field(to, varint(10), iid);
        }
        if let Some(track) = self.track {
            field(to, varint(11), track);
        }
        match self.name {
            EventName::None | EventName::Interned(_) => {}
            EventName::Located(iid) => field(to, varint(34), iid),
            EventName::Text(text) => put_text(to, bytes(23), text.as_bytes()),
        }
        for (key, flows) in [(47, self.flows), (48, self.terminating_flows)] {
            for flow in flows {
                number(to, fixed64(key));
                to.extend_from_slice(&flow.to_le_bytes());
            }
        }
    }
}

/// Where an argument is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgumentOf {
    Event,
    /// An argument that consists of others.
    Dictionary,
}

impl ArgumentOf {
    fn key(self) -> u64 {
        match self {
            Self::Event => bytes(4),
            Self::Dictionary => bytes(11),
        }
    }
}

/// Appends an argument whose name is interned, and the mark that its value was cut, if it was.
pub(crate) fn put_argument(
    to: &mut Vec<u8>,
    of: ArgumentOf,
    (iid, name): (u64, &str),
    value: &Field<'_>,
) {
    message(to, of.key(), |to| {
        field(to, varint(1), iid);
        put_value(to, value);
    });
    if matches!(
        value,
        Field::Str { cut: true, .. } | Field::Bytes { cut: true, .. }
    ) {
        message(to, of.key(), |to| {
            field(to, varint(2), 1);
            put_text(to, bytes(10), format!("{name} (cut)").as_bytes());
        });
    }
}

/// Appends an argument that consists of those that `put` appends.
pub(crate) fn put_dictionary(to: &mut Vec<u8>, iid: u64, put: impl FnOnce(&mut Vec<u8>)) {
    message(to, ArgumentOf::Event.key(), |to| {
        field(to, varint(1), iid);
        put(to);
    });
}

/// Appends the number of the tokio task.
pub(crate) fn put_task(to: &mut Vec<u8>, task: u64) {
    message(to, ArgumentOf::Event.key(), |to| {
        field(to, varint(1), argument::TASK);
        field(to, varint(3), task);
    });
}

/// An argument that is true, and the only one.
pub(crate) const NO_END: &[u8] = &mark(argument::NO_END);
pub(crate) const NO_BEGIN: &[u8] = &mark(argument::NO_BEGIN);

#[allow(clippy::cast_possible_truncation, reason = "keys of one byte")]
const fn mark(iid: u64) -> [u8; 6] {
    assert!(iid < 128);
    let key = bytes(4) as u8;
    [key, 4, varint(1) as u8, iid as u8, varint(2) as u8, 1]
}

/// Appends a value of an argument. What Perfetto has no type for becomes text.
#[allow(clippy::cast_sign_loss, reason = "that is how it is written")]
fn put_value(to: &mut Vec<u8>, value: &Field<'_>) {
    let mut text = |text: &str| put_text(to, bytes(6), text.as_bytes());
    match *value {
        Field::Bool(value) => field(to, varint(2), value.into()),
        Field::Char(value) => text(&visible(value.encode_utf8(&mut [0; 4]))),
        // (The database's integers are signed.)
        Field::U64(value) if i64::try_from(value).is_err() => text(&value.to_string()),
        Field::U64(value) => field(to, varint(3), value),
        Field::I64(value) => field(to, varint(4), value as u64),
        Field::U128(value) => text(&value.to_string()),
        Field::I128(value) => text(&value.to_string()),
        Field::F32(value) => put_float(to, value.into()),
        Field::F64(value) => put_float(to, value),
        Field::Str { text: value, .. } => text(&visible(value)),
        Field::Bytes { bytes, .. } => text(&hex(bytes)),
        Field::Opaque(type_name) => text(&format!("[{type_name}]")),
        Field::Redacted => text("[redacted]"),
        Field::Absent => text("none"),
        Field::Failed => text("[failed]"),
    }
}

/// In the database that holds the trace, text ends at a null. `␀` is shown for it.
fn visible(text: &str) -> Cow<'_, str> {
    if text.contains('\0') {
        text.replace('\0', "␀").into()
    } else {
        text.into()
    }
}

/// A database that holds the trace has no NaN, and what JSON is made of it no infinity.
fn put_float(to: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        number(to, fixed64(5));
        to.extend_from_slice(&value.to_bits().to_le_bytes());
    } else {
        put_text(to, bytes(6), value.to_string().as_bytes());
    }
}

fn put_text(to: &mut Vec<u8>, key: u64, text: &[u8]) {
    field(to, key, text.len() as u64);
    to.extend_from_slice(text);
}

/// Appends a message: its key, its length, and what `put` appends.
fn message(to: &mut Vec<u8>, key: u64, put: impl FnOnce(&mut Vec<u8>)) {
    number(to, key);
    let at = to.len();
    to.push(0);
    put(to);
    let length = to.len() - at - 1;
    if let Ok(byte @ ..128) = u8::try_from(length) {
        to[at] = byte;
    } else {
        // A length of several bytes: the message makes room for them.
        let mut bytes = Vec::new();
        number(&mut bytes, length as u64);
        drop(to.splice(at..=at, bytes));
    }
}

fn field(to: &mut Vec<u8>, key: u64, value: u64) {
    number(to, key);
    number(to, value);
}

/// Returns how many bytes a number has: seven bits in each.
fn len(number: u64) -> usize {
    (number | 1).ilog2() as usize / 7 + 1
}

/// Appends a number as protobuf does: the lowest seven bits first, and the eighth set in all bytes
/// but the last.
fn number(to: &mut Vec<u8>, mut number: u64) {
    while number >= 128 {
        to.push(number.to_le_bytes()[0] | 128);
        number >>= 7;
    }
    to.push(number.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_prost_writes_it() {
        let around = |bits: u32| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1];
        for value in (0..64).flat_map(around).chain([0, u64::MAX]) {
            let (mut written, mut expected) = (Vec::new(), Vec::new());
            number(&mut written, value);
            prost::encoding::encode_varint(value, &mut expected);
            assert_eq!(written, expected, "{value}");
            assert_eq!(len(value), written.len(), "{value}");
        }
    }
}
