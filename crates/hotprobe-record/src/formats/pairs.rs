//! Which end belongs to which begin, when they come from several threads and in no common order.
//!
//! An end may come before its begin: it fired later, but its thread was drained first. So it waits.
//! A key may be used again: an end goes to the latest begin of its key that is not after it. Clocks
//! differ between threads by some nanoseconds: where there is no such begin, one that is up to
//! [`SLACK`] after the end will do. Whatever finds no partner is handed out, so that nothing stays
//! open:
//! * ends by the second flush after they came: by then every thread has been drained once more, and
//!   the begin with it; or when the rule has twice its share of them; or when the recording is
//!   finished;
//! * begins when it is finished; or when the rule has more than its share of what a recording may
//!   remember, and two flushes have passed as well; or when it has twice its share.
//!
//! Each step takes logarithmic time, whether what is open has one key or many ([`ByKey`]): an
//! exporter that falls behind costs records.

use super::export::{Field, Record, SliceRule};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

/// By how many nanoseconds clocks may step back between threads.
const SLACK: u64 = 1_000;

/// The value by which begin and end are paired.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum PairKey {
    /// An integer of whatever type; the flag: negative.
    Int(bool, u128),
    Bool(bool),
    Char(char),
    Float(u64),
    Text(Box<str>),
    Bytes(Box<[u8]>),
    /// No value: `None`.
    Absent,
}

impl PairKey {
    /// None for what cannot be told apart: a value that was cut or is not known.
    pub(crate) fn new(field: &Field<'_>) -> Option<Self> {
        Some(match *field {
            Field::Bool(value) => Self::Bool(value),
            Field::Char(value) => Self::Char(value),
            Field::U64(value) => Self::Int(false, value.into()),
            Field::I64(value) => Self::Int(value < 0, value.unsigned_abs().into()),
            Field::U128(value) => Self::Int(false, value),
            Field::I128(value) => Self::Int(value < 0, value.unsigned_abs()),
            Field::F32(value) => Self::Float(f64::from(value).to_bits()),
            Field::F64(value) => Self::Float(value.to_bits()),
            Field::Str { text, cut: false } => Self::Text(text.into()),
            Field::Bytes { bytes, cut: false } => Self::Bytes(bytes.into()),
            Field::Absent => Self::Absent,
            _ => return None,
        })
    }

    /// A number for this key among those of its rule: the same in each run, and never 0.
    pub(crate) fn flow(&self, rule: usize) -> u64 {
        let mut hasher = DefaultHasher::new();
        (rule, self).hash(&mut hasher);
        hasher.finish().max(1)
    }
}

/// What a record is to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Begin,
    End,
    /// Neither, but it has the key among its parameters: it happens to the same thing.
    Between,
}

/// What each event is to each rule.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    of_event: Vec<Vec<(usize, Role, usize)>>,
}

impl Roles {
    pub(crate) fn new(header: &super::export::Header) -> Self {
        let mut of_event = vec![Vec::new(); header.events.len()];
        for (rule, slice) in header.slices.iter().enumerate() {
            // An event may end one slice and begin the next: the end comes first.
            let known = [(slice.end, Role::End), (slice.begin, Role::Begin)];
            for ((event, parameter), role) in known {
                if let Some(roles) = of_event.get_mut(event) {
                    roles.push((rule, role, parameter));
                }
            }
            let key = header
                .events
                .get(slice.begin.0)
                .and_then(|event| event.parameters().get(slice.begin.1));
            let Some(key) = key else { continue };
            for (event, metadata) in header.events.iter().enumerate() {
                if event == slice.begin.0 || event == slice.end.0 {
                    continue;
                }
                let same = |p: &hotprobe::Parameter| {
                    p.name() == key.name() && p.type_name() == key.type_name()
                };
                if let Some(parameter) = metadata.parameters().iter().position(same) {
                    of_event[event].push((rule, Role::Between, parameter));
                }
            }
        }
        Self { of_event }
    }

    /// Returns how many rules have to do with that event.
    pub(crate) fn count(&self, event: usize) -> usize {
        self.of_event.get(event).map_or(0, Vec::len)
    }

    /// Returns the rule, the role and the key of the `nth` of them, if the record has a key.
    pub(crate) fn nth(&self, record: &Record<'_>, nth: usize) -> Option<(usize, Role, PairKey)> {
        let &(rule, kind, parameter) = self.of_event.get(record.event)?.get(nth)?;
        let key = PairKey::new(record.values.get(parameter)?)?;
        Some((rule, kind, key))
    }
}

