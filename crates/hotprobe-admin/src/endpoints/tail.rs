//! `GET /tail`: events as they are fired, one after the other.
//!
//! A probe takes a permit before it formats its record. Without one, the firing is counted as lost,
//! and that is all that it costs. Permits are added at the tail's rate. A firing after the last one
//! that the limit allows is not lost: nobody asked for it. Nothing waits and nothing is woken: the
//! task that sends the records looks for them many times a second.

use crate::errors::Problem;
use crate::parameters::Parameters;
use crate::pipe::{CutOff, Pipe, SILENCE};
use crate::request::Request;
use crate::sessions::{self, Ending, SESSION, Session};
use crate::sse;
use axum::body::Body;
use axum::http::Response;
use hotprobe::__private::{Written, write_user_text};
use hotprobe::{AnyEvent, Batch, Metadata, ProbeGroup, ProbeOptions, Value};
use serde::Serialize;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::{Duration, Instant as Now};
use tokio::time::Instant;

/// How often records are looked for.
const EVERY: Duration = Duration::from_millis(50);
/// The most bytes of a value, and of all values of a record.
const VALUE: usize = 256;
const RECORD: usize = 2048;

#[derive(Serialize)]
struct TailBegin {
    seconds: f64,
    limit: u64,
    rate: u64,
    events: Vec<&'static str>,
}

#[derive(Serialize)]
struct TailLost {
    lost: u64,
}

#[derive(Serialize)]
struct TailEnd {
    reason: &'static str,
    records: u64,
    lost: u64,
}

pub(crate) fn answer(request: &Request) -> Result<Response<Body>, Problem> {
    let parameters = Parameters::of_query(&request.uri, &["match", "seconds", "limit", "rate"])?;
    let events = parameters.chosen()?;
    let lasts = parameters.seconds(60.0, request.admin.max_duration)?;
    let limit = parameters.number("limit", 1..=1_000_000, 10_000)?;
    let rate = parameters.number("rate", 1..=1000, 200)?;
    let session = request.admin.sessions.begin(lasts)?;
    let number = session.number();
    let (pipe, body) = Pipe::new();
    let begin = TailBegin {
        seconds: lasts.as_secs_f64(),
        limit,
        rate,
        events: events.iter().map(|event| event.name()).collect(),
    };
    if !sse::send(&pipe, "begin", &begin) {
        return Err(Problem::parameter(format!(
            "{} events are more than can be tailed at once: choose fewer",
            events.len()
        )));
    }
    let (probes, tail) = attach(&events, limit, rate);
    tokio::spawn(send(session, pipe, probes, tail));
    let mut response = sse::answer(body);
    response.headers_mut().insert(SESSION, number);
    Ok(response)
}

/// How many records may be written, in one atomic number: at once, and until the limit.
#[derive(Clone, Copy)]
struct Permits {
    now: u32,
    left: u32,
}

impl Permits {
    fn of(packed: u64) -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
        let (now, left) = (packed as u32, (packed >> 32) as u32);
        Self { now, left }
    }

    fn packed(self) -> u64 {
        u64::from(self.left) << 32 | u64::from(self.now)
    }

    /// Takes one, if there is one now.
    fn take(packed: u64) -> Option<u64> {
        let Self { now, left } = Self::of(packed);
        let taken = Self {
            now: now.checked_sub(1)?,
            left: left.checked_sub(1)?,
        };
        Some(taken.packed())
    }
}

/// What the probes share with the task that sends.
struct TailShared {
    permits: AtomicU64,
    lost: AtomicU64,
    /// Firings that have a permit, and have not written down their record yet.
    formatting: AtomicU64,
    begin: Now,
}

/// What the sending task owns.
struct Tail {
    shared: Arc<TailShared>,
    records: Receiver<String>,
    limit: u64,
    rate: u64,
    /// Those that were sent, and those that were lost as far as the client knows.
    sent: u64,
    lost: u64,
}

