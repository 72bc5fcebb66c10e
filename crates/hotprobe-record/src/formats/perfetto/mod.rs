//! Perfetto's format: protobuf, written packet by packet, so that any prefix of the file opens.
//!
//! What is where:
//! * Each record is one instant on the track of its thread (category `event`), with its arguments;
//!   if it fired in a tokio task, there is a copy of it on the task's track (category `task`).
//!   Recorders note tasks only if they were asked to.
//! * Each pair of a [`SliceRule`](super::export::SliceRule) is one slice (category `slice`) on a
//!   track with the rule's name. Slices overlap, but those of one Perfetto track may not: so a rule
//!   has as many tracks as it has slices open at a time, all of one name, which the UI shows as
//!   one. A slice has the arguments of its begin, and of its end those that the begin does not
//!   have; others are under `at end`.
//! * A slice within one of another rule that has the same key stands inside that, on its track
//!   ([`nesting`](super::nesting)): what a request asks for, inside the request.
//! * A begin without end is marked `no end`. It lasts until the end of the recording, unless ends
//!   were lost: then nothing is known of it, and it has no length. An end without begin is an
//!   instant on the slice's track, marked `no begin`.
//! * A flow leads from the slice to the begin, to what else fired with its key, and to the end.
//! * `lost N` is an instant at the place of the loss (category `lost`); a counter below the thread
//!   sums up.
//! * At the end, the track `totals` has an instant for each event and thread: fired, written, lost.
//!
//! * The first record of each event has its place in the source.
//!
//! All names are interned in the first packet. Times are differences to the packet before
//! ([`clock`]), and a record without a track is on that of the last defaults: so a packet depends
//! on those before it, and any prefix of a file can be opened.

mod clock;
mod event;
mod instant;
mod names;
mod proto;

use self::clock::PacketClock;
use self::event::{
    ArgumentOf, EventName, EventPacket, NO_BEGIN, NO_END, put_argument, put_dictionary, put_task,
};
use self::instant::{InstantPlace, Instants};
use self::names::{SEQUENCE, argument, category, uuid};
use self::proto::{
    AnnotationValue, BOOTTIME, Clock, ClockSnapshot, CounterDescriptor, DIFFERENCES,
    DebugAnnotation, InternedData, InternedName, ProcessDescriptor, REALTIME,
    SEQ_INCREMENTAL_STATE_CLEARED, SEQ_NEEDS_INCREMENTAL_STATE, SourceLocation, ThreadDescriptor,
    TracePacket, TracePacketDefaults, TrackDescriptor, TrackEvent, TrackEventDefaults, Type,
};
use super::export::{Export, Header, Lost, Record, ThreadInfo, Total, lossy_events};
use super::nesting::{InnerSlice, Nesting, NestingStep, NestingSteps};
use super::pairs::{PairKey, Pairs, Role, Roles};
use super::record_buffer::RecordBuffer;
use prost::Message;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{self, Write};
use std::mem;
use std::sync::Arc;
use std::time::SystemTime;

/// The number of tasks whose tracks are remembered as described; others' are described again.
const TASKS: usize = 1 << 12;

/// Writes a recording as a Perfetto trace.
#[derive(Debug)]
pub(crate) struct Perfetto<W: Write> {
    buffer: RecordBuffer<W>,
    pid: u32,
    events: Vec<PerfettoEvent>,
    /// Each rule's name, event that ends it, and tracks.
    rules: Vec<PerfettoRule>,
    roles: Roles,
    pairs: Pairs<Begun, EndArguments>,
    nesting: Nesting<Beginning, EndArguments>,
    clock: PacketClock,
    default_thread: DefaultThread,
    threads: HashMap<usize, PerfettoThread>,
    ids: HashSet<u64>,
    /// Whose tracks have been described: each is where its number says, and takes the place of
    /// another one.
    tasks: Vec<Option<u64>>,
    /// What the record in work needs; kept for its memory.
    scratch: Scratch,
}

/// The thread whose track records are on that name none.
#[derive(Debug, Default)]
struct DefaultThread {
    thread: usize,
    /// Another one, and the number of its last records without any other's between.
    next: (usize, u32),
}

