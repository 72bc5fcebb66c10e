//! Executions of a test, and which of them the memory model allows.
//!
//! An execution is one trace of each thread, with a write for each read (`rf`), and an order of the
//! writes to each location (`mo`). What is checked is RC11 (Lahav, Vafeiadis, Kang, Hur and Dreyer:
//! Repairing Sequential Consistency in C/C++11, 2017), in the notation of that paper:
//!
//! * COHERENCE: `hb` orders no accesses of one location against `mo` and `rf`;
//! * ATOMICITY: between what an update reads and what it writes, there is no other write;
//! * SC: `psc` is acyclic;
//! * NO-THIN-AIR: `sb` and `rf` together are acyclic, only if asked for.
//!
//! A release sequence is as in C++20 and Rust: the write and the updates that follow it, not later
//! stores of the same thread.
//!
//! **Light and heavy barriers** are no part of RC11. A heavy one is a `SeqCst` fence, and makes
//! every other thread pass one as well, at some point between the beginning and the end of the
//! call. A light one says that this point is before or after it: the compiler does not move
//! accesses across. So for no light barrier `l` and heavy ones `h` and `g`, of which `g` is `h` or
//! before it by `psc`, is `h` before `l` and `l` before `g` in the way of `psc_F`. Two light ones,
//! or a light one and a fence, order nothing; nor does a light one synchronize, as a fence would.

use crate::litmus::{Expression, Location, Test, Touch};
use crate::order::{Order, Strength};
use crate::traces::{Trace, What};
use std::fmt::Write as _;

/// A set of events.
type Set = u64;

/// A relation: for each event, the events behind it.
#[derive(Clone)]
struct Relation(Vec<Set>);

impl Relation {
    fn new(len: usize) -> Self {
        Self(vec![0; len])
    }

    fn add(&mut self, from: usize, to: usize) {
        self.0[from] |= 1 << to;
    }

    fn has(&self, from: usize, to: usize) -> bool {
        self.0[from] & 1 << to != 0
    }

    fn close(&mut self) {
        for middle in 0..self.0.len() {
            let behind = self.0[middle];
            for from in &mut self.0 {
                if *from & 1 << middle != 0 {
                    *from |= behind;
                }
            }
        }
    }

    /// A closed relation that leads nowhere back.
    fn is_acyclic(&self) -> bool {
        (0..self.0.len()).all(|event| !self.has(event, event))
    }

    /// What follows any of `from`.
    fn image(&self, from: Set) -> Set {
        members(from).fold(0, |image, event| image | self.0[event])
    }
}

fn members(mut set: Set) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let first = set.trailing_zeros() as usize;
        (set != 0).then(|| {
            set &= set - 1;
            first
        })
    })
}

struct Event {
    what: What,
    /// None: the first value of a location.
    thread: Option<usize>,
}

impl Event {
    fn order(&self) -> Order {
        match self.what {
            What::Access { order, .. } | What::Fence(Strength::Order(order)) => order,
            What::Fence(Strength::Heavy) => Order::SeqCst,
            _ => Order::Relaxed,
        }
    }

    fn is_fence(&self) -> bool {
        matches!(self.what, What::Fence(_))
    }

    fn is_light(&self) -> bool {
        matches!(self.what, What::Fence(Strength::Light))
    }

    fn is_heavy(&self) -> bool {
        matches!(self.what, What::Fence(Strength::Heavy))
    }

    fn location(&self) -> Option<usize> {
        self.what.location()
    }

    fn is_write(&self) -> bool {
        self.what.write().is_some()
    }

    fn is_read(&self) -> bool {
        self.what.read().is_some()
    }
}

/// How to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Model {
    /// A read may find what depends on it, or comes later: NO-THIN-AIR is not asked for.
    pub(crate) load_buffering: bool,
}

/// One choice of traces.
struct Candidate<'a> {
    test: &'a Test,
    model: Model,
    registers: Vec<&'a [i64]>,
    failed: bool,
    events: Vec<Event>,
    sb: Relation,
    /// All writes of each location, and where each read could read.
    writes: Vec<Vec<usize>>,
    sources: Vec<(usize, Vec<usize>)>,
}