/// Where a value is among those of its rule: the number of its key, its time, its own number.
type KeyedPlace = (u64, u64, u64);

/// Values by key and time, all in one map, in which those of a key are neighbours.
#[derive(Debug)]
struct ByKey<T> {
    /// Of each key that has values: its number, and how many.
    keys: HashMap<PairKey, (u64, u64)>,
    values: BTreeMap<KeyedPlace, T>,
    next: u64,
}

impl<T> ByKey<T> {
    fn new() -> Self {
        Self {
            keys: HashMap::new(),
            values: BTreeMap::new(),
            next: 0,
        }
    }

    /// Adds a value; `number` is its own.
    fn insert(&mut self, key: PairKey, time: u64, number: u64, value: T) {
        let next = &mut self.next;
        let (key, count) = self.keys.entry(key).or_insert_with(|| {
            *next += 1;
            (*next, 0)
        });
        *count += 1;
        self.values.insert((*key, time, number), value);
    }

    /// Removes a value, if it is there.
    fn remove(&mut self, key: &PairKey, time: u64, number: u64) -> Option<T> {
        let (key_number, count) = self.keys.get_mut(key)?;
        let value = self.values.remove(&(*key_number, time, number))?;
        *count -= 1;
        if *count == 0 {
            self.keys.remove(key);
        }
        Some(value)
    }

    /// The first value of the key that is not before `time`, and not after `last`: time and number.
    fn first(&self, key: &PairKey, time: u64, last: u64) -> Option<(u64, u64)> {
        let &(key, _) = self.keys.get(key)?;
        let mut values = self.values.range((key, time, 0)..=(key, last, u64::MAX));
        values.next().map(|(&(_, time, number), _)| (time, number))
    }

    /// The last value of the key that is not before `first`, and not after `time`: time, number,
    /// and the value.
    fn last(&self, key: &PairKey, first: u64, time: u64) -> Option<(u64, u64, &T)> {
        let &(key, _) = self.keys.get(key)?;
        let mut values = self.values.range((key, first, 0)..=(key, time, u64::MAX));
        let (&(_, time, number), value) = values.next_back()?;
        Some((time, number, value))
    }

    /// Removes all values: the time of each, and the value.
    fn take(&mut self) -> impl Iterator<Item = (u64, T)> + use<T> {
        self.keys.clear();
        let values = std::mem::take(&mut self.values).into_iter();
        values.map(|((_, time, _), value)| (time, value))
    }
}

/// What has to be known of a begin or an end to find it: key and time, and how many flushes there
/// had been.
#[derive(Debug)]
struct Arrival {
    key: PairKey,
    time: u64,
    flushes: u64,
}

#[derive(Debug)]
struct PairRule<B, E> {
    open: ByKey<B>,
    /// The open ones by number, the oldest first.
    order: BTreeMap<u64, Arrival>,
    waiting: ByKey<E>,
    /// The ends in the order in which they came, with their numbers; also those that have found
    /// their begin since.
    arrived: VecDeque<(u64, Arrival)>,
}

/// Begins and ends without a partner so far; `B` is what is kept of a begin, `E` of an end.
#[derive(Debug)]
pub(crate) struct Pairs<B, E> {
    rules: Vec<PairRule<B, E>>,
    /// The number of the next begin or end.
    next: u64,
    flushes: u64,
    /// Of each rule: begins whose ends were lost would pile up.
    most_open: usize,
}

/// A rule, a time, and what was kept.
pub(crate) type Single<T> = (usize, u64, T);

impl<B, E> Pairs<B, E> {
    /// With `most_open` begins at most of all rules together. (More than that, but less than twice,
    /// for a moment.)
    pub(crate) fn new(rules: &[SliceRule], most_open: usize) -> Self {
        let rule = |_| PairRule {
            open: ByKey::new(),
            order: BTreeMap::new(),
            waiting: ByKey::new(),
            arrived: VecDeque::new(),
        };
        Self {
            rules: rules.iter().map(rule).collect(),
            next: 0,
            flushes: 0,
            most_open: most_open / rules.len().max(1),
        }
    }