impl DefaultThread {
    /// After this many records of another thread in a row, that one is the default: the packet that
    /// says so takes as much as these records save.
    const RECORDS: u32 = 8;

    /// Notes a record of the thread. Returns whether the thread becomes the default.
    fn changes_to(&mut self, thread: usize) -> bool {
        if thread == self.thread {
            self.next.1 = 0;
            return false;
        }
        if thread != self.next.0 {
            self.next = (thread, 0);
        }
        self.next.1 += 1;
        let changes = self.next.1 == Self::RECORDS;
        if changes {
            *self = Self {
                thread,
                next: (thread, 0),
            };
        }
        changes
    }
}

/// The arguments of a record, and the numbers of its flows: those that continue, and those that
/// end.
#[derive(Debug, Default)]
struct Scratch {
    arguments: Vec<u8>,
    flows: Vec<u64>,
    terminating_flows: Vec<u64>,
}

/// The arguments that are written at a slice's end.
type EndArguments = Cow<'static, [u8]>;

#[derive(Debug)]
struct PerfettoEvent {
    name: &'static str,
    /// The numbers of its parameters' names.
    parameters: Vec<(u64, &'static str)>,
    instants: Instants,
    /// Whether a record has shown the place in the source.
    is_located: bool,
}

#[derive(Debug)]
struct PerfettoRule {
    name: String,
    end: usize,
    /// Of each parameter of the event that ends it: whether the one that begins it has it, too.
    of_both: Vec<bool>,
    described: bool,
    lanes: usize,
    /// Tracks with no open slice, and since when.
    free: BTreeSet<(u64, usize)>,
}

/// A slice that has begun.
#[derive(Debug)]
enum Begun {
    /// It is written, on this lane of its rule; the number is that of an outer slice.
    Written { lane: usize, outer: Option<u64> },
    /// It is inside that one, and is written later.
    Inside { outer: u64, beginning: Beginning },
}

/// A rule, when and how its slice began, when it ended, and what is written then.
type Ended = (usize, (u64, Begun), u64, EndArguments);

/// What is written at a slice's begin.
#[derive(Debug)]
struct Beginning {
    flow: u64,
    arguments: Box<[u8]>,
}

#[derive(Debug)]
struct PerfettoThread {
    name: Arc<str>,
    /// The number of records lost, up to `lost_time`.
    lost: u64,
    lost_time: u64,
}

impl<W: Write> Perfetto<W> {
    pub(crate) fn new(to: W) -> Self {
        Self {
            buffer: RecordBuffer::new(to),
            pid: 0,
            events: Vec::new(),
            rules: Vec::new(),
            roles: Roles::default(),
            pairs: Pairs::new(&[], 0),
            nesting: Nesting::default(),
            clock: PacketClock::default(),
            default_thread: DefaultThread::default(),
            threads: HashMap::new(),
            ids: HashSet::new(),
            tasks: Vec::new(),
            scratch: Scratch::default(),
        }
    }

    fn packet(&mut self, packet: TracePacket) -> io::Result<()> {
        let packet = TracePacket {
            trusted_packet_sequence_id: Some(SEQUENCE),
            ..packet
        };
        // Field 1, length-delimited: `Trace.packet`.
        self.buffer.bytes.push(1 << 3 | 2);
        packet
            .encode_length_delimited(&mut self.buffer.bytes)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?;
        self.buffer.write_some()
    }

    fn track(&mut self, track: TrackDescriptor) -> io::Result<()> {
        self.packet(TracePacket {
            track_descriptor: Some(track),
            ..TracePacket::default()
        })
    }

    fn child_track(&mut self, uuid: u64, parent: u64, name: String) -> io::Result<()> {
        self.track(TrackDescriptor {
            uuid: Some(uuid),
            name: Some(name),
            parent_uuid: Some(parent),
            ..TrackDescriptor::default()
        })
    }

