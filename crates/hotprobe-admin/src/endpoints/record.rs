//! `POST /record`: a trace, sent while it is recorded.
//!
//! The recording's own thread writes to the body. However slow the client, nothing is kept for it
//! but what the pipe and the recording's buffers hold: beyond that, records are lost, which the
//! trace counts. The program is never held up.

use crate::admin::Admin;
use crate::ctf_archive;
use crate::errors::Problem;
use crate::hand_over::hand_over;
use crate::parameters::{Parameters, one_event, shown};
use crate::pipe::{BeatingWriter, CutOff, Pipe, PipeWriter};
use crate::request::Request;
use crate::response::text;
use crate::sessions::{self, Ending, SESSION, Session};
use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, header};
use hotprobe_record::{RecordError, Recorder, Recording};
use std::error::Error;
use std::io::{self, BufWriter};
use std::sync::Arc;
use std::time::Duration;

/// How much is written at once.
const CHUNK: usize = 16 << 10;
/// A thread's buffer: so much of the session's share, within these.
const THREADS: usize = 32;
const PER_THREAD: std::ops::RangeInclusive<usize> = 64 << 10..=256 << 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RecordFormat {
    Perfetto,
    Chrome,
    Ctf,
}

impl RecordFormat {
    fn of(parameters: &Parameters) -> Result<Self, Problem> {
        parameters.choice(
            "format",
            &[
                ("perfetto", Self::Perfetto),
                ("chrome", Self::Chrome),
                ("ctf", Self::Ctf),
            ],
        )
    }

    /// What can be sent between two records and means nothing. (A CTF archive is made at the end:
    /// it has no such place.)
    fn beat(self) -> &'static [u8] {
        match self {
            // An empty packet.
            Self::Perfetto => &[0x0a, 0],
            Self::Chrome => b"\n",
            Self::Ctf => &[],
        }
    }

    /// The kind of what is sent, and how a browser saves it.
    fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Perfetto => (
                "application/octet-stream",
                "attachment; filename=\"trace.pftrace\"",
            ),
            Self::Chrome => ("application/json", "attachment; filename=\"trace.json\""),
            Self::Ctf => (
                "application/x-tar",
                "attachment; filename=\"trace.ctf.tar\"",
            ),
        }
    }
}

