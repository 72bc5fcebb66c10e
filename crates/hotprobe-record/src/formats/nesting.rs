//! Which slices stand inside which: what a request asks for, inside the request.
//!
//! Slices whose rules have a key of one name and type, and which have the same key, belong to one
//! thing. The one that begins first is the outer one, and is written when it begins. What begins
//! until its end is kept until then, or until a flush: only then is it known whether it lies within
//! the outer one, and those beside it either within each other or apart. Whatever overlaps
//! otherwise is handed out to be written elsewhere.

use super::export::{Header, SliceRule};
use super::pairs::PairKey;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// How many are kept of one outer slice; what is more is not inside it. (Of all together, at most
/// as many as begins.)
const MOST_KEPT: usize = 1 << 12;

/// A slice that began while the outer one was open. `B` is what is kept of its begin, `E` of its
/// end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InnerSlice<B, E> {
    pub(crate) rule: usize,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    pub(crate) at_begin: B,
    pub(crate) at_end: E,
}

/// What is to be written, in this order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NestingStep<B, E> {
    /// On the outer one's track.
    Begin { rule: usize, time: u64, kept: B },
    /// The last one that began there.
    End { time: u64, kept: E },
    /// On another track.
    Apart(InnerSlice<B, E>),
}

pub(crate) type NestingSteps<B, E> = Vec<NestingStep<B, E>>;

#[derive(Debug)]
struct OuterSlice<B, E> {
    family: usize,
    key: PairKey,
    rule: usize,
    lane: usize,
    begin: u64,
    /// The end of the last that has been written inside it.
    until: u64,
    /// When those began that have not ended.
    open: Vec<u64>,
    done: Vec<InnerSlice<B, E>>,
}

/// All outer slices that are open.
#[derive(Debug)]
pub(crate) struct Nesting<B, E> {
    /// Of each rule, the number that it has in common with others, if it has.
    families: Vec<Option<usize>>,
    by_key: HashMap<(usize, PairKey), u64>,
    outer: HashMap<u64, OuterSlice<B, E>>,
    next: u64,
    /// How many are kept of all outer slices together, and how many there may be.
    kept: usize,
    most_kept: usize,
}

impl<B, E> Default for Nesting<B, E> {
    fn default() -> Self {
        Self::of_families(Vec::new(), 0)
    }
}

impl<B, E> Nesting<B, E> {
    pub(crate) fn new(header: &Header) -> Self {
        let key = |rule: &SliceRule| {
            let event = header.events.get(rule.begin.0)?;
            let parameter = event.parameters().get(rule.begin.1)?;
            Some((parameter.name(), parameter.type_name()))
        };
        let keys: Vec<_> = header.slices.iter().map(key).collect();
        let family = |of: &Option<_>| {
            let alike = |other: &&Option<_>| of.is_some() && *other == of;
            (keys.iter().filter(alike).count() > 1)
                .then(|| keys.iter().position(|other| other == of))
                .flatten()
        };
        Self::of_families(keys.iter().map(family).collect(), header.most_open)
    }

    fn of_families(families: Vec<Option<usize>>, most_kept: usize) -> Self {
        Self {
            families,
            by_key: HashMap::new(),
            outer: HashMap::new(),
            next: 0,
            kept: 0,
            most_kept,
        }
    }

    /// Of which outer slice this one is an inner one. It is open from now on.
    pub(crate) fn begin(&mut self, rule: usize, key: &PairKey, time: u64) -> Option<u64> {
        let family = self.families.get(rule).copied().flatten()?;
        let number = *self.by_key.get(&(family, key.clone()))?;
        let outer = self.outer.get_mut(&number)?;
        // (One of the same rule is another run of the same thing: beside it.)
        let is_full = outer.kept() >= MOST_KEPT || self.kept >= self.most_kept;
        if outer.rule == rule || time < outer.begin || is_full {
            return None;
        }
        outer.open.push(time);
        self.kept += 1;
        Some(number)
    }

