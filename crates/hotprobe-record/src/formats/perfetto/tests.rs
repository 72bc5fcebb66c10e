//! What is written, read again by `prost`.

use super::*;
use crate::formats::export::Field;
use crate::formats::synthetic::{Disk, Ends, Full, SyntheticSlice, SyntheticStep, stream};
use std::collections::BTreeMap;

#[derive(Clone, PartialEq, prost::Message)]
struct Trace {
    #[prost(message, repeated, tag = "1")]
    packets: Vec<TracePacket>,
}

fn written(requests: u64) -> Vec<(u64, TrackEvent)> {
    let mut file = Vec::new();
    stream(requests)
        .tell(&mut Perfetto::new(&mut file))
        .unwrap();
    let packets = resolved(&file).into_iter();
    packets
        .filter_map(|packet| Some((packet.timestamp?, packet.track_event?)))
        .collect()
}

/// Reads the packets of a file, with times since the start, and a track for each event.
fn resolved(file: &[u8]) -> Vec<TracePacket> {
    let mut packets = Trace::decode(file).unwrap().packets;
    let (mut last, mut default) = (0, None);
    for packet in &mut packets {
        if let Some(defaults) = &packet.defaults {
            assert_eq!(defaults.timestamp_clock_id, Some(DIFFERENCES));
            default = defaults.track_event_defaults.as_ref().unwrap().track_uuid;
        }
        if let (Some(time), None) = (&mut packet.timestamp, packet.timestamp_clock_id) {
            last += *time;
            *time = last;
        }
        if let Some(event) = &mut packet.track_event {
            event.track_uuid = event.track_uuid.or(default);
        }
    }
    packets
}

fn of_type(events: &[(u64, TrackEvent)], r#type: Type) -> Vec<&(u64, TrackEvent)> {
    events
        .iter()
        .filter(|(_, event)| event.r#type() == r#type)
        .collect()
}

#[test]
fn tasks_have_tracks_if_they_are_noted() {
    let instants = |noted| {
        let mut stream = stream(20);
        for step in &mut stream.steps {
            if let SyntheticStep::Record { task, .. } = step {
                *task = task.filter(|_| noted);
            }
        }
        let mut file = Vec::new();
        stream.tell(&mut Perfetto::new(&mut file)).unwrap();
        let packets = resolved(&file);
        let of = |category| {
            let events = packets.iter().filter_map(|it| it.track_event.as_ref());
            events
                .filter(|event| event.category_iids == [category])
                .count()
        };
        let has_tasks = |packet: &TracePacket| {
            packet.track_descriptor.as_ref().and_then(|it| it.uuid) == Some(uuid::TASKS)
        };
        (
            of(category::EVENT),
            of(category::TASK),
            packets.iter().any(has_tasks),
        )
    };
    let (events, in_tasks, described) = instants(true);
    assert!(in_tasks > 20 && described);
    assert_eq!(instants(false), (events, 0, false));
}

#[test]
fn a_tasks_track_is_described_before_it_is_used() {
    let stream = stream(1);
    let mut file = Vec::new();
    let mut to = Perfetto::new(&mut file);
    to.header(&stream.header).unwrap();
    // (Of two that are remembered at the same place, too.)
    let tasks = [5, 5 + TASKS as u64, 5, 6, 6];
    for (time, task) in (0..).zip(tasks) {
        let record = Record {
            time,
            thread: 0,
            event: 0,
            task: Some(task),
            values: &[],
        };
        to.record(&record).unwrap();
    }
    to.finish(9, &[]).unwrap();
    drop(to);
    let mut described = HashSet::new();
    let mut found = Vec::new();
    for packet in resolved(&file) {
        described.extend(packet.track_descriptor.and_then(|track| track.uuid));
        let event = packet
            .track_event
            .filter(|it| it.category_iids == [category::TASK]);
        if let Some(track) = event.and_then(|event| event.track_uuid) {
            assert!(described.contains(&track), "{track}");
            found.push(track);
        }
    }
    assert_eq!(found, tasks.map(uuid::task));
}

#[test]
fn each_begin_has_an_end_and_none_is_before_it() {
    let events = written(200);
    let mut open = HashMap::new();
    let mut closed = 0;
    for (time, event) in &events {
        match event.r#type() {
            Type::SliceBegin => assert_eq!(
                open.insert(event.track_uuid, *time),
                None,
                "two on one track"
            ),
            Type::SliceEnd => {
                let begin = open
                    .remove(&event.track_uuid)
                    .expect("an end without a begin");
                assert!(begin <= *time);
                closed += 1;
            }
            _ => {}
        }
    }
    assert!(open.is_empty(), "{open:?}");
    assert_eq!(
        closed,
        stream(200)
            .slices
            .iter()
            .filter(|slice| slice.ends != Ends::NoBegin)
            .count()
    );
}

