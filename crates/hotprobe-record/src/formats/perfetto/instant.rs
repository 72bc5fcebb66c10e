//! The packet that a record becomes in a Perfetto trace. Most of a trace consists of these, and
//! they are written while the recorded program runs. So records of frequent kinds are put together
//! here, eight bytes at a time, from what is the same for all firings of an event and from the
//! record's own numbers. All others are written by `event.rs`. `prost` reads the same from both
//! (tested).

use super::clock::Timestamp;
use super::names::{SEQUENCE, argument};
use super::proto::Type;
use crate::formats::export::Field;

/// The instants of one event: what is known of them before any is fired.
#[derive(Debug)]
pub(crate) struct Instants {
    /// Type and name.
    fixed: Piece,
    /// By parameter: the annotation's beginning, up to the key of the value.
    annotations: Vec<Piece>,
}

/// When and where an instant is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InstantPlace {
    pub(crate) time: Timestamp,
    pub(crate) category: u64,
    /// `None`: the default.
    pub(crate) track: Option<u64>,
    /// An argument beside its own.
    pub(crate) task: Option<u64>,
}

/// Up to eight bytes of a packet, the first lowest.
#[derive(Clone, Copy, Debug, Default)]
struct Piece {
    word: u64,
    len: usize,
}

/// Keys of fields: the tag, and how it is written.
const fn varint(tag: u64) -> u64 {
    tag << 3
}
const fn fixed64(tag: u64) -> u64 {
    tag << 3 | 1
}
const fn bytes(tag: u64) -> u64 {
    tag << 3 | 2
}

/// More than what an instant takes without its annotations, and more than an annotation does, a
/// text aside.
const AROUND: usize = 96;
const ANNOTATION: usize = 48;

impl Instants {
    /// `event`: the number of its name. `parameters`: the numbers of their names.
    pub(crate) fn new(event: u64, parameters: impl Iterator<Item = u64>) -> Self {
        Self {
            fixed: Piece::new(&[varint(9), Type::Instant as u64, varint(10), event]),
            annotations: parameters
                .map(|name| Piece::new(&[bytes(4), LATER, varint(1), name]))
                .collect(),
        }
    }

    /// Appends the packet, as a field of the trace. False if one of the values is of a kind that is
    /// not frequent: nothing is appended.
    pub(crate) fn put(&self, to: &mut Vec<u8>, place: &InstantPlace, values: &[Field<'_>]) -> bool {
        let mut most = AROUND;
        for value in values {
            let Some(text) = text_of(value) else {
                return false;
            };
            most += ANNOTATION + text;
        }
        let begin = to.len();
        to.resize(begin + most, 0);
        let mut out = Out {
            to: &mut to[begin..],
            at: 0,
        };
        self.put_packet(&mut out, place, values);
        let end = begin + out.at;
        to.truncate(end);
        true
    }

    #[inline(always)]
    fn put_packet(&self, out: &mut Out<'_>, place: &InstantPlace, values: &[Field<'_>]) {
        const PACKET: Piece = Piece::new(&[bytes(1), LATER, varint(8)]);
        // (Without the flag that the names are needed: they are in the same file, before this.)
        const EVENT: Piece =
            Piece::new(&[varint(10), SEQUENCE as u64, bytes(11), LATER, varint(3)]);
        const TASK: Piece = Piece::new(&[bytes(4), LATER, varint(1), argument::TASK, varint(3)]);

        let packet = out.at + 1;
        out.number_after(PACKET, place.time.number());
        let event = out.at + EVENT.len - 2;
        out.number_after(EVENT, place.category);
        out.piece(self.fixed);
        if let Some(track) = place.track {
            out.number_after(Piece::new(&[varint(11)]), track);
        }
        for (&annotation, value) in self.annotations.iter().zip(values) {
            let length = out.at + 1;
            out.value_after(annotation, value);
            out.close(length);
        }
        if let Some(task) = place.task {
            let length = out.at + 1;
            out.number_after(TASK, task);
            out.close(length);
        }
        out.close(event);
        if let Some(clock) = place.time.clock() {
            out.number_after(Piece::new(&[varint(58)]), clock.into());
        }
        out.close(packet);
    }
}

/// How long its text is, if the value is of a frequent kind.
#[inline]
fn text_of(value: &Field<'_>) -> Option<usize> {
    match *value {
        Field::Bool(_) | Field::I64(_) => Some(0),
        // (The database's integers are signed.)
        Field::U64(value) if value >> 63 == 0 => Some(0),
        Field::F64(value) if value.is_finite() => Some(0),
        // (There, a text ends at a null.)
        Field::Str { text, cut: false } if !text.as_bytes().contains(&0) => Some(text.len()),
        _ => None,
    }
}

/// Stands for a length that is not known yet ([`Out::close`]).
const LATER: u64 = 0;

