//! Chrome's trace format: JSON, an event a line, as an array of events.
//!
//! The array form is the one whose closing `]` may be missing: so any prefix of the file opens in
//! Perfetto, and one that is cut at a line's end in Chrome. A JSON parser wants the `]`, which
//! `finish` writes.
//!
//! What is where:
//! * Each record is one instant of its thread (category `event`), with its arguments.
//! * Each pair of a [`SliceRule`](super::export::SliceRule) is one asynchronous slice, from `b` to
//!   `e`, whose category and name are the rule's. A begin without end gets an `e` marked `no end`:
//!   at the end of the recording, unless ends were lost; then at its own time. An end without begin
//!   is an asynchronous instant marked `no begin`.
//! * A flow leads from the begin to what else fired with its key, if the begin was known by then,
//!   and to the end.
//! * `lost N` is an instant at the place of the loss (category `lost`); a counter sums up.
//! * At the end, an instant of the process for each event and thread (category `total`): fired,
//!   written, lost.
//! * The wall clock at time 0 is metadata, `clock`.
//!
//! Times are in microseconds with three decimals. What a JSON number cannot hold is text: integers
//! beyond 2⁵³, 128-bit ones whatever their value, NaN and the infinities. (Where text has escapes
//! in it, Perfetto 52 shows the escapes, unless a quote is among them.)

use super::bytes::hex;
use super::export::{Export, Field, Header, Lost, Record, ThreadInfo, Total, lossy_events};
use super::pairs::{Pairs, Role, Roles};
use super::record_buffer::RecordBuffer;
use std::collections::HashSet;
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

/// Beyond this, a JavaScript number is not exact.
const EXACT: u64 = 1 << 53;
/// Where threads have no number of their own, theirs start here: no Linux thread has such a one.
const OWN_IDS: u64 = 1 << 30;

/// Writes a recording as a Chrome JSON trace.
#[derive(Debug)]
pub(crate) struct Chrome<W: Write> {
    buffer: RecordBuffer<W>,
    /// Whether there was a line.
    is_begun: bool,
    pid: u32,
    events: Vec<ChromeEvent>,
    rules: Vec<ChromeRule>,
    roles: Roles,
    pairs: Pairs<ChromeBegin, ChromeEnd>,
    slices: u64,
    /// By number.
    threads: Vec<Option<ChromeThread>>,
    ids: HashSet<u64>,
    /// The arguments of the record in work; kept for its memory.
    arguments: Vec<u8>,
}

#[derive(Debug)]
struct ChromeEvent {
    name: &'static str,
    /// The beginning of a record's line, up to the number of the thread.
    record: Vec<u8>,
    parameters: Vec<JsonName>,
}

#[derive(Debug)]
struct ChromeRule {
    /// The event that ends a slice.
    end: usize,
    /// What follows the phase in the line of a slice, and in that of a flow, up to the id.
    slice: Vec<u8>,
    flow: Vec<u8>,
}

/// What is kept of a begin.
#[derive(Clone, Copy, Debug)]
struct ChromeBegin {
    /// The slice's number, and the flow's.
    id: u64,
    thread: usize,
}

/// What is kept of an end.
#[derive(Debug)]
struct ChromeEnd {
    thread: usize,
    arguments: Vec<u8>,
}

#[derive(Debug)]
struct ChromeThread {
    id: u64,
    name: Arc<str>,
    lost: u64,
    lost_time: u64,
}

impl<W: Write> Chrome<W> {
    pub(crate) fn new(to: W) -> Self {
        Self {
            buffer: RecordBuffer::new(to),
            is_begun: false,
            pid: 0,
            events: Vec::new(),
            rules: Vec::new(),
            roles: Roles::default(),
            pairs: Pairs::new(&[], 0),
            slices: 0,
            threads: Vec::new(),
            ids: HashSet::new(),
            arguments: Vec::new(),
        }
    }

    /// Separates a line from the one before it.
    fn separate(&mut self) {
        let is_begun = mem::replace(&mut self.is_begun, true);
        let separator: &[u8; 2] = if is_begun { b",\n" } else { b"[\n" };
        self.buffer.bytes.extend_from_slice(separator);
    }

