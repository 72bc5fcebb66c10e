//! The Common Trace Format 1.8: a folder with a description, `metadata`, and binary streams, each
//! of one thread at a time.
//!
//! What is where:
//! * A stream consists of packets, which are written whole: between two flushes the folder can be
//!   read at any time. A packet's context names the thread, and counts the records that the threads
//!   of the stream have lost so far (`events_discarded`): a loss ends a packet, and an empty one
//!   follows, so that readers show it at its place. How many there were of each event says
//!   `hotprobe::lost`.
//! * A thread has a stream of its own until there are [`MOST_STREAMS`]: readers open all of them at
//!   once. From then on, a thread that has none takes over the one whose thread has been silent for
//!   longest, with a packet of its own.
//! * What is appended to a file is appended whole or not at all: half a packet, or half a class in
//!   `metadata`, would make all of it unreadable.
//! * An event becomes a class of its own with the first record of it, when it is known which kinds
//!   of values its arguments have. If those of a later record differ (a `Debug` that panics does
//!   not count: text is text), there is another class of the same name.
//! * Text is null-terminated there. Text that contains a null becomes a sequence of its bytes; so
//!   does empty text, for which babeltrace 2.0 shows the text before it. If it was cut, a further
//!   field says so. 128-bit integers are text.
//! * Field names have an underscore before them, which readers take away: so none of them is a
//!   keyword.
//! * The tokio task is in the event context, 0 if there is none.
//! * At the end, `hotprobe::total` for each event and thread: fired, written, lost.
//!
//! Times within a stream must not decrease. Where a clock has stepped back, the time before stands.

use super::export::{Export, Field, Header, Lost, Record, ThreadInfo, Total};
use super::output::{self, LimitedFile};
use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const MAGIC: u32 = 0xC1FC_1FC1;
/// A packet ends when it is so large; packets are written when they are so large together.
const PACKET: usize = 1 << 16;
/// How many stream files there are at most. Readers open all of them, and may often have no more
/// than 1024 open.
const MOST_STREAMS: usize = 256;
/// Classes that are ours.
const LOST: u32 = 0;
const TOTAL: u32 = 1;

/// Writes a recording as a CTF trace.
#[derive(Debug)]
pub(crate) struct Ctf {
    folder: PathBuf,
    metadata: LimitedFile,
    events: Vec<CtfEvent>,
    /// By event and kinds of values.
    classes: HashMap<(usize, Vec<Kind>), u32>,
    next_class: u32,
    threads: HashMap<usize, CtfThread>,
    streams: Vec<CtfStream>,
    most_streams: usize,
    /// How often a stream has been used.
    uses: u64,
    kinds: Vec<Kind>,
    /// Thread and event of the record in work, as long as it is in no stream.
    in_work: Option<(usize, usize)>,
}

/// What packets say of their thread.
#[derive(Debug)]
struct CtfThread {
    tid: u64,
    name: Vec<u8>,
    /// The stream that it wrote to last, which may be another one's by now.
    stream: Option<usize>,
}

impl CtfThread {
    fn new(tid: u64, name: &str) -> Self {
        Self {
            tid,
            name: terminated(name),
            stream: None,
        }
    }
}

#[derive(Debug)]
struct CtfEvent {
    name: &'static str,
    parameters: Vec<&'static str>,
}

/// What a value is in the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Bool,
    U64,
    I64,
    F32,
    F64,
    Text { cut: bool },
    Bytes { cut: bool },
}

impl Kind {
    fn of(field: &Field<'_>) -> Self {
        match *field {
            Field::Bool(_) => Self::Bool,
            Field::U64(_) => Self::U64,
            Field::I64(_) => Self::I64,
            Field::F32(_) => Self::F32,
            Field::F64(_) => Self::F64,
            Field::Str { text, cut } if !text.is_empty() && !text.contains('\0') => {
                Self::Text { cut }
            }
            Field::Str { cut, .. } | Field::Bytes { cut, .. } => Self::Bytes { cut },
            Field::Char('\0') => Self::Bytes { cut: false },
            Field::Char(_)
            | Field::U128(_)
            | Field::I128(_)
            | Field::Opaque(_)
            | Field::Redacted
            | Field::Absent
            | Field::Failed => Self::Text { cut: false },
        }
    }
}

