//! Which end belongs to which begin, when they come from several threads and in no common order.
//!
//! An end may come before its begin: it fired later, but its thread was drained first. So it waits. A key may be
//! used again: an end goes to the latest begin of its key that is not after it. Clocks differ between threads by
//! some nanoseconds: where there is no such begin, one that is up to [`SLACK`] after the end will do. Whatever
//! finds no partner is handed out, so that nothing stays open:
//! * ends by the second flush after they came: by then every thread has been drained once more, and the begin with
//!   it; or when the recording is finished;
//! * begins when it is finished; or when there are more than [`MOST_OPEN`], and two flushes have passed as well.

use super::export::{Field, Record, SliceRule};
use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};

/// By how many nanoseconds clocks may step back between threads.
const SLACK: u64 = 1_000;
/// How many begins of a rule are remembered: with ends that were lost, they would pile up.
const MOST_OPEN: usize = 1 << 16;

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
    /// No value: the `None` of an `Option`.
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

    /// Whether any rule has to do with that event.
    pub(crate) fn has(&self, event: usize) -> bool {
        self.of_event
            .get(event)
            .is_some_and(|roles| !roles.is_empty())
    }

    /// Rule, role and key for each rule that the record has to do with.
    pub(crate) fn of<'a>(
        &'a self,
        record: &'a Record<'_>,
    ) -> impl Iterator<Item = (usize, Role, PairKey)> + 'a {
        let roles = self
            .of_event
            .get(record.event)
            .map_or(&[][..], Vec::as_slice);
        roles.iter().filter_map(|&(rule, role, parameter)| {
            let key = PairKey::new(record.values.get(parameter)?)?;
            Some((rule, role, key))
        })
    }
}

#[derive(Debug)]
struct OpenBegin<B> {
    time: u64,
    number: u64,
    kept: B,
}

#[derive(Debug)]
struct WaitingEnd<E> {
    time: u64,
    flushes: u64,
    kept: E,
}

#[derive(Debug)]
struct PairRule<B, E> {
    open: HashMap<PairKey, Vec<OpenBegin<B>>>,
    /// The open ones, the oldest first, and how many flushes there had been.
    order: BTreeMap<u64, (u64, PairKey)>,
    waiting: HashMap<PairKey, Vec<WaitingEnd<E>>>,
}

/// Begins and ends without a partner so far; `B` is what is kept of a begin, `E` of an end.
#[derive(Debug)]
pub(crate) struct Pairs<B, E> {
    rules: Vec<PairRule<B, E>>,
    begins: u64,
    flushes: u64,
    most_open: usize,
}

/// A rule, a time, and what was kept.
pub(crate) type Single<T> = (usize, u64, T);

