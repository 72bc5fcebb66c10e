//! A stream made up for the exporters: what a recorder could tell them, and what of it is hard.

use super::export::{Export, Field, Header, Lost, Record, SliceRule, ThreadInfo, Total};
use hotprobe::{Metadata, Parameter};
use std::collections::BTreeMap;
use std::io;
use std::time::{Duration, SystemTime};

/// Text that a file format may stumble over.
pub(crate) const HOSTILE: [&str; 12] = [
    "",
    "\"quoted\" and \\back\\slashed\\",
    "lines\r\n\tand a bell \u{7}, \u{1b}[31mred\u{1b}[0m, \u{7f}",
    "</script><script>alert(1)</script><!--",
    "line\u{2028}paragraph\u{2029}end",
    "\u{feff}mark \u{202e}right to left\u{202c}",
    "not \u{fffd} a surrogate, 🦀 needs two",
    "%s %n {} ${x} `x` '; drop table slice; --",
    "{\"ph\":\"e\"}],\n[",
    "*/ event { name = \"x\"; };",
    "e\u{301}, \u{10ffff}, \u{e000}",
    "ends with a lone backslash \\",
];

/// Only some formats can hold it as text.
pub(crate) const NULL: &str = "before\0after";

/// What an exporter is told.
#[derive(Clone, Debug)]
pub(crate) enum SyntheticStep {
    Thread(ThreadInfo),
    Record {
        time: u64,
        thread: usize,
        event: usize,
        task: Option<u64>,
        values: Vec<Field<'static>>,
    },
    Lost(Lost),
    Flush,
}

/// A slice as it has to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SyntheticSlice {
    pub(crate) id: u64,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) ends: Ends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    Both,
    NoBegin,
    NoEnd,
}

#[derive(Clone, Debug)]
pub(crate) struct SyntheticStream {
    pub(crate) header: Header,
    pub(crate) steps: Vec<SyntheticStep>,
    pub(crate) end: u64,
    pub(crate) totals: Vec<Total>,
    pub(crate) slices: Vec<SyntheticSlice>,
}

impl SyntheticStream {
    pub(crate) fn tell(&self, to: &mut dyn Export) -> io::Result<()> {
        to.header(&self.header)?;
        for step in &self.steps {
            step.tell(to)?;
        }
        to.finish(self.end, &self.totals)
    }
}

impl SyntheticStream {
    /// Hands over all, until that fails, which it has to. Returns how many records are then in the
    /// file, by thread and event, as the exporter counts them.
    pub(crate) fn counted(&self, to: &mut dyn Export) -> BTreeMap<(usize, usize), u64> {
        let mut counts = BTreeMap::<_, u64>::new();
        let mut failed = to.header(&self.header).is_err();
        for step in &self.steps {
            if failed {
                break;
            }
            if let SyntheticStep::Record { thread, event, .. } = step {
                *counts.entry((*thread, *event)).or_default() += 1;
            }
            failed = step.tell(to).is_err();
        }
        assert!(failed || to.finish(self.end, &self.totals).is_err());
        to.unwritten(&mut |thread, event| {
            let count = counts.get_mut(&(thread, event));
            *count.expect("it was handed over") -= 1;
        });
        counts.retain(|_, count| *count > 0);
        counts
    }
}

/// Keeps what is written, until it is full. Each second write is cut short.
pub(crate) struct Disk<'a> {
    file: &'a mut Vec<u8>,
    size: usize,
    writes: usize,
}

impl<'a> Disk<'a> {
    pub(crate) fn new(file: &'a mut Vec<u8>, size: usize) -> Self {
        Self {
            file,
            size,
            writes: 0,
        }
    }
}