    /// One that is no inner one has begun on this lane: so it may be an outer one.
    pub(crate) fn open(
        &mut self,
        rule: usize,
        key: &PairKey,
        time: u64,
        lane: usize,
    ) -> Option<u64> {
        let family = self.families.get(rule).copied().flatten()?;
        let number = self.next;
        let known = self.by_key.entry((family, key.clone()));
        let Entry::Vacant(vacant) = known else {
            return None;
        };
        vacant.insert(number);
        self.next += 1;
        let outer = OuterSlice {
            family,
            key: key.clone(),
            rule,
            lane,
            begin: time,
            until: time,
            open: Vec::new(),
            done: Vec::new(),
        };
        self.outer.insert(number, outer);
        Some(number)
    }

    /// An inner one has ended; here it is again if the outer one has, too.
    pub(crate) fn end(&mut self, outer: u64, inner: InnerSlice<B, E>) -> Option<InnerSlice<B, E>> {
        let Some(outer) = self.outer.get_mut(&outer) else {
            return Some(inner);
        };
        if let Some(index) = outer.open.iter().position(|&time| time == inner.begin) {
            outer.open.swap_remove(index);
        }
        outer.done.push(inner);
        None
    }

    /// The outer one has ended: what is inside it, and its end, which is never before that of an
    /// inner one that has been written.
    pub(crate) fn close(&mut self, outer: u64, end: u64) -> (NestingSteps<B, E>, u64) {
        let Some(mut outer) = self.outer.remove(&outer) else {
            return (Vec::new(), end);
        };
        self.by_key.remove(&(outer.family, outer.key.clone()));
        self.kept -= outer.kept();
        let steps = outer.write(end);
        (steps, end.max(outer.until))
    }

    /// What can be written though the outer one is open, with the rule and the lane of that.
    pub(crate) fn flush(&mut self) -> Vec<(usize, usize, NestingSteps<B, E>)> {
        let mut all = Vec::new();
        for outer in self.outer.values_mut() {
            // What is still open may have begun before these, and end after them.
            let limit = outer.open.iter().copied().min().unwrap_or(u64::MAX);
            let before = outer.kept();
            let later;
            (outer.done, later) = std::mem::take(&mut outer.done)
                .into_iter()
                .partition(|inner| inner.end <= limit);
            let steps = outer.write(u64::MAX);
            outer.done = later;
            self.kept -= before - outer.kept();
            if !steps.is_empty() {
                all.push((outer.rule, outer.lane, steps));
            }
        }
        all
    }
}

impl<B, E> OuterSlice<B, E> {
    fn kept(&self) -> usize {
        self.open.len() + self.done.len()
    }

