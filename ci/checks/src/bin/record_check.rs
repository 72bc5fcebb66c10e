//! Writes the stream that was made up for the exporters in all formats, and beside it,
//! `expected.json`, what readers have to find. `record_check OUT [REQUESTS]`.

#![allow(dead_code, reason = "the exporters have more than is used here")]

// The exporters are not part of the public API; here they are by themselves.
#[path = "../../../../crates/hotprobe-record/src/formats"]
mod formats {
    pub(crate) mod bytes;
    pub(crate) mod chrome;
    pub(crate) mod ctf;
    pub(crate) mod export;
    pub(crate) mod nesting;
    pub(crate) mod output;
    pub(crate) mod pairs;
    pub(crate) mod perfetto;
    pub(crate) mod record_buffer;
    pub(crate) mod synthetic;
}

use formats::export::{Export, Field};
use formats::synthetic::{Ends, SyntheticStep, SyntheticStream, stream};
use serde_json::{Value, json};
use std::cell::Cell;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::rc::Rc;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments
        .next()
        .ok_or("usage: record_check OUT [REQUESTS]")?;
    let requests = arguments.next().map_or(Ok(1_000), |count| count.parse())?;
    let out = Path::new(&out);
    fs::create_dir_all(out)?;

    let stream = stream(requests);
    let (written, flushes) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(Vec::new())));
    tell(&stream, out, "pftrace", &flushes, &written, |file| {
        formats::perfetto::Perfetto::new(file)
    })?;
    let perfetto = flushes.take();
    tell(&stream, out, "json", &flushes, &written, |file| {
        formats::chrome::Chrome::new(file)
    })?;
    let chrome = flushes.take();
    stream.tell(&mut formats::ctf::Ctf::create(&out.join("ctf"))?)?;

    let expected = json!({
        "wall": stream.header.wall.duration_since(std::time::SystemTime::UNIX_EPOCH)?.as_nanos().to_string(),
        "end": stream.end,
        "pid": stream.header.process.0,
        "process": stream.header.process.1,
        "threads": stream.steps.iter().filter_map(|step| match step {
            SyntheticStep::Thread(thread) => Some(json!({ "index": thread.index, "id": thread.id, "name": thread.name.as_deref() })),
            _ => None,
        }).collect::<Vec<_>>(),
        "records": stream.steps.iter().filter_map(|step| match step {
            SyntheticStep::Record { time, thread, event, task, values } => {
                let event = stream.header.events[*event];
                let arguments = event.parameters().iter().zip(values);
                Some(json!({
                    "time": time, "thread": thread, "event": event.name(), "task": task,
                    "args": arguments.map(|(parameter, field)| (parameter.name().to_owned(), plain(field)))
                        .collect::<serde_json::Map<_, _>>(),
                }))
            }
            _ => None,
        }).collect::<Vec<_>>(),
        "lost": stream.steps.iter().filter_map(|step| match step {
            SyntheticStep::Lost(lost) => Some(json!({
                "time": lost.time, "thread": lost.thread, "count": lost.count,
                "event": stream.header.events[lost.event].name(),
            })),
            _ => None,
        }).collect::<Vec<_>>(),
        "slices": stream.slices.iter().map(|slice| json!({
            "id": slice.id, "begin": slice.begin, "end": slice.end,
            "ends": match slice.ends { Ends::Both => "both", Ends::NoBegin => "no begin", Ends::NoEnd => "no end" },
        })).collect::<Vec<_>>(),
        "totals": stream.totals.iter().map(|total| json!({
            "thread": total.thread, "event": stream.header.events[total.event].name(),
            "fired": total.fired, "written": total.written, "lost": total.lost,
        })).collect::<Vec<_>>(),
        "flushes": { "perfetto": perfetto, "chrome": chrome },
    });
    serde_json::to_writer(File::create(out.join("expected.json"))?, &expected)?;
    println!(
        "{} records, {} slices, {} losses, {} totals, {} bytes of Perfetto's, {} of Chrome's",
        expected["records"].as_array().map_or(0, Vec::len),
        stream.slices.len(),
        expected["lost"].as_array().map_or(0, Vec::len),
        stream.totals.len(),
        fs::metadata(out.join("trace.pftrace"))?.len(),
        fs::metadata(out.join("trace.json"))?.len(),
    );
    Ok(())
}

/// Writes `trace.EXTENSION`; for each flush, how many bytes and records were in the file then.
fn tell<E: Export>(
    stream: &SyntheticStream,
    out: &Path,
    extension: &str,
    flushes: &Cell<Vec<(u64, u64)>>,
    written: &Rc<Cell<u64>>,
    make: impl FnOnce(Counted) -> E,
) -> io::Result<()> {
    written.set(0);
    let mut exporter = make(Counted {
        file: File::create(out.join(format!("trace.{extension}")))?,
        written: Rc::clone(written),
    });
    let (mut records, mut seen) = (0, Vec::new());
    exporter.header(&stream.header)?;
    for step in &stream.steps {
        step.tell(&mut exporter)?;
        match step {
            SyntheticStep::Record { .. } => records += 1,
            SyntheticStep::Flush => seen.push((written.get(), records)),
            _ => {}
        }
    }
    flushes.set(seen);
    exporter.finish(stream.end, &stream.totals)
}

struct Counted {
    file: File,
    written: Rc<Cell<u64>>,
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.written.set(self.written.get() + count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Kind, value as text (floats by their bits, bytes in hex), and whether it was cut.
fn plain(field: &Field<'_>) -> Value {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    };
    match *field {
        Field::Bool(value) => json!(["bool", value.to_string()]),
        Field::Char(value) => json!(["text", value, false]),
        Field::U64(value) => json!(["int", value.to_string()]),
        Field::I64(value) => json!(["int", value.to_string()]),
        Field::U128(value) => json!(["text", value.to_string(), false]),
        Field::I128(value) => json!(["text", value.to_string(), false]),
        Field::F32(value) => json!(["float", f64::from(value).to_bits().to_string()]),
        Field::F64(value) => json!(["float", value.to_bits().to_string()]),
        Field::Str { text, cut } => json!(["text", text, cut]),
        Field::Bytes { bytes, cut } => json!(["bytes", hex(bytes), cut]),
        Field::Opaque(name) => json!(["text", format!("[{name}]"), false]),
        Field::Redacted => json!(["text", "[redacted]", false]),
        Field::Failed => json!(["text", "[failed]", false]),
        // (Not in the made-up stream: Chrome has a type for it, the others have not.)
        Field::Absent => json!(["none"]),
    }
}