impl io::Write for Disk<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.writes += 1;
        if self.writes % 3 == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let room = bytes.len().min(self.size - self.file.len());
        if room == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = if self.writes % 2 == 0 {
            room.div_ceil(2)
        } else {
            room
        };
        self.file.extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl SyntheticStep {
    pub(crate) fn tell(&self, to: &mut dyn Export) -> io::Result<()> {
        match self {
            Self::Thread(thread) => to.thread(thread),
            Self::Record {
                time,
                thread,
                event,
                task,
                values,
            } => to.record(&Record {
                time: *time,
                thread: *thread,
                event: *event,
                task: *task,
                values,
            }),
            Self::Lost(lost) => to.lost(lost),
            Self::Flush => to.flush(),
        }
    }

    fn thread_of(&self) -> usize {
        match self {
            Self::Thread(thread) => thread.index,
            Self::Record { thread, .. } => *thread,
            Self::Lost(lost) => lost.thread,
            Self::Flush => usize::MAX,
        }
    }
}

static RECEIVED: Metadata = Metadata::new(
    b"shop::REQUEST_RECEIVED",
    b"shop",
    ("src/shop.rs", 10, 16),
    "A request came in.",
    &[
        Parameter::new("id", "u64", false),
        Parameter::new("path", "&str", false),
    ],
);
static DONE: Metadata = Metadata::new(
    b"shop::REQUEST_DONE",
    b"shop",
    ("src/shop.rs", 12, 16),
    "It has been answered.",
    &[
        Parameter::new("id", "u64", false),
        Parameter::new("status", "u16", false),
        Parameter::new("path", "&str", false),
    ],
);
static QUERY: Metadata = Metadata::new(
    b"shop::db::QUERY",
    b"shop::db",
    ("src/shop/db.rs", 7, 16),
    "",
    &[
        Parameter::new("rows", "i64", false),
        Parameter::new("id", "u64", false),
    ],
);
/// Names that are words of file formats, and of the exporters.
static KINDS: Metadata = Metadata::new(
    b"shop::KINDS",
    b"shop",
    ("src/kinds.rs", 1, 16),
    "",
    &[
        Parameter::new("bool", "bool", false),
        Parameter::new("char", "char", false),
        Parameter::new("u64", "u64", false),
        Parameter::new("i64", "i64", false),
        Parameter::new("u128", "u128", false),
        Parameter::new("i128", "i128", false),
        Parameter::new("f32", "f32", false),
        Parameter::new("f64", "f64", false),
        Parameter::new("string", "&str", false),
        Parameter::new("event", "&[u8]", false),
        Parameter::new("opaque", "Cart", false),
        Parameter::new("r#struct", "&str", true),
        Parameter::new("größe", "&Size", false),
        Parameter::new("thread", "Either", false),
        Parameter::new("event_length", "f64", false),
    ],
);
static TICK: Metadata = Metadata::new(b"shop::TICK", b"shop", ("src/shop.rs", 20, 16), "", &[]);

const TICKS: usize = 4;