    fn event(&mut self, time: u64, r#type: Type, event: TrackEvent) -> io::Result<()> {
        let stamp = self.clock.stamp(time);
        self.packet(TracePacket {
            timestamp: Some(stamp.number()),
            timestamp_clock_id: stamp.clock(),
            sequence_flags: Some(SEQ_NEEDS_INCREMENTAL_STATE),
            track_event: Some(TrackEvent {
                r#type: Some(r#type.into()),
                ..event
            }),
            ..TracePacket::default()
        })
    }

    /// Writes a record as instants, if it is of a frequent kind.
    fn frequent_instants(&mut self, record: &Record<'_>) -> io::Result<bool> {
        let place = self.of_thread(record);
        if !self.put_frequent(&place, record) {
            return Ok(false);
        }
        self.buffer.end_record();
        self.buffer.write_some()?;
        if let Some(task) = record.task {
            self.describe_task(task)?;
            self.put_frequent(&self.of_task(task, record), record);
            self.buffer.write_some()?;
        }
        Ok(true)
    }

    fn put_frequent(&mut self, place: &InstantPlace, record: &Record<'_>) -> bool {
        let event = self.events.get(record.event);
        let is_put = event.is_some_and(|event| {
            event.is_located
                && event
                    .instants
                    .put(&mut self.buffer.bytes, place, record.values)
        });
        if is_put {
            self.clock.written(record.time);
        }
        is_put
    }

    /// Writes a record as instants: on the track of its thread, and on that of its task.
    fn instants(&mut self, record: &Record<'_>, scratch: &mut Scratch) -> io::Result<()> {
        let place = self.of_thread(record);
        let Some(task) = record.task else {
            self.put_instant(&place, record, scratch);
            self.buffer.end_record();
            return self.buffer.write_some();
        };
        let own = scratch.arguments.len();
        put_task(&mut scratch.arguments, task);
        self.put_instant(&place, record, scratch);
        self.buffer.end_record();
        self.buffer.write_some()?;
        self.describe_task(task)?;
        let place = self.of_task(task, record);
        if self.put_frequent(&place, record) {
            return self.buffer.write_some();
        }
        scratch.arguments.truncate(own);
        scratch.flows.clear();
        scratch.terminating_flows.clear();
        self.put_instant(&place, record, scratch);
        self.buffer.write_some()
    }

    fn put_instant(&mut self, place: &InstantPlace, record: &Record<'_>, scratch: &Scratch) {
        let name = record.event as u64 + 1;
        let event = self.events.get_mut(record.event);
        let is_first = event.is_some_and(|event| !mem::replace(&mut event.is_located, true));
        let name = if is_first {
            EventName::Located(name)
        } else {
            EventName::Interned(name)
        };
        let event = EventPacket {
            time: place.time,
            kind: Type::Instant,
            track: place.track,
            category: Some(place.category),
            name,
            arguments: &scratch.arguments,
            flows: &scratch.flows,
            terminating_flows: &scratch.terminating_flows,
        };
        event.put(&mut self.buffer.bytes);
        self.clock.written(record.time);
    }

    /// Returns where a record is shown on the track of its thread.
    fn of_thread(&self, record: &Record<'_>) -> InstantPlace {
        let is_default = record.thread == self.default_thread.thread;
        InstantPlace {
            time: self.clock.peek(record.time),
            category: category::EVENT,
            track: (!is_default).then(|| uuid::thread(record.thread)),
            task: record.task,
        }
    }

    /// Returns where it is shown on the track of its task.
    fn of_task(&self, task: u64, record: &Record<'_>) -> InstantPlace {
        InstantPlace {
            time: self.clock.peek(record.time),
            category: category::TASK,
            track: Some(uuid::task(task)),
            task: None,
        }
    }

    /// Writes what holds for packets that do not say otherwise.
    fn defaults(&self) -> TracePacketDefaults {
        TracePacketDefaults {
            timestamp_clock_id: Some(DIFFERENCES),
            track_event_defaults: Some(TrackEventDefaults {
                track_uuid: Some(uuid::thread(self.default_thread.thread)),
            }),
        }
    }