/// A file, the thread that it belongs to now, and the packet that is being filled.
#[derive(Debug)]
struct CtfStream {
    path: PathBuf,
    thread: usize,
    tid: u64,
    name: Vec<u8>,
    /// Which use of a stream was the last of this one.
    used: u64,
    /// Packets that are not in the file yet.
    unwritten: Vec<u8>,
    events: Vec<u8>,
    /// Thread and event of each record in these two.
    records: Vec<(usize, usize)>,
    /// Times of its first and last event.
    begin: Option<u64>,
    last: u64,
    packets: u64,
    discarded: u64,
}

impl Ctf {
    /// Makes the folder if it is not there. What is in it of an earlier trace is removed.
    pub(crate) fn create(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        // First of all: it fails if another recording writes there.
        let metadata = output::create(&folder.join("metadata"))?;
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name
                .to_str()
                .is_some_and(|name| name.starts_with("stream-") || name.starts_with("thread-"))
                && entry.file_type()?.is_file()
            {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(Self {
            metadata,
            folder: folder.to_owned(),
            events: Vec::new(),
            classes: HashMap::new(),
            next_class: TOTAL + 1,
            threads: HashMap::new(),
            streams: Vec::new(),
            most_streams: MOST_STREAMS,
            uses: 0,
            kinds: Vec::new(),
            in_work: None,
        })
    }

    fn class(&mut self, record: &Record<'_>) -> io::Result<u32> {
        self.kinds.clear();
        self.kinds.extend(record.values.iter().map(Kind::of));
        let key = (record.event, std::mem::take(&mut self.kinds));
        if let Some(&class) = self.classes.get(&key) {
            self.kinds = key.1;
            return Ok(class);
        }
        let class = self.next_class;
        let event = self.events.get(record.event);
        let parameters = event.map_or(&[][..], |event| &event.parameters);
        let mut used = HashSet::new();
        // First the parameters' own names, then those that we add.
        let names: Vec<_> = (0..key.1.len())
            .map(|index| identifier(parameters.get(index).copied().unwrap_or(""), &mut used))
            .collect();
        let mut fields = String::new();
        for (name, kind) in names.iter().zip(&key.1) {
            let cut = match kind {
                Kind::Bool => writeln!(fields, "        bool_t {name};").map(|()| false),
                Kind::U64 => writeln!(fields, "        u64_t {name};").map(|()| false),
                Kind::I64 => writeln!(fields, "        i64_t {name};").map(|()| false),
                Kind::F32 => writeln!(fields, "        f32_t {name};").map(|()| false),
                Kind::F64 => writeln!(fields, "        f64_t {name};").map(|()| false),
                Kind::Text { cut } => writeln!(fields, "        string {name};").map(|()| *cut),
                Kind::Bytes { cut } => {
                    let length = identifier(&format!("{}_length", &name[1..]), &mut used);
                    writeln!(
                        fields,
                        "        u32_t {length};\n        byte_t {name}[{length}];"
                    )
                    .map(|()| *cut)
                }
            };
            if cut.map_err(io::Error::other)? {
                let cut = identifier(&format!("{}_cut", &name[1..]), &mut used);
                writeln!(fields, "        bool_t {cut};").map_err(io::Error::other)?;
            }
        }
        let name = quoted(event.map_or("", |event| event.name));
        let described = format!(
            "event {{\n    name = {name};\n    id = {class};\n    stream_id = 0;\n    fields := struct {{\n{fields}    }};\n}};\n\n"
        );
        self.metadata.append(described.as_bytes())?;
        self.next_class += 1;
        self.classes.insert(key, class);
        Ok(class)
    }

    fn event_name(&self, event: usize) -> &'static str {
        self.events.get(event).map_or("", |event| event.name)
    }

