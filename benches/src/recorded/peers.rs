//! This crate's recorder and its peers.

use super::{Recorder, Session, Start, TEXT};
use crate::layout_a::floors::counter;
use dial9_trace_format::TraceEvent;
use dial9_trace_format::decoder::{DecodedFrameRef, Decoder};
use hotprobe::fire;
use hotprobe_record::{Clock, Overflow, Recording};
use std::hint::black_box;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};
use tracing_subscriber::layer::SubscriberExt;
use zerocopy::{Immutable, IntoBytes};

const DROPS_NEWEST: &str = "drops the newest, counts them";
const OVERWRITES: &str = "overwrites the oldest";
const GROWS: &str = "grows without bound";

const fn once(
    name: &'static str,
    what: &'static str,
    when_full: &'static str,
    start: fn() -> Box<dyn Session>,
) -> Recorder {
    Recorder {
        name,
        what,
        when_full,
        start: Start::Once(start),
    }
}

/// All of them.
pub const RECORDERS: &[Recorder] = &[
    once(
        "clock_system",
        "*floor:* the system's clock, without a record",
        "",
        || Box::new(SystemClock(Instant::now())),
    ),
    once(
        "clock_tsc",
        "*floor:* the processor's counter, without a record",
        "",
        || Box::new(Counter),
    ),
    Recorder {
        name: "ours_tsc",
        what: "**hotprobe-record**, `Clock::Tsc`",
        when_full: DROPS_NEWEST,
        start: Start::EachSlice(|| Box::new(Ours::start(Clock::Tsc))),
    },
    Recorder {
        name: "ours_system",
        what: "**hotprobe-record**, `Clock::System`",
        when_full: DROPS_NEWEST,
        start: Start::EachSlice(|| Box::new(Ours::start(Clock::System))),
    },
    once(
        "ours_overwriting",
        "**hotprobe-record**, `Clock::Tsc`, `OverwriteOldest`, full",
        "overwrites the oldest, counts them",
        || Box::new(Ours::full()),
    ),
    once(
        "ours_streaming",
        "**hotprobe-record**, `Clock::Tsc`, streaming to a file",
        DROPS_NEWEST,
        || Box::new(Ours::streaming()),
    ),
    once(
        "ticklog",
        "ticklog 0.1.2, to a sink that counts",
        "drops the newest, does not count",
        || Box::new(Ticklog::start()),
    ),
    once("backbeat", "backbeat 0.1.5", OVERWRITES, || {
        Box::new(Backbeat::start())
    }),
    once(
        "dial9",
        "dial9-core 0.5.7, to files",
        "drops batches",
        || Box::new(Dial9::start()),
    ),
    Recorder {
        name: "lttng",
        what: "LTTng-UST, to files",
        when_full: DROPS_NEWEST,
        start: Start::Lttng,
    },
    once(
        "fastrace",
        "fastrace 0.7.19, a span with a property",
        "drops spans of long traces",
        || Box::new(Fastrace::start()),
    ),
    once(
        "puffin",
        "puffin 0.20.0, a scope with a text",
        GROWS,
        || Box::new(Puffin::start()),
    ),
    once(
        "tracing_fmt",
        "tracing-subscriber 0.3.23, `fmt`, to a sink",
        "the program waits",
        || Box::new(Fmt::start()),
    ),
    once(
        "tracing_chrome",
        "tracing-chrome 0.7.2, to a sink",
        GROWS,
        || Box::new(Chrome::start()),
    ),
];

/// A folder of this process, which is removed.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("hotprobe-{name}-{}", process::id()));
        fs::create_dir_all(&folder).expect("a temporary folder");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What stays behind in a temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Counts what arrives on another thread.
static ARRIVED: AtomicU64 = AtomicU64::new(0);

fn add(n: usize) {
    ARRIVED.fetch_add(n as u64, Ordering::Relaxed);
}

/// Waits until no more arrives.
fn arrived() -> u64 {
    let mut last = None;
    loop {
        let now = ARRIVED.load(Ordering::Relaxed);
        if last == Some(now) {
            return now;
        }
        last = Some(now);
        thread::sleep(Duration::from_millis(200));
    }
}

/// Counts lines that are written at once, and keeps nothing.
struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // One at a time, by `fmt`.
        add(usize::from(bytes.ends_with(b"\n")));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct SystemClock(Instant);

impl Session for SystemClock {
    fn numbers(&mut self, n: u64) {
        for _ in counter(n) {
            black_box(self.0.elapsed());
        }
    }

    fn texts(&mut self, n: u64) {
        self.numbers(n);
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        None
    }
}

struct Counter;

impl Session for Counter {
    fn numbers(&mut self, n: u64) {
        for _ in counter(n) {
            black_box(fastant::Instant::now());
        }
    }

    fn texts(&mut self, n: u64) {
        self.numbers(n);
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        None
    }
}

