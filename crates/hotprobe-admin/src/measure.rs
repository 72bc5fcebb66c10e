//! What is measured for a time and answered at its end: `POST /latency` (`latency.rs`),
//! `GET /stacks` (`stacks.rs`).
//!
//! The answer begins at once, so that a client that goes away is noticed, and its body comes when
//! the time is up.

use crate::errors::Problem;
use crate::pipe::{CutOff, Pipe, PipeWriter};
use crate::sessions::{self, Ending, Session};
use axum::http::StatusCode;
use hotprobe_profile::ProfileError;
use std::io::{self, BufWriter, Write};

/// How much is written at once.
const CHUNK: usize = 16 << 10;

/// Measures until the session is to end, then detaches and writes. `attached` detaches when it is
/// dropped, which is what happens if nobody wants the answer any more.
pub(crate) async fn measure<T: Send + 'static>(
    session: Session,
    pipe: Pipe,
    attached: T,
    write: impl FnOnce(T, &mut dyn Write) -> Result<(), ProfileError> + Send + 'static,
) {
    let _cut_off = CutOff(pipe.clone());
    let ending = session.ending(&pipe).await;
    if ending == Ending::Gone {
        return pipe.abort();
    }
    // Firings in flight are waited for, and names are looked up: not on a worker of the runtime.
    let to = pipe.clone();
    let mut task = tokio::task::spawn_blocking(move || {
        let mut writer = BufWriter::with_capacity(CHUNK, PipeWriter(to));
        write(attached, &mut writer)?;
        writer.flush().map_err(io_error)
    });
    let mut written = None;
    let done = async { written = (&mut task).await.ok() };
    let patience = sessions::patience(&pipe, ending);
    let mut patience = std::pin::pin!(patience);
    if !sessions::before(done, patience.as_mut()).await {
        pipe.abort();
        // All is detached, but the session counts as long as it has memory.
        let _ = task.await;
        return;
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
        "a session's share of the memory is too little to measure anything: give `Admin::memory_at_most` {least} bytes or \
         more for each session"
    );
    Problem::new(StatusCode::INSUFFICIENT_STORAGE, "memory", message)
}