fn text(text: &'static str) -> Field<'static> {
    Field::Str { text, cut: false }
}

/// Requests that go from thread to thread; each value of each kind; losses at rates known.
/// `threads` are drained in the order of their numbers, and in the opposite one every other time.
pub(crate) fn stream(requests: u64) -> SyntheticStream {
    let mut stream = SyntheticStream {
        header: Header {
            wall: SystemTime::UNIX_EPOCH + Duration::new(1_700_000_000, 123_456_789),
            process: (4242, "shop \"&\" co".to_owned()),
            events: vec![&RECEIVED, &DONE, &QUERY, &KINDS, &TICK],
            slices: vec![SliceRule {
                name: "request".to_owned(),
                begin: (0, 0),
                end: (1, 0),
            }],
            most_open: 1 << 16,
            filter: None,
        },
        steps: Vec::new(),
        end: 0,
        totals: Vec::new(),
        slices: Vec::new(),
    };
    let threads = [
        (4242, Some("main")),
        (4243, Some("worker \"</script>\u{2028}\\")),
        (4244, None),
        // A number that was used before, and none.
        (4243, Some("worker again")),
        (0, Some("nobody")),
    ];
    for (index, &(id, name)) in threads.iter().enumerate() {
        stream.steps.push(SyntheticStep::Thread(ThreadInfo {
            index,
            id,
            name: name.map(Into::into),
        }));
    }

    let mut batch: Vec<(u64, SyntheticStep)> = Vec::new();
    let mut drains = 0;
    for id in 0..requests {
        request(&mut stream, &mut batch, id, threads.len());
        if id % 16 == 15 || id + 1 == requests {
            // What has happened by now: each thread's in the order of time, the threads one after
            // the other.
            let now = if id + 1 == requests {
                u64::MAX
            } else {
                (id + 1) * 10_000
            };
            let (early, later) = batch.into_iter().partition(|(time, _)| *time < now);
            batch = early;
            batch.sort_by_key(|(time, step)| (step.thread_of(), *time));
            if drains % 2 == 1 {
                batch.sort_by_key(|(_, step)| usize::MAX - step.thread_of());
            }
            stream.steps.extend(batch.drain(..).map(|(_, step)| step));
            batch = later;
            drains += 1;
            stream.steps.push(SyntheticStep::Flush);
        }
    }
    stream.end = requests * 10_000 + 200_000;
    let time = stream.end - 50_000;
    kinds(&mut stream, time);
    count(&mut stream);
    for slice in &mut stream.slices {
        if slice.ends == Ends::NoEnd {
            // Ends were lost.
            slice.end = slice.begin;
        }
    }
    stream
}

/// Begins on one thread, asks on another one, and ends on a third.
fn request(
    stream: &mut SyntheticStream,
    batch: &mut Vec<(u64, SyntheticStep)>,
    id: u64,
    threads: usize,
) {
    let thread = |step: u64| usize::try_from(id + step).unwrap_or(0) % threads;
    let begin = 1_000 + id * 10_000 + id % 7;
    // Some take long and overlap with later ones; for some the clock of the last thread is behind.
    let took = match id % 50 {
        13 => 95_003,
        17 => 0,
        29 => 7,
        _ if id % 4 == 3 => 9_000 + id % 20_000,
        _ => 4_000 + id % 1_000,
    };
    let end = if id % 50 == 29 {
        begin - 30
    } else {
        begin + took
    };
    let task = (id % 3 != 0).then_some(id / 10 + 1);
    let path = HOSTILE[usize::try_from(id).unwrap_or(0) % HOSTILE.len()];
    let mut step = |time, thread, event, task, values: Option<Vec<Field<'static>>>| {
        let step = match values {
            Some(values) => SyntheticStep::Record {
                time,
                thread,
                event,
                task,
                values,
            },
            None => SyntheticStep::Lost(Lost {
                time,
                thread,
                event,
                count: 1,
            }),
        };
        batch.push((time, step));
    };
    let (no_begin, no_end) = (id % 100 == 40, id % 100 == 60);
    let values = vec![Field::U64(id), text(path)];
    step(begin, thread(0), 0, task, (!no_begin).then_some(values));
    if took > 100 {
        let rows = i64::try_from(id).unwrap_or(0) - 10;
        step(
            begin + took / 2,
            thread(1),
            2,
            task,
            Some(vec![Field::I64(rows), Field::U64(id)]),
        );
    }
    let values = vec![Field::U64(id), Field::U64(200 + id % 4), text(path)];
    step(end, thread(2), 1, task, (!no_end).then_some(values));
    if id % 25 == 5 {
        batch.push((
            begin + 3_000,
            SyntheticStep::Lost(Lost {
                time: begin + 3_000,
                thread: thread(0),
                event: TICKS,
                count: id + 1,
            }),
        ));
    } else if id % 5 == 0 {
        batch.push((
            begin + 3_000,
            SyntheticStep::Record {
                time: begin + 3_000,
                thread: thread(0),
                event: TICKS,
                task: None,
                values: Vec::new(),
            },
        ));
    }
    stream.slices.push(SyntheticSlice {
        id,
        begin,
        end: end.max(begin),
        ends: match (no_begin, no_end) {
            (true, _) => Ends::NoBegin,
            (_, true) => Ends::NoEnd,
            _ => Ends::Both,
        },
    });
}