pub(crate) async fn answer(request: Request) -> Result<Response<Body>, Problem> {
    let Request {
        admin,
        uri,
        headers,
        body,
        ..
    } = request;
    let known = ["match", "seconds", "format", "slice", "tasks"];
    let parameters = Parameters::of_form(&uri, &headers, body, &known).await?;
    let (recorder, has_slice) = chosen(&parameters)?;
    let format = RecordFormat::of(&parameters)?;
    let lasts = parameters.seconds(10.0, admin.max_duration)?;
    let session = admin.sessions.begin(lasts)?;
    let number = session.number();

    let (pipe, body) = Pipe::new();
    let writer =
        || BufWriter::with_capacity(CHUNK, BeatingWriter::new(pipe.clone(), format.beat()));
    let tasks = parameters.choice("tasks", &[("0", false), ("1", true)])?;
    let recorder = within(recorder, has_slice, &admin).tasks(tasks);
    let recorder = match format {
        RecordFormat::Perfetto => recorder.stream_perfetto_to(writer()),
        RecordFormat::Chrome => recorder.stream_chrome_json_to(writer()),
        RecordFormat::Ctf => recorder,
    };
    let recording = recorder.start().map_err(|error| refused(&error))?;
    let running = RunningRecording {
        recording: Some(recording),
        pipe,
        format,
    };
    tokio::spawn(record(session, running));

    let (kind, name) = format.kind();
    let mut response = text(kind, body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    headers.insert(SESSION, number);
    Ok(response)
}

/// The events, and what begins and ends with two of them: `slice=NAME,BEGIN,END,KEY`. Returns
/// whether there is such a slice.
fn chosen(parameters: &Parameters) -> Result<(Recorder, bool), Problem> {
    let mut recorder = Recorder::new();
    let mut has_slice = false;
    for slice in parameters.all("slice") {
        let parts: Vec<_> = slice.split(',').map(str::trim).collect();
        let whole = !parts.contains(&"");
        let ([name, begin, end, key], true) = (&parts[..], whole) else {
            return Err(Problem::parameter(format!(
                "`slice` is `{}`: expected `NAME,BEGIN,END,KEY`: a name, the two events, and the parameter that both have, as \
                 in `request,shop::RECEIVED,shop::DONE,id`",
                shown(slice)
            )));
        };
        let find = |pattern| one_event("slice", pattern);
        recorder = recorder.slice(*name, find(begin)?, find(end)?, *key);
        has_slice = true;
    }
    let events = if has_slice {
        parameters.events()?
    } else {
        parameters.chosen()?
    };
    let recorder = events.into_iter().fold(recorder, Recorder::event);
    Ok((recorder, has_slice))
}

/// Limits a recording to a session's share of the memory.
fn within(recorder: Recorder, has_slice: bool, admin: &Admin) -> Recorder {
    let (share, per_thread) = buffer_bytes(admin.memory_share(), has_slice);
    recorder.max_total_bytes(share).max_buffer_bytes(per_thread)
}

/// Returns how large all buffers and each may be. What slices remember, which the recorder bounds
/// by the same number, has the other half of the session's share.
fn buffer_bytes(share: usize, has_slice: bool) -> (usize, usize) {
    let share = share / if has_slice { 2 } else { 1 };
    let per_thread = (share / THREADS).clamp(*PER_THREAD.start(), *PER_THREAD.end());
    (share, per_thread)
}

fn refused(error: &RecordError) -> Problem {
    let (status, kind) = match error {
        RecordError::Slice { .. } => (StatusCode::BAD_REQUEST, "parameter"),
        RecordError::NothingMatches { .. } => (StatusCode::NOT_FOUND, "unknown-event"),
        // Of the server's own limits, not of the request.
        RecordError::Limit { .. } => (StatusCode::INSUFFICIENT_STORAGE, "memory"),
        _ => (StatusCode::SERVICE_UNAVAILABLE, "recording"),
    };
    let message = match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    Problem::new(status, kind, message)
}

/// A recording that is being sent. However it is dropped, it detaches.
struct RunningRecording {
    recording: Option<Recording>,
    pipe: Pipe,
    format: RecordFormat,
}

impl RunningRecording {
    /// No firing is recorded after this. Waits for nothing.
    fn detach(&self) {
        if let Some(recording) = &self.recording {
            recording.detach();
        }
    }

    /// Waits for firings in flight, but no longer than this, and writes the rest. Blocks the
    /// thread.
    fn finish(mut self, in_flight: Duration) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Some(recording) = self.recording.take() else {
            return Ok(());
        };
        // (The thread is in no probe, for which it would be refused.)
        let trace = recording.finish_within(in_flight)?;
        if self.format == RecordFormat::Ctf {
            let mut writer = BufWriter::with_capacity(CHUNK, PipeWriter(self.pipe.clone()));
            ctf_archive::write(&trace, &mut writer)?;
            io::Write::flush(&mut writer)?;
        }
        Ok(())
    }
}

impl Drop for RunningRecording {
    /// If it has not been finished: the runtime ends, or there is no thread. Waits for no firing
    /// and no client: the pipe refuses what the recording's thread still writes.
    fn drop(&mut self) {
        if let Some(recording) = self.recording.take() {
            self.pipe.abort();
            recording.detach();
            if self.format != RecordFormat::Ctf {
                let _ = recording.finish_within(Duration::ZERO);
            }
        }
    }
}

async fn record(session: Session, running: RunningRecording) {
    let pipe = running.pipe.clone();
    let _cut_off = CutOff(pipe.clone());
    let session = Arc::new(session);
    let ending = session.ending(&pipe).await;
    // Here, and not where the rest is written: that depends on there being a thread.
    running.detach();
    if ending == Ending::Gone {
        // What waits for room is let go.
        pipe.abort();
    }
    let patience = sessions::patience(&pipe, ending);
    let mut patience = std::pin::pin!(patience);
    let in_flight = sessions::in_flight(ending);
    let Some(finishing) = hand_over(&session, move || running.finish(in_flight)) else {
        return pipe.abort();
    };
    let mut result = None;
    let finished = async { result = finishing.await.ok() };
    let in_time = sessions::before(finished, patience.as_mut()).await;
    if !in_time {
        // All is detached, and the session counts as long as the thread has memory for it.
        return pipe.abort();
    }
    match result {
        Some(Ok(())) => {
            pipe.complete();
            sessions::sent(&pipe, patience).await;
        }
        // The client is to know that this is not all.
        _ => pipe.abort(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_slices_remember_has_half_of_the_memory() {
        assert_eq!(buffer_bytes(16 << 20, false), (16 << 20, 256 << 10));
        assert_eq!(buffer_bytes(16 << 20, true), (8 << 20, 256 << 10));
        assert_eq!(buffer_bytes(4 << 20, true), (2 << 20, 64 << 10));
    }
}