hotprobe::event! {
    static NUMBER: fn(x: u64);
    static LINE: fn(text: &str);
}

/// A recording, and the folder of its file.
struct Ours {
    recording: Recording,
    fired: u64,
    _folder: Option<Folder>,
}

fn recorder(clock: Clock) -> hotprobe_record::Recorder {
    let recorder = hotprobe_record::Recorder::new().clock(clock);
    recorder.event(&NUMBER).event(&LINE)
}

impl Ours {
    fn of(recorder: hotprobe_record::Recorder, folder: Option<Folder>) -> Self {
        Self {
            recording: recorder.start().expect("it can start"),
            fired: 0,
            _folder: folder,
        }
    }

    fn start(clock: Clock) -> Self {
        Self::of(recorder(clock), None)
    }

    fn full() -> Self {
        let mut this = Self::of(
            recorder(Clock::Tsc).overflow(Overflow::OverwriteOldest),
            None,
        );
        this.numbers(200_000);
        this
    }

    fn streaming() -> Self {
        let folder = Folder::new("record");
        let file = folder.0.join("trace.pftrace");
        Self::of(recorder(Clock::Tsc).stream_to(file), Some(folder))
    }
}

impl Session for Ours {
    fn numbers(&mut self, n: u64) {
        for i in counter(n) {
            fire!(NUMBER, i);
        }
        self.fired += n;
    }

    fn texts(&mut self, n: u64) {
        for _ in counter(n) {
            fire!(LINE, black_box(TEXT));
        }
        self.fired += n;
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        let sum = self.recording.finish().expect("outside probes").sum();
        assert_eq!(sum.fired, self.fired, "every firing is counted");
        Some(sum.fired - sum.lost)
    }
}

/// What `configure!` declares for the module at the root of the crate: its defaults.
macro_rules! __ticklog_max_level {
    () => {
        ticklog::Level::Info
    };
}
macro_rules! __ticklog_backpressure {
    () => {
        ticklog::Backpressure::Drop
    };
}

struct CountsLines;

impl ticklog::LogSink for CountsLines {
    fn accept(&mut self, _: &[u8], _: ticklog::Level) -> io::Result<()> {
        add(1);
        Ok(())
    }
}

struct Ticklog(ticklog::Guard);

impl Ticklog {
    #[allow(missing_docs, reason = "`configure!` declares macros")]
    fn start() -> Self {
        let guard = ticklog::configure! { sink: CountsLines };
        Self(guard.expect("the first of this process"))
    }
}

impl Session for Ticklog {
    fn numbers(&mut self, n: u64) {
        for i in counter(n) {
            ticklog::info!("x={}", i);
        }
    }

    fn texts(&mut self, n: u64) {
        for _ in counter(n) {
            ticklog::info!("{}", black_box(TEXT));
        }
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        let written = arrived();
        drop(self.0);
        Some(written)
    }
}

#[derive(backbeat::Event, IntoBytes, Immutable)]
#[event(namespace = "hotprobe::benches")]
#[repr(C)]
struct BackbeatNumber {
    x: u64,
}

#[derive(backbeat::Event, IntoBytes, Immutable)]
#[event(namespace = "hotprobe::benches")]
#[repr(C)]
struct BackbeatText {
    text: [u8; 32],
}

struct Backbeat(backbeat::recorder::Recorder);

impl Backbeat {
    fn start() -> Self {
        let shards = thread::available_parallelism().map_or(1, usize::from);
        let recorder = backbeat::recorder::Recorder::new(shards, 1 << 20);
        recorder.set_enabled(true);
        Self(recorder)
    }
}

impl Session for Backbeat {
    fn numbers(&mut self, n: u64) {
        for x in counter(n) {
            self.0.record(&BackbeatNumber { x });
        }
    }

    fn texts(&mut self, n: u64) {
        for _ in counter(n) {
            let text = black_box(TEXT).as_bytes().try_into().expect("32 bytes");
            self.0.record(&BackbeatText { text });
        }
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        None
    }
}

#[derive(TraceEvent)]
struct Dial9Number {
    #[traceevent(timestamp)]
    timestamp_ns: u64,
    x: u64,
}

#[derive(TraceEvent)]
struct Dial9Text {
    #[traceevent(timestamp)]
    timestamp_ns: u64,
    text: &'static str,
}

struct Dial9 {
    recorder: dial9_core::recording::Recorder,
    folder: Folder,
}

impl Dial9 {
    fn start() -> Self {
        let folder = Folder::new("dial9");
        let writer = dial9_core::buffer::SegmentWriter::<dial9_core::buffer::Disk>::builder()
            .base_path(folder.0.clone())
            .max_total_size(1 << 30)
            .build();
        let writer = writer.expect("a temporary folder");
        let recorder = dial9_core::recorder::recorder(writer).build();
        Self { recorder, folder }
    }
}