/// Searches the executions of these traces for a violation; describes the first.
pub(crate) fn violation(test: &Test, model: Model, traces: &[Vec<Trace>]) -> Option<String> {
    let mut chosen = Vec::new();
    choose(test, model, traces, &mut chosen)
}

fn choose<'a>(
    test: &'a Test,
    model: Model,
    traces: &'a [Vec<Trace>],
    chosen: &mut Vec<&'a Trace>,
) -> Option<String> {
    let Some(next) = traces.get(chosen.len()) else {
        return Candidate::new(test, model, chosen).and_then(|candidate| candidate.search());
    };
    next.iter().find_map(|trace| {
        chosen.push(trace);
        let found = choose(test, model, traces, chosen);
        chosen.pop();
        found
    })
}

impl<'a> Candidate<'a> {
    /// None if a read finds what nobody writes.
    fn new(test: &'a Test, model: Model, traces: &[&'a Trace]) -> Option<Self> {
        let first = test.locations.iter().enumerate();
        let mut events: Vec<Event> = first
            .map(|(location, of)| Event {
                what: What::Access {
                    location,
                    order: Order::Relaxed,
                    read: None,
                    write: Some(of.init),
                },
                thread: None,
            })
            .collect();
        for (thread, trace) in traces.iter().enumerate() {
            events.extend(trace.events.iter().map(|what| Event {
                what: *what,
                thread: Some(thread),
            }));
        }
        assert!(events.len() <= 64, "{}: too many events", test.name);
        let mut sb = Relation::new(events.len());
        let mut writes = vec![Vec::new(); test.locations.len()];
        for (at, event) in events.iter().enumerate() {
            for (later, other) in events.iter().enumerate().skip(at + 1) {
                if event.thread.is_none_or(|_| event.thread == other.thread)
                    && other.thread.is_some()
                {
                    sb.add(at, later);
                }
            }
            if let (Some(location), true) = (event.location(), event.is_write()) {
                writes[location].push(at);
            }
        }
        let mut sources = Vec::new();
        for (at, event) in events.iter().enumerate() {
            let (Some(location), Some(value)) = (event.location(), event.what.read()) else {
                continue;
            };
            let can = |&write: &usize| {
                write != at && !sb.has(at, write) && events[write].what.write() == Some(value)
            };
            let from: Vec<usize> = writes[location].iter().copied().filter(can).collect();
            if from.is_empty() {
                return None;
            }
            sources.push((at, from));
        }
        Some(Self {
            test,
            model,
            registers: traces.iter().map(|trace| &trace.registers[..]).collect(),
            failed: traces.iter().any(|trace| trace.failed),
            events,
            sb,
            writes,
            sources,
        })
    }

    fn search(&self) -> Option<String> {
        // Where nothing can be wrong, whatever reads what, there is nothing to search.
        let touches = self
            .events
            .iter()
            .any(|event| matches!(event.what, What::Touch(..)));
        if !touches && !self.failed && !self.test.looks_at_memory && !self.is_asked_for(None) {
            return None;
        }
        let mut rf = vec![usize::MAX; self.events.len()];
        self.assign(0, &mut rf)
    }

    fn is_asked_for(&self, last: Option<&[usize]>) -> bool {
        let value = self.test.never.eval(&|leaf| match leaf {
            Expression::Of(thread, register) => self.registers[*thread][*register],
            Expression::Last(location) => last
                .and_then(|last| self.events[last[*location]].what.write())
                .unwrap_or(0),
            _ => 0,
        });
        value != 0
    }

    /// Gives each read from `index` on a write.
    fn assign(&self, index: usize, rf: &mut [usize]) -> Option<String> {
        let Some((read, from)) = self.sources.get(index) else {
            return self.violation(rf);
        };
        from.iter().find_map(|&write| {
            // Of one write, one update reads.
            let is_taken = self.events[*read].is_write()
                && self.sources[..index]
                    .iter()
                    .any(|(other, _)| self.events[*other].is_write() && rf[*other] == write);
            if is_taken {
                return None;
            }
            rf[*read] = write;
            self.assign(index + 1, rf)
        })
    }

    /// What releases by this write: itself, and those whose release sequence it is in.
    fn releases(&self, mut write: usize) -> impl FnMut(&[usize]) -> Set {
        let events = &self.events;
        let sb = &self.sb;
        move |rf| {
            let mut all = 0;
            loop {
                if events[write].order().releases() {
                    all |= 1 << write;
                }
                for (fence, event) in events.iter().enumerate() {
                    if event.is_fence() && event.order().releases() && sb.has(fence, write) {
                        all |= 1 << fence;
                    }
                }
                if !events[write].is_read() {
                    return all;
                }
                write = rf[write];
            }
        }
    }

    fn happens_before(&self, rf: &[usize]) -> Relation {
        let mut hb = self.sb.clone();
        for (read, _) in &self.sources {
            let mut acquirers = 0;
            if self.events[*read].order().acquires() {
                acquirers |= 1 << read;
            }
            for (fence, event) in self.events.iter().enumerate() {
                if event.is_fence() && event.order().acquires() && self.sb.has(*read, fence) {
                    acquirers |= 1 << fence;
                }
            }
            for releaser in members(self.releases(rf[*read])(rf)) {
                hb.0[releaser] |= acquirers;
            }
        }
        hb.close();
        hb
    }

    /// The violation of this execution, for some order of the writes.
    fn violation(&self, rf: &[usize]) -> Option<String> {
        // An update may be read through others back to itself: no execution.
        if self.reads_in_a_circle(rf) {
            return None;
        }
        let hb = self.happens_before(rf);
        if !hb.is_acyclic() {
            return None;
        }
        if !self.model.load_buffering {
            let mut both = self.sb.clone();
            for (read, _) in &self.sources {
                both.add(rf[*read], *read);
            }
            both.close();
            if !both.is_acyclic() {
                return None;
            }
        }
        let touched = self.wrong_touch(&hb);
        let depends_on_order = self.test.looks_at_memory;
        if touched.is_none() && !self.failed && !depends_on_order && !self.is_asked_for(None) {
            return None;
        }
        let orders: Vec<Vec<Vec<usize>>> = (0..self.writes.len())
            .map(|location| self.orders(location, rf, &hb))
            .collect();
        if orders.iter().any(Vec::is_empty) {
            return None;
        }
        let mut mo = Vec::new();
        let ordered =
            self.order_all(&orders, &mut mo, rf, &hb, touched.is_some() || self.failed)?;
        Some(self.describe(rf, touched.as_deref(), &ordered))
    }

    fn reads_in_a_circle(&self, rf: &[usize]) -> bool {
        self.sources.iter().any(|(read, _)| {
            let mut write = rf[*read];
            for _ in 0..self.events.len() {
                if !self.events[write].is_read() {
                    return false;
                }
                write = rf[write];
            }
            true
        })
    }

    /// All orders of the writes of one location that agree with `hb`.
    fn orders(&self, location: usize, rf: &[usize], hb: &Relation) -> Vec<Vec<usize>> {
        let writes = &self.writes[location];
        let mut found = Vec::new();
        // The first value is first.
        let mut order = vec![writes[0]];
        self.extend(location, &mut order, rf, hb, &mut found);
        found
    }

    fn extend(
        &self,
        location: usize,
        order: &mut Vec<usize>,
        rf: &[usize],
        hb: &Relation,
        found: &mut Vec<Vec<usize>>,
    ) {
        let writes = &self.writes[location];
        if order.len() == writes.len() {
            if self.is_coherent(location, order, rf, hb) {
                found.push(order.clone());
            }
            return;
        }
        let rest = |write: &&usize| !order.contains(write);
        let candidates: Vec<usize> = writes.iter().filter(rest).copied().collect();
        for &next in &candidates {
            let is_early = candidates.iter().any(|&other| hb.has(other, next));
            // ATOMICITY.
            let before = order[order.len() - 1];
            let is_torn = self.events[next].is_read() && rf[next] != before;
            if !is_early && !is_torn {
                order.push(next);
                self.extend(location, order, rf, hb, found);
                order.pop();
            }
        }
    }

    /// COHERENCE of one location.
    fn is_coherent(&self, location: usize, order: &[usize], rf: &[usize], hb: &Relation) -> bool {
        let position = |write: usize| order.iter().position(|one| *one == write);
        let here = |event: &Event| event.location() == Some(location);
        let accesses: Vec<usize> = (0..self.events.len())
            .filter(|event| here(&self.events[*event]))
            .collect();
        let read = |event: usize| {
            let is_read = self.events[event].is_read();
            is_read.then(|| position(rf[event])).flatten()
        };
        accesses.iter().all(|&a| {
            members(hb.0[a])
                .filter(|b| here(&self.events[*b]))
                .all(|b| {
                    let (wrote_a, wrote_b) = (position(a), position(b));
                    let (read_a, read_b) = (read(a), read(b));
                    let in_order = |a: Option<usize>, b: Option<usize>, or_same: bool| match (a, b)
                    {
                        (Some(a), Some(b)) => a < b || or_same && a == b,
                        _ => true,
                    };
                    in_order(wrote_a, wrote_b, false)
                        && in_order(wrote_a, read_b, true)
                        && in_order(read_a, wrote_b, false)
                        && in_order(read_a, read_b, true)
                })
        })
    }

    /// An order for each location such that SC holds, and that is a violation.
    fn order_all(
        &self,
        orders: &[Vec<Vec<usize>>],
        mo: &mut Vec<Vec<usize>>,
        rf: &[usize],
        hb: &Relation,
        is_violation: bool,
    ) -> Option<Vec<Vec<usize>>> {
        let Some(next) = orders.get(mo.len()) else {
            let last: Vec<usize> = mo.iter().map(|order| order[order.len() - 1]).collect();
            let counts = is_violation || self.is_asked_for(Some(&last));
            return (counts && self.is_sequential(mo, rf, hb)).then(|| mo.clone());
        };
        next.iter().find_map(|order| {
            mo.push(order.clone());
            let found = self.order_all(orders, mo, rf, hb, is_violation);
            mo.pop();
            found
        })
    }

    /// SC, and the light and heavy barriers.
    fn is_sequential(&self, mo: &[Vec<usize>], rf: &[usize], hb: &Relation) -> bool {
        let len = self.events.len();
        let all = |is: &dyn Fn(&Event) -> bool| {
            (0..len)
                .filter(|event| is(&self.events[*event]))
                .fold(0, |set: Set, event| set | 1 << event)
        };
        let strong = all(&|event| event.order() == Order::SeqCst);
        let light = all(&Event::is_light);
        if (strong | light).count_ones() < 2 {
            return true;
        }
        let fences = all(&Event::is_fence);
        let (mut direct, mut scb) = (Relation::new(len), Relation::new(len));
        for order in mo {
            for (at, write) in order.iter().enumerate() {
                for later in &order[at + 1..] {
                    direct.add(*write, *later);
                    scb.add(*write, *later);
                }
            }
        }
        for (read, _) in &self.sources {
            direct.add(rf[*read], *read);
            let location = self.events[*read].location().expect("a read has one");
            let order = &mo[location];
            for later in order
                .iter()
                .skip_while(|write| **write != rf[*read])
                .skip(1)
            {
                if later != read {
                    direct.add(*read, *later);
                    scb.add(*read, *later);
                }
            }
        }
        let mut eco = direct;
        eco.close();
        // `scb`: `sb`, `hb` between accesses of other locations, `hb` of one, `mo` and `fr`.
        let same = |a: usize, b: usize| {
            let location = self.events[a].location();
            location.is_some() && location == self.events[b].location()
        };
        let mut elsewhere = Relation::new(len);
        for a in 0..len {
            for b in members(self.sb.0[a]) {
                scb.add(a, b);
                if !same(a, b) {
                    elsewhere.add(a, b);
                }
            }
            for b in members(hb.0[a]) {
                if same(a, b) {
                    scb.add(a, b);
                }
            }
        }
        for a in 0..len {
            scb.0[a] |= elsewhere.image(hb.image(elsewhere.0[a]));
        }
        // `psc_F`, from each fence, light ones included: `hb`, or `hb; eco; hb`.
        let by_fences = |fence: usize| hb.0[fence] | hb.image(eco.image(hb.0[fence]));
        let mut psc = Relation::new(len);
        for a in members(strong) {
            let begins = if self.events[a].is_fence() {
                psc.0[a] |= by_fences(a) & strong & fences;
                1 << a | hb.0[a]
            } else {
                1 << a
            };
            let ends = scb.image(begins);
            psc.0[a] |= ends & strong | hb.image(ends) & strong & fences;
        }
        psc.close();
        if !psc.is_acyclic() {
            return false;
        }
        let heavy = all(&Event::is_heavy);
        members(light).all(|light| {
            let before = members(heavy).filter(|heavy| by_fences(*heavy) & 1 << light != 0);
            let after = by_fences(light) & heavy;
            before
                .into_iter()
                .all(|heavy| members(after).all(|other| other != heavy && !psc.has(other, heavy)))
        })
    }

    /// A race, or a use after the end.
    fn wrong_touch(&self, hb: &Relation) -> Option<String> {
        let touches: Vec<(usize, Touch, usize)> = self
            .events
            .iter()
            .enumerate()
            .filter_map(|(at, event)| match event.what {
                What::Touch(touch, memory) => Some((at, touch, memory)),
                _ => None,
            })
            .collect();
        for &(a, touch_a, memory_a) in &touches {
            for &(b, touch_b, memory_b) in &touches {
                if memory_a != memory_b || a == b {
                    continue;
                }
                let name = &self.test.memory[memory_a];
                let of_two = self.events[a].thread != self.events[b].thread;
                let writes = touch_a != Touch::Use || touch_b != Touch::Use;
                if of_two && writes && !hb.has(a, b) && !hb.has(b, a) {
                    return Some(format!("a race on {name}: {touch_a:?} and {touch_b:?}"));
                }
                if touch_a == Touch::Free && hb.has(a, b) {
                    return Some(format!("{name} is freed, then: {touch_b:?}"));
                }
            }
        }
        None
    }

    fn describe(&self, rf: &[usize], touched: Option<&str>, mo: &[Vec<usize>]) -> String {
        let mut text = match touched {
            Some(touched) => touched.to_owned(),
            None if self.failed => "a check fails".to_owned(),
            None => "what must never be, is".to_owned(),
        };
        let name = |location: usize| {
            let Location { name, index, .. } = &self.test.locations[location];
            match index {
                None => name.clone(),
                Some(index) => format!("{name}[{index}]"),
            }
        };
        let mut thread = None;
        for (at, event) in self.events.iter().enumerate() {
            let Some(of) = event.thread else { continue };
            if thread != Some(of) {
                thread = Some(of);
                let _ = write!(text, "\n      {}:", self.test.threads[of].name);
            }
            let step = match event.what {
                What::Access {
                    location,
                    order,
                    read,
                    write,
                } => {
                    let from = read.map(|value| {
                        let whose = match self.events[rf[at]].thread {
                            None => "at first",
                            Some(thread) => &self.test.threads[thread].name,
                        };
                        format!(" reads {value} ({whose})")
                    });
                    let to = write.map(|value| format!(" = {value}"));
                    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
                    format!("  {}{from}{to} {};", name(location), order.name())
                }
                What::Fence(strength) => format!("  fence {strength};"),
                What::Touch(touch, memory) => format!("  {touch:?} {};", self.test.memory[memory]),
            };
            text.push_str(&step);
        }
        for (location, order) in mo.iter().enumerate() {
            if order.len() > 2 {
                let values = order
                    .iter()
                    .filter_map(|write| self.events[*write].what.write());
                let values: Vec<String> = values.map(|value| value.to_string()).collect();
                let _ = write!(
                    text,
                    "\n      {} in order: {}",
                    name(location),
                    values.join(", ")
                );
            }
        }
        text
    }
}