    /// All that are done, as far as they lie before `limit`, within each other or apart.
    fn write(&mut self, limit: u64) -> NestingSteps<B, E> {
        let mut steps = Vec::with_capacity(2 * self.done.len());
        let mut open: Vec<(u64, E)> = Vec::new();
        self.done
            .sort_by_key(|inner| (inner.begin, Reverse(inner.end)));
        let from = self.until;
        for inner in self.done.drain(..) {
            while open.last().is_some_and(|&(end, _)| end <= inner.begin) {
                steps.extend(
                    open.pop()
                        .map(|(time, kept)| NestingStep::End { time, kept }),
                );
            }
            let room = open.last().map_or(limit, |&(end, _)| end);
            if inner.begin < from || inner.end > room {
                steps.push(NestingStep::Apart(inner));
                continue;
            }
            self.until = self.until.max(inner.end);
            steps.push(NestingStep::Begin {
                rule: inner.rule,
                time: inner.begin,
                kept: inner.at_begin,
            });
            open.push((inner.end, inner.at_end));
        }
        let rest = open.into_iter().rev();
        steps.extend(rest.map(|(time, kept)| NestingStep::End { time, kept }));
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Intervals = Vec<(u64, u64)>;

    const REQUEST: usize = 0;
    const STORE: usize = 1;

    fn key() -> PairKey {
        PairKey::Int(false, 7)
    }

    fn inner(begin: u64, end: u64) -> InnerSlice<(), ()> {
        InnerSlice {
            rule: STORE,
            begin,
            end,
            at_begin: (),
            at_end: (),
        }
    }

    /// With an outer slice that is open since `begin`.
    fn nesting(begin: u64) -> (Nesting<(), ()>, u64) {
        let mut nesting = Nesting::of_families(vec![Some(0), Some(0), None], usize::MAX);
        assert_eq!(nesting.begin(REQUEST, &key(), begin), None);
        let outer = nesting.open(REQUEST, &key(), begin, 3);
        (nesting, outer.expect("it is the first of its key"))
    }

    /// Tells of inner slices, each when it ends; what is then inside one that ends at `end`, and
    /// what is not.
    fn told(begin: u64, inners: &[(u64, u64)], end: u64) -> (Intervals, Intervals) {
        let (mut nesting, outer) = nesting(begin);
        for &(begin, end) in inners {
            let of = nesting.begin(STORE, &key(), begin);
            assert_eq!(of, Some(outer));
            assert_eq!(nesting.end(outer, inner(begin, end)), None);
        }
        let (steps, closed) = nesting.close(outer, end);
        assert_eq!(closed, end);
        assert!(nesting.outer.is_empty() && nesting.by_key.is_empty());
        replayed(&steps)
    }

    /// Those inside, and those apart; each end is that of the one that began last, and no time is
    /// before the last.
    fn replayed(steps: &[NestingStep<(), ()>]) -> (Intervals, Intervals) {
        let (mut open, mut now) = (Vec::new(), 0);
        let (mut inside, mut apart) = (Vec::new(), Vec::new());
        for step in steps {
            match step {
                NestingStep::Begin { time, .. } => {
                    assert!(now <= *time);
                    now = *time;
                    open.push(*time);
                }
                NestingStep::End { time, .. } => {
                    assert!(now <= *time);
                    now = *time;
                    inside.push((open.pop().expect("it is open"), *time));
                }
                NestingStep::Apart(inner) => apart.push((inner.begin, inner.end)),
            }
        }
        assert!(open.is_empty());
        (inside, apart)
    }

    #[test]
    fn what_comes_one_after_the_other_stands_inside() {
        let (inside, apart) = told(10, &[(10, 20), (20, 30), (31, 31), (31, 40)], 40);
        assert_eq!(inside, [(10, 20), (20, 30), (31, 31), (31, 40)]);
        assert_eq!(apart, []);
    }

    #[test]
    fn what_is_within_another_one_stands_inside_of_that() {
        let (inside, apart) = told(0, &[(6, 7), (5, 8), (20, 21), (4, 9)], 30);
        assert_eq!(inside, [(6, 7), (5, 8), (4, 9), (20, 21)]);
        assert_eq!(apart, []);
    }

    #[test]
    fn what_overlaps_otherwise_or_lasts_longer_stands_apart() {
        let (inside, apart) = told(0, &[(1, 5), (3, 8), (9, 12)], 10);
        assert_eq!((inside, apart), (vec![(1, 5)], vec![(3, 8), (9, 12)]));
    }

    #[test]
    fn of_any_intervals_each_is_written_once_and_what_is_inside_is_well_nested() {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % below
        };
        let mut both = (0, 0);
        for _ in 0..2_000 {
            let mut slices: Vec<_> = (0..random(8))
                .map(|_| {
                    let begin = random(20);
                    (begin, begin + random(10))
                })
                .collect();
            let (mut inside, apart) = told(0, &slices, 22);
            both = (both.0 + inside.len(), both.1 + apart.len());
            assert!(inside.iter().all(|&(_, end)| end <= 22));
            inside.extend(apart);
            inside.sort_unstable();
            slices.sort_unstable();
            assert_eq!(inside, slices);
        }
        assert!(both.0 > 500 && both.1 > 500, "{both:?}");
    }

    #[test]
    fn a_flush_writes_what_is_done_before_anything_that_goes_on() {
        let (mut nesting, outer) = nesting(0);
        for (begin, end) in [(1, 3), (7, 8)] {
            nesting.begin(STORE, &key(), begin);
            assert_eq!(nesting.end(outer, inner(begin, end)), None);
        }
        nesting.begin(STORE, &key(), 5);
        let flushed = nesting.flush();
        let [(REQUEST, 3, steps)] = &flushed[..] else {
            panic!("{flushed:?}");
        };
        assert_eq!(replayed(steps), (vec![(1, 3)], vec![]));
        assert_eq!(nesting.flush(), []);
        assert_eq!(nesting.end(outer, inner(5, 9)), None);
        // A late one, from a thread that was read later: its place has been written.
        nesting.begin(STORE, &key(), 2);
        assert_eq!(nesting.end(outer, inner(2, 4)), None);
        let (steps, _) = nesting.close(outer, 10);
        assert_eq!(replayed(&steps), (vec![(7, 8), (5, 9)], vec![(2, 4)]));
    }