    /// The thread's stream; of a thread that was not announced, too.
    fn stream(&mut self, thread: usize) -> &mut CtfStream {
        self.uses += 1;
        let known = self.threads.entry(thread);
        let info = known.or_insert_with(|| CtfThread::new(0, ""));
        let streams = &mut self.streams;
        let own = |&index: &usize| streams.get(index).is_some_and(|s| s.thread == thread);
        let index = info.stream.filter(own).unwrap_or_else(|| {
            if streams.len() < self.most_streams {
                let path = self.folder.join(format!("stream-{}", streams.len()));
                streams.push(CtfStream::new(path, thread, info));
                return streams.len() - 1;
            }
            // (There is one at least.)
            let silent = (0..streams.len()).min_by_key(|&index| streams[index].used);
            let index = silent.unwrap_or(0);
            streams[index].hand_over(thread, info);
            index
        });
        info.stream = Some(index);
        let stream = &mut streams[index];
        stream.used = self.uses;
        stream
    }
}

impl CtfStream {
    fn new(path: PathBuf, thread: usize, info: &CtfThread) -> Self {
        Self {
            path,
            thread,
            tid: info.tid,
            name: info.name.clone(),
            used: 0,
            unwritten: Vec::new(),
            events: Vec::new(),
            records: Vec::new(),
            begin: None,
            last: 0,
            packets: 0,
            discarded: 0,
        }
    }

    /// What comes from now on is another thread's.
    fn hand_over(&mut self, thread: usize, info: &CtfThread) {
        self.end_packet();
        self.thread = thread;
        self.tid = info.tid;
        self.name.clone_from(&info.name);
    }

    /// Begins an event; what is pushed to `events` afterwards is its payload.
    fn event(&mut self, class: u32, time: u64, task: u64) {
        self.last = self.last.max(time);
        self.begin.get_or_insert(self.last);
        self.events.extend_from_slice(&class.to_le_bytes());
        self.events.extend_from_slice(&self.last.to_le_bytes());
        self.events.extend_from_slice(&task.to_le_bytes());
    }

    /// Ends the packet, if there is anything in it.
    fn end_packet(&mut self) {
        if self.begin.is_some() {
            self.put_packet();
        }
    }

    /// Ends the packet, even if it is empty.
    fn put_packet(&mut self) {
        let packet = &mut self.unwritten;
        packet.extend_from_slice(&MAGIC.to_le_bytes());
        packet.extend_from_slice(&0_u32.to_le_bytes());
        let before = 4 + 4;
        let context = 8 * 8;
        let bits = 8 * (before + context + self.name.len() + self.events.len()) as u64;
        let begin = self.begin.unwrap_or(self.last);
        for number in [
            begin,
            self.last,
            bits,
            bits,
            self.packets,
            self.discarded,
            self.thread as u64,
            self.tid,
        ] {
            packet.extend_from_slice(&number.to_le_bytes());
        }
        packet.extend_from_slice(&self.name);
        packet.append(&mut self.events);
        self.packets += 1;
        self.begin = None;
    }

    /// Ends the packet and writes what there is, if it is much.
    fn write_if_large(&mut self) -> io::Result<()> {
        if self.unwritten.len() + self.events.len() < PACKET {
            return Ok(());
        }
        self.write()
    }

    /// Ends the packet and writes what there is.
    fn write(&mut self) -> io::Result<()> {
        self.end_packet();
        if self.unwritten.is_empty() {
            return Ok(());
        }
        // (Opened each time, so that a recording takes no more than one of the files that may be
        // open.)
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.path)?;
        LimitedFile::new(file).append(&self.unwritten)?;
        self.unwritten = Vec::new();
        self.records.clear();
        Ok(())
    }
}