    /// Writes one event: `{"ph":…,"pid":…` and what `rest` adds.
    fn line(&mut self, phase: &str, rest: impl FnOnce(&mut JsonObject<'_>)) -> io::Result<()> {
        self.separate();
        let mut object = JsonObject::new(&mut self.buffer.bytes);
        object.text("ph", phase);
        object.integer("pid", self.pid.into());
        rest(&mut object);
        object.end();
        self.buffer.write_some()
    }

    fn thread_of(&self, thread: usize) -> Option<&ChromeThread> {
        self.threads.get(thread)?.as_ref()
    }

    fn tid(&self, thread: usize) -> u64 {
        self.thread_of(thread)
            .map_or(OWN_IDS + thread as u64, |thread| thread.id)
    }

    fn event_name(&self, event: usize) -> &'static str {
        self.events.get(event).map_or("", |event| event.name)
    }

    fn put_arguments(&self, to: &mut Vec<u8>, record: &Record<'_>) {
        let mut object = JsonObject::new(to);
        let parameters = self
            .events
            .get(record.event)
            .map_or(&[][..], |event| &event.parameters);
        for (name, field) in parameters.iter().zip(record.values) {
            object.field(name, field);
        }
        if let Some(task) = record.task {
            object.integer("tokio task", task);
        }
        object.end();
    }

    fn slice(
        &mut self,
        phase: u8,
        rule: usize,
        id: u64,
        thread: usize,
        time: u64,
        arguments: &[u8],
    ) -> io::Result<()> {
        let tid = self.tid(thread);
        self.separate();
        let to = &mut self.buffer.bytes;
        to.extend_from_slice(PHASE);
        to.push(phase);
        to.extend_from_slice(&self.rules[rule].slice);
        let mut object = JsonObject::after_id(to, id);
        object.integer("tid", tid);
        object.time("ts", time);
        object.raw("args", arguments);
        object.end();
        self.buffer.write_some()
    }

    fn flow(
        &mut self,
        phase: u8,
        rule: usize,
        id: u64,
        thread: usize,
        time: u64,
    ) -> io::Result<()> {
        let tid = self.tid(thread);
        self.separate();
        let to = &mut self.buffer.bytes;
        to.extend_from_slice(PHASE);
        to.push(phase);
        to.extend_from_slice(&self.rules[rule].flow);
        let mut object = JsonObject::after_id(to, id);
        object.integer("tid", tid);
        object.time("ts", time);
        // It ends at what is there at that time, not at what comes next.
        if phase == b'f' {
            object.text("bp", "e");
        }
        object.end();
        self.buffer.write_some()
    }

