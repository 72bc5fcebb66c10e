//! Chrome's trace format: JSON, an event a line, as an array of events.
//!
//! The array form is the one whose closing `]` may be missing: so any prefix of the file opens in Perfetto, and
//! one that is cut at a line's end in Chrome. A JSON parser wants the `]`, which `finish` writes.
//!
//! What is where:
//! * Each record is one instant of its thread (category `event`), with its arguments.
//! * Each pair of a [`SliceRule`](super::export::SliceRule) is one asynchronous slice, from `b` to `e`, whose category
//!   and name are the rule's. A begin without end gets an `e` marked `no end`: at the end of the recording, unless
//!   ends were lost; then at its own time. An end without begin is an asynchronous instant marked `no begin`.
//! * A flow leads from the begin to what else fired with its key, if the begin was known by then, and to the end.
//! * `lost N` is an instant at the place of the loss (category `lost`); a counter sums up.
//! * At the end, an instant of the process for each event and thread (category `total`): fired, written, lost.
//! * The wall clock at time 0 is metadata, `clock`.
//!
//! Times are in microseconds with three decimals. What a JSON number cannot hold is text: integers beyond 2⁵³,
//! 128-bit ones whatever their value, NaN and the infinities. (Where text has escapes in it, Perfetto 52
//! shows the escapes, unless a quote is among them.)

use super::bytes::hex;
use super::export::{Export, Field, Header, Lost, Record, ThreadInfo, Total};
use super::pairs::{Pairs, Role, Roles};
use std::collections::{HashMap, HashSet};
use std::io::{self, BufWriter, Write};
use std::sync::Arc;
use std::time::SystemTime;

/// Beyond this, a JavaScript number is not exact.
const EXACT: u64 = 1 << 53;
/// Where threads have no number of their own, theirs start here: no Linux thread has such a one.
const OWN_IDS: u64 = 1 << 30;

/// Writes a recording as a Chrome JSON trace.
#[derive(Debug)]
pub(crate) struct Chrome<W: Write> {
    to: BufWriter<W>,
    line: Vec<u8>,
    lines: u64,
    pid: u32,
    events: Vec<ChromeEvent>,
    /// Each rule's name, and the event that ends it.
    rules: Vec<(String, usize)>,
    roles: Roles,
    pairs: Pairs<ChromeBegin, ChromeEnd>,
    slices: u64,
    threads: HashMap<usize, ChromeThread>,
    ids: HashSet<u64>,
}

