//! Arguments as words. [`decode`](super::decode) reads them.
//!
//! After a record's first word come its time, its task if it has one, and the values. What each
//! value is stands in 4 bits: those of the first six values in the first word, those of the others
//! in words of sixteen, before the values.

use super::ring::{RecordHeader, RecordWriter, Ring};
use super::texts::{Texts, cut};
use hotprobe::Value;

/// The kinds of values.
pub(super) mod tag {
    pub(crate) const FALSE: u64 = 1;
    pub(crate) const TRUE: u64 = 2;
    pub(crate) const CHAR: u64 = 3;
    pub(crate) const U64: u64 = 4;
    pub(crate) const I64: u64 = 5;
    pub(crate) const U128: u64 = 6;
    pub(crate) const I128: u64 = 7;
    pub(crate) const F32: u64 = 8;
    pub(crate) const F64: u64 = 9;
    pub(crate) const STR: u64 = 10;
    pub(crate) const BYTES: u64 = 11;
    pub(crate) const OPAQUE: u64 = 12;
    pub(crate) const REDACTED: u64 = 13;
    pub(crate) const FAILED: u64 = 14;
    pub(crate) const ABSENT: u64 = 15;
}

/// Of a length: there was more.
pub(super) const CUT: u64 = 1 << 63;

pub(super) const IN_HEAD: usize = 6;
pub(super) const IN_WORD: usize = 16;

/// The most words that a record of `values` values can have, texts cut at `cut_at` bytes.
pub(crate) fn longest(values: usize, cut_at: usize) -> u64 {
    let longest_value = 2.max(1 + cut_at.div_ceil(8));
    fixed_words(values) + (values * longest_value) as u64
}

/// Writes a record of a few plain values: numbers, truth values, texts that are not cut. Returns
/// false, with nothing written, if there is another value, or no room without moving `tail` or
/// marking losses.
///
/// The number of instructions here decides what a recording costs: while they are few, most of them
/// run while the processor reads its clock. So numbers have a loop of their own.
#[inline(always)]
pub(super) fn plain(
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
            return plain_rest(writer, kind, event, tags, index, values, cut_at);
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
        Value::U64(value) => Some((tag::U64, value)),
        Value::I64(value) => Some((tag::I64, value as u64)),
        Value::F64(value) => Some((tag::F64, value.to_bits())),
        _ => None,
    }
}

/// Does the same as [`plain`] for an event whose only value is a text. Returns false, with nothing
/// written, if the text has to be cut, or has no room.
#[inline(always)]
pub(super) fn text(
    ring: &Ring,
    event: u32,
    time: u64,
    task: Option<u64>,
    text: &str,
    cut_at: usize,
) -> bool {
    let mut writer = ring.begin();
    // (Time, task and length. Without an overflow, since a text is at most `isize::MAX` long.)
    if text.len() > cut_at || !writer.has_room(3 + text.len().div_ceil(8) as u64) {
        return false;
    }
    writer.put(time);
    let mut kind = RecordHeader::RECORD;
    if let Some(task) = task {
        writer.put(task);
        kind = RecordHeader::RECORD_IN_TASK;
    }
    writer.put(text.len() as u64);
    writer.put_bytes(text.as_bytes());
    writer.commit(kind, event, tag::STR);
    true
}

/// Continues [`plain`] from this value on, which is no number.
#[inline(never)]
fn plain_rest(
    mut writer: RecordWriter<'_>,
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
            tag::STR
        } else if let Some((tag, word)) = number(value) {
            writer.put(word);
            tag
        } else {
            match *value {
                Value::Bool(value) => tag::FALSE + u64::from(value),
                Value::Redacted => tag::REDACTED,
                Value::Absent => tag::ABSENT,
                _ => return false,
            }
        };
        tags |= tag << (4 * index);
    }
    writer.commit(kind, event, tags);
    true
}

/// Whether there is room for a record of this many values that take no words of their own.
pub(super) fn has_room(ring: &Ring, values: usize) -> bool {
    ring.begin().reserve(fixed_words(values))
}

/// The words of a record beside its values': header, time, task, and tags that the header has no
/// room for.
const fn fixed_words(values: usize) -> u64 {
    (3 + tag_words(values)) as u64
}

