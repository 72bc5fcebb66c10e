//! Arguments as words, and back.
//!
//! After a record's first word come its time, its task if it has one, and the values. What each value is stands in 4
//! bits: those of the first six values in the first word, those of the others in words of sixteen, before the values.

use super::ring::{RecordHeader, Ring};
use crate::formats::export::{Field, Lost, Record};
use hotprobe::Value;
use hotprobe_clock::Timer;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::str;

const FALSE: u64 = 1;
const TRUE: u64 = 2;
const CHAR: u64 = 3;
const U64: u64 = 4;
const I64: u64 = 5;
const U128: u64 = 6;
const I128: u64 = 7;
const F32: u64 = 8;
const F64: u64 = 9;
const STR: u64 = 10;
const BYTES: u64 = 11;
const OPAQUE: u64 = 12;
const REDACTED: u64 = 13;
const FAILED: u64 = 14;

/// Of a length: there was more.
const CUT: u64 = 1 << 63;

const IN_HEAD: usize = 6;
const IN_WORD: usize = 16;

/// The most words that a record of so many values can have, texts cut at `cut_at` bytes.
pub(crate) fn longest(values: usize, cut_at: usize) -> u64 {
    let longest_value = 2.max(1 + cut_at.div_ceil(8));
    (3 + values.saturating_sub(IN_HEAD).div_ceil(IN_WORD) + values * longest_value) as u64
}

/// What came of writing a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Yes,
    NoRoom,
    /// There is a `Debug` among the values, and its text has to be given. Nothing was written.
    NeedsTexts,
}