impl Export for Ctf {
    fn header(&mut self, header: &Header) -> io::Result<()> {
        self.events.extend(header.events.iter().map(|event| {
            CtfEvent {
                name: event.name(),
                parameters: event
                    .parameters()
                    .iter()
                    .map(hotprobe::Parameter::name)
                    .collect(),
            }
        }));
        let wall = header
            .wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let (seconds, nanoseconds) = (wall.as_secs(), wall.subsec_nanos());
        let (pid, process) = (header.process.0, quoted(&header.process.1));
        write!(
            self.metadata,
            r#"/* CTF 1.8 */

typealias integer {{ size = 8; align = 8; signed = false; base = 16; }} := byte_t;
typealias integer {{ size = 32; align = 8; signed = false; }} := u32_t;
typealias integer {{ size = 64; align = 8; signed = false; }} := u64_t;
typealias integer {{ size = 64; align = 8; signed = true; }} := i64_t;
typealias floating_point {{ exp_dig = 8; mant_dig = 24; align = 8; }} := f32_t;
typealias floating_point {{ exp_dig = 11; mant_dig = 53; align = 8; }} := f64_t;
typealias enum : byte_t {{ "false" = 0, "true" = 1 }} := bool_t;

trace {{
    major = 1;
    minor = 8;
    byte_order = le;
    packet.header := struct {{
        u32_t magic;
        u32_t stream_id;
    }};
}};

env {{
    domain = "ust";
    tracer_name = "hotprobe";
    pid = {pid};
    procname = {process};
}};

clock {{
    name = "recording";
    description = "Nanoseconds since the recording started";
    freq = 1000000000;
    offset_s = {seconds};
    offset = {nanoseconds};
}};

typealias integer {{ size = 64; align = 8; signed = false; map = clock.recording.value; }} := time_t;

stream {{
    id = 0;
    packet.context := struct {{
        time_t timestamp_begin;
        time_t timestamp_end;
        u64_t content_size;
        u64_t packet_size;
        u64_t packet_seq_num;
        u64_t events_discarded;
        u64_t thread;
        u64_t tid;
        string thread_name;
    }};
    event.header := struct {{
        u32_t id;
        time_t timestamp;
    }};
    event.context := struct {{
        u64_t tokio_task;
    }};
}};

event {{
    name = "hotprobe::lost";
    id = {LOST};
    stream_id = 0;
    fields := struct {{
        string _event;
        u64_t _lost;
    }};
}};

event {{
    name = "hotprobe::total";
    id = {TOTAL};
    stream_id = 0;
    fields := struct {{
        string _event;
        u64_t _fired;
        u64_t _written;
        u64_t _lost;
    }};
}};

"#
        )
    }

    fn thread(&mut self, thread: &ThreadInfo) -> io::Result<()> {
        let name = match thread.name.as_deref() {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => format!("thread {}", thread.index),
        };
        let mut info = CtfThread::new(thread.id, &name);
        if let Some(known) = self.threads.remove(&thread.index) {
            // What comes from now on is in a packet that has the new name.
            info.stream = known.stream;
            let stream = info.stream.and_then(|index| self.streams.get_mut(index));
            if let Some(stream) = stream.filter(|stream| stream.thread == thread.index) {
                stream.hand_over(thread.index, &info);
            }
        }
        self.threads.insert(thread.index, info);
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        let of = (record.thread, record.event);
        self.in_work = Some(of);
        let class = self.class(record)?;
        self.in_work = None;
        let stream = self.stream(record.thread);
        stream.records.push(of);
        stream.event(class, record.time, record.task.unwrap_or(0));
        for field in record.values {
            payload(&mut stream.events, field);
        }
        stream.write_if_large()
    }

    fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        let name = terminated(self.event_name(lost.event));
        let stream = self.stream(lost.thread);
        stream.end_packet();
        if stream.packets == 0 {
            // Readers know of a loss by the difference to the packet before.
            stream.put_packet();
        }
        stream.last = stream.last.max(lost.time);
        stream.discarded += lost.count;
        stream.put_packet();
        stream.event(LOST, lost.time, 0);
        stream.events.extend_from_slice(&name);
        stream.events.extend_from_slice(&lost.count.to_le_bytes());
        stream.write_if_large()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.streams.iter_mut().try_for_each(CtfStream::write)
    }

    fn unwritten(&self, tell: &mut dyn FnMut(usize, usize)) {
        let buffered = self.streams.iter().flat_map(|stream| &stream.records);
        let unwritten = buffered.chain(&self.in_work);
        unwritten.for_each(|&(thread, event)| tell(thread, event));
    }

    fn finish(&mut self, end: u64, totals: &[Total]) -> io::Result<()> {
        for total in totals {
            let name = terminated(self.event_name(total.event));
            let stream = self.stream(total.thread);
            stream.event(TOTAL, end, 0);
            stream.events.extend_from_slice(&name);
            for count in [total.fired, total.written, total.lost] {
                stream.events.extend_from_slice(&count.to_le_bytes());
            }
            stream.write_if_large()?;
        }
        self.flush()
    }
}

/// What the class that belongs to [`Kind::of`] the value says.
fn payload(to: &mut Vec<u8>, field: &Field<'_>) {
    let kind = Kind::of(field);
    let mut plain = |text: &str| match kind {
        Kind::Bytes { .. } => counted(to, text.as_bytes()),
        _ => to.extend_from_slice(&terminated(text)),
    };
    match *field {
        Field::Bool(value) => to.push(value.into()),
        Field::U64(value) => to.extend_from_slice(&value.to_le_bytes()),
        Field::I64(value) => to.extend_from_slice(&value.to_le_bytes()),
        Field::F32(value) => to.extend_from_slice(&value.to_le_bytes()),
        Field::F64(value) => to.extend_from_slice(&value.to_le_bytes()),
        Field::Char(value) => plain(value.encode_utf8(&mut [0; 4])),
        Field::U128(value) => plain(&value.to_string()),
        Field::I128(value) => plain(&value.to_string()),
        Field::Str { text, .. } => plain(text),
        Field::Bytes { bytes, .. } => counted(to, bytes),
        Field::Opaque(type_name) => plain(&format!("[{type_name}]")),
        Field::Redacted => plain("[redacted]"),
        Field::Absent => plain("none"),
        Field::Failed => plain("[failed]"),
    }
    if matches!(kind, Kind::Text { cut: true } | Kind::Bytes { cut: true }) {
        to.push(1);
    }
}

/// A sequence: its length, and the bytes.
fn counted(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    to.extend_from_slice(&length.to_le_bytes());
    to.extend_from_slice(&bytes[..length as usize]);
}

/// A null-terminated string. (What has nulls in it is not written by this, except for names, which
/// end there.)
fn terminated(text: &str) -> Vec<u8> {
    let mut bytes: Vec<u8> = text.bytes().take_while(|&byte| byte != 0).collect();
    bytes.push(0);
    bytes
}

/// A field's name: an underscore, and of the parameter's name what is allowed there. Never one that
/// is used already.
fn identifier(name: &str, used: &mut HashSet<String>) -> String {
    let mut identifier = String::from("_");
    for letter in name.chars() {
        if letter.is_ascii_alphanumeric() || letter == '_' {
            identifier.push(letter);
        } else {
            let _ = write!(identifier, "u{:x}_", u32::from(letter));
        }
    }
    while !used.insert(identifier.clone()) {
        identifier.push('_');
    }
    identifier
}

/// A string literal of the description: bytes that could mean anything there are octal.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for byte in text.bytes().take_while(|&byte| byte != 0) {
        match byte {
            b' '..=b'~' if byte != b'"' && byte != b'\\' => quoted.push(byte.into()),
            _ => {
                let _ = write!(quoted, "\\{byte:03o}");
            }
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests;