impl Piece {
    /// These numbers, which together have at most eight bytes.
    const fn new(numbers: &[u64]) -> Self {
        let mut piece = Self { word: 0, len: 0 };
        let mut index = 0;
        while index < numbers.len() {
            piece = piece.and(Self::of(numbers[index]));
            index += 1;
        }
        piece
    }

    #[inline(always)]
    const fn and(self, next: Self) -> Self {
        debug_assert!(self.len + next.len <= 8);
        Self {
            word: self.word | next.word << (8 * self.len),
            len: self.len + next.len,
        }
    }

    /// As protobuf writes a number of at most 56 bits: seven of them in each byte, the lowest
    /// first, and the eighth set in all but the last.
    #[inline(always)]
    const fn of(number: u64) -> Self {
        debug_assert!(number >> 56 == 0);
        // Two halves, four quarters, eight bytes.
        let word = number & 0x0fff_ffff | (number & 0x00ff_ffff_f000_0000) << 4;
        let word = word & 0x0000_3fff_0000_3fff | (word & 0x0fff_c000_0fff_c000) << 2;
        let word = word & 0x007f_007f_007f_007f | (word & 0x3f80_3f80_3f80_3f80) << 1;
        let last = (word | 1).ilog2() / 8;
        Self {
            word: word | CONTINUED & ((1 << (8 * last)) - 1),
            len: last as usize + 1,
        }
    }
}

const CONTINUED: u64 = 0x8080_8080_8080_8080;

/// Where it is written; there is room.
struct Out<'a> {
    to: &'a mut [u8],
    at: usize,
}

impl Out<'_> {
    #[inline(always)]
    fn piece(&mut self, piece: Piece) {
        // (What is behind it will be written over.)
        self.to[self.at..][..8].copy_from_slice(&piece.word.to_le_bytes());
        self.at += piece.len;
    }

    #[inline(always)]
    fn number_after(&mut self, before: Piece, number: u64) {
        // (Most are short.)
        if before.len < 7 && number < 1 << 14 {
            self.piece(before.and(Piece::of(number)));
        } else {
            self.piece(before);
            self.number(number);
        }
    }

    #[inline(always)]
    fn number(&mut self, number: u64) {
        let low = number & (u64::MAX >> 8);
        let piece = Piece::of(low);
        if low == number {
            self.piece(piece);
        } else {
            let word = piece.word | CONTINUED;
            self.piece(Piece { word, len: 8 });
            self.piece(Piece::of(number >> 56));
        }
    }

    /// The message whose length is to be there has ended.
    #[inline(always)]
    fn close(&mut self, length: usize) {
        let len = self.at - (length + 1);
        #[allow(clippy::cast_possible_truncation, reason = "below 128")]
        if len < 128 {
            self.to[length] = len as u8;
        } else {
            self.close_long(length, len);
        }
    }

    /// A length of several bytes: the message makes room for them.
    #[cold]
    fn close_long(&mut self, length: usize, len: usize) {
        let piece = Piece::of(len as u64);
        self.to.copy_within(length + 1..self.at, length + piece.len);
        self.to[length..][..piece.len].copy_from_slice(&piece.word.to_le_bytes()[..piece.len]);
        self.at = length + piece.len + len;
    }

    /// An annotation: `before` is all of it up to here.
    #[inline(always)]
    #[allow(clippy::cast_sign_loss, reason = "that is how it is written")]
    fn value_after(&mut self, before: Piece, value: &Field<'_>) {
        let key = match value {
            Field::Bool(_) => varint(2),
            Field::U64(_) => varint(3),
            Field::I64(_) => varint(4),
            Field::F64(_) => fixed64(5),
            _ => bytes(6),
        };
        let before = before.and(Piece { word: key, len: 1 });
        match *value {
            Field::Bool(value) => self.number_after(before, value.into()),
            Field::U64(value) => self.number_after(before, value),
            Field::I64(value) => self.number_after(before, value as u64),
            Field::F64(value) => {
                self.piece(before);
                let word = value.to_bits();
                self.piece(Piece { word, len: 8 });
            }
            Field::Str { text, .. } => {
                self.number_after(before, text.len() as u64);
                self.to[self.at..][..text.len()].copy_from_slice(text.as_bytes());
                self.at += text.len();
            }
            // (Those are not frequent.)
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_as_prost_writes_it() {
        let around = |bits: u32| [(1 << bits) - 1, 1 << bits, (1 << bits) + 1];
        let numbers = (0..64).flat_map(around).chain([0, u64::MAX]);
        for number in numbers {
            let mut to = [0; 24];
            let mut out = Out { to: &mut to, at: 0 };
            out.number(number);
            let len = out.at;
            let mut expected = Vec::new();
            prost::encoding::encode_varint(number, &mut expected);
            assert_eq!(to[..len], expected, "{number}");
        }
    }
}