impl Session for Dial9 {
    fn numbers(&mut self, n: u64) {
        let handle = self.recorder.handle();
        for x in counter(n) {
            handle.record_event(Dial9Number {
                timestamp_ns: dial9_core::clock::clock_monotonic_ns(),
                x,
            });
        }
    }

    fn texts(&mut self, n: u64) {
        let handle = self.recorder.handle();
        for _ in counter(n) {
            handle.record_event(Dial9Text {
                timestamp_ns: dial9_core::clock::clock_monotonic_ns(),
                text: black_box(TEXT),
            });
        }
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        let Self { recorder, folder } = *self;
        recorder.graceful_shutdown(Duration::from_secs(10));
        let mut written = 0;
        for file in fs::read_dir(&folder.0).ok()? {
            let bytes = fs::read(file.ok()?.path()).ok()?;
            let Some(mut decoder) = Decoder::new(&bytes) else {
                continue;
            };
            while let Ok(Some(frame)) = decoder.next_frame_ref() {
                if let DecodedFrameRef::Event { type_id, .. } = frame {
                    // It writes some of its own, too.
                    let schema = decoder.registry().get(type_id);
                    written += u64::from(schema.is_some_and(|of| of.name().starts_with("Dial9")));
                }
            }
        }
        Some(written)
    }
}

struct CountsSpans;

impl fastrace::collector::Reporter for CountsSpans {
    fn report(&mut self, spans: Vec<fastrace::collector::SpanRecord>) {
        // Without the roots.
        let inner = spans.iter().filter(|span| span.name == "measured");
        add(inner.count());
    }
}

struct Fastrace;

impl Fastrace {
    fn start() -> Self {
        fastrace::set_reporter(CountsSpans, fastrace::collector::Config::default());
        Self
    }

    /// A trace holds a limited number of spans.
    fn spans(n: u64, value: impl Fn(u64) -> String) {
        use fastrace::collector::{SpanContext, SpanId, TraceId};
        for from in counter(n).step_by(256) {
            let root = fastrace::Span::root("root", SpanContext::new(TraceId(1), SpanId(1)));
            let parent = root.set_local_parent();
            for i in from..(from + 256).min(n) {
                let span = fastrace::local::LocalSpan::enter_with_local_parent("measured");
                drop(span.with_property(|| ("x", value(i))));
            }
            drop(parent);
        }
    }
}

impl Session for Fastrace {
    fn numbers(&mut self, n: u64) {
        Self::spans(n, |i| i.to_string());
    }

    fn texts(&mut self, n: u64) {
        Self::spans(n, |_| black_box(TEXT).to_owned());
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        fastrace::flush();
        Some(arrived())
    }
}

struct Puffin;

impl Puffin {
    fn start() -> Self {
        puffin::set_scopes_on(true);
        let mut profiler = puffin::GlobalProfiler::lock();
        profiler.add_sink(Box::new(|frame: Arc<puffin::FrameData>| {
            add(frame.meta().num_scopes);
        }));
        Self
    }
}

impl Session for Puffin {
    fn numbers(&mut self, n: u64) {
        for i in counter(n) {
            puffin::profile_scope!("number", i.to_string());
        }
        puffin::GlobalProfiler::lock().new_frame();
    }

    fn texts(&mut self, n: u64) {
        for _ in counter(n) {
            puffin::profile_scope!("text", black_box(TEXT));
        }
        puffin::GlobalProfiler::lock().new_frame();
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        puffin::GlobalProfiler::lock().new_frame();
        Some(arrived())
    }
}

fn traced_numbers(n: u64) {
    for x in counter(n) {
        tracing::info!(x);
    }
}

fn traced_texts(n: u64) {
    for _ in counter(n) {
        tracing::info!(text = black_box(TEXT));
    }
}

struct Fmt;

impl Fmt {
    fn start() -> Self {
        let subscriber = tracing_subscriber::fmt().with_writer(|| Lines).finish();
        tracing::subscriber::set_global_default(subscriber).expect("the first of this process");
        Self
    }
}

impl Session for Fmt {
    fn numbers(&mut self, n: u64) {
        traced_numbers(n);
    }

    fn texts(&mut self, n: u64) {
        traced_texts(n);
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        Some(arrived())
    }
}

struct Chrome(tracing_chrome::FlushGuard);

impl Chrome {
    fn start() -> Self {
        let (layer, guard) = tracing_chrome::ChromeLayerBuilder::new()
            .writer(io::sink())
            .include_args(true)
            .build();
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::set_global_default(subscriber).expect("the first of this process");
        Self(guard)
    }
}

impl Session for Chrome {
    fn numbers(&mut self, n: u64) {
        traced_numbers(n);
    }

    fn texts(&mut self, n: u64) {
        traced_texts(n);
    }

    fn finish(self: Box<Self>) -> Option<u64> {
        drop(self.0);
        None
    }
}
