//! The probes of phase 2: counts of all six events, and latencies from a begin event to its end.
//!
//! Memory is bounded: beyond a number of requests in flight, requests are counted but not timed.
//! The statistics are sharded by request: the probes of one request use one shard, on any thread,
//! and those of different requests seldom wait for each other.

use crate::events::{LOOKUP_BEGIN, LOOKUP_END, REQUEST_BEGIN, REQUEST_END, STORE_BEGIN, STORE_END};
use crate::latencies::{histogram, record};
use crate::load::lock;
use crate::service::{CATALOGUE, RequestId, Route, Store};
use hdrhistogram::Histogram;
use hotprobe::{Batch, ProbeGroup};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The events, as indices of [`Totals::fired`].
#[derive(Clone, Copy)]
pub(crate) enum Seen {
    RequestBegin,
    LookupBegin,
    LookupEnd,
    StoreBegin,
    StoreEnd,
    RequestEnd,
}

pub(crate) const EVENTS: usize = 6;

/// Their names, in the order of [`Seen`].
pub(crate) fn event_names() -> [&'static str; EVENTS] {
    [
        REQUEST_BEGIN.name(),
        LOOKUP_BEGIN.name(),
        LOOKUP_END.name(),
        STORE_BEGIN.name(),
        STORE_END.name(),
        REQUEST_END.name(),
    ]
}

/// The counts of the probes.
pub(crate) struct Totals {
    pub(crate) fired: [u64; EVENTS],
    /// The latencies of requests with both a begin and an end, by [`Route`].
    pub(crate) routes: [Histogram<u64>; Route::ALL.len()],
    pub(crate) lookups: Histogram<u64>,
    pub(crate) stores: Histogram<u64>,
    /// Ends without a begin: these requests were in flight when the batch was attached.
    pub(crate) begun_before: u64,
    /// Begins without an end: these requests are in flight now, or were when the batch was
    /// detached.
    pub(crate) still_open: u64,
    /// Begins for which there was no room. (Their ends may be counted in `begun_before`.)
    pub(crate) no_room: u64,
    /// Successful requests, seen from begin to end, of which an event in between was missed.
    pub(crate) gaps: u64,
}

impl Totals {
    fn new() -> Self {
        Self {
            fired: [0; EVENTS],
            routes: std::array::from_fn(|_| histogram()),
            lookups: histogram(),
            stores: histogram(),
            begun_before: 0,
            still_open: 0,
            no_room: 0,
            gaps: 0,
        }
    }

    pub(crate) fn timed(&self) -> u64 {
        self.routes.iter().map(Histogram::len).sum()
    }

    pub(crate) fn begun_and_ended(&self) -> (u64, u64) {
        (
            self.fired[Seen::RequestBegin as usize],
            self.fired[Seen::RequestEnd as usize],
        )
    }

    /// Returns whether each begin and each end is accounted for.
    pub(crate) fn balance(&self) -> bool {
        let (begun, ended) = self.begun_and_ended();
        begun == self.timed() + self.still_open + self.no_room
            && ended == self.timed() + self.begun_before
    }

    fn add(&mut self, other: &Self) {
        for (sum, count) in self.fired.iter_mut().zip(other.fired) {
            *sum += count;
        }
        for (sum, latencies) in self.routes.iter_mut().zip(&other.routes) {
            *sum += latencies;
        }
        self.lookups += &other.lookups;
        self.stores += &other.stores;
        self.begun_before += other.begun_before;
        self.still_open += other.still_open;
        self.no_room += other.no_room;
        self.gaps += other.gaps;
    }
}

/// A request between its begin event and its end.
struct OpenRequest {
    begun: Instant,
    /// The last inner begin event that has no end yet. One is enough, since the service makes one
    /// call at a time.
    inner: Option<Instant>,
    /// Inner pairs that are complete.
    pairs: usize,
}

struct ShardState {
    open: HashMap<RequestId, OpenRequest>,
    totals: Totals,
}

/// On cache lines of its own.
#[repr(align(128))]
struct Shard(Mutex<ShardState>);

pub(crate) struct Statistics {
    shards: [Shard; Self::SHARDS],
}