const fn tag_words(values: usize) -> usize {
    values.saturating_sub(IN_HEAD).div_ceil(IN_WORD)
}

/// Writes a record of any values; none if there is no room. `texts` has what the `Debug`s among
/// them wrote.
#[inline(always)]
pub(super) fn any(
    ring: &Ring,
    event: u32,
    time: u64,
    task: Option<u64>,
    values: &[Value<'_>],
    texts: &Texts,
    cut_at: usize,
) -> Option<()> {
    let mut writer = ring.begin();
    reserve(&mut writer, fixed_words(values.len()))?;
    writer.put(time);
    let mut kind = RecordHeader::RECORD;
    if let Some(task) = task {
        writer.put(task);
        kind = RecordHeader::RECORD_IN_TASK;
    }
    let tags_at = writer.position();
    for _ in 0..tag_words(values.len()) {
        writer.put(0);
    }
    let mut texts = texts.iter();
    let mut in_head = 0;
    let mut in_word = 0;
    for (index, value) in values.iter().enumerate() {
        let tag = match *value {
            Value::Bool(false) => tag::FALSE,
            Value::Bool(true) => tag::TRUE,
            Value::Redacted => tag::REDACTED,
            Value::Absent => tag::ABSENT,
            Value::U64(value) => {
                reserve(&mut writer, 1)?;
                writer.put(value);
                tag::U64
            }
            Value::Str(text) => put_text(&mut writer, text, cut_at)?,
            Value::Debug(_) | Value::Display(_) => {
                let (text, cut, failed) = texts.next().unwrap_or_default();
                if failed {
                    tag::FAILED
                } else {
                    put_bytes(&mut writer, text, cut)?;
                    tag::STR
                }
            }
            ref other => put_other(&mut writer, other, cut_at)?,
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
    Some(())
}

#[inline(always)]
fn reserve(writer: &mut RecordWriter<'_>, words: u64) -> Option<()> {
    writer.reserve(words).then_some(())
}

fn put_text(writer: &mut RecordWriter<'_>, text: &str, cut_at: usize) -> Option<u64> {
    let kept = cut(text, cut_at);
    put_bytes(writer, kept.as_bytes(), kept.len() < text.len())?;
    Some(tag::STR)
}

/// The less frequent kinds.
fn put_other(writer: &mut RecordWriter<'_>, value: &Value<'_>, cut_at: usize) -> Option<u64> {
    #[allow(clippy::cast_sign_loss, reason = "it is cast back")]
    let (tag, words, count) = match *value {
        Value::Char(value) => (tag::CHAR, [value.into(), 0], 1),
        Value::I64(value) => (tag::I64, [value as _, 0], 1),
        Value::U128(value) => (tag::U128, halves(value), 2),
        Value::I128(value) => (tag::I128, halves(value as _), 2),
        Value::F32(value) => (tag::F32, [value.to_bits().into(), 0], 1),
        Value::F64(value) => (tag::F64, [value.to_bits(), 0], 1),
        Value::Bytes(bytes) => {
            let kept = &bytes[..bytes.len().min(cut_at)];
            put_bytes(writer, kept, kept.len() < bytes.len())?;
            return Some(tag::BYTES);
        }
        Value::Opaque(name) => {
            put_text(writer, name, cut_at)?;
            return Some(tag::OPAQUE);
        }
        // `any` handles all others.
        _ => return Some(tag::REDACTED),
    };
    reserve(writer, count)?;
    for &word in &words[..=usize::from(count == 2)] {
        writer.put(word);
    }
    Some(tag)
}

#[allow(clippy::cast_possible_truncation, reason = "halves")]
const fn halves(value: u128) -> [u64; 2] {
    [value as u64, (value >> 64) as u64]
}

fn put_bytes(writer: &mut RecordWriter<'_>, bytes: &[u8], cut: bool) -> Option<()> {
    reserve(writer, 1 + bytes.len().div_ceil(8) as u64)?;
    writer.put(bytes.len() as u64 | if cut { CUT } else { 0 });
    writer.put_bytes(bytes);
    Some(())
}
