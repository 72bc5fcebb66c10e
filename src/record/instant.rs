//! The packet that each record becomes in a Perfetto trace, written byte by byte, since it is what most of a trace
//! consists of: nothing is allocated for it, but for values that become text only here. It is what `prost` makes of the
//! same [`TracePacket`](super::proto::TracePacket), to the byte (tested); all other packets go through `prost`.

use super::export::{Field, Record};
use super::perfetto::{argument, value};
use super::proto::{SEQ_NEEDS_INCREMENTAL_STATE, Type};
use prost::encoding::{WireType, encode_key, encode_varint};

/// Where and how a record is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instant<'a> {
    pub(crate) category: u64,
    pub(crate) track: u64,
    /// An argument beside its own.
    pub(crate) task: Option<u64>,
    pub(crate) flows: &'a [u64],
    pub(crate) terminating_flows: &'a [u64],
}

/// Kept, so that it has to grow only at first.
#[derive(Debug, Default)]
pub(crate) struct Packets {
    packet: Vec<u8>,
    event: Vec<u8>,
    annotation: Vec<u8>,
}

impl Packets {
    /// The packet, as a field of the trace. `parameters`: the numbers of their names, and the names.
    pub(crate) fn instant(
        &mut self,
        instant: &Instant<'_>,
        record: &Record<'_>,
        parameters: &[(u64, &str)],
    ) -> &[u8] {
        let event = &mut self.event;
        event.clear();
        number(event, 3, instant.category);
        for (&(iid, name), field) in parameters.iter().zip(record.values) {
            self.annotation.clear();
            number(&mut self.annotation, 1, iid);
            put_value(&mut self.annotation, field);
            bytes(event, 4, &self.annotation);
            if matches!(
                field,
                Field::Str { cut: true, .. } | Field::Bytes { cut: true, .. }
            ) {
                self.annotation.clear();
                number(&mut self.annotation, 2, true.into());
                bytes(
                    &mut self.annotation,
                    10,
                    super::perfetto::cut(name).as_bytes(),
                );
                bytes(event, 4, &self.annotation);
            }
        }
        if let Some(task) = instant.task {
            self.annotation.clear();
            number(&mut self.annotation, 1, argument::TASK);
            number(&mut self.annotation, 3, task);
            bytes(event, 4, &self.annotation);
        }
        number(event, 9, Type::Instant as u64);
        number(event, 10, record.event as u64 + 1);
        number(event, 11, instant.track);
        number(event, 34, record.event as u64 + 1);
        for (tag, flows) in [(47, instant.flows), (48, instant.terminating_flows)] {
            for flow in flows {
                encode_key(tag, WireType::SixtyFourBit, event);
                event.extend_from_slice(&flow.to_le_bytes());
            }
        }

        // The annotation's buffer serves for the packet's inside.
        let inside = &mut self.annotation;
        inside.clear();
        number(inside, 8, record.time);
        number(inside, 10, super::perfetto::SEQUENCE.into());
        bytes(inside, 11, event);
        number(inside, 13, SEQ_NEEDS_INCREMENTAL_STATE.into());
        self.packet.clear();
        bytes(&mut self.packet, 1, inside);
        &self.packet
    }
}

fn number(to: &mut Vec<u8>, tag: u32, number: u64) {
    encode_key(tag, WireType::Varint, to);
    encode_varint(number, to);
}

fn bytes(to: &mut Vec<u8>, tag: u32, bytes: &[u8]) {
    encode_key(tag, WireType::LengthDelimited, to);
    encode_varint(bytes.len() as u64, to);
    to.extend_from_slice(bytes);
}

fn put_value(to: &mut Vec<u8>, field: &Field<'_>) {
    match *field {
        Field::Str { text, .. } if !text.contains('\0') => bytes(to, 6, text.as_bytes()),
        _ => value(field).encode(to),
    }
}