    fn put_arguments(&self, to: &mut Vec<u8>, record: &Record<'_>) {
        let Some(event) = self.events.get(record.event) else {
            return;
        };
        for (&name, value) in event.parameters.iter().zip(record.values) {
            put_argument(to, ArgumentOf::Event, name, value);
        }
    }

    /// Learns what the events and the rules are; returns the names of all arguments, by number.
    fn learn_events(&mut self, header: &Header) -> Vec<&'static str> {
        let mut names = argument::NAMES.to_vec();
        for event in &header.events {
            let mut parameters = Vec::new();
            for parameter in event.parameters() {
                // (After ours: a parameter may be called `thread`, and is another number then.)
                let same = names[argument::NAMES.len()..]
                    .iter()
                    .position(|&name| name == parameter.name());
                let index = same.map_or(names.len(), |index| argument::NAMES.len() + index);
                if same.is_none() {
                    names.push(parameter.name());
                }
                parameters.push((index as u64 + 1, parameter.name()));
            }
            self.events.push(PerfettoEvent {
                name: event.name(),
                instants: Instants::new(
                    self.events.len() as u64 + 1,
                    parameters.iter().map(|&(iid, _)| iid),
                ),
                parameters,
                is_located: false,
            });
        }
        for (rule, slice) in self.rules.iter_mut().zip(&header.slices) {
            let parameters = |event: usize| &self.events[event].parameters;
            let of_begin = parameters(slice.begin.0);
            let of_end = parameters(slice.end.0).iter();
            rule.of_both = of_end.map(|it| of_begin.contains(it)).collect();
        }
        names
    }

    /// Returns the arguments of an end as the slice shows them: what the begin has too does not
    /// take its place.
    fn end_arguments(&self, rule: usize, record: &Record<'_>) -> EndArguments {
        let Some(event) = self.events.get(record.event) else {
            return Cow::default();
        };
        let of_both = &self.rules[rule].of_both;
        let arguments = || event.parameters.iter().zip(record.values).zip(of_both);
        let mut to = Vec::new();
        for ((&name, value), _) in arguments().filter(|(_, of_both)| !**of_both) {
            put_argument(&mut to, ArgumentOf::Event, name, value);
        }
        let mut shared = arguments().filter(|(_, of_both)| **of_both).peekable();
        if shared.peek().is_some() {
            put_dictionary(&mut to, argument::END, |to| {
                for ((&name, value), _) in shared {
                    put_argument(to, ArgumentOf::Dictionary, name, value);
                }
            });
        }
        to.into()
    }

    /// A track of this rule on which nothing is open, nor was after `time`.
    fn take_lane(&mut self, rule: usize, time: u64) -> io::Result<usize> {
        let this = &mut self.rules[rule];
        match this.free.first().copied() {
            Some((since, lane)) if since <= time => {
                this.free.pop_first();
                Ok(lane)
            }
            _ => {
                let lane = this.lanes;
                this.lanes += 1;
                let name = this.name.clone();
                self.child_track(uuid::lane(rule, lane), uuid::PROCESS, name)?;
                Ok(lane)
            }
        }
    }

    /// Writes the begin, or keeps it, if it is one inside another one.
    fn begin_slice(
        &mut self,
        rule: usize,
        key: &PairKey,
        time: u64,
        flow: u64,
        arguments: &[u8],
    ) -> io::Result<Begun> {
        if let Some(outer) = self.nesting.begin(rule, key, time) {
            let arguments = arguments.into();
            let beginning = Beginning { flow, arguments };
            return Ok(Begun::Inside { outer, beginning });
        }
        let lane = self.take_lane(rule, time)?;
        self.begin_on((rule, lane), rule, time, flow, arguments)?;
        let outer = self.nesting.open(rule, key, time, lane);
        Ok(Begun::Written { lane, outer })
    }