    /// If its end is here already, that one, with what was kept of both.
    pub(crate) fn begin(
        &mut self,
        rule: usize,
        key: PairKey,
        time: u64,
        kept: B,
    ) -> Option<(B, u64, E)> {
        let this = &mut self.rules[rule];
        // The earliest that is not before the begin, otherwise the latest that is hardly before it.
        let waiting = &this.waiting;
        let found = waiting.first(&key, time, u64::MAX).or_else(|| {
            let (end, number, _) = waiting.last(&key, time.saturating_sub(SLACK), time)?;
            Some((end, number))
        });
        if let Some((end, number)) = found {
            let end_kept = this.waiting.remove(&key, end, number)?;
            return Some((kept, end, end_kept));
        }
        let number = self.next;
        self.next += 1;
        let arrival = Arrival {
            key: key.clone(),
            time,
            flushes: self.flushes,
        };
        this.order.insert(number, arrival);
        this.open.insert(key, time, number, kept);
        None
    }

    /// Its begin, if that is here already, with what was kept of both; otherwise the end waits for
    /// it.
    pub(crate) fn end(
        &mut self,
        rule: usize,
        key: PairKey,
        time: u64,
        kept: E,
    ) -> Option<(u64, B, E)> {
        let this = &mut self.rules[rule];
        // The latest that is not after the end, otherwise the earliest that is hardly after it.
        let open = &this.open;
        let latest = open.last(&key, 0, time);
        let found = latest
            .map(|(begin, number, _)| (begin, number))
            .or_else(|| open.first(&key, time, time.saturating_add(SLACK)));
        if let Some((begin, number)) = found {
            let begin_kept = this.open.remove(&key, begin, number)?;
            this.order.remove(&number);
            return Some((begin, begin_kept, kept));
        }
        let number = self.next;
        self.next += 1;
        let arrival = Arrival {
            key: key.clone(),
            time,
            flushes: self.flushes,
        };
        this.arrived.push_back((number, arrival));
        this.waiting.insert(key, time, number, kept);
        None
    }

    /// Whether there is an open begin of this key that is not after `time`.
    pub(crate) fn find(&self, rule: usize, key: &PairKey, time: u64) -> Option<&B> {
        let (.., begin) = self.rules[rule].open.last(key, 0, time)?;
        Some(begin)
    }

    /// The oldest begin, if there are too many of the rule.
    pub(crate) fn too_many(&mut self, rule: usize) -> Option<Single<B>> {
        let this = &mut self.rules[rule];
        if this.order.len() <= self.most_open {
            return None;
        }
        let this_len = this.order.len();
        let oldest = this.order.first_entry()?;
        if oldest.get().flushes + 2 > self.flushes && this_len <= 2 * self.most_open {
            // Its end may still be in the buffer of a thread that has not been drained since.
            return None;
        }
        let (number, Arrival { key, time, .. }) = oldest.remove_entry();
        let kept = this.open.remove(&key, time, number)?;
        Some((rule, time, kept))
    }

    /// The oldest end that waits, if there are too many of the rule. To be called after each end.
    pub(crate) fn too_many_ends(&mut self, rule: usize) -> Option<Single<E>> {
        let this = &mut self.rules[rule];
        if this.arrived.len() <= 2 * self.most_open {
            return None;
        }
        let (number, Arrival { key, time, .. }) = this.arrived.pop_front()?;
        // (None: its begin has come.)
        let kept = this.waiting.remove(&key, time, number)?;
        Some((rule, time, kept))
    }

    /// After each flush: the ends whose begin will not come any more.
    pub(crate) fn flushed(&mut self) -> Vec<Single<E>> {
        self.flushes += 1;
        let flushes = self.flushes;
        let mut ends = Vec::new();
        for (rule, this) in self.rules.iter_mut().enumerate() {
            let gone = |(_, end): &(u64, Arrival)| end.flushes + 2 <= flushes;
            while this.arrived.front().is_some_and(gone) {
                let Some((number, Arrival { key, time, .. })) = this.arrived.pop_front() else {
                    break;
                };
                // (None: its begin has come.)
                let end = this.waiting.remove(&key, time, number);
                ends.extend(end.map(|kept| (rule, time, kept)));
            }
        }
        ends.sort_by_key(|&(rule, time, _)| (rule, time));
        ends
    }

