//! One thread's buffer: its ring, and the decision how a firing becomes a record in it.

use super::encode;
use super::ring::Ring;
use super::task;
use super::texts::Texts;
use hotprobe::Value;
use hotprobe_clock::Timer;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) struct Buffer {
    pub(crate) ring: Ring,
    timer: Timer,
    /// Texts and bytes are cut at this many bytes.
    cut_at: usize,
    /// What `Debug`s write. A firing inside one of them finds it locked, and uses texts of its own.
    texts: Mutex<Texts>,
    /// The event whose `Debug`s are being called, plus one; then `ENCODING`; 0 if there is none.
    formatting: AtomicU64,
}

/// The `Debug`s have returned, and the record is being written.
const ENCODING: u64 = u64::MAX;

/// The texts of values among which there is no `Debug`.
static NO_TEXTS: Texts = Texts::new();

impl Buffer {
    pub(super) fn new(ring: Ring, timer: Timer, cut_at: usize) -> Self {
        Self {
            ring,
            timer,
            cut_at,
            texts: Mutex::default(),
            formatting: AtomicU64::new(0),
        }
    }

    /// Writes a firing as a record, or counts it as lost.
    ///
    /// This and [`record_any`](Self::record_any) decide how the values are encoded:
    /// 1. a few plain values, with room at hand: [`encode::plain`], or [`encode::text`] if `TEXT`
    ///    says that the event has one text. These are the fast paths, inlined into the probe;
    /// 2. other values without a `Debug`: [`encode::any`];
    /// 3. values with a `Debug`: it writes its text first, then [`encode::any`].
    #[inline(always)]
    pub(super) fn record<const TASKS: bool, const TEXT: bool>(
        &self,
        event: u32,
        time: u64,
        values: &[Value<'_>],
    ) {
        let task = task::current::<TASKS>();
        let ring = &self.ring;
        let is_written = if !TEXT {
            encode::plain(ring, event, time, task, values, self.cut_at)
        } else if let [Value::Str(text)] = *values {
            encode::text(ring, event, time, task, text, self.cut_at)
        } else {
            false
        };
        if !is_written {
            self.record_any::<TASKS>(event, time, values);
        }
    }

    #[inline(never)]
    fn record_any<const TASKS: bool>(&self, event: u32, time: u64, values: &[Value<'_>]) {
        let is_debug = |value: &Value<'_>| matches!(value, Value::Debug(_) | Value::Display(_));
        if !values.iter().any(is_debug) {
            self.encode::<TASKS>(event, time, values, &NO_TEXTS);
        } else if !encode::has_room(&self.ring, values.len()) {
            // Without room for even the shortest record, no `Debug` is called.
            self.ring.lose(event, time, 1);
        } else if let Ok(mut texts) = self.texts.try_lock() {
            self.record_texts::<TASKS>(event, values, &mut texts);
        } else {
            self.record_texts::<TASKS>(event, values, &mut Texts::new());
        }
    }

    /// Calls the `Debug`s before anything is written: they are user code, and may fire events into
    /// this ring.
    fn record_texts<const TASKS: bool>(&self, event: u32, values: &[Value<'_>], texts: &mut Texts) {
        // Relaxed: this thread's own. (A firing inside a `Debug` finds that of the one around it.)
        let outer = self.formatting.load(Ordering::Relaxed);
        self.formatting
            .store(u64::from(event) + 1, Ordering::Relaxed);
        texts.format(values, self.cut_at);
        // Release: pairs with the Acquire in `unfinished`, as below.
        self.formatting.store(ENCODING, Ordering::Release);
        // The record comes after those that the `Debug`s fired, and so does its time.
        self.encode::<TASKS>(event, self.timer.ticks(), values, texts);
        // Release: pairs with the Acquire in `unfinished`: who finds that it has ended finds its
        // record.
        self.formatting.store(outer, Ordering::Release);
    }

    /// Returns the event whose `Debug` has not returned yet, once no other firing records here.
    pub(crate) fn unfinished(&self) -> Option<usize> {
        loop {
            // Acquire: pairs with the Release in `record_texts`.
            match self.formatting.load(Ordering::Acquire) {
                // No user code runs: this ends.
                ENCODING => std::thread::yield_now(),
                event => return usize::try_from(event.checked_sub(1)?).ok(),
            }
        }
    }

    fn encode<const TASKS: bool>(
        &self,
        event: u32,
        time: u64,
        values: &[Value<'_>],
        texts: &Texts,
    ) {
        let task = task::current::<TASKS>();
        let ring = &self.ring;
        if encode::any(ring, event, time, task, values, texts, self.cut_at).is_none() {
            ring.lose(event, time, 1);
        }
    }
}