    /// The end of a slice, with all that is inside it; or of one inside another one, which is kept
    /// for that.
    fn end_slice(
        &mut self,
        rule: usize,
        (since, begun): (u64, Begun),
        end: u64,
        arguments: EndArguments,
    ) -> io::Result<()> {
        let end = end.max(since);
        match begun {
            Begun::Written { lane, outer } => {
                let mut until = end;
                if let Some(outer) = outer {
                    let steps;
                    (steps, until) = self.nesting.close(outer, end);
                    self.write_inside((rule, lane), steps)?;
                }
                self.rules[rule].free.insert((until, lane));
                self.end_on((rule, lane), until, &arguments)
            }
            Begun::Inside { outer, beginning } => {
                let inner = InnerSlice {
                    rule,
                    begin: since,
                    end,
                    at_begin: beginning,
                    at_end: arguments,
                };
                match self.nesting.end(outer, inner) {
                    Some(inner) => self.write_apart(&inner),
                    None => Ok(()),
                }
            }
        }
    }

    /// Of one record: what is inside comes first.
    fn end_slices(&mut self, mut ended: Vec<Ended>) -> io::Result<()> {
        ended.sort_by_key(|(_, (_, begun), ..)| matches!(begun, Begun::Written { .. }));
        for (rule, begun, end, arguments) in ended {
            self.end_slice(rule, begun, end, arguments)?;
        }
        Ok(())
    }

    fn write_inside(
        &mut self,
        track: (usize, usize),
        steps: NestingSteps<Beginning, EndArguments>,
    ) -> io::Result<()> {
        for step in steps {
            match step {
                NestingStep::Begin { rule, time, kept } => {
                    self.begin_on(track, rule, time, kept.flow, &kept.arguments)?;
                }
                NestingStep::End { time, kept } => self.end_on(track, time, &kept)?,
                NestingStep::Apart(inner) => self.write_apart(&inner)?,
            }
        }
        Ok(())
    }

    fn write_apart(&mut self, inner: &InnerSlice<Beginning, EndArguments>) -> io::Result<()> {
        let &InnerSlice {
            rule, begin, end, ..
        } = inner;
        let lane = self.take_lane(rule, begin)?;
        let Beginning { flow, arguments } = &inner.at_begin;
        self.begin_on((rule, lane), rule, begin, *flow, arguments)?;
        self.rules[rule].free.insert((end, lane));
        self.end_on((rule, lane), end, &inner.at_end)
    }

    /// On a lane of a rule, the same or another one.
    fn begin_on(
        &mut self,
        (track, lane): (usize, usize),
        rule: usize,
        time: u64,
        flow: u64,
        arguments: &[u8],
    ) -> io::Result<()> {
        let event = EventPacket {
            time: self.clock.stamp(time),
            kind: Type::SliceBegin,
            track: Some(uuid::lane(track, lane)),
            category: Some(category::SLICE),
            name: EventName::Text(&self.rules[rule].name),
            arguments,
            flows: &[flow],
            terminating_flows: &[],
        };
        event.put(&mut self.buffer.bytes);
        self.buffer.write_some()
    }

    fn end_on(
        &mut self,
        (track, lane): (usize, usize),
        time: u64,
        arguments: &[u8],
    ) -> io::Result<()> {
        let event = EventPacket {
            time: self.clock.stamp(time),
            kind: Type::SliceEnd,
            track: Some(uuid::lane(track, lane)),
            category: None,
            name: EventName::None,
            arguments,
            flows: &[],
            terminating_flows: &[],
        };
        event.put(&mut self.buffer.bytes);
        self.buffer.write_some()
    }

    fn end_without_begin(
        &mut self,
        rule: usize,
        time: u64,
        arguments: EndArguments,
    ) -> io::Result<()> {
        if !self.rules[rule].described {
            self.rules[rule].described = true;
            let name = self.rules[rule].name.clone();
            self.child_track(uuid::rule(rule), uuid::PROCESS, name)?;
        }
        let mut arguments = arguments.into_owned();
        arguments.extend_from_slice(NO_BEGIN);
        let event = EventPacket {
            time: self.clock.stamp(time),
            kind: Type::Instant,
            track: Some(uuid::rule(rule)),
            category: Some(category::SLICE),
            name: EventName::Text(&self.rules[rule].name),
            arguments: &arguments,
            flows: &[],
            terminating_flows: &[],
        };
        event.put(&mut self.buffer.bytes);
        self.buffer.write_some()
    }