/// Writes a record of few values of frequent kinds, if there is room as it is. False if it is not that: nothing was written.
///
/// What a recording costs is decided here, by the number of instructions: as long as they are few, most of them run
/// while the processor reads its clock. Numbers have a loop of their own for that.
#[inline(always)]
pub(crate) fn encode_frequent(
    ring: &Ring,
    event: u32,
    time: u64,
    task: Option<u64>,
    values: &[Value<'_>],
    cut_at: usize,
) -> bool {
    let mut writer = ring.begin();
    // (Time and task.)
    if values.len() > IN_HEAD || !writer.has_room(2 + values.len() as u64) {
        return false;
    }
    writer.put(time);
    let mut kind = RecordHeader::RECORD;
    if let Some(task) = task {
        writer.put(task);
        kind = RecordHeader::RECORD_IN_TASK;
    }
    let mut tags = 0;
    for (index, value) in values.iter().enumerate() {
        let Some((tag, word)) = number(value) else {
            return encode_texts(writer, kind, event, tags, index, values, cut_at);
        };
        writer.put(word);
        tags |= tag << (4 * index);
    }
    writer.commit(kind, event, tags);
    true
}

#[inline(always)]
fn number(value: &Value<'_>) -> Option<(u64, u64)> {
    #[allow(clippy::cast_sign_loss, reason = "it is cast back")]
    match *value {
        Value::U64(value) => Some((U64, value)),
        Value::I64(value) => Some((I64, value as u64)),
        Value::F64(value) => Some((F64, value.to_bits())),
        _ => None,
    }
}

/// [`encode_frequent`] from this value on, which is no number.
#[inline(never)]
fn encode_texts(
    mut writer: super::ring::RecordWriter<'_>,
    kind: u64,
    event: u32,
    mut tags: u64,
    from: usize,
    values: &[Value<'_>],
    cut_at: usize,
) -> bool {
    for (index, value) in values.iter().enumerate().skip(from) {
        let tag = if let Value::Str(text) = *value {
            // (With it there has to be room for the values that follow.)
            let words = IN_HEAD + text.len().div_ceil(8);
            if text.len() > cut_at || !writer.has_room(words as u64) {
                return false;
            }
            writer.put(text.len() as u64);
            writer.put_bytes(text.as_bytes());
            STR
        } else if let Some((tag, word)) = number(value) {
            writer.put(word);
            tag
        } else {
            match *value {
                Value::Bool(value) => FALSE + u64::from(value),
                Value::Redacted => REDACTED,
                _ => return false,
            }
        };
        tags |= tag << (4 * index);
    }
    writer.commit(kind, event, tags);
    true
}

/// Writes a record. `texts` has what the `Debug`s of the values wrote.
pub(crate) fn encode(
    ring: &Ring,
    event: u32,
    time: u64,
    task: Option<u64>,
    values: &[Value<'_>],
    texts: Option<&Texts>,
    cut_at: usize,
) -> Written {
    let mut writer = ring.begin();
    let tag_words = values.len().saturating_sub(IN_HEAD).div_ceil(IN_WORD);
    if !writer.reserve(3 + tag_words as u64) {
        return Written::NoRoom;
    }
    writer.put(time);
    let mut kind = RecordHeader::RECORD;
    if let Some(task) = task {
        writer.put(task);
        kind = RecordHeader::RECORD_IN_TASK;
    }
    let tags_at = writer.position();
    for _ in 0..tag_words {
        writer.put(0);
    }
    let mut texts = texts.map(Texts::iter);
    let mut in_head = 0;
    let mut in_word = 0;
    for (index, value) in values.iter().enumerate() {
        let tag = match *value {
            Value::Bool(false) => FALSE,
            Value::Bool(true) => TRUE,
            Value::Redacted => REDACTED,
            Value::U64(value) => {
                if !writer.reserve(1) {
                    return Written::NoRoom;
                }
                writer.put(value);
                U64
            }
            Value::Str(text) => {
                let kept = cut(text, cut_at);
                if !put_bytes(&mut writer, kept.as_bytes(), kept.len() < text.len()) {
                    return Written::NoRoom;
                }
                STR
            }
            Value::Debug(_) => {
                let Some(texts) = &mut texts else {
                    return Written::NeedsTexts;
                };
                let (text, cut, failed) = texts.next().unwrap_or_default();
                if failed {
                    FAILED
                } else if put_bytes(&mut writer, text, cut) {
                    STR
                } else {
                    return Written::NoRoom;
                }
            }
            ref other => match put_other(&mut writer, other, cut_at) {
                Some(tag) => tag,
                None => return Written::NoRoom,
            },
        };
        if index < IN_HEAD {
            in_head |= tag << (4 * index);
        } else {
            let index = index - IN_HEAD;
            in_word |= tag << (4 * (index % IN_WORD));
            if index % IN_WORD == IN_WORD - 1 || index + IN_HEAD + 1 == values.len() {
                writer.put_at(tags_at + (index / IN_WORD) as u64, in_word);
                in_word = 0;
            }
        }
    }
    writer.commit(kind, event, in_head);
    Written::Yes
}

/// The kinds that are less frequent.
fn put_other(
    writer: &mut super::ring::RecordWriter<'_>,
    value: &Value<'_>,
    cut_at: usize,
) -> Option<u64> {
    #[allow(clippy::cast_sign_loss, reason = "it is cast back")]
    let (tag, words, count) = match *value {
        Value::Char(value) => (CHAR, [value.into(), 0], 1),
        Value::I64(value) => (I64, [value as _, 0], 1),
        Value::U128(value) => (U128, halves(value), 2),
        Value::I128(value) => (I128, halves(value as _), 2),
        Value::F32(value) => (F32, [value.to_bits().into(), 0], 1),
        Value::F64(value) => (F64, [value.to_bits(), 0], 1),
        Value::Bytes(bytes) => {
            let kept = &bytes[..bytes.len().min(cut_at)];
            return put_bytes(writer, kept, kept.len() < bytes.len()).then_some(BYTES);
        }
        Value::Opaque(name) => {
            let kept = cut(name, cut_at);
            return put_bytes(writer, kept.as_bytes(), kept.len() < name.len()).then_some(OPAQUE);
        }
        // (The others are `encode`'s.)
        _ => return Some(REDACTED),
    };
    if !writer.reserve(count) {
        return None;
    }
    for &word in &words[..=usize::from(count == 2)] {
        writer.put(word);
    }
    Some(tag)
}

#[allow(clippy::cast_possible_truncation, reason = "halves")]
const fn halves(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

fn put_bytes(writer: &mut super::ring::RecordWriter<'_>, bytes: &[u8], cut: bool) -> bool {
    if !writer.reserve(1 + bytes.len().div_ceil(8) as u64) {
        return false;
    }
    writer.put(bytes.len() as u64 | if cut { CUT } else { 0 });
    writer.put_bytes(bytes);
    true
}

/// As much of the text as is kept: whole characters.
#[inline(always)]
fn cut(text: &str, at: usize) -> &str {
    if text.len() <= at {
        text
    } else {
        cut_inside(text, at)
    }
}

#[cold]
fn cut_inside(text: &str, mut at: usize) -> &str {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    &text[..at]
}

/// What `Debug`s wrote, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: String,
    /// Where each ends, whether it was cut, and whether it panicked.
    ends: Vec<(usize, bool, bool)>,
}

impl Texts {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: String::new(),
            ends: Vec::new(),
        }
    }

    /// Calls each `Debug` of the values: user code, which may panic, write without end, or fire events.
    pub(crate) fn format(&mut self, values: &[Value<'_>], cut_at: usize) {
        self.bytes.clear();
        self.ends.clear();
        for value in values {
            if let Value::Debug(value) = value {
                self.format_one(*value, cut_at);
            }
        }
    }

    fn format_one(&mut self, value: &dyn fmt::Debug, cut_at: usize) {
        let begin = self.bytes.len();
        let mut bounded = Bounded {
            bytes: &mut self.bytes,
            room: cut_at,
            refused: 0,
        };
        let result = catch_unwind(AssertUnwindSafe(|| write!(bounded, "{value:?}")));
        let cut = bounded.refused > 0;
        let failed = match result {
            // An error of its own: what it wrote before is no value.
            Ok(result) => result.is_err() && !cut,
            Err(payload) => {
                let stopped = payload.is::<Stop>();
                crate::discard(payload);
                !stopped
            }
        };
        if failed {
            self.bytes.truncate(begin);
        }
        self.ends.push((self.bytes.len(), cut, failed));
    }

    fn iter(&self) -> impl Iterator<Item = (&[u8], bool, bool)> {
        let mut begin = 0;
        self.ends.iter().map(move |&(end, cut, failed)| {
            let text = &self.bytes.as_bytes()[begin..end];
            begin = end;
            (text, cut, failed)
        })
    }
}

/// Takes so much and no more.
struct Bounded<'a> {
    bytes: &'a mut String,
    room: usize,
    /// How often it was asked to take more.
    refused: u32,
}

/// The end of a `Debug` that does not heed errors. (No panic: nobody is told.)
struct Stop;

impl Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.refused == 0 {
            let kept = cut(text, self.room);
            self.bytes.push_str(kept);
            self.room -= kept.len();
            if kept.len() == text.len() {
                return Ok(());
            }
        }
        self.refused += 1;
        // Where panics abort there is no way out of it.
        if self.refused > 100 && cfg!(panic = "unwind") {
            resume_unwind(Box::new(Stop));
        }
        Err(fmt::Error)
    }
}

