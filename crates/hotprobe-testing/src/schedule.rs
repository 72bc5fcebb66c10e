//! The schedule of `explore`: which paused sender goes next, by priorities from a seed and by what
//! the system knows about threads.
//!
//! After PCT (Burckhardt and others, ASPLOS 2010): each thread has a random priority, and the
//! thread with the highest goes; at random steps that thread is lowered below all others. Every
//! choice is a function of the seed, of the thread (numbered in the order in which the test starts
//! them), and of the step. So a seed replays its schedule, as far as the threads reach the same
//! points.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

/// One step in this number lowers a thread's priority, on average.
const CHANGE: u64 = 6;

struct Waiting {
    ticket: u64,
    actor: u64,
    stream: String,
    goes: bool,
}

pub(crate) struct Schedule {
    seed: u64,
    step: u64,
    waiting: Vec<Waiting>,
    /// Those whose priority is below all others; the later, the lower.
    lowered: BTreeMap<u64, u64>,
    /// When the last came or went.
    last: Instant,
    /// Since when nobody ran whenever that was looked at.
    idle: Option<Instant>,
    fingerprint: u64,
}

impl Schedule {
    pub(crate) fn new(seed: u64, now: Instant) -> Self {
        Self {
            seed,
            step: 0,
            waiting: Vec::new(),
            lowered: BTreeMap::new(),
            last: now,
            idle: None,
            fingerprint: 0,
        }
    }

    pub(crate) fn arrives(&mut self, ticket: u64, actor: u64, stream: &str, now: Instant) {
        self.waiting.push(Waiting {
            ticket,
            actor,
            stream: stream.to_owned(),
            goes: false,
        });
        self.last = now;
        self.idle = None;
    }

    pub(crate) fn goes(&self, ticket: u64) -> bool {
        self.waiting
            .iter()
            .any(|waiting| waiting.ticket == ticket && waiting.goes)
    }

    pub(crate) fn leaves(&mut self, ticket: u64) {
        self.waiting.retain(|waiting| waiting.ticket != ticket);
    }

    /// Whether this one waits for its turn.
    pub(crate) fn has(&self, actor: u64) -> bool {
        self.waiting
            .iter()
            .any(|waiting| waiting.actor == actor && !waiting.goes)
    }

    /// Whether somebody has been let go, and has not noticed yet.
    pub(crate) fn has_let_go(&self) -> bool {
        self.waiting.iter().any(|waiting| waiting.goes)
    }

    /// Whether nobody has come or gone for a while.
    pub(crate) fn is_quiet(&self, now: Instant, settle: Duration) -> bool {
        now >= self.last + settle
    }

    /// What a look at the threads has found; the answer is whether to wait on. Nobody is taken to
    /// be blocked by one look: it may have come in the moment between two steps. And a thread
    /// that runs forever is not waited for.
    pub(crate) fn looks(&mut self, running: bool, now: Instant, settle: Duration) -> bool {
        if running {
            self.idle = None;
            now < self.last + settle * 200
        } else {
            now < *self.idle.get_or_insert(now) + settle * 2
        }
    }

    /// Lets one go.
    pub(crate) fn choose(&mut self, now: Instant) {
        if self.has_let_go() {
            return;
        }
        let Some(mut actor) = self.highest() else {
            return;
        };
        if self.waiting.len() > 1 && mix(self.seed ^ mix(self.step)) % CHANGE == 0 {
            self.lowered.insert(actor, self.step);
            actor = self.highest().unwrap_or(actor);
        }
        self.step += 1;
        // (One actor may have several events waiting: jobs of a pool that share it.)
        if let Some(waiting) = self
            .waiting
            .iter_mut()
            .filter(|waiting| waiting.actor == actor)
            .min_by_key(|waiting| waiting.ticket)
        {
            waiting.goes = true;
            let name = waiting
                .stream
                .bytes()
                .fold(mix(waiting.actor), |sum, byte| mix(sum ^ u64::from(byte)));
            self.fingerprint = mix(self.fingerprint ^ name);
        }
        self.last = now;
        self.idle = None;
    }

    fn highest(&self) -> Option<u64> {
        self.waiting
            .iter()
            .map(|waiting| waiting.actor)
            .max_by_key(|actor| match self.lowered.get(actor) {
                None => (1, mix(self.seed.wrapping_add(mix(*actor)))),
                Some(step) => (0, u64::MAX - step),
            })
    }

    /// Returns the streams of the senders that wait, and which sender each is.
    pub(crate) fn paused(&self) -> impl Iterator<Item = (&str, u64)> {
        self.waiting
            .iter()
            .map(|waiting| (waiting.stream.as_str(), waiting.actor))
    }

    pub(crate) fn fingerprint(&self) -> u64 {
        self.fingerprint
    }
}

/// A number that depends on all bits of `n`: the finalizer of splitmix64.
fn mix(n: u64) -> u64 {
    let n = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// What the system calls this thread, where it can be asked (Linux).
pub(crate) fn system_id() -> Option<u64> {
    fs::read_link("/proc/thread-self")
        .ok()?
        .file_name()?
        .to_str()?
        .parse()
        .ok()
}

/// Whether a thread of this process runs, or would if it got a processor. False if the system
/// cannot be asked.
pub(crate) fn is_running(thread: u64) -> bool {
    fs::read_to_string(format!("/proc/self/task/{thread}/stat")).is_ok_and(|line| {
        // `12 (name) R 1 …`, and a name may have parentheses.
        let state = line.rsplit_once(") ").map_or("", |(_, rest)| rest);
        state.starts_with(['R', 'D'])
    })
}