fn attach(events: &[&'static dyn AnyEvent], limit: u64, rate: u64) -> (ProbeGroup, Tail) {
    let most = usize::try_from(rate.min(limit)).unwrap_or(usize::MAX);
    // (Both are bounded far below: see `answer`.)
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let permits = Permits {
        now: number(rate.min(limit)),
        left: number(limit),
    };
    let shared = Arc::new(TailShared {
        permits: AtomicU64::new(permits.packed()),
        lost: AtomicU64::new(0),
        formatting: AtomicU64::new(0),
        begin: Now::now(),
    });
    let (sender, records) = sync_channel(most);
    let mut batch = Batch::new();
    for event in events {
        let (shared, sender) = (Arc::clone(&shared), sender.clone());
        let options = ProbeOptions::new().name("tail");
        event.attach_in_with(&mut batch, options, move |metadata, values| {
            shared.fill(&sender, metadata, values);
        });
    }
    let tail = Tail {
        shared,
        records,
        limit,
        rate,
        sent: 0,
        lost: 0,
    };
    (batch.commit(), tail)
}

impl TailShared {
    /// On the firing thread.
    fn fill(&self, sender: &SyncSender<String>, metadata: &Metadata, values: &[Value<'_>]) {
        // Relaxed: a number of permits; the channel orders the records that they are for.
        let taken = self
            .permits
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, Permits::take);
        if let Err(packed) = taken {
            if Permits::of(packed).left > 0 {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
            return;
        }
        self.formatting.fetch_add(1, Ordering::Relaxed);
        let record = record(self.begin.elapsed(), metadata, values);
        if sender.try_send(record).is_err() {
            self.lose();
        }
        // Release: pairs with the Acquire in `unfinished`: who finds that it is done finds its
        // record.
        self.formatting.fetch_sub(1, Ordering::Release);
    }

    /// Counts a record as lost that had a permit: another one may be sent for it.
    fn lose(&self) {
        self.lost.fetch_add(1, Ordering::Relaxed);
        self.permits.fetch_add(1 << 32, Ordering::Relaxed);
    }
}

impl Tail {
    /// Sends what there is; whether more may come.
    fn send(&mut self, pipe: &Pipe) -> bool {
        while self.sent < self.limit {
            let Ok(record) = self.records.try_recv() else {
                break;
            };
            if sse::send_text(pipe, "record", &record) {
                self.sent += 1;
            } else {
                self.shared.lose();
            }
        }
        let lost = self.shared.lost.load(Ordering::Relaxed);
        if lost > self.lost
            && sse::send(
                pipe,
                "lost",
                &TailLost {
                    lost: lost - self.lost,
                },
            )
        {
            self.lost = lost;
        }
        self.sent < self.limit
    }

    /// Returns how many firings still format their record.
    fn unfinished(&self) -> u64 {
        // Acquire: pairs with the Release in `fill`.
        self.shared.formatting.load(Ordering::Acquire)
    }

    /// Adds permits: never more than a second's, nor more than the limit leaves.
    fn add_permits(&self, permits: u64) {
        let free = |packed: u64| {
            let Permits { now, left } = Permits::of(packed);
            let most = self.rate.min(left.into());
            let more = u64::from(now).saturating_add(permits).min(most);
            let now = u32::try_from(more).ok()?;
            Some(Permits { now, left }.packed())
        };
        // (It is always some number.)
        let _ = self
            .shared
            .permits
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, free);
    }
}

async fn send(session: Session, pipe: Pipe, mut probes: ProbeGroup, mut tail: Tail) {
    let _cut_off = CutOff(pipe.clone());
    let begin = Instant::now();
    let mut next = begin;
    let mut given = 0;
    let mut silent = begin;
    let ending = loop {
        next += EVERY;
        if let Some(ending) = session.ending_within(&pipe, next).await {
            break Some(ending);
        }
        let before = (tail.sent, tail.lost);
        if !tail.send(&pipe) {
            break None;
        }
        if before != (tail.sent, tail.lost) {
            silent = Instant::now();
        } else if silent.elapsed() >= SILENCE {
            sse::beat(&pipe);
            silent = Instant::now();
        }
        let due = u64::try_from(begin.elapsed().as_millis())
            .unwrap_or(u64::MAX)
            .saturating_mul(tail.rate)
            / 1000;
        tail.add_permits(due - given);
        given = due;
    };
    probes.detach();
    if ending == Some(Ending::Gone) {
        return pipe.abort();
    }
    sessions::settle(ending.unwrap_or(Ending::Time)).await;
    tail.send(&pipe);
    // Those that had a permit, and came too late; and those that have not ended. (They can only
    // become fewer.)
    let mut left = 0;
    let unfinished = loop {
        let unfinished = tail.unfinished();
        left += tail.records.try_iter().count() as u64;
        if unfinished == tail.unfinished() {
            break unfinished;
        }
    };
    let end = TailEnd {
        reason: ending.map_or("limit", Ending::name),
        records: tail.sent,
        lost: tail.shared.lost.load(Ordering::Relaxed) + left + unfinished,
    };
    sse::end(&pipe, &end);
    let patience = sessions::patience(&pipe, ending.unwrap_or(Ending::Time));
    sessions::sent(&pipe, patience).await;
}

/// A firing, as a line of JSON.
fn record(at: Duration, metadata: &Metadata, values: &[Value<'_>]) -> String {
    let mut line = String::with_capacity(128);
    // (Text can always be written to.)
    let _ = write!(line, "{{\"at\":{:.6},\"event\":", at.as_secs_f64());
    quote(&mut line, metadata.name());
    line += ",\"values\":{";
    for (index, (parameter, value)) in metadata.parameters().iter().zip(values).enumerate() {
        if index > 0 {
            line.push(',');
        }
        quote(&mut line, parameter.name());
        line.push(':');
        if line.len() < RECORD {
            put(&mut line, *value);
        } else {
            line += "\"…\"";
        }
    }
    line += "}}";
    line
}

fn put(line: &mut String, value: Value<'_>) {
    // The largest integer that every reader of JSON keeps exactly.
    const EXACT: u64 = 1 << 53;
    let _ = match value {
        Value::Bool(value) => write!(line, "{value}"),
        Value::U64(value) if value <= EXACT => write!(line, "{value}"),
        Value::I64(value) if value.unsigned_abs() <= EXACT => write!(line, "{value}"),
        Value::F32(value) if value.is_finite() => write!(line, "{value:?}"),
        Value::F64(value) if value.is_finite() => write!(line, "{value:?}"),
        Value::Redacted | Value::Absent => write!(line, "null"),
        Value::Bytes(bytes) => {
            let mut hex = String::new();
            for byte in bytes.iter().take(VALUE) {
                let _ = write!(hex, "{byte:02x}");
            }
            return quote(line, &bounded(format_args!("{hex}")));
        }
        other => return quote(line, &bounded(format_args!("{other}"))),
    };
}

/// The beginning of a text. A `Debug` that panics costs this value, and not the probe.
fn bounded(value: fmt::Arguments<'_>) -> String {
    let mut text = String::new();
    match write_user_text(value, VALUE, &mut |piece| text += piece) {
        Written::Whole | Written::Failed => {}
        Written::Cut => text.push('…'),
        Written::Panicked => return "[its `Debug` panicked]".to_owned(),
    }
    text
}

fn quote(line: &mut String, text: &str) {
    // (Text always can be written.)
    *line += &serde_json::to_string(text).unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: Value<'_>) -> String {
        let mut line = String::new();
        put(&mut line, value);
        line
    }

    #[test]
    fn values_are_json_that_every_reader_keeps() {
        assert_eq!(told(Value::U64(7)), "7");
        assert_eq!(told(Value::U64(u64::MAX)), "\"18446744073709551615\"");
        assert_eq!(told(Value::I64(-7)), "-7");
        assert_eq!(told(Value::F64(f64::NAN)), "\"NaN\"");
        assert_eq!(told(Value::F32(0.5)), "0.5");
        assert_eq!(told(Value::F64(1e300)), "1e300");
        assert_eq!(told(Value::Str("a\n\"<")), r#""a\n\"<""#);
        assert_eq!(told(Value::Bytes(&[0, 255])), "\"00ff\"");
        assert_eq!(told(Value::Debug(&Some(1))), "\"Some(1)\"");
        assert_eq!(told(Value::Redacted), "null");
    }

    #[test]
    fn what_is_long_is_cut_at_a_character() {
        let text = "é".repeat(VALUE);
        let told = told(Value::Str(&text));
        assert_eq!(told.len(), 2 + VALUE + '…'.len_utf8());
        assert!(told.ends_with("é…\""));
    }

    #[test]
    fn a_debug_that_writes_without_end_is_stopped() {
        struct Endless;
        impl fmt::Debug for Endless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("more ")?;
                }
            }
        }
        assert!(told(Value::Debug(&Endless)).len() < 2 * VALUE);
    }

    #[test]
    fn a_debug_that_heeds_no_error_is_stopped() {
        struct Heedless;
        impl fmt::Debug for Heedless {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                loop {
                    let _ = f.write_str("more ");
                }
            }
        }
        assert!(told(Value::Debug(&Heedless)).ends_with("…\""));
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_costs_the_value_alone() {
        struct Bomb;
        impl Drop for Bomb {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new("from the payload"));
            }
        }
        struct Panics;
        impl fmt::Debug for Panics {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                std::panic::resume_unwind(Box::new(Bomb));
            }
        }
        assert_eq!(told(Value::Debug(&Panics)), "\"[its `Debug` panicked]\"");
    }
}