    #[test]
    fn the_outer_one_does_not_end_before_what_has_been_written_inside_of_it() {
        let (mut nesting, outer) = nesting(0);
        nesting.begin(STORE, &key(), 1);
        assert_eq!(nesting.end(outer, inner(1, 30)), None);
        assert_eq!(nesting.flush().len(), 1);
        assert_eq!(nesting.close(outer, 29), (vec![], 30));
    }

    #[test]
    fn after_the_outer_one_nothing_is_inside_of_it() {
        let (mut nesting, outer) = nesting(0);
        assert_eq!(nesting.begin(STORE, &key(), 1), Some(outer));
        assert_eq!(nesting.close(outer, 5), (vec![], 5));
        assert_eq!(nesting.end(outer, inner(1, 3)), Some(inner(1, 3)));
        assert_eq!(nesting.begin(STORE, &key(), 6), None);
    }

    #[test]
    fn other_keys_other_families_and_the_same_rule_are_not_inside() {
        let (mut nesting, outer) = nesting(10);
        assert_eq!(nesting.begin(STORE, &PairKey::Int(false, 8), 11), None);
        assert_eq!(nesting.begin(2, &key(), 11), None);
        assert_eq!(nesting.open(2, &key(), 11, 0), None);
        assert_eq!(nesting.begin(REQUEST, &key(), 11), None);
        assert_eq!(nesting.begin(STORE, &key(), 9), None, "it began before");
        assert_eq!(nesting.begin(STORE, &key(), 10), Some(outer));
    }

    #[test]
    fn all_outer_slices_together_keep_no_more_than_a_recording_may() {
        const MOST: usize = 100;
        let mut nesting = Nesting::of_families(vec![Some(0), Some(0)], MOST);
        let key = |n: usize| PairKey::Int(false, n as u128);
        let open = |nesting: &mut Nesting<(), ()>, n| {
            assert_eq!(nesting.begin(REQUEST, &key(n), 0), None);
            nesting.open(REQUEST, &key(n), 0, n).unwrap()
        };
        let outer: Vec<_> = (0..2 * MOST).map(|n| open(&mut nesting, n)).collect();
        let inside = |nesting: &mut Nesting<(), ()>, n: usize, begin| {
            let of = nesting.begin(STORE, &key(n), begin);
            assert!(of.is_none_or(|of| of == outer[n]));
            of.is_some()
        };
        let fits = |nesting: &mut Nesting<(), ()>, begin| {
            (0..2 * MOST).filter(|&n| inside(nesting, n, begin)).count()
        };
        assert_eq!(fits(&mut nesting, 1), MOST);
        // Those that end are kept all the same, until they are written.
        (0..MOST / 2).for_each(|n| assert_eq!(nesting.end(outer[n], inner(1, 2)), None));
        assert_eq!(fits(&mut nesting, 3), 0);
        nesting.flush();
        assert_eq!(fits(&mut nesting, 3), MOST / 2);
        // And so is what is open when its outer one ends.
        (0..MOST).for_each(|n| drop(nesting.close(outer[n], 9)));
        assert_eq!(nesting.kept, 0);
    }

    #[test]
    fn no_more_are_kept_than_there_is_room_for() {
        let (mut nesting, outer) = nesting(0);
        for time in 0..MOST_KEPT as u64 {
            assert_eq!(nesting.begin(STORE, &key(), time), Some(outer));
        }
        assert_eq!(nesting.begin(STORE, &key(), 9_999), None);
        assert_eq!(nesting.end(outer, inner(0, 0)), None);
        assert_eq!(nesting.begin(STORE, &key(), 9_999), None);
        assert_eq!(nesting.flush().len(), 1);
        assert_eq!(nesting.begin(STORE, &key(), 9_999), Some(outer));
    }
}