#[test]
fn slices_of_one_track_never_overlap_in_time() {
    let mut tracks: HashMap<_, Vec<_>> = HashMap::new();
    for (time, event) in written(200) {
        if matches!(event.r#type(), Type::SliceBegin | Type::SliceEnd) {
            tracks.entry(event.track_uuid).or_default().push(time);
        }
    }
    assert!(tracks.len() > 1, "some do overlap");
    for times in tracks.values() {
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[test]
fn what_has_the_same_key_and_lies_within_stands_inside_on_the_same_track() {
    let mut stream = stream(200);
    let mut inside = stream.header.slices[0].clone();
    inside.name = "inside".to_owned();
    stream.header.slices.push(inside);
    let mut file = Vec::new();
    stream.tell(&mut Perfetto::new(&mut file)).unwrap();

    // Each track by itself, in the order of time; what is written first stands first.
    let mut tracks: HashMap<_, Vec<_>> = HashMap::new();
    for packet in resolved(&file) {
        let (Some(time), Some(event)) = (packet.timestamp, packet.track_event) else {
            continue;
        };
        if matches!(event.r#type(), Type::SliceBegin | Type::SliceEnd) {
            let track = tracks.entry(event.track_uuid).or_default();
            track.push((time, event.name));
        }
    }
    let mut nested = 0;
    for track in tracks.values_mut() {
        track.sort_by_key(|&(time, _)| time);
        let mut open = Vec::new();
        for (time, name) in track {
            let Some(name) = name else {
                let (begin, name) = open.pop().expect("an end without a begin");
                assert!(begin <= *time);
                if name == "inside" {
                    let outer = open.last().map(|(begin, _)| *begin);
                    nested += usize::from(outer == Some(begin));
                }
                continue;
            };
            open.push((*time, name.clone()));
            assert!(open.len() <= 2, "{open:?}");
        }
        assert!(open.is_empty(), "{open:?}");
    }
    let whole = |slice: &&SyntheticSlice| slice.ends != Ends::NoBegin;
    assert_eq!(nested, stream.slices.iter().filter(whole).count());
}

#[test]
fn each_record_is_one_instant_and_each_counter_ends_with_the_sum() {
    let (stream, events) = (stream(100), written(100));
    let instants = of_type(&events, Type::Instant);
    let records = instants
        .iter()
        .filter(|(_, event)| event.category_iids == [category::EVENT])
        .count();
    assert_eq!(
        records as u64,
        stream.totals.iter().map(|total| total.written).sum::<u64>()
    );
    let mut counters = HashMap::new();
    for (_, event) in of_type(&events, Type::Counter) {
        counters.insert(event.track_uuid, event.counter_value.unwrap());
    }
    let lost = stream.totals.iter().map(|total| total.lost).sum::<u64>();
    assert_eq!(counters.values().sum::<i64>(), i64::try_from(lost).unwrap());
}

#[test]
fn one_thread_after_the_other_will_do() {
    let mut stream = stream(200);
    stream
        .steps
        .retain(|step| !matches!(step, SyntheticStep::Flush));
    stream.steps.sort_by_key(|step| match step {
        SyntheticStep::Record { thread, .. } => *thread + 1,
        SyntheticStep::Lost(lost) => lost.thread + 1,
        _ => 0,
    });
    let mut file = Vec::new();
    stream.tell(&mut Perfetto::new(&mut file)).unwrap();
    let mut open = HashMap::new();
    let mut found = Vec::new();
    for packet in resolved(&file) {
        let (Some(time), Some(event)) = (packet.timestamp, packet.track_event) else {
            continue;
        };
        match event.r#type() {
            Type::SliceBegin => drop(open.insert(event.track_uuid, time)),
            Type::SliceEnd => found.push((open[&event.track_uuid], time)),
            _ => {}
        }
    }
    found.sort_unstable();
    let slices = stream
        .slices
        .iter()
        .filter(|slice| slice.ends != Ends::NoBegin);
    let mut expected: Vec<_> = slices.map(|slice| (slice.begin, slice.end)).collect();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

/// An event of `parameters` parameters, whose names have numbers of one byte and of more.
fn named(parameters: usize) -> PerfettoEvent {
    let parameters: Vec<_> = (1..).map(|iid| (iid * 40, "p")).take(parameters).collect();
    PerfettoEvent {
        name: "e",
        instants: Instants::new(1, parameters.iter().map(|&(iid, _)| iid)),
        parameters,
        is_located: true,
    }
}

/// Returns an argument as `prost` writes it, and the mark that its value was cut.
fn annotations(&(iid, name): &(u64, &str), field: &Field<'_>) -> Vec<DebugAnnotation> {
    use AnnotationValue::{Bool, Double, Int, Text, Uint};
    let float = |value: f64| {
        if value.is_finite() {
            Double(value)
        } else {
            Text(value.to_string())
        }
    };
    let text = |text: &str| Text(text.replace('\0', "␀"));
    let value = match *field {
        Field::Bool(value) => Bool(value),
        Field::Char(value) => text(&value.to_string()),
        Field::U64(value) if value > i64::MAX.unsigned_abs() => Text(value.to_string()),
        Field::U64(value) => Uint(value),
        Field::I64(value) => Int(value),
        Field::U128(value) => Text(value.to_string()),
        Field::I128(value) => Text(value.to_string()),
        Field::F32(value) => float(value.into()),
        Field::F64(value) => float(value),
        Field::Str { text: value, .. } => text(value),
        Field::Bytes { bytes, .. } => Text(crate::formats::bytes::hex(bytes)),
        Field::Opaque(name) => Text(format!("[{name}]")),
        Field::Redacted => Text("[redacted]".to_owned()),
        Field::Absent => Text("none".to_owned()),
        Field::Failed => Text("[failed]".to_owned()),
    };
    let mut annotations = vec![numbered(iid, value)];
    if let Field::Str { cut: true, .. } | Field::Bytes { cut: true, .. } = field {
        annotations.push(DebugAnnotation {
            name: Some(format!("{name} (cut)")),
            value: Some(Bool(true)),
            ..DebugAnnotation::default()
        });
    }
    annotations
}

/// What a record becomes.
struct Written {
    by_prost: Vec<u8>,
    by_hand: Vec<u8>,
    /// If it is of a frequent kind.
    in_pieces: Option<Trace>,
}

/// `track`: whether it is not the default. The last time before was 1000.
fn instants(
    values: &[Field<'_>],
    (time, track): (u64, bool),
    task: Option<u64>,
    flows: [&[u64]; 2],
) -> Written {
    let event = named(values.len());
    let mut perfetto = Perfetto::new(Vec::new());
    perfetto.clock.written(1000);
    perfetto.default_thread.thread = if track { 0 } else { 3 };
    let arguments = event.parameters.iter().zip(values);
    let mut debug_annotations: Vec<_> = arguments.flat_map(|(p, v)| annotations(p, v)).collect();
    debug_annotations
        .extend(task.map(|task| numbered(argument::TASK, AnnotationValue::Uint(task))));
    let packet = TrackEvent {
        category_iids: vec![category::EVENT],
        debug_annotations,
        name_iid: Some(1),
        track_uuid: track.then(|| uuid::thread(3)),
        flow_ids: flows[0].to_vec(),
        terminating_flow_ids: flows[1].to_vec(),
        ..TrackEvent::default()
    };
    perfetto.event(time, Type::Instant, packet).unwrap();
    perfetto.buffer.write().unwrap();
    let by_prost = mem::take(&mut perfetto.buffer.to);

    perfetto.events.push(event);
    perfetto.clock = PacketClock::default();
    perfetto.clock.written(1000);
    let record = Record {
        time,
        thread: 3,
        event: 0,
        task,
        values,
    };
    let mut scratch = Scratch::default();
    perfetto.put_arguments(&mut scratch.arguments, &record);
    if let Some(task) = task {
        put_task(&mut scratch.arguments, task);
    }
    scratch.flows.extend(flows[0]);
    scratch.terminating_flows.extend(flows[1]);
    let place = perfetto.of_thread(&record);
    perfetto.put_instant(&place, &record, &scratch);
    // (Something is there before it.)
    let by_hand = mem::replace(&mut perfetto.buffer.bytes, vec![7; 3]);
    let is_put = perfetto.put_frequent(&place, &record);
    let mut in_pieces = Trace::decode(&perfetto.buffer.bytes[3..]).unwrap();
    for packet in &mut in_pieces.packets {
        assert_eq!(packet.sequence_flags, None);
        packet.sequence_flags = Some(SEQ_NEEDS_INCREMENTAL_STATE);
    }
    assert_eq!(in_pieces.packets.is_empty(), !is_put);
    Written {
        by_prost,
        by_hand,
        in_pieces: is_put.then_some(in_pieces),
    }
}

#[test]
fn an_instant_says_the_same_whoever_writes_it() {
    let texts = [
        0, 1, 7, 8, 9, 60, 100, 127, 128, 200, 16_383, 16_384, 100_000,
    ];
    let texts = texts.map(|len| "x".repeat(len));
    let mut values: Vec<_> = texts
        .iter()
        .map(|text| Field::Str { text, cut: false })
        .chain(["ß€🦀", "a \u{2028} \" b"].map(|text| Field::Str { text, cut: false }))
        .chain([0.0, -0.0, 1.5, f64::MAX].map(Field::F64))
        .chain([false, true].map(Field::Bool))
        .collect();
    for bits in 0..63 {
        let number = 1_u64 << bits;
        values.extend([number - 1, number, number + 1].map(Field::U64));
        let number = 1_i64 << bits;
        values.extend([number, -number, !number, i64::MIN].map(Field::I64));
    }
    let same = |values: &[Field<'_>], time, task| {
        let track = time % 3 > 0;
        let written = instants(values, (time, track), task, [&[], &[]]);
        // (They may be long.)
        let what = || format!("{:.200}", format!("{values:?}"));
        assert!(written.by_hand == written.by_prost, "{}", what());
        let by_prost = Trace::decode(&written.by_prost[..]).unwrap();
        assert!(written.in_pieces == Some(by_prost), "{}", what());
    };
    for (n, value) in values.iter().enumerate() {
        same(&[*value], 1 << (n % 64), None);
        same(&[*value, Field::Bool(true)], 0, Some(1 << (n % 64)));
    }
    same(&values, u64::MAX, Some(u64::MAX));
    same(&[], 7, None);
}

#[test]
fn what_is_not_frequent_is_written_by_hand_as_prost_writes_it() {
    let str = |text, cut| Field::Str { text, cut };
    let bytes = |bytes, cut| Field::Bytes { bytes, cut };
    let long = "x".repeat(300);
    let values = [
        Field::Char('ß'),
        Field::Char('\0'),
        Field::U64(1 << 63),
        Field::U128(u128::MAX),
        Field::I128(i128::MIN),
        Field::F32(0.5),
        Field::F64(f64::NAN),
        Field::F64(f64::NEG_INFINITY),
        str("cut", true),
        str(&long, true),
        str("nu\0ll", false),
        bytes(&[0, 255], false),
        bytes(long.as_bytes(), true),
        Field::Opaque("Type"),
        Field::Redacted,
        Field::Absent,
        Field::Failed,
    ];
    for value in values {
        for flows in [[&[][..], &[][..]], [&[1, u64::MAX], &[]], [&[], &[7]]] {
            let written = instants(&[Field::Bool(true), value], (7, true), Some(7), flows);
            // (Numbers of 32 bits, too, are so rare.)
            assert!(written.in_pieces.is_none(), "{value:?}");
            assert_eq!(written.by_hand, written.by_prost, "{value:?}");
            let trace = Trace::decode(&written.by_hand[..]).unwrap();
            let event = trace.packets[0].track_event.as_ref().unwrap();
            assert!(event.debug_annotations.len() > 2, "{event:?}");
        }
    }
}

#[test]
fn an_argument_of_many_is_written_as_prost_writes_it() {
    let fields: Vec<_> = (0..40).map(Field::U64).collect();
    for count in [1, 2, 40] {
        let (fields, event) = (&fields[..count], named(count));
        let dict_entries = event.parameters.iter().zip(fields);
        let expected = TrackEvent {
            debug_annotations: vec![DebugAnnotation {
                name_iid: Some(argument::END),
                dict_entries: dict_entries.flat_map(|(p, v)| annotations(p, v)).collect(),
                ..DebugAnnotation::default()
            }],
            ..TrackEvent::default()
        };
        let mut written = Vec::new();
        put_dictionary(&mut written, argument::END, |to| {
            for (&name, value) in event.parameters.iter().zip(fields) {
                put_argument(to, ArgumentOf::Dictionary, name, value);
            }
        });
        assert_eq!(written, expected.encode_to_vec());
    }
}

/// The bytes of a record of a `u64` below 2^21, when each is a microsecond after the one before, by
/// the thread that the function returns.
#[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
fn bytes_a_record(thread: fn(usize) -> usize) -> f64 {
    const RECORDS: usize = 50_000;
    const QUERY: usize = 2;
    let mut header = stream(1).header;
    header.events = vec![header.events[QUERY]];
    header.slices = Vec::new();
    let mut file = Vec::new();
    let mut to = Perfetto::new(&mut file);
    to.header(&header).unwrap();
    to.flush().unwrap();
    let before = to.buffer.to.len();
    for n in 0..RECORDS {
        let record = Record {
            time: 1000 * n as u64,
            thread: thread(n),
            event: 0,
            task: None,
            values: &[Field::U64(1_000_000 + n as u64)],
        };
        to.record(&record).unwrap();
    }
    to.flush().unwrap();
    (to.buffer.to.len() - before) as f64 / RECORDS as f64
}

#[test]
fn a_record_of_a_number_takes_at_most_24_bytes() {
    let alone = bytes_a_record(|_| 0);
    let in_turn = bytes_a_record(|n| n / 100 % 3);
    let mixed = bytes_a_record(|n| n % 3);
    println!("{alone} bytes; threads in turn: {in_turn}; mixed: {mixed}");
    assert!(
        alone < 23.1 && in_turn <= 24.0 && mixed <= 25.0,
        "{alone} {in_turn} {mixed}"
    );
}

#[test]
fn the_first_record_of_each_event_has_its_place_in_the_source() {
    let mut located = HashMap::<_, Vec<bool>>::new();
    for (_, event) in written(20) {
        if event.category_iids == [category::EVENT] {
            let place = event.source_location_iid;
            assert!(place.is_none() || place == event.name_iid);
            located
                .entry(event.name_iid)
                .or_default()
                .push(place.is_some());
        }
    }
    assert!(located.len() > 3);
    for places in located.values() {
        assert!(places[0] && !places[1..].contains(&true), "{places:?}");
    }
}

#[test]
fn times_that_step_back_are_read_as_they_were() {
    let times = [5, 3, 5, 4, 1 << 40, 7, 1 << 40, u64::MAX >> 1, 0];
    let mut file = Vec::new();
    let mut to = Perfetto::new(&mut file);
    to.header(&stream(1).header).unwrap();
    for (n, time) in times.into_iter().enumerate() {
        let values = [Field::I64(1), Field::U64(1)];
        let record = Record {
            time,
            thread: n % 2,
            event: 2,
            task: (n % 3 == 0).then_some(1),
            values: if n % 4 == 0 {
                &values
            } else {
                &[Field::Failed; 2]
            },
        };
        to.record(&record).unwrap();
    }
    to.flush().unwrap();
    drop(to);
    let found = resolved(&file).into_iter().filter_map(|packet| {
        let event = packet.track_event?;
        (event.category_iids == [category::EVENT]).then_some(packet.timestamp?)
    });
    assert!(found.eq(times));
}

#[test]
fn a_mark_is_written_as_prost_writes_it() {
    for (mark, iid) in [(NO_END, argument::NO_END), (NO_BEGIN, argument::NO_BEGIN)] {
        let expected = TrackEvent {
            debug_annotations: vec![numbered(iid, AnnotationValue::Bool(true))],
            ..TrackEvent::default()
        };
        assert_eq!(mark, expected.encode_to_vec());
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_comes() {
    let stream = stream(20);
    let mut whole = Vec::new();
    stream.tell(&mut Perfetto::new(&mut whole)).unwrap();
    for size in (0..whole.len()).step_by(97) {
        let error = stream.tell(&mut Perfetto::new(Full(size))).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }
    stream.tell(&mut Perfetto::new(Full(whole.len()))).unwrap();
}

/// Counts the records in a part of a trace, by thread and event.
fn records_in(mut file: &[u8]) -> BTreeMap<(usize, usize), u64> {
    let mut found = BTreeMap::new();
    // Each packet is field 1: its key, its length, and that many bytes.
    let mut default = None;
    while let Some(mut rest) = file.get(1..) {
        let Ok(length) = prost::encoding::decode_varint(&mut rest) else {
            break;
        };
        let length = usize::try_from(length).unwrap();
        let Some((packet, after)) = rest.split_at_checked(length) else {
            break;
        };
        file = after;
        let packet = TracePacket::decode(packet).unwrap();
        let defaults = packet.defaults;
        let defaults = defaults.and_then(|defaults| defaults.track_event_defaults);
        default = defaults.map_or(default, |defaults| defaults.track_uuid);
        let event = packet.track_event.unwrap_or_default();
        if event.category_iids == [category::EVENT] {
            let track = event.track_uuid.or(default);
            let thread = (0..16).find(|&it| track == Some(uuid::thread(it)));
            let event = usize::try_from(event.name_iid.unwrap()).unwrap() - 1;
            *found.entry((thread.unwrap(), event)).or_default() += 1;
        }
    }
    found
}

#[test]
fn what_a_partial_file_has_is_counted_exactly_wherever_it_ends() {
    // One whose buffer is written at flushes alone, and one of several buffers.
    for (requests, step) in [(3, 101), (700, 20_011)] {
        let stream = stream(requests);
        let mut whole = Vec::new();
        stream.tell(&mut Perfetto::new(&mut whole)).unwrap();
        for size in (0..whole.len()).step_by(step) {
            let mut file = Vec::new();
            let disk = Disk::new(&mut file, size);
            let counted = stream.counted(&mut Perfetto::new(disk));
            assert_eq!(file, whole[..size]);
            assert_eq!(counted, records_in(&file), "{size} bytes");
        }
        assert!(whole.len() > 10 * step && records_in(&whole).values().sum::<u64>() > 10);
    }
}

#[test]
fn a_begin_whose_end_is_still_to_come_lasts_until_the_end_of_the_recording() {
    let stream = stream(1);
    let mut file = Vec::new();
    let mut to = Perfetto::new(&mut file);
    to.header(&stream.header).unwrap();
    for step in &stream.steps {
        if !matches!(step, SyntheticStep::Record { event: 1, .. }) {
            step.tell(&mut to).unwrap();
        }
    }
    to.finish(stream.end, &[]).unwrap();
    drop(to);
    let packets = resolved(&file);
    let end = packets
        .iter()
        .find(|packet| {
            packet
                .track_event
                .as_ref()
                .is_some_and(|event| event.r#type() == Type::SliceEnd)
        })
        .unwrap();
    assert_eq!(end.timestamp, Some(stream.end));
    let arguments = &end.track_event.as_ref().unwrap().debug_annotations;
    assert_eq!(arguments[0].name_iid, Some(argument::NO_END));
}