    /// Begins and ends slices. What begins comes before what is on the threads, so that the flow
    /// starts at the slice.
    fn slices(
        &mut self,
        record: &Record<'_>,
        roles: usize,
        scratch: &mut Scratch,
    ) -> io::Result<()> {
        let mut ended = Vec::new();
        for nth in 0..roles {
            let Some((rule, Role::End, key)) = self.roles.nth(record, nth) else {
                continue;
            };
            scratch.terminating_flows.push(key.flow(rule));
            let kept = self.end_arguments(rule, record);
            if let Some((begin, begun, arguments)) = self.pairs.end(rule, key, record.time, kept) {
                ended.push((rule, (begin, begun), record.time, arguments));
            }
            if let Some((rule, time, arguments)) = self.pairs.too_many_ends(rule) {
                self.end_without_begin(rule, time, arguments)?;
            }
        }
        self.end_slices(ended)?;
        // Ends that were here before their begins.
        let mut ended = Vec::new();
        for nth in 0..roles {
            let Some((rule, kind @ (Role::Begin | Role::Between), key)) =
                self.roles.nth(record, nth)
            else {
                continue;
            };
            let flow = key.flow(rule);
            scratch.flows.push(flow);
            if kind == Role::Between {
                continue;
            }
            let begun = self.begin_slice(rule, &key, record.time, flow, &scratch.arguments)?;
            if let Some((begun, end, arguments)) = self.pairs.begin(rule, key, record.time, begun) {
                ended.push((rule, (record.time, begun), end, arguments));
            }
            if let Some((rule, begin, begun)) = self.pairs.too_many(rule) {
                self.end_not_known(rule, (begin, begun), begin)?;
            }
        }
        self.end_slices(ended)
    }

    fn end_not_known(&mut self, rule: usize, begun: (u64, Begun), time: u64) -> io::Result<()> {
        self.end_slice(rule, begun, time, NO_END.into())
    }

    fn describe_task(&mut self, task: u64) -> io::Result<()> {
        if self.tasks.is_empty() {
            self.tasks = vec![None; TASKS];
            self.child_track(uuid::TASKS, uuid::PROCESS, "tokio tasks".to_owned())?;
        }
        // (Numbers are given one after the other.)
        #[allow(clippy::cast_possible_truncation, reason = "it is less than `TASKS`")]
        let described = &mut self.tasks[(task % TASKS as u64) as usize];
        if *described == Some(task) {
            return Ok(());
        }
        *described = Some(task);
        self.child_track(uuid::task(task), uuid::TASKS, format!("task {task}"))
    }

    fn count_lost(&mut self, thread: usize, time: u64, lost: u64) -> io::Result<()> {
        let event = TrackEvent {
            track_uuid: Some(uuid::lost(thread)),
            counter_value: Some(lost.try_into().unwrap_or(i64::MAX)),
            ..TrackEvent::default()
        };
        self.event(time, Type::Counter, event)
    }

    fn event_name(&self, event: usize) -> &'static str {
        self.events.get(event).map_or("", |event| event.name)
    }
}