#[derive(Debug)]
struct ChromeEvent {
    name: &'static str,
    parameters: Vec<&'static str>,
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
            to: BufWriter::with_capacity(1 << 16, to),
            line: Vec::new(),
            lines: 0,
            pid: 0,
            events: Vec::new(),
            rules: Vec::new(),
            roles: Roles::default(),
            pairs: Pairs::new(&[], 0),
            slices: 0,
            threads: HashMap::new(),
            ids: HashSet::new(),
        }
    }

    /// One event: `{"ph":…,"pid":…` and what `rest` adds.
    fn line(&mut self, phase: &str, rest: impl FnOnce(&mut JsonObject<'_>)) -> io::Result<()> {
        self.line.clear();
        self.line
            .extend_from_slice(if self.lines == 0 { b"[\n" } else { b",\n" });
        self.lines += 1;
        let mut object = JsonObject::new(&mut self.line);
        object.text("ph", phase);
        object.number("pid", self.pid);
        rest(&mut object);
        object.end();
        self.to.write_all(&self.line)
    }

    fn tid(&self, thread: usize) -> u64 {
        self.threads
            .get(&thread)
            .map_or(OWN_IDS + thread as u64, |thread| thread.id)
    }

    fn event_name(&self, event: usize) -> &'static str {
        self.events.get(event).map_or("", |event| event.name)
    }

    fn arguments(&self, record: &Record<'_>) -> Vec<u8> {
        let mut arguments = Vec::new();
        let mut object = JsonObject::new(&mut arguments);
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
        arguments
    }

    fn slice(
        &mut self,
        phase: &str,
        rule: usize,
        id: u64,
        thread: usize,
        time: u64,
        arguments: &[u8],
    ) -> io::Result<()> {
        let name = self.rules[rule].0.clone();
        let tid = self.tid(thread);
        self.line(phase, |object| {
            object.text("cat", &name);
            object.text("name", &name);
            object.text("id", &format!("{id:#x}"));
            object.number("tid", tid);
            object.time("ts", time);
            object.raw("args", arguments);
        })
    }

    fn flow(
        &mut self,
        phase: &str,
        rule: usize,
        id: u64,
        thread: usize,
        time: u64,
    ) -> io::Result<()> {
        let name = self.rules[rule].0.clone();
        let tid = self.tid(thread);
        self.line(phase, |object| {
            object.text("cat", "flow");
            object.text("name", &name);
            object.text("id", &format!("{id:#x}"));
            object.number("tid", tid);
            object.time("ts", time);
            // It ends at what is there at that time, not at what comes next.
            if phase == "f" {
                object.text("bp", "e");
            }
        })
    }

    fn pair(
        &mut self,
        rule: usize,
        begin: (u64, ChromeBegin),
        end: (u64, ChromeEnd),
    ) -> io::Result<()> {
        let ((begin, ChromeBegin { id, .. }), (end, ChromeEnd { thread, arguments })) =
            (begin, end);
        self.slice("e", rule, id, thread, end.max(begin), &arguments)?;
        // A flow never leads back, as clocks sometimes do.
        if end >= begin {
            self.flow("f", rule, id, thread, end)
        } else {
            Ok(())
        }
    }

    fn end_not_known(&mut self, rule: usize, begin: ChromeBegin, time: u64) -> io::Result<()> {
        self.slice(
            "e",
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
        self.slice("n", rule, id, end.thread, time, &arguments)
    }

    fn count_lost(&mut self, thread: usize, time: u64, lost: u64) -> io::Result<()> {
        let name = match self.threads.get(&thread) {
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
            .map(|slice| (slice.name.clone(), slice.end.0))
            .collect();
        self.events.extend(header.events.iter().map(|event| {
            ChromeEvent {
                name: event.name(),
                parameters: event
                    .parameters()
                    .iter()
                    .map(hotprobe::Parameter::name)
                    .collect(),
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
        let known = self.threads.entry(thread.index);
        let known = known.or_insert_with(|| ChromeThread {
            id,
            name: Arc::clone(&name),
            lost: 0,
            lost_time: 0,
        });
        known.name = name;
        self.line("M", |object| {
            object.text("name", "thread_name");
            object.number("tid", id);
            object.object("args", |args| args.text("name", &shown));
        })
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let (time, thread) = (record.time, record.thread);
        let arguments = self.arguments(record);
        let (name, tid) = (self.event_name(record.event), self.tid(thread));
        self.line("i", |object| {
            object.text("cat", "event");
            object.text("name", name);
            object.text("s", "t");
            object.number("tid", tid);
            object.time("ts", time);
            object.raw("args", &arguments);
        })?;
        let roles: Vec<_> = self.roles.of(record).collect();
        for (rule, role, key) in roles {
            match role {
                Role::Begin => {
                    let begin = ChromeBegin {
                        id: self.slices,
                        thread,
                    };
                    self.slices += 1;
                    self.slice("b", rule, begin.id, thread, time, &arguments)?;
                    self.flow("s", rule, begin.id, thread, time)?;
                    if let Some((begin, end, kept)) = self.pairs.begin(rule, key, time, begin) {
                        self.pair(rule, (time, begin), (end, kept))?;
                    }
                    if let Some((rule, time, begin)) = self.pairs.too_many(rule) {
                        self.end_not_known(rule, begin, time)?;
                    }
                }
                Role::Between => {
                    if let Some(id) = self.pairs.find(rule, &key, time).map(|begin| begin.id) {
                        self.flow("t", rule, id, thread, time)?;
                    }
                }
                Role::End => {
                    let kept = ChromeEnd {
                        thread,
                        arguments: arguments.clone(),
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

    fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        let (name, tid) = (self.event_name(lost.event), self.tid(lost.thread));
        self.line("i", |object| {
            object.text("cat", "lost");
            object.text("name", &format!("lost {}", lost.count));
            object.text("s", "t");
            object.number("tid", tid);
            object.time("ts", lost.time);
            object.object("args", |args| {
                args.text("event", name);
                args.integer("lost", lost.count);
            });
        })?;
        let Some(thread) = self.threads.get_mut(&lost.thread) else {
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
        self.to.flush()
    }

    fn finish(&mut self, end: u64, totals: &[Total]) -> io::Result<()> {
        let (ends, begins) = self.pairs.finish();
        for (rule, time, end) in ends {
            self.end_without_begin(rule, time, &end)?;
        }
        for (rule, time, begin) in begins {
            let event = self.rules[rule].1;
            let ends_were_lost = totals
                .iter()
                .any(|total| total.event == event && total.lost > 0);
            self.end_not_known(
                rule,
                begin,
                if ends_were_lost { time } else { end.max(time) },
            )?;
        }
        for total in totals {
            let name = self.event_name(total.event);
            let (tid, thread) = (self.tid(total.thread), self.threads.get(&total.thread));
            let thread = format!(
                "{} {}",
                total.thread,
                thread.map_or("", |thread| &thread.name)
            );
            self.line("i", |object| {
                object.text("cat", "total");
                object.text("name", name);
                object.text("s", "p");
                object.number("tid", tid);
                object.time("ts", end);
                object.object("args", |args| {
                    args.text("thread", &thread);
                    args.integer("fired", total.fired);
                    args.integer("written", total.written);
                    args.integer("lost", total.lost);
                });
            })?;
        }
        self.to.write_all(b"\n]\n")?;
        self.to.flush()
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

    fn end(self) {
        self.to.push(b'}');
    }

    fn key(&mut self, key: &str) {
        if !std::mem::replace(&mut self.first, false) {
            self.to.push(b',');
        }
        text(self.to, key);
        self.to.push(b':');
    }

    fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        text(self.to, value);
    }

    /// A number that is small enough.
    fn number(&mut self, key: &str, value: impl std::fmt::Display) {
        self.raw(key, value.to_string().as_bytes());
    }

    /// An integer of any size.
    fn integer(&mut self, key: &str, value: impl Into<i128>) {
        let value = value.into();
        if value.unsigned_abs() <= EXACT.into() {
            self.number(key, value);
        } else {
            self.text(key, &value.to_string());
        }
    }

    fn float(&mut self, key: &str, value: f64) {
        match serde_json::to_vec(&value) {
            Ok(number) if value.is_finite() => self.raw(key, &number),
            _ if value.is_nan() => self.text(key, "NaN"),
            _ => self.text(key, if value > 0.0 { "Infinity" } else { "-Infinity" }),
        }
    }

    /// Nanoseconds, as microseconds.
    fn time(&mut self, key: &str, time: u64) {
        self.number(key, format_args!("{}.{:03}", time / 1000, time % 1000));
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

    fn field(&mut self, name: &str, field: &Field<'_>) {
        match *field {
            Field::Bool(value) => self.number(name, value),
            Field::Char(value) => self.text(name, value.encode_utf8(&mut [0; 4])),
            Field::U64(value) => self.integer(name, value),
            Field::I64(value) => self.integer(name, value),
            Field::U128(value) => self.text(name, &value.to_string()),
            Field::I128(value) => self.text(name, &value.to_string()),
            Field::F32(value) => self.float(name, value.into()),
            Field::F64(value) => self.float(name, value),
            Field::Str { text, .. } => self.text(name, text),
            Field::Bytes { bytes, .. } => self.text(name, &hex(bytes)),
            Field::Opaque(type_name) => self.text(name, &format!("[{type_name}]")),
            Field::Redacted => self.text(name, "[redacted]"),
            Field::Absent => self.raw(name, b"null"),
            Field::Failed => self.text(name, "[failed]"),
        }
        if matches!(
            field,
            Field::Str { cut: true, .. } | Field::Bytes { cut: true, .. }
        ) {
            self.number(&format!("{name} (cut)"), true);
        }
    }
}

/// A JSON string. A backslash at its end is written by its number: Perfetto takes the second one of `\\"` for an escape
/// of the quote, and would not find the end.
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
    use crate::formats::synthetic::{Full, HOSTILE, NULL, stream};
    use serde_json::Value;

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
        object.field("small", &Field::U64(1 << 53));
        object.field("large", &Field::U64((1 << 53) + 1));
        object.field("low", &Field::I64(i64::MIN));
        object.field("wide", &Field::U128(1));
        object.field("not", &Field::F64(f64::NAN));
        object.field("less", &Field::F32(f32::NEG_INFINITY));
        object.field("more", &Field::F64(1e300));
        object.field(
            "cut",
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
        let mut open = HashMap::new();
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
