//! A body that is sent while it is made: a bounded queue of bytes between who makes it and the
//! connection.
//!
//! Who makes it may write without waiting ([`Pipe::offer`]: all or nothing), or wait on a thread of
//! its own until there is room ([`PipeWriter`]). However slow the client, there are never more than
//! [`CAPACITY`] bytes in it. When the client disconnects, the body is dropped, and the writer
//! learns of it at once.
//!
//! The connection takes the bytes in pieces of at most [`PIECE`]. While the client does not read,
//! hyper keeps the pieces that it has taken, 16 at most, and does not look at the body: it learns
//! that the body was cut off only when the client reads or disconnects. Small pieces bound what
//! such a connection keeps.

use axum::body::{Body, Bytes};
use futures_core::Stream;
use std::collections::VecDeque;
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};
use tokio::sync::Notify;

/// How much may wait to be sent.
pub(crate) const CAPACITY: usize = 256 << 10;
/// The largest piece that the connection takes at once.
const PIECE: usize = 8 << 10;

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
    /// What waits, as it is taken: each piece but the last is full.
    pieces: VecDeque<Vec<u8>>,
    /// How many bytes wait.
    waiting: usize,
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
        let fits = state.is_wanted() && state.waiting + bytes.len() <= CAPACITY;
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

    /// What was written is not all, and the client is to know: the connection is cut. What waits is
    /// dropped.
    pub(crate) fn abort(&self) {
        self.end(PipeEnd::Aborted);
    }

    fn end(&self, end: PipeEnd) {
        let mut state = self.0.lock();
        if state.end == PipeEnd::Open || end == PipeEnd::Aborted && state.waiting > 0 {
            state.end = end;
            if end == PipeEnd::Aborted {
                state.clear();
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
        self.until(|state| state.gone || state.waiting == 0).await;
    }

    pub(crate) fn is_drained(&self) -> bool {
        self.0.lock().waiting == 0
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

/// Cuts the body off when it is dropped, unless that is over: a task that is cancelled leaves
/// nobody waiting.
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

    fn put(&mut self, mut bytes: &[u8]) {
        self.waiting += bytes.len();
        while !bytes.is_empty() {
            let last = match self.pieces.back_mut() {
                Some(last) if last.len() < PIECE => last,
                _ => {
                    self.pieces.push_back(Vec::with_capacity(PIECE));
                    continue;
                }
            };
            let (fits, rest) = bytes.split_at(bytes.len().min(PIECE - last.len()));
            last.extend_from_slice(fits);
            bytes = rest;
        }
        self.wake();
    }

    /// Takes the first piece.
    fn take(&mut self) -> Option<Vec<u8>> {
        let piece = self.pieces.pop_front()?;
        self.waiting -= piece.len();
        self.takes += 1;
        Some(piece)
    }

    fn clear(&mut self) {
        self.pieces = VecDeque::new();
        self.waiting = 0;
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
        while state.is_wanted() && state.waiting >= CAPACITY {
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
        let fits = bytes.len().min(CAPACITY - state.waiting);
        state.put(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long nothing may be sent: proxies and clients give up a connection on which nothing comes.
pub(crate) const SILENCE: Duration = Duration::from_secs(1);

/// Writes, and sends a heartbeat when it is flushed after a time of silence: `beat`, which means
/// nothing where a flush is.
pub(crate) struct BeatingWriter {
    writer: PipeWriter,
    beat: &'static [u8],
    written: Instant,
}

impl BeatingWriter {
    pub(crate) fn new(pipe: Pipe, beat: &'static [u8]) -> Self {
        Self {
            writer: PipeWriter(pipe),
            beat,
            written: Instant::now(),
        }
    }
}

impl Write for BeatingWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.written = Instant::now();
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        // (Without room, the client has something to read.)
        if self.written.elapsed() >= SILENCE && self.writer.0.offer(self.beat) {
            self.written = Instant::now();
        }
        Ok(())
    }
}

/// The body.
struct PipeReader(Arc<PipeShared>);

impl Stream for PipeReader {
    type Item = io::Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut state = self.0.lock();
        let Some(piece) = state.take() else {
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
        };
        drop(state);
        self.0.told();
        Poll::Ready(Some(Ok(piece.into())))
    }
}

impl PipeShared {
    /// Wakes the writers.
    fn told(&self) {
        self.room.notify_all();
        self.taken.notify_waiters();
    }
}

impl Drop for PipeReader {
    fn drop(&mut self) {
        {
            let mut state = self.0.lock();
            state.gone = true;
            state.clear();
        }
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
    fn the_bytes_come_in_small_pieces_and_in_their_order() {
        let shared = Arc::new(PipeShared::default());
        let pipe = Pipe(Arc::clone(&shared));
        let mut reader = PipeReader(shared);
        let mut context = Context::from_waker(Waker::noop());
        let sent: Vec<u8> = (0..=250).cycle().take(CAPACITY).collect();
        // As records come: none of them ends where a piece does.
        for bytes in sent.chunks(1000) {
            assert!(pipe.offer(bytes));
        }
        let mut came = Vec::new();
        while let Poll::Ready(Some(Ok(piece))) = Pin::new(&mut reader).poll_next(&mut context) {
            assert!(piece.len() == PIECE, "a piece of {} bytes", piece.len());
            came.extend_from_slice(&piece);
        }
        assert!(came == sent);
        assert!(pipe.is_drained());
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
