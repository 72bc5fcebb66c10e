//! A body that is sent while it is made: a bounded queue of bytes between who makes it and the connection.
//!
//! Who makes it may write without waiting ([`Pipe::offer`]: all or nothing), or wait on a thread of its own until there
//! is room ([`PipeWriter`]). However slow the client, there are never more than [`CAPACITY`] bytes in it. When the client
//! has gone, the body is dropped, and that is told at once.

use axum::body::{Body, Bytes};
use futures_core::Stream;
use std::io::{self, Write};
use std::mem;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use tokio::sync::Notify;

/// How much may wait to be sent.
pub(crate) const CAPACITY: usize = 256 << 10;

/// The end that is written to.
#[derive(Clone)]
pub(crate) struct Pipe(Arc<PipeShared>);

#[derive(Default)]
struct PipeShared {
    state: Mutex<PipeState>,
    /// There is room, or nobody wants it any more.
    room: Condvar,
    /// Something was taken, or the body is gone.
    taken: Notify,
}

#[derive(Default)]
struct PipeState {
    bytes: Vec<u8>,
    end: PipeEnd,
    gone: bool,
    /// How often something was taken.
    takes: u64,
    reader: Option<Waker>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum PipeEnd {
    /// More may come.
    #[default]
    Open,
    /// This was all.
    Complete,
    /// It was cut off.
    Aborted,
}

impl Pipe {
    /// A pipe, and the body that comes out of it.
    pub(crate) fn new() -> (Self, Body) {
        let shared = Arc::new(PipeShared::default());
        let body = Body::from_stream(PipeReader(Arc::clone(&shared)));
        (Self(shared), body)
    }

    /// Writes all of it, if there is room; never waits.
    pub(crate) fn offer(&self, bytes: &[u8]) -> bool {
        let mut state = self.0.lock();
        let fits = state.is_wanted() && state.bytes.len() + bytes.len() <= CAPACITY;
        if fits {
            state.put(bytes);
        }
        fits
    }

    /// Writes the last of it, which is short, whether there is room or not.
    pub(crate) fn complete_with(&self, bytes: &[u8]) {
        let mut state = self.0.lock();
        if state.is_wanted() {
            state.put(bytes);
        }
        drop(state);
        self.complete();
    }

    /// What was written is all.
    pub(crate) fn complete(&self) {
        self.end(PipeEnd::Complete);
    }

    /// What was written is not all, and the client is to know: the connection is cut. What waits is dropped.
    pub(crate) fn abort(&self) {
        self.end(PipeEnd::Aborted);
    }

    fn end(&self, end: PipeEnd) {
        let mut state = self.0.lock();
        if state.end == PipeEnd::Open || end == PipeEnd::Aborted && !state.bytes.is_empty() {
            state.end = end;
            if end == PipeEnd::Aborted {
                state.bytes = Vec::new();
            }
            state.wake();
        }
        drop(state);
        self.0.room.notify_all();
    }

    /// Returns when the client has gone.
    pub(crate) async fn gone(&self) {
        self.until(|state| state.gone).await;
    }

    /// Returns when all that was written has been taken, or the client has gone.
    pub(crate) async fn drained(&self) {
        self.until(|state| state.gone || state.bytes.is_empty())
            .await;
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.0.lock().bytes.is_empty()
    }

    /// How often something was taken: it stands still if the client does.
    pub(crate) fn takes(&self) -> u64 {
        self.0.lock().takes
    }

    async fn until(&self, condition: impl Fn(&PipeState) -> bool) {
        loop {
            // Registered before it is looked: no wake-up is lost.
            let taken = self.0.taken.notified();
            if condition(&self.0.lock()) {
                return;
            }
            taken.await;
        }
    }
}

/// Cuts the body off when it is dropped, unless that is over: a task that is cancelled leaves nobody waiting.
#[must_use = "dropped, it cuts the body off"]
pub(crate) struct CutOff(pub(crate) Pipe);

impl Drop for CutOff {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl PipeShared {
    fn lock(&self) -> MutexGuard<'_, PipeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PipeState {
    fn is_wanted(&self) -> bool {
        !self.gone && self.end == PipeEnd::Open
    }

    fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// Writes, and waits until there is room: for a thread of its own.
pub(crate) struct PipeWriter(pub(crate) Pipe);

impl Write for PipeWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let shared = &self.0.0;
        let mut state = shared.lock();
        while state.is_wanted() && state.bytes.len() >= CAPACITY {
            state = shared
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if !state.is_wanted() {
            return Err(io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the client has gone",
            ));
        }
        let fits = bytes.len().min(CAPACITY - state.bytes.len());
        state.put(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The body.
struct PipeReader(Arc<PipeShared>);

impl Stream for PipeReader {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.lock();
        if state.bytes.is_empty() {
            return match state.end {
                PipeEnd::Open => {
                    state.reader = Some(context.waker().clone());
                    Poll::Pending
                }
                PipeEnd::Complete => Poll::Ready(None),
                PipeEnd::Aborted => {
                    // Said once.
                    state.end = PipeEnd::Complete;
                    Poll::Ready(Some(Err(io::Error::other("the answer was cut off"))))
                }
            };
        }
        let bytes = mem::take(&mut state.bytes);
        state.takes += 1;
        drop(state);
        self.0.told();
        Poll::Ready(Some(Ok(bytes.into())))
    }
}

impl PipeShared {
    /// Tells who writes.
    fn told(&self) {
        self.room.notify_all();
        self.taken.notify_waiters();
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        let bytes = {
            let mut state = self.0.lock();
            state.gone = true;
            mem::take(&mut state.bytes)
        };
        drop(bytes);
        self.0.told();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn an_offer_is_taken_whole_or_not_at_all_and_a_blocked_writer_is_let_go_when_the_body_is_dropped()
     {
        let (pipe, body) = Pipe::new();
        assert!(pipe.offer(&vec![0; CAPACITY - 1]));
        assert!(!pipe.offer(b"ab"), "two bytes do not fit where one does");
        assert!(pipe.offer(b"a"));
        let writer = thread::spawn({
            let pipe = pipe.clone();
            move || PipeWriter(pipe).write(b"b")
        });
        drop(body);
        let error = writer.join().unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(!pipe.offer(b"c"), "nobody wants it");
    }

    #[test]
    fn what_was_cut_off_ends_with_an_error_and_what_is_complete_does_not() {
        for (end, cut) in [(Pipe::complete as fn(&Pipe), false), (Pipe::abort, true)] {
            let shared = Arc::new(PipeShared::default());
            let pipe = Pipe(Arc::clone(&shared));
            let mut reader = PipeReader(shared);
            let mut context = Context::from_waker(Waker::noop());
            let mut poll = || Pin::new(&mut reader).poll_next(&mut context);
            pipe.offer(b"ab");
            assert!(matches!(poll(), Poll::Ready(Some(Ok(bytes))) if *bytes == *b"ab"));
            assert!(poll().is_pending());
            end(&pipe);
            assert_eq!(matches!(poll(), Poll::Ready(Some(Err(_)))), cut);
        }
    }
}
