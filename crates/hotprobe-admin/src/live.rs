//! Measurements that are shown while they run: `format=live` of `POST /latency` and `GET /stacks`.
//!
//! The response is a stream of server-sent events: one report a second, then `end`, with all of the
//! result. A report that does not fit into the pipe is left out: the next one has the same and
//! more.

use crate::pipe::Pipe;
use crate::sessions::{Ending, Session};
use std::time::Duration;
use tokio::time::Instant;

/// The time from one report to the next.
const EVERY: Duration = Duration::from_secs(1);
/// The share of the time that reports may take, of a worker of the runtime: one part in this many.
const SHARE: u32 = 50;

/// Reports once a second until the session is to end; returns why it ends.
pub(crate) async fn report<T>(
    session: &Session,
    pipe: &Pipe,
    attached: &T,
    send: fn(&T, &Pipe),
) -> Ending {
    let mut next = Instant::now() + EVERY;
    loop {
        if let Some(ending) = session.ending_within(pipe, next).await {
            return ending;
        }
        let begun = Instant::now();
        send(attached, pipe);
        next = begun + EVERY.max(begun.elapsed() * SHARE);
    }
}