/// What a record says.
#[derive(Debug)]
pub(crate) enum Decoded<'a> {
    Record(Record<'a>),
    Lost(Lost),
}

impl Lost {
    /// With the time as exporters want it; up to there it is the clock's.
    pub(crate) fn told(self, clock: &Timer) -> Self {
        let time = clock.nanos(self.time);
        Self { time, ..self }
    }
}

/// Reads records. Keeps what they borrow.
#[derive(Debug)]
pub(crate) struct Decoder {
    clock: Timer,
    bytes: Vec<u8>,
}

impl Decoder {
    pub(crate) const fn new(clock: Timer) -> Self {
        let bytes = Vec::new();
        Self { clock, bytes }
    }

    /// Reads a record, which is a thread's, and tells what it says. `values`: how many parameters an event has.
    pub(crate) fn decode<R>(
        &mut self,
        thread: usize,
        words: &[u64],
        values: impl FnOnce(usize) -> usize,
        tell: impl FnOnce(Decoded<'_>) -> R,
    ) -> R {
        let head = RecordHeader::from_word(words[0]);
        let (time, event) = (self.clock.nanos(words[1]), head.event() as usize);
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
        if (0..values).any(|index| (STR..=OPAQUE).contains(&tag(index))) {
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
            FALSE => Field::Bool(false),
            TRUE => Field::Bool(true),
            CHAR => Field::Char(char::from_u32(self.word() as u32).unwrap_or_default()),
            U64 => Field::U64(self.word()),
            I64 => Field::I64(self.word() as i64),
            U128 => Field::U128(self.double()),
            I128 => Field::I128(self.double() as i128),
            F32 => Field::F32(f32::from_bits(self.word() as u32)),
            F64 => Field::F64(f64::from_bits(self.word())),
            STR => {
                let (text, cut) = self.text();
                Field::Str {
                    text: whole(text),
                    cut,
                }
            }
            BYTES => {
                let (bytes, cut) = self.text();
                Field::Bytes { bytes, cut }
            }
            OPAQUE => Field::Opaque(whole(self.text().0)),
            FAILED => Field::Failed,
            _ => Field::Redacted,
        }
    }
}
