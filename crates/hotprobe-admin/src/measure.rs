//! Measurements that are answered at the end of their session: `POST /latency` (`latency.rs`),
//! `GET /stacks` (`stacks.rs`).
//!
//! The answer begins at once, so that a client that goes away is noticed, and its body comes when
//! the time is up.

use crate::errors::Problem;
use crate::hand_over::hand_over;
use crate::live;
use crate::pipe::{CutOff, Pipe, PipeWriter};
use crate::sessions::{self, Ending, Session};
use axum::http::StatusCode;
use hotprobe_profile::ProfileError;
use std::io::{self, BufWriter, Write};
use std::sync::Arc;

/// How much is written at once.
const CHUNK: usize = 16 << 10;

/// Measures until the session is to end, then detaches, waits for the firings in flight, and
/// writes. `write` receives whether all of them have ended. With `live`, it also sends a report
/// once a second until then. If nobody wants the answer any more, `attached` is dropped, which
/// detaches too.
pub(crate) async fn measure<T: Send + Sync + 'static>(
    session: Session,
    pipe: Pipe,
    attached: T,
    detach: fn(&T),
    live: Option<fn(&T, &Pipe)>,
    write: impl FnOnce(T, bool, &mut dyn Write) -> Result<(), ProfileError> + Send + 'static,
) {
    let _cut_off = CutOff(pipe.clone());
    let session = Arc::new(session);
    let ending = match live {
        None => session.ending(&pipe).await,
        Some(send) => live::report(&session, &pipe, &attached, send).await,
    };
    // Here, and not where it is written: that depends on there being a thread.
    detach(&attached);
    if ending == Ending::Gone {
        return pipe.abort();
    }
    let settled = sessions::settle(ending).await;
    // Names are looked up, and the client may be slow: not on a worker of the runtime.
    let to = pipe.clone();
    let Some(writing) = hand_over(&session, move || {
        let mut writer = BufWriter::with_capacity(CHUNK, PipeWriter(to));
        write(attached, settled, &mut writer)?;
        writer.flush().map_err(io_error)
    }) else {
        return pipe.abort();
    };
    let mut written = None;
    let done = async { written = writing.await.ok() };
    let patience = sessions::patience(&pipe, ending);
    let mut patience = std::pin::pin!(patience);
    if !sessions::before(done, patience.as_mut()).await {
        // All is detached, and the session counts as long as the thread has memory for it.
        return pipe.abort();
    }
    match written {
        Some(Ok(())) => {
            pipe.complete();
            sessions::sent(&pipe, patience).await;
        }
        // The client is to know that this is not all.
        _ => pipe.abort(),
    }
}

/// What a text says if firings in flight did not end in time.
pub(crate) const UNFINISHED: &str =
    "incomplete: firings that were in flight at the end have not ended, and are not counted\n";

pub(crate) fn io_error(source: io::Error) -> ProfileError {
    ProfileError::Io { path: None, source }
}

/// Of JSON. (Numbers and text always can be written.)
pub(crate) fn json_error(error: serde_json::Error) -> ProfileError {
    io_error(error.into())
}

pub(crate) fn refused(error: &ProfileError) -> Problem {
    match error {
        ProfileError::Parameter { reason } | ProfileError::Limit { reason } => {
            Problem::parameter(reason)
        }
        other => Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "profile",
            other.to_string(),
        ),
    }
}

/// The server's own limits leave too little.
pub(crate) fn no_memory(least: usize) -> Problem {
    let message = format!(
        "a session's share of the memory is too small to measure anything: give \
         `Admin::max_memory_bytes` {least} bytes or more for each session"
    );
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "memory", message)
}