impl<B, E> Pairs<B, E> {
    pub(crate) fn new(rules: &[SliceRule]) -> Self {
        let rule = |_| PairRule {
            open: HashMap::new(),
            order: BTreeMap::new(),
            waiting: HashMap::new(),
        };
        Self {
            rules: rules.iter().map(rule).collect(),
            begins: 0,
            flushes: 0,
            most_open: MOST_OPEN,
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
        if let Some(waiting) = this.waiting.get_mut(&key) {
            // The earliest that is not before the begin, or else the latest that is hardly before it.
            let fits = |end: &WaitingEnd<E>| end.time >= time;
            let near = |end: &WaitingEnd<E>| end.time.saturating_add(SLACK) >= time;
            let index = (0..waiting.len())
                .filter(|&i| fits(&waiting[i]))
                .min_by_key(|&i| waiting[i].time)
                .or_else(|| {
                    (0..waiting.len())
                        .filter(|&i| near(&waiting[i]))
                        .max_by_key(|&i| waiting[i].time)
                });
            if let Some(index) = index {
                let end = waiting.remove(index);
                if waiting.is_empty() {
                    this.waiting.remove(&key);
                }
                return Some((kept, end.time, end.kept));
            }
        }
        let number = self.begins;
        self.begins += 1;
        this.order.insert(number, (self.flushes, key.clone()));
        this.open
            .entry(key)
            .or_default()
            .push(OpenBegin { time, number, kept });
        None
    }

    /// Its begin, if that is here already, with what was kept of both; otherwise the end waits for it.
    pub(crate) fn end(
        &mut self,
        rule: usize,
        key: PairKey,
        time: u64,
        kept: E,
    ) -> Option<(u64, B, E)> {
        let this = &mut self.rules[rule];
        if let Some(open) = this.open.get_mut(&key) {
            let index = (0..open.len())
                .filter(|&i| open[i].time <= time)
                .max_by_key(|&i| (open[i].time, open[i].number))
                .or_else(|| {
                    (0..open.len())
                        .filter(|&i| open[i].time <= time.saturating_add(SLACK))
                        .min_by_key(|&i| open[i].time)
                });
            if let Some(index) = index {
                let begin = open.remove(index);
                if open.is_empty() {
                    this.open.remove(&key);
                }
                this.order.remove(&begin.number);
                return Some((begin.time, begin.kept, kept));
            }
        }
        this.waiting.entry(key).or_default().push(WaitingEnd {
            time,
            flushes: self.flushes,
            kept,
        });
        None
    }

    /// Whether there is an open begin of this key that is not after `time`.
    pub(crate) fn find(&self, rule: usize, key: &PairKey, time: u64) -> Option<&B> {
        let open = self.rules[rule].open.get(key)?;
        open.iter()
            .filter(|begin| begin.time <= time)
            .max_by_key(|begin| begin.time)
            .map(|begin| &begin.kept)
    }

    /// The oldest begin, if there are too many of the rule.
    pub(crate) fn too_many(&mut self, rule: usize) -> Option<Single<B>> {
        let this = &mut self.rules[rule];
        if this.order.len() <= self.most_open {
            return None;
        }
        let (_, (flushes, _)) = this.order.first_key_value()?;
        if flushes + 2 > self.flushes {
            // Its end may still be in the buffer of a thread that has not been drained since.
            return None;
        }
        let (number, (_, key)) = this.order.pop_first()?;
        let open = this.open.get_mut(&key)?;
        let index = open.iter().position(|begin| begin.number == number)?;
        let begin = open.remove(index);
        if open.is_empty() {
            this.open.remove(&key);
        }
        Some((rule, begin.time, begin.kept))
    }

    /// After each flush: the ends whose begin will not come any more.
    pub(crate) fn flushed(&mut self) -> Vec<Single<E>> {
        self.flushes += 1;
        let flushes = self.flushes;
        self.ends_that(|end| end.flushes + 2 <= flushes)
    }

    /// At the end: the ends without begin, and the begins without end.
    pub(crate) fn finish(&mut self) -> (Vec<Single<E>>, Vec<Single<B>>) {
        let ends = self.ends_that(|_| true);
        let mut begins = Vec::new();
        for (rule, this) in self.rules.iter_mut().enumerate() {
            this.order.clear();
            let open = this.open.drain().flat_map(|(_, open)| open);
            begins.extend(open.map(|begin| (rule, begin.time, begin.kept)));
        }
        begins.sort_by_key(|&(rule, time, _)| (rule, time));
        (ends, begins)
    }

    fn ends_that(&mut self, which: impl Fn(&WaitingEnd<E>) -> bool) -> Vec<Single<E>> {
        let mut ends = Vec::new();
        for (rule, this) in self.rules.iter_mut().enumerate() {
            this.waiting.retain(|_, waiting| {
                let (gone, stay) = std::mem::take(waiting)
                    .into_iter()
                    .partition::<Vec<_>, _>(&which);
                ends.extend(gone.into_iter().map(|end| (rule, end.time, end.kept)));
                *waiting = stay;
                !waiting.is_empty()
            });
        }
        ends.sort_by_key(|&(rule, time, _)| (rule, time));
        ends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs() -> Pairs<&'static str, &'static str> {
        Pairs::new(&[SliceRule {
            name: "slice".to_owned(),
            begin: (0, 0),
            end: (1, 0),
        }])
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