impl<W: Write> Export for Perfetto<W> {
    fn header(&mut self, header: &Header) -> io::Result<()> {
        self.pid = header.process.0;
        self.roles = Roles::new(header);
        self.pairs = Pairs::new(&header.slices, header.most_open);
        self.nesting = Nesting::new(header);
        self.rules
            .extend(header.slices.iter().map(|slice| PerfettoRule {
                name: slice.name.clone(),
                end: slice.end.0,
                of_both: Vec::new(),
                described: false,
                lanes: 0,
                free: BTreeSet::new(),
            }));

        let interned = |(index, name): (usize, &str)| InternedName {
            iid: Some(index as u64 + 1),
            name: Some(name.to_owned()),
        };
        let names = self.learn_events(header);
        let locations = header
            .events
            .iter()
            .enumerate()
            .map(|(index, event)| SourceLocation {
                iid: Some(index as u64 + 1),
                file_name: Some(event.file().to_owned()),
                line_number: Some(event.line()),
            });
        let wall = header
            .wall
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let clock = |clock_id, timestamp| Clock {
            id: Some(clock_id),
            timestamp: Some(timestamp),
            is_incremental: (clock_id == DIFFERENCES).then_some(true),
        };
        self.packet(TracePacket {
            sequence_flags: Some(SEQ_INCREMENTAL_STATE_CLEARED),
            interned_data: Some(InternedData {
                event_categories: category::NAMES
                    .iter()
                    .copied()
                    .enumerate()
                    .map(interned)
                    .collect(),
                event_names: header
                    .events
                    .iter()
                    .map(|event| event.name())
                    .enumerate()
                    .map(interned)
                    .collect(),
                debug_annotation_names: names.into_iter().enumerate().map(interned).collect(),
                source_locations: locations.collect(),
            }),
            defaults: Some(self.defaults()),
            ..TracePacket::default()
        })?;
        self.packet(TracePacket {
            clock_snapshot: Some(ClockSnapshot {
                clocks: vec![
                    clock(BOOTTIME, 0),
                    clock(REALTIME, wall.as_nanos().try_into().unwrap_or(u64::MAX)),
                    clock(DIFFERENCES, 0),
                ],
                primary_trace_clock: Some(BOOTTIME),
            }),
            ..TracePacket::default()
        })?;
        self.track(TrackDescriptor {
            uuid: Some(uuid::PROCESS),
            process: Some(ProcessDescriptor {
                pid: self.pid.try_into().ok(),
                process_name: Some(header.process.1.clone()),
            }),
            ..TrackDescriptor::default()
        })
    }

    fn thread(&mut self, thread: &ThreadInfo) -> io::Result<()> {
        // Perfetto takes all threads of one number for one. Numbers are used again, and may not be
        // known at all: then it is a track like others.
        let tid = i32::try_from(thread.id)
            .ok()
            .filter(|&tid| tid != 0 && self.ids.insert(thread.id));
        let name = match &thread.name {
            Some(name) => Arc::clone(name),
            None => format!("thread {}", thread.index).into(),
        };
        let descriptor = match tid {
            Some(tid) => TrackDescriptor {
                thread: Some(ThreadDescriptor {
                    pid: self.pid.try_into().ok(),
                    tid: Some(tid.into()),
                    thread_name: Some(name.as_ref().to_owned()),
                }),
                ..TrackDescriptor::default()
            },
            None if thread.id == 0 => TrackDescriptor {
                name: Some(name.as_ref().to_owned()),
                ..TrackDescriptor::default()
            },
            None => TrackDescriptor {
                name: Some(format!("{name} {}", thread.id)),
                ..TrackDescriptor::default()
            },
        };
        let known = self.threads.entry(thread.index);
        let known = known.or_insert_with(|| PerfettoThread {
            name: Arc::clone(&name),
            lost: 0,
            lost_time: 0,
        });
        known.name = name;
        self.track(TrackDescriptor {
            uuid: Some(uuid::thread(thread.index)),
            parent_uuid: Some(uuid::PROCESS),
            ..descriptor
        })
    }

    fn record(&mut self, record: &Record<'_>) -> io::Result<()> {
        self.buffer.begin_record(record);
        if self.default_thread.changes_to(record.thread) {
            self.packet(TracePacket {
                defaults: Some(self.defaults()),
                ..TracePacket::default()
            })?;
        }
        let roles = self.roles.count(record.event);
        if roles == 0 && self.frequent_instants(record)? {
            return Ok(());
        }
        let mut scratch = mem::take(&mut self.scratch);
        scratch.arguments.clear();
        scratch.flows.clear();
        scratch.terminating_flows.clear();
        self.put_arguments(&mut scratch.arguments, record);
        let result = self
            .slices(record, roles, &mut scratch)
            .and_then(|()| self.instants(record, &mut scratch));
        self.scratch = scratch;
        result
    }