impl Statistics {
    const SHARDS: usize = 16;
    const OPEN_PER_SHARD: usize = 2048;

    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| {
                Shard(Mutex::new(ShardState {
                    // Allocates all memory in advance: the probes allocate nothing.
                    open: HashMap::with_capacity(Self::OPEN_PER_SHARD),
                    totals: Totals::new(),
                }))
            }),
        }
    }

    /// Attaches a probe to each event, all at one instant. So for a request whose begin is seen,
    /// every later event is seen too, and an end without a begin belongs to a request that was in
    /// flight.
    pub(crate) fn attach(self: &Arc<Self>) -> ProbeGroup {
        let mut batch = Batch::new();
        let statistics = Arc::clone(self);
        REQUEST_BEGIN.attach_in(&mut batch, move |request, _| {
            statistics.request_begin(request);
        });
        let statistics = Arc::clone(self);
        LOOKUP_BEGIN.attach_in(&mut batch, move |request, _| {
            statistics.inner_begin(request, Seen::LookupBegin);
        });
        let statistics = Arc::clone(self);
        LOOKUP_END.attach_in(&mut batch, move |request, _| {
            statistics.inner_end(request, Seen::LookupEnd, |totals| &mut totals.lookups);
        });
        let statistics = Arc::clone(self);
        STORE_BEGIN.attach_in(&mut batch, move |request, _| {
            statistics.inner_begin(request, Seen::StoreBegin);
        });
        let statistics = Arc::clone(self);
        STORE_END.attach_in(&mut batch, move |request, _, _| {
            statistics.inner_end(request, Seen::StoreEnd, |totals| &mut totals.stores);
        });
        let statistics = Arc::clone(self);
        REQUEST_END.attach_in(&mut batch, move |request, route, status| {
            statistics.request_end(request, route, status);
        });
        batch.commit()
    }

    /// Runs `update` on the request's shard. The time is read before the lock is taken, so waiting
    /// for the lock is not part of a latency.
    fn update(
        &self,
        request: RequestId,
        seen: Seen,
        update: impl FnOnce(&mut ShardState, Instant),
    ) {
        let now = Instant::now();
        let shard = usize::try_from(request.0).unwrap_or(usize::MAX) % Self::SHARDS;
        let mut state = lock(&self.shards[shard].0);
        state.totals.fired[seen as usize] += 1;
        update(&mut state, now);
    }

    fn request_begin(&self, request: RequestId) {
        self.update(request, Seen::RequestBegin, |state, now| {
            if state.open.len() == Self::OPEN_PER_SHARD {
                state.totals.no_room += 1;
                return;
            }
            let open = OpenRequest {
                begun: now,
                inner: None,
                pairs: 0,
            };
            state.open.insert(request, open);
        });
    }

    fn inner_begin(&self, request: RequestId, seen: Seen) {
        self.update(request, seen, |state, now| {
            if let Some(open) = state.open.get_mut(&request) {
                open.inner = Some(now);
            }
        });
    }

    fn inner_end(
        &self,
        request: RequestId,
        seen: Seen,
        latencies: impl FnOnce(&mut Totals) -> &mut Histogram<u64>,
    ) {
        self.update(request, seen, |state, now| {
            // None: the request was in flight at the attach, or there was no room for it.
            let Some(open) = state.open.get_mut(&request) else {
                return;
            };
            if let Some(begun) = open.inner.take() {
                open.pairs += 1;
                record(latencies(&mut state.totals), now - begun);
            }
        });
    }

    fn request_end(&self, request: RequestId, route: Route, status: Option<u16>) {
        self.update(request, Seen::RequestEnd, |state, now| {
            let totals = &mut state.totals;
            let Some(open) = state.open.remove(&request) else {
                totals.begun_before += 1;
                return;
            };
            record(&mut totals.routes[route as usize], now - open.begun);
            let succeeded = matches!(status, Some(200..=299));
            if succeeded && (open.pairs != inner_pairs(route) || open.inner.is_some()) {
                totals.gaps += 1;
            }
        });
    }

    /// Returns the number of firings, over all events.
    pub(crate) fn seen(&self) -> u64 {
        let shards = self.shards.iter();
        shards
            .map(|shard| lock(&shard.0).totals.fired.iter().sum::<u64>())
            .sum()
    }

    /// Returns the sum of all shards. It is of one instant only if no probe is attached any more.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::new();
        for shard in &self.shards {
            let state = lock(&shard.0);
            totals.add(&state.totals);
            totals.still_open += state.open.len() as u64;
        }
        totals
    }
}

/// Returns the number of inner pairs of a successful request: a lookup and a store, or one of them;
/// the report has many.
fn inner_pairs(route: Route) -> usize {
    match route {
        Route::Create | Route::Read => 2,
        Route::List => 1,
        Route::Report => CATALOGUE.len() + Store::SHELVES,
        Route::Unknown => 0,
    }
}