    fn record_with(&mut self, record: &Record<'_>, arguments: &[u8]) -> io::Result<()> {
        let (time, thread) = (record.time, record.thread);
        let tid = self.tid(thread);
        self.buffer.begin_record(record);
        self.separate();
        let to = &mut self.buffer.bytes;
        let event = self.events.get(record.event);
        to.extend_from_slice(event.map_or(&[], |event| &event.record));
        decimal(to, tid);
        let mut object = JsonObject::resumed(to);
        object.time("ts", time);
        object.raw("args", arguments);
        object.end();
        self.buffer.end_record();
        self.buffer.write_some()?;
        for nth in 0..self.roles.count(record.event) {
            let Some((rule, kind, key)) = self.roles.nth(record, nth) else {
                continue;
            };
            match kind {
                Role::Begin => {
                    let begin = ChromeBegin {
                        id: self.slices,
                        thread,
                    };
                    self.slices += 1;
                    self.slice(b'b', rule, begin.id, thread, time, arguments)?;
                    self.flow(b's', rule, begin.id, thread, time)?;
                    if let Some((begin, end, kept)) = self.pairs.begin(rule, key, time, begin) {
                        self.pair(rule, (time, begin), (end, kept))?;
                    }
                    if let Some((rule, time, begin)) = self.pairs.too_many(rule) {
                        self.end_not_known(rule, begin, time)?;
                    }
                }
                Role::Between => {
                    if let Some(id) = self.pairs.find(rule, &key, time).map(|begin| begin.id) {
                        self.flow(b't', rule, id, thread, time)?;
                    }
                }
                Role::End => {
                    let kept = ChromeEnd {
                        thread,
                        arguments: arguments.to_vec(),
                    };
                    if let Some((begun, begin, end)) = self.pairs.end(rule, key, time, kept) {
                        self.pair(rule, (begun, begin), (time, end))?;
                    }
                    if let Some((rule, time, end)) = self.pairs.too_many_ends(rule) {
                        self.end_without_begin(rule, time, &end)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn pair(
        &mut self,
        rule: usize,
        begin: (u64, ChromeBegin),
        end: (u64, ChromeEnd),
    ) -> io::Result<()> {
        let ((begin, ChromeBegin { id, .. }), (end, ChromeEnd { thread, arguments })) =
            (begin, end);
        self.slice(b'e', rule, id, thread, end.max(begin), &arguments)?;
        // A flow never leads back, as clocks sometimes do.
        if end >= begin {
            self.flow(b'f', rule, id, thread, end)
        } else {
            Ok(())
        }
    }

    fn end_not_known(&mut self, rule: usize, begin: ChromeBegin, time: u64) -> io::Result<()> {
        self.slice(
            b'e',
            rule,
            begin.id,
            begin.thread,
            time,
            br#"{"no end":true}"#,
        )
    }

    fn end_without_begin(&mut self, rule: usize, time: u64, end: &ChromeEnd) -> io::Result<()> {
        let id = self.slices;
        self.slices += 1;
        let mut arguments = br#"{"no begin":true"#.to_vec();
        if end.arguments.len() > 2 {
            arguments.push(b',');
        }
        arguments.extend_from_slice(&end.arguments[1..]);
        self.slice(b'n', rule, id, end.thread, time, &arguments)
    }

    fn count_lost(&mut self, thread: usize, time: u64, lost: u64) -> io::Result<()> {
        let name = match self.thread_of(thread) {
            Some(thread) => format!("lost records, {} {}", thread.name, thread.id),
            None => "lost records".to_owned(),
        };
        self.line("C", |object| {
            object.text("name", &name);
            object.time("ts", time);
            object.object("args", |args| args.integer("lost", lost));
        })
    }
}

impl<W: Write> Export for Chrome<W> {
    fn header(&mut self, header: &Header) -> io::Result<()> {
        self.pid = header.process.0;
        self.roles = Roles::new(header);
        self.pairs = Pairs::new(&header.slices, header.most_open);
        self.rules = header
            .slices
            .iter()
            .map(|slice| ChromeRule {
                end: slice.end.0,
                slice: after_phase(self.pid, &slice.name, &slice.name),
                flow: after_phase(self.pid, "flow", &slice.name),
            })
            .collect();
        let pid = self.pid;
        self.events.extend(header.events.iter().map(|event| {
            let parameters = event.parameters().iter();
            ChromeEvent {
                name: event.name(),
                record: before_tid(pid, event.name()),
                parameters: parameters.map(|p| JsonName::new(p.name())).collect(),
            }
        }));
        self.line("M", |object| {
            object.text("name", "process_name");
            object.object("args", |args| args.text("name", &header.process.1));
        })?;
        let wall = header
            .wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        self.line("M", |object| {
            object.text("name", "clock");
            object.object("args", |args| {
                args.text(
                    "nanoseconds since 1970 at time 0",
                    &wall.as_nanos().to_string(),
                );
            });
        })
    }

    fn thread(&mut self, thread: &ThreadInfo) -> io::Result<()> {
        let name = match &thread.name {
            Some(name) => Arc::clone(name),
            None => format!("thread {}", thread.index).into(),
        };
        // Threads of one number would be one: numbers are used again, and may not be known.
        let own = thread.id != 0 && thread.id < OWN_IDS && self.ids.insert(thread.id);
        let (id, shown) = if own {
            (thread.id, name.as_ref().to_owned())
        } else {
            let shown = match thread.id {
                0 => name.as_ref().to_owned(),
                id => format!("{name} {id}"),
            };
            (OWN_IDS + thread.index as u64, shown)
        };
        if self.threads.len() <= thread.index {
            self.threads.resize_with(thread.index + 1, || None);
        }
        let known = self.threads[thread.index].get_or_insert_with(|| ChromeThread {
            id,
            name: Arc::clone(&name),
            lost: 0,
            lost_time: 0,
        });
        known.name = name;
        self.line("M", |object| {
            object.text("name", "thread_name");
            object.integer("tid", id);
            object.object("args", |args| args.text("name", &shown));
        })
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let mut arguments = mem::take(&mut self.arguments);
        arguments.clear();
        self.put_arguments(&mut arguments, record);
        let result = self.record_with(record, &arguments);
        self.arguments = arguments;
        result
    }

    fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        let (name, tid) = (self.event_name(lost.event), self.tid(lost.thread));
        self.line("i", |object| {
            object.text("cat", "lost");
            object.text("name", &format!("lost {}", lost.count));
            object.text("s", "t");
            object.integer("tid", tid);
            object.time("ts", lost.time);
            object.object("args", |args| {
                args.text("event", name);
                args.integer("lost", lost.count);
            });
        })?;
        let Some(Some(thread)) = self.threads.get_mut(lost.thread) else {
            return Ok(());
        };
        let first = thread.lost == 0;
        thread.lost += lost.count;
        thread.lost_time = thread.lost_time.max(lost.time);
        let (sum, time) = (thread.lost, thread.lost_time);
        if first {
            self.count_lost(lost.thread, 0, 0)?;
        }
        self.count_lost(lost.thread, time, sum)
    }

    fn flush(&mut self) -> io::Result<()> {
        for (rule, time, end) in self.pairs.flushed() {
            self.end_without_begin(rule, time, &end)?;
        }
        self.buffer.flush()
    }

    fn unwritten(&self, tell: &mut dyn FnMut(usize, usize)) {
        self.buffer.unwritten(tell);
    }

    fn finish(&mut self, end: u64, totals: &[Total]) -> io::Result<()> {
        let (ends, begins) = self.pairs.finish();
        for (rule, time, end) in ends {
            self.end_without_begin(rule, time, &end)?;
        }
        let lossy = lossy_events(totals);
        for (rule, time, begin) in begins {
            let ends_were_lost = lossy.contains(&self.rules[rule].end);
            self.end_not_known(
                rule,
                begin,
                if ends_were_lost { time } else { end.max(time) },
            )?;
        }
        for total in totals {
            let name = self.event_name(total.event);
            let (tid, thread) = (self.tid(total.thread), self.thread_of(total.thread));
            let thread = format!(
                "{} {}",
                total.thread,
                thread.map_or("", |thread| &thread.name)
            );
            self.line("i", |object| {
                object.text("cat", "total");
                object.text("name", name);
                object.text("s", "p");
                object.integer("tid", tid);
                object.time("ts", end);
                object.object("args", |args| {
                    args.text("thread", &thread);
                    args.integer("fired", total.fired);
                    args.integer("written", total.written);
                    args.integer("lost", total.lost);
                });
            })?;
        }
        self.buffer.bytes.extend_from_slice(b"\n]\n");
        self.buffer.flush()
    }
}

/// The beginning of every line.
const PHASE: &[u8] = br#"{"ph":""#;

/// What follows the phase in the line of a slice or a flow, up to the id.
fn after_phase(pid: u32, category: &str, name: &str) -> Vec<u8> {
    let mut line = format!("\",\"pid\":{pid},\"cat\":").into_bytes();
    text(&mut line, category);
    line.extend_from_slice(br#","name":"#);
    text(&mut line, name);
    line.extend_from_slice(br#","id":"0x"#);
    line
}

/// The beginning of the line of a record, up to the number of the thread.
fn before_tid(pid: u32, name: &str) -> Vec<u8> {
    let mut line = [PHASE, b"i"].concat();
    line.extend_from_slice(format!("\",\"pid\":{pid},\"cat\":\"event\",\"name\":").as_bytes());
    text(&mut line, name);
    line.extend_from_slice(br#","s":"t","tid":"#);
    line
}

/// The name of a parameter as JSON, and that of the mark that its value was cut.
#[derive(Debug)]
struct JsonName {
    whole: Box<[u8]>,
    cut: Box<[u8]>,
}

impl JsonName {
    fn new(name: &str) -> Self {
        let json = |name: &str| {
            let mut json = Vec::new();
            text(&mut json, name);
            json.into_boxed_slice()
        };
        Self {
            whole: json(name),
            cut: json(&format!("{name} (cut)")),
        }
    }
}

/// A JSON object in the making.
struct JsonObject<'a> {
    to: &'a mut Vec<u8>,
    first: bool,
}

impl<'a> JsonObject<'a> {
    fn new(to: &'a mut Vec<u8>) -> Self {
        to.push(b'{');
        Self { to, first: true }
    }

    /// An object that has fields already.
    fn resumed(to: &'a mut Vec<u8>) -> Self {
        Self { to, first: false }
    }

    /// An object whose next value is this id, the beginning of which is there.
    fn after_id(to: &'a mut Vec<u8>, id: u64) -> Self {
        hexadecimal(to, id);
        to.push(b'"');
        Self::resumed(to)
    }

    fn end(self) {
        self.to.push(b'}');
    }

    /// Begins a field whose name is written already.
    fn name(&mut self, name: &[u8]) {
        if !mem::replace(&mut self.first, false) {
            self.to.push(b',');
        }
        self.to.extend_from_slice(name);
        self.to.push(b':');
    }

    /// Begins a field with a name of ours, in which there is nothing to escape.
    fn key(&mut self, key: &str) {
        debug_assert!(!key.contains(['"', '\\']) && !key.contains(char::is_control));
        if !mem::replace(&mut self.first, false) {
            self.to.push(b',');
        }
        self.to.push(b'"');
        self.to.extend_from_slice(key.as_bytes());
        self.to.extend_from_slice(b"\":");
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        text(self.to, value);
    }

    fn integer(&mut self, key: &str, value: u64) {
        self.key(key);
        integer(self.to, false, value);
    }

    /// A time in nanoseconds, as microseconds.
    fn time(&mut self, key: &str, time: u64) {
        self.key(key);
        decimal(self.to, time / 1000);
        let digit = |unit: u64| b'0' + (time / unit % 10).to_le_bytes()[0];
        self.to
            .extend_from_slice(&[b'.', digit(100), digit(10), digit(1)]);
    }

    fn raw(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.to.extend_from_slice(value);
    }

    fn object(&mut self, key: &str, fill: impl FnOnce(&mut JsonObject<'_>)) {
        self.key(key);
        let mut object = JsonObject::new(self.to);
        fill(&mut object);
        object.end();
    }

    fn field(&mut self, name: &JsonName, field: &Field<'_>) {
        self.name(&name.whole);
        let to = &mut *self.to;
        match *field {
            Field::Bool(value) => to.extend_from_slice(if value { b"true" } else { b"false" }),
            Field::Char(value) => text(to, value.encode_utf8(&mut [0; 4])),
            Field::U64(value) => integer(to, false, value),
            Field::I64(value) => integer(to, value < 0, value.unsigned_abs()),
            Field::U128(value) => text(to, &value.to_string()),
            Field::I128(value) => text(to, &value.to_string()),
            Field::F32(value) => float(to, value.into()),
            Field::F64(value) => float(to, value),
            Field::Str { text: value, .. } => text(to, value),
            Field::Bytes { bytes, .. } => text(to, &hex(bytes)),
            Field::Opaque(type_name) => text(to, &format!("[{type_name}]")),
            Field::Redacted => text(to, "[redacted]"),
            Field::Absent => to.extend_from_slice(b"null"),
            Field::Failed => text(to, "[failed]"),
        }
        if matches!(
            field,
            Field::Str { cut: true, .. } | Field::Bytes { cut: true, .. }
        ) {
            self.name(&name.cut);
            self.to.extend_from_slice(b"true");
        }
    }
}

/// Writes an integer: as text, if a JavaScript number cannot hold it.
fn integer(to: &mut Vec<u8>, is_negative: bool, magnitude: u64) {
    let is_exact = magnitude <= EXACT;
    if !is_exact {
        to.push(b'"');
    }
    if is_negative {
        to.push(b'-');
    }
    decimal(to, magnitude);
    if !is_exact {
        to.push(b'"');
    }
}

fn decimal(to: &mut Vec<u8>, number: u64) {
    digits::<10>(to, number);
}

fn hexadecimal(to: &mut Vec<u8>, number: u64) {
    digits::<16>(to, number);
}

fn digits<const BASE: u64>(to: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut begin = digits.len();
    loop {
        begin -= 1;
        let [digit, ..] = (number % BASE).to_le_bytes();
        digits[begin] = b"0123456789abcdef"[usize::from(digit)];
        number /= BASE;
        if number == 0 {
            break;
        }
    }
    to.extend_from_slice(&digits[begin..]);
}

fn float(to: &mut Vec<u8>, value: f64) {
    if value.is_finite() {
        // (A number always becomes JSON, and memory takes it.)
        let _ = serde_json::to_writer(to, &value);
    } else if value.is_nan() {
        text(to, "NaN");
    } else {
        text(to, if value > 0.0 { "Infinity" } else { "-Infinity" });
    }
}

/// A JSON string. A backslash at its end is written by its number: Perfetto takes the second one of
/// `\\"` for an escape of the quote, and would not find the end.
fn text(to: &mut Vec<u8>, text: &str) {
    // (Text always becomes JSON, and memory takes it.)
    let _ = serde_json::to_writer(&mut *to, text);
    if text.ends_with('\\') {
        to.truncate(to.len() - 3);
        to.extend_from_slice(br#"\u005c""#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::synthetic::{Disk, Full, HOSTILE, NULL, stream};
    use serde_json::Value;
    use std::collections::BTreeMap;

    fn written(requests: u64) -> Vec<Value> {
        let mut file = Vec::new();
        stream(requests).tell(&mut Chrome::new(&mut file)).unwrap();
        serde_json::from_slice(&file).unwrap()
    }

    #[test]
    fn text_comes_through_whole_and_never_ends_with_two_backslashes() {
        for expected in HOSTILE
            .into_iter()
            .chain([NULL, "\\", "\\\\", "\"", "a\\\""])
        {
            let mut json = Vec::new();
            text(&mut json, expected);
            assert_eq!(serde_json::from_slice::<String>(&json).unwrap(), expected);
            assert!(!json.ends_with(br#"\\""#), "{expected:?}");
            assert!(!json.contains(&b'\n'), "an event is a line");
        }
    }

    #[test]
    fn what_a_number_cannot_hold_is_text() {
        let mut json = Vec::new();
        let mut object = JsonObject::new(&mut json);
        object.field(&JsonName::new("small"), &Field::U64(1 << 53));
        object.field(&JsonName::new("large"), &Field::U64((1 << 53) + 1));
        object.field(&JsonName::new("low"), &Field::I64(i64::MIN));
        object.field(&JsonName::new("wide"), &Field::U128(1));
        object.field(&JsonName::new("not"), &Field::F64(f64::NAN));
        object.field(&JsonName::new("less"), &Field::F32(f32::NEG_INFINITY));
        object.field(&JsonName::new("more"), &Field::F64(1e300));
        object.field(
            &JsonName::new("cut"),
            &Field::Bytes {
                bytes: b"\x01",
                cut: true,
            },
        );
        object.end();
        let expected = concat!(
            r#"{"small":9007199254740992,"large":"9007199254740993","low":"-9223372036854775808","wide":"1","#,
            r#""not":"NaN","less":"-Infinity","more":1e+300,"cut":"0x01","cut (cut)":true}"#,
        );
        assert_eq!(String::from_utf8(json).unwrap(), expected);
    }

    #[test]
    fn each_asynchronous_begin_has_an_end_and_each_flow_has_one_of_each_at_most() {
        let mut open = std::collections::HashMap::new();
        for event in written(200) {
            let id = || event["id"].as_str().unwrap().to_owned();
            match event["ph"].as_str().unwrap() {
                "b" => assert!(
                    open.insert(id(), event["ts"].as_f64().unwrap()).is_none(),
                    "a number that is used"
                ),
                "e" => assert!(open.remove(&id()).unwrap() <= event["ts"].as_f64().unwrap()),
                _ => {}
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }

    /// Counts the records in a part of a trace, by event.
    fn records_in(file: &[u8], events: &[&str]) -> BTreeMap<usize, u64> {
        let mut found = BTreeMap::new();
        for line in file.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b",").unwrap_or(line);
            let Ok(event) = serde_json::from_slice::<Value>(line) else {
                continue;
            };
            if event["cat"] == "event" {
                let event = events.iter().position(|&name| event["name"] == name);
                *found.entry(event.unwrap()).or_default() += 1;
            }
        }
        found
    }

    #[test]
    fn what_a_partial_file_has_is_counted_exactly_wherever_it_ends() {
        // One whose buffer is written at flushes alone, and one of several buffers.
        for (requests, step) in [(3, 101), (400, 20_011)] {
            let stream = stream(requests);
            let events: Vec<_> = stream.header.events.iter().map(|it| it.name()).collect();
            let mut whole = Vec::new();
            stream.tell(&mut Chrome::new(&mut whole)).unwrap();
            for size in (0..whole.len()).step_by(step) {
                let mut file = Vec::new();
                let disk = Disk::new(&mut file, size);
                let mut counted = BTreeMap::new();
                for ((_, event), count) in stream.counted(&mut Chrome::new(disk)) {
                    *counted.entry(event).or_default() += count;
                }
                assert_eq!(file, whole[..size]);
                assert_eq!(counted, records_in(&file, &events), "{size} bytes");
            }
            assert!(whole.len() > 10 * step && records_in(&whole, &events).len() > 3);
        }
    }

    #[test]
    fn a_full_disk_is_an_error_wherever_it_comes() {
        let stream = stream(20);
        let mut whole = Vec::new();
        stream.tell(&mut Chrome::new(&mut whole)).unwrap();
        for size in (0..whole.len()).step_by(97) {
            let error = stream.tell(&mut Chrome::new(Full(size))).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
    }
}