    fn lost(&mut self, lost: &Lost) -> io::Result<()> {
        let event = TrackEvent {
            category_iids: vec![category::LOST],
            name: Some(format!("lost {}", lost.count)),
            track_uuid: Some(uuid::thread(lost.thread)),
            debug_annotations: vec![
                numbered(
                    argument::EVENT,
                    AnnotationValue::Text(self.event_name(lost.event).to_owned()),
                ),
                numbered(argument::LOST, AnnotationValue::Uint(lost.count)),
            ],
            ..TrackEvent::default()
        };
        self.event(lost.time, Type::Instant, event)?;
        let Some(thread) = self.threads.get_mut(&lost.thread) else {
            return Ok(());
        };
        let first = thread.lost == 0;
        thread.lost += lost.count;
        thread.lost_time = thread.lost_time.max(lost.time);
        let (sum, time) = (thread.lost, thread.lost_time);
        if first {
            self.track(TrackDescriptor {
                uuid: Some(uuid::lost(lost.thread)),
                name: Some("lost records".to_owned()),
                parent_uuid: Some(uuid::thread(lost.thread)),
                counter: Some(CounterDescriptor {
                    unit_name: Some("records".to_owned()),
                }),
                ..TrackDescriptor::default()
            })?;
            self.count_lost(lost.thread, 0, 0)?;
        }
        self.count_lost(lost.thread, time, sum)
    }

    fn flush(&mut self) -> io::Result<()> {
        for (rule, time, arguments) in self.pairs.flushed() {
            self.end_without_begin(rule, time, arguments)?;
        }
        for (rule, lane, steps) in self.nesting.flush() {
            self.write_inside((rule, lane), steps)?;
        }
        self.buffer.flush()
    }

    fn unwritten(&self, tell: &mut dyn FnMut(usize, usize)) {
        self.buffer.unwritten(tell);
    }

    fn finish(&mut self, end: u64, totals: &[Total]) -> io::Result<()> {
        let (ends, begins) = self.pairs.finish();
        for (rule, time, arguments) in ends {
            self.end_without_begin(rule, time, arguments)?;
        }
        let lossy = lossy_events(totals);
        // What is inside comes first.
        let (inside, outer): (Vec<_>, Vec<_>) = begins
            .into_iter()
            .partition(|(_, _, begun)| matches!(begun, Begun::Inside { .. }));
        for (rule, begin, begun) in inside.into_iter().chain(outer) {
            let ends_were_lost = lossy.contains(&self.rules[rule].end);
            let time = if ends_were_lost { begin } else { end };
            self.end_not_known(rule, (begin, begun), time)?;
        }
        let losers = self.threads.iter().filter(|(_, thread)| thread.lost > 0);
        let mut losers: Vec<_> = losers
            .map(|(&index, thread)| (index, thread.lost_time, thread.lost))
            .collect();
        losers.sort_unstable();
        for (index, time, lost) in losers {
            self.count_lost(index, time.max(end), lost)?;
        }

        self.child_track(uuid::TOTALS, uuid::PROCESS, "totals".to_owned())?;
        for total in totals {
            let thread = self
                .threads
                .get(&total.thread)
                .map_or("", |thread| &thread.name);
            let event = TrackEvent {
                category_iids: vec![category::TOTAL],
                name_iid: Some(total.event as u64 + 1),
                track_uuid: Some(uuid::TOTALS),
                debug_annotations: vec![
                    numbered(
                        argument::THREAD,
                        AnnotationValue::Text(format!("{} {thread}", total.thread)),
                    ),
                    numbered(argument::FIRED, AnnotationValue::Uint(total.fired)),
                    numbered(argument::WRITTEN, AnnotationValue::Uint(total.written)),
                    numbered(argument::LOST, AnnotationValue::Uint(total.lost)),
                ],
                ..TrackEvent::default()
            };
            self.event(end, Type::Instant, event)?;
        }
        self.buffer.flush()
    }
}

fn numbered(iid: u64, value: AnnotationValue) -> DebugAnnotation {
    DebugAnnotation {
        name_iid: Some(iid),
        value: Some(value),
        ..DebugAnnotation::default()
    }
}

#[cfg(test)]
mod tests;