/// Each value of each kind.
fn kinds(stream: &mut SyntheticStream, start: u64) {
    let base = [
        Field::Bool(true),
        Field::Char('é'),
        Field::U64(u64::MAX),
        Field::I64(i64::MIN),
        Field::U128(u128::MAX),
        Field::I128(i128::MIN),
        Field::F32(0.1),
        Field::F64(-1.5e300),
        text("plain"),
        Field::Bytes {
            bytes: b"\x00\xff\"\\",
            cut: false,
        },
        Field::Opaque("shop::Cart<'_>"),
        Field::Redacted,
        text("Size { height: 2 }"),
        text("text"),
        Field::F64(f64::NAN),
    ];
    let mut time = start;
    let mut push = |changes: &[(usize, Field<'static>)]| {
        let mut values = base.to_vec();
        for &(index, value) in changes {
            values[index] = value;
        }
        stream.steps.push(SyntheticStep::Record {
            time,
            thread: 0,
            event: 3,
            task: None,
            values,
        });
        time += 10;
    };
    push(&[]);
    for value in [
        0,
        1,
        (1 << 53) - 1,
        1 << 53,
        (1 << 53) + 1,
        i64::MAX as u64,
        1 << 63,
    ] {
        push(&[(2, Field::U64(value))]);
    }
    for value in [0, -1, -(1 << 53), -(1 << 53) - 1, i64::MAX] {
        push(&[(3, Field::I64(value)), (5, Field::I128(value.into()))]);
    }
    for value in [
        0.0,
        -0.0,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MAX,
        f64::MIN_POSITIVE,
        1.0 / 3.0,
    ] {
        push(&[(7, Field::F64(value))]);
    }
    for value in [f32::NAN, f32::INFINITY, f32::MIN] {
        push(&[(6, Field::F32(value))]);
    }
    for hostile in HOSTILE {
        push(&[(8, text(hostile))]);
    }
    for value in ['"', '\\', '\u{2028}', '<', '\u{10ffff}'] {
        push(&[(0, Field::Bool(false)), (1, Field::Char(value))]);
    }
    push(&[(
        8,
        Field::Str {
            text: "a long te",
            cut: true,
        },
    )]);
    push(&[(
        9,
        Field::Bytes {
            bytes: b"\x01",
            cut: true,
        },
    )]);
    push(&[(
        9,
        Field::Bytes {
            bytes: b"",
            cut: false,
        },
    )]);
    // A parameter whose values are of several kinds, and a `Debug` that panics.
    push(&[(13, Field::U64(13))]);
    push(&[(13, Field::Failed)]);
    push(&[(8, text(NULL)), (1, Field::Char('\0'))]);
}

fn count(stream: &mut SyntheticStream) {
    let mut totals = BTreeMap::new();
    for step in &stream.steps {
        let (thread, event, written, lost) = match step {
            SyntheticStep::Record { thread, event, .. } => (*thread, *event, 1, 0),
            SyntheticStep::Lost(lost) => (lost.thread, lost.event, 0, lost.count),
            SyntheticStep::Thread(_) | SyntheticStep::Flush => continue,
        };
        let total = totals.entry((thread, event)).or_insert(Total {
            thread,
            event,
            fired: 0,
            written: 0,
            lost: 0,
        });
        total.fired += written + lost;
        total.written += written;
        total.lost += lost;
    }
    stream.totals = totals.into_values().collect();
}

/// A writer that takes a number of bytes, and then no more: a disk that is full.
#[derive(Debug)]
pub(crate) struct Full(pub(crate) usize);

impl io::Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0 == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = bytes.len().min(self.0);
        self.0 -= count;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
