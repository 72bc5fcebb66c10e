//! Words as arguments: what [`encode`](super::encode) wrote.

use super::encode::{CUT, IN_HEAD, IN_WORD, tag as tags};
use super::ring::RecordHeader;
use crate::formats::export::{Field, Lost, Record};
use hotprobe_clock::Timer;
use std::str;

/// What a record says.
#[derive(Debug)]
pub(crate) enum Decoded<'a> {
    Record(Record<'a>),
    Lost(Lost),
}

impl Lost {
    /// Converts the time, a reading of the clock, to nanoseconds, which exporters expect.
    pub(crate) fn in_nanoseconds(self, timer: &Timer) -> Self {
        let time = timer.nanos(self.time);
        Self { time, ..self }
    }
}

/// Reads records. Keeps what they borrow.
#[derive(Debug)]
pub(crate) struct Decoder {
    timer: Timer,
    bytes: Vec<u8>,
}

impl Decoder {
    pub(crate) const fn new(timer: Timer) -> Self {
        let bytes = Vec::new();
        Self { timer, bytes }
    }

    /// Reads a record, which is a thread's, and tells what it says. `values`: how many parameters
    /// an event has.
    pub(crate) fn decode<R>(
        &mut self,
        thread: usize,
        words: &[u64],
        values: impl FnOnce(usize) -> usize,
        tell: impl FnOnce(Decoded<'_>) -> R,
    ) -> R {
        let head = RecordHeader::from_word(words[0]);
        let (time, event) = (self.timer.nanos(words[1]), head.event() as usize);
        if head.kind() == RecordHeader::LOST {
            return tell(Decoded::Lost(Lost {
                time,
                thread,
                event,
                count: words[2],
            }));
        }
        let task = (head.kind() == RecordHeader::RECORD_IN_TASK).then(|| words[2]);
        let tags_at = if task.is_some() { 3 } else { 2 };
        let values = values(event);
        let tag = |index: usize| match index.checked_sub(IN_HEAD) {
            None => head.extra() >> (4 * index) & 0xf,
            Some(index) => words[tags_at + index / IN_WORD] >> (4 * (index % IN_WORD)) & 0xf,
        };
        self.bytes.clear();
        if (0..values).any(|index| (tags::STR..=tags::OPAQUE).contains(&tag(index))) {
            // Texts lie in whole words, the first byte lowest.
            for word in words {
                self.bytes.extend_from_slice(&word.to_le_bytes());
            }
        }
        let mut rest = Rest {
            words,
            bytes: &self.bytes,
            at: tags_at + values.saturating_sub(IN_HEAD).div_ceil(IN_WORD),
        };
        // (Few have more.)
        let mut few = [Field::Redacted; 8];
        let mut many;
        let fields = if values <= few.len() {
            &mut few[..values]
        } else {
            many = vec![Field::Redacted; values];
            &mut many[..]
        };
        for (index, field) in fields.iter_mut().enumerate() {
            *field = rest.field(tag(index));
        }
        tell(Decoded::Record(Record {
            time,
            thread,
            event,
            task,
            values: fields,
        }))
    }
}

/// What has not been read of a record.
struct Rest<'a> {
    words: &'a [u64],
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Rest<'a> {
    fn word(&mut self) -> u64 {
        self.at += 1;
        self.words[self.at - 1]
    }

    fn double(&mut self) -> u128 {
        u128::from(self.word()) | u128::from(self.word()) << 64
    }

    fn text(&mut self) -> (&'a [u8], bool) {
        let word = self.word();
        let len = usize::try_from(word & !CUT).unwrap_or(usize::MAX);
        let begin = self.at * 8;
        self.at += len.div_ceil(8);
        (&self.bytes[begin..begin + len], word & CUT != 0)
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "what was widened before"
    )]
    fn field(&mut self, tag: u64) -> Field<'a> {
        let whole = |bytes| str::from_utf8(bytes).unwrap_or_default();
        match tag {
            tags::FALSE => Field::Bool(false),
            tags::TRUE => Field::Bool(true),
            tags::CHAR => Field::Char(char::from_u32(self.word() as u32).unwrap_or_default()),
            tags::U64 => Field::U64(self.word()),
            tags::I64 => Field::I64(self.word() as i64),
            tags::U128 => Field::U128(self.double()),
            tags::I128 => Field::I128(self.double() as i128),
            tags::F32 => Field::F32(f32::from_bits(self.word() as u32)),
            tags::F64 => Field::F64(f64::from_bits(self.word())),
            tags::STR => {
                let (text, cut) = self.text();
                Field::Str {
                    text: whole(text),
                    cut,
                }
            }
            tags::BYTES => {
                let (bytes, cut) = self.text();
                Field::Bytes { bytes, cut }
            }
            tags::OPAQUE => Field::Opaque(whole(self.text().0)),
            tags::FAILED => Field::Failed,
            tags::ABSENT => Field::Absent,
            _ => Field::Redacted,
        }
    }
}