    /// At the end: the ends without begin, and the begins without end.
    pub(crate) fn finish(&mut self) -> (Vec<Single<E>>, Vec<Single<B>>) {
        let (mut ends, mut begins) = (Vec::new(), Vec::new());
        for (rule, this) in self.rules.iter_mut().enumerate() {
            this.order.clear();
            this.arrived.clear();
            ends.extend(this.waiting.take().map(|(time, kept)| (rule, time, kept)));
            begins.extend(this.open.take().map(|(time, kept)| (rule, time, kept)));
        }
        ends.sort_by_key(|&(rule, time, _)| (rule, time));
        begins.sort_by_key(|&(rule, time, _)| (rule, time));
        (ends, begins)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Pairs<&'static str, &'static str> {
        Pairs::new(&[rule()], 1 << 16)
    }

    fn rule() -> SliceRule {
        SliceRule {
            name: "slice".to_owned(),
            begin: (0, 0),
            end: (1, 0),
        }
    }

    fn key() -> PairKey {
        PairKey::Int(false, 7)
    }

    #[test]
    fn an_end_that_comes_first_waits_for_its_begin() {
        let mut pairs = pairs();
        assert!(pairs.end(0, key(), 20, "end").is_none());
        assert!(
            pairs.flushed().is_empty(),
            "its begin may come with the next drain"
        );
        assert_eq!(
            pairs.begin(0, key(), 10, "begin"),
            Some(("begin", 20, "end"))
        );
        assert_eq!(pairs.finish(), (vec![], vec![]));
    }

    #[test]
    fn an_end_whose_begin_was_lost_is_given_up_by_the_second_flush() {
        let mut pairs = pairs();
        assert!(pairs.end(0, key(), 20, "end").is_none());
        assert!(pairs.flushed().is_empty());
        assert_eq!(pairs.flushed(), [(0, 20, "end")]);
    }

    #[test]
    fn a_key_that_is_used_again_is_paired_by_time() {
        let mut pairs = pairs();
        assert!(pairs.begin(0, key(), 0, "first").is_none());
        assert!(pairs.begin(0, key(), 20, "second").is_none());
        assert_eq!(pairs.end(0, key(), 10, "end"), Some((0, "first", "end")));
        assert_eq!(pairs.end(0, key(), 30, "end"), Some((20, "second", "end")));
    }

    #[test]
    fn what_nests_is_closed_from_the_inside() {
        let mut pairs = pairs();
        assert!(pairs.begin(0, key(), 0, "outer").is_none());
        assert!(pairs.begin(0, key(), 5, "inner").is_none());
        assert_eq!(pairs.end(0, key(), 8, "end"), Some((5, "inner", "end")));
        assert_eq!(pairs.end(0, key(), 9, "end"), Some((0, "outer", "end")));
    }

    #[test]
    fn a_clock_that_steps_back_does_not_tear_a_pair_apart() {
        let mut pairs = pairs();
        assert!(pairs.begin(0, key(), 100, "begin").is_none());
        assert_eq!(pairs.end(0, key(), 60, "end"), Some((100, "begin", "end")));
        assert!(pairs.end(0, key(), 160, "end").is_none());
        assert_eq!(
            pairs.begin(0, key(), 200, "begin"),
            Some(("begin", 160, "end"))
        );
    }

    #[test]
    fn begins_do_not_pile_up() {
        let mut pairs = pairs();
        pairs.most_open = 2;
        for id in 0..3_u64 {
            assert!(
                pairs
                    .begin(0, PairKey::Int(false, id.into()), 10 + id, "begin")
                    .is_none()
            );
        }
        assert_eq!(
            pairs.too_many(0),
            None,
            "their ends may come with the next drain"
        );
        assert!(pairs.flushed().is_empty() && pairs.flushed().is_empty());
        assert_eq!(pairs.too_many(0), Some((0, 10, "begin")));
        assert_eq!(pairs.too_many(0), None);
        assert_eq!(pairs.finish().1.len(), 2);
    }

    #[test]
    fn all_rules_together_remember_no_more_than_a_recording_may() {
        const MOST: usize = 1000;
        for count in [1, 40, 250] {
            let rules: Vec<_> = std::iter::repeat_with(rule).take(count).collect();
            let mut pairs = Pairs::<_, ()>::new(&rules, MOST);
            for id in 0..3 * MOST as u64 {
                for rule in 0..count {
                    pairs.begin(rule, PairKey::Int(false, id.into()), id, ());
                    pairs.too_many(rule);
                }
            }
            // No flush has been.
            assert_eq!(pairs.finish().1.len(), 2 * (MOST / count) * count);
        }
    }

    #[test]
    fn no_more_ends_wait_than_begins_may_be_open() {
        const MOST: u64 = 1000;
        for count in [1, 40, 250] {
            let rules: Vec<_> = std::iter::repeat_with(rule).take(count).collect();
            let mut pairs = Pairs::new(&rules, 1000);
            let share = 2 * MOST / count as u64;
            let key = |id: u64| PairKey::Int(false, id.into());
            for id in 0..3 * MOST {
                for rule in 0..count {
                    pairs.end(rule, key(id), id, "end");
                    // The oldest is the first to go.
                    let gone = id.checked_sub(share).map(|id| (rule, id, "end"));
                    assert_eq!(pairs.too_many_ends(rule), gone);
                }
            }
            // No flush has been. One that has found its begin is not handed out.
            let oldest = 3 * MOST - share;
            let begin = pairs.begin(0, key(oldest), 0, "begin");
            assert_eq!(begin, Some(("begin", oldest, "end")));
            pairs.end(0, key(oldest), 3 * MOST, "end");
            assert_eq!(pairs.too_many_ends(0), None);
            assert_eq!(pairs.finish().0.len() as u64, share * count as u64);
        }
    }

    /// Fails after a minute, which only quadratic time exceeds: these steps take seconds,
    /// unoptimized, or many minutes.
    fn linear(what: &str, work: impl FnOnce()) {
        let start = std::time::Instant::now();
        work();
        let took = start.elapsed();
        println!("{what}: {took:?}");
        assert!(
            took < std::time::Duration::from_secs(60),
            "{what}: {took:?}"
        );
    }

    const MANY: u64 = 200_000;

    /// One key for all, or one for each.
    fn keys_of(one: bool) -> impl Fn(u64) -> PairKey {
        move |n| {
            if one {
                PairKey::Absent
            } else {
                PairKey::Int(false, n.into())
            }
        }
    }

    #[test]
    fn begins_without_end_take_linear_time_of_one_key_and_of_many() {
        for one in [true, false] {
            let key = keys_of(one);
            linear("begins without end", || {
                let mut pairs = pairs();
                for n in 0..MANY {
                    assert!(pairs.begin(0, key(n), n, "begin").is_none());
                    assert!(pairs.find(0, &key(n), n).is_some());
                }
                pairs.flushed();
                pairs.flushed();
                for n in 0..MANY / 2 {
                    assert_eq!(pairs.too_many(0), Some((0, n, "begin")));
                }
                // Those in the middle, and the last.
                for n in (MANY / 2..MANY / 4 * 3).rev() {
                    let end = pairs.end(0, key(n), n, "end");
                    assert_eq!(end, Some((n, "begin", "end")));
                }
                let (ends, begins) = pairs.finish();
                assert!(ends.is_empty());
                assert!(begins.iter().map(|begin| begin.1).eq(MANY / 4 * 3..MANY));
            });
        }
    }

    #[test]
    fn ends_without_begin_take_linear_time_of_one_key_and_of_many() {
        for one in [true, false] {
            let key = keys_of(one);
            linear("ends without begin", || {
                let mut pairs = pairs();
                for n in 0..MANY {
                    assert!(pairs.end(0, key(n), n, "end").is_none());
                }
                assert!(pairs.flushed().is_empty());
                for n in 0..MANY / 2 {
                    let begin = pairs.begin(0, key(n), n, "begin");
                    assert_eq!(begin, Some(("begin", n, "end")));
                }
                let given_up = pairs.flushed();
                assert!(given_up.iter().map(|end| end.1).eq(MANY / 2..MANY));
                assert_eq!(pairs.finish(), (vec![], vec![]));
            });
        }
    }

    #[test]
    fn of_two_begins_of_one_time_the_later_one_ends_first() {
        let mut pairs = pairs();
        assert!(pairs.begin(0, key(), 5, "first").is_none());
        assert!(pairs.begin(0, key(), 5, "second").is_none());
        assert_eq!(pairs.find(0, &key(), 9), Some(&"second"));
        assert_eq!(pairs.end(0, key(), 9, "end"), Some((5, "second", "end")));
        assert_eq!(pairs.end(0, key(), 9, "end"), Some((5, "first", "end")));
        assert_eq!(pairs.find(0, &key(), 9), None);
    }

    #[test]
    fn integers_of_different_types_are_one_key_and_cut_text_is_none() {
        assert_eq!(PairKey::new(&Field::U64(7)), PairKey::new(&Field::I128(7)));
        assert_ne!(PairKey::new(&Field::I64(-7)), PairKey::new(&Field::U64(7)));
        assert_eq!(
            PairKey::new(&Field::Str {
                text: "a",
                cut: true
            }),
            None
        );
        assert_eq!(PairKey::new(&Field::Redacted), None);
        assert_eq!(PairKey::new(&Field::Absent), Some(PairKey::Absent));
    }
}
