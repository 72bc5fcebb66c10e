//! What is written, read again by `prost`.

use super::super::synthetic::{Ends, Full, Step, stream};
use super::*;

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
    let packets = Trace::decode(&file[..]).unwrap().packets.into_iter();
    packets
        .filter_map(|packet| Some((packet.timestamp?, packet.track_event?)))
        .collect()
}

fn of_type(events: &[(u64, TrackEvent)], r#type: Type) -> Vec<&(u64, TrackEvent)> {
    events
        .iter()
        .filter(|(_, event)| event.r#type() == r#type)
        .collect()
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
    for packet in Trace::decode(&file[..]).unwrap().packets {
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
    let whole = |slice: &&super::super::synthetic::Slice| slice.ends != Ends::NoBegin;
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
    stream.steps.retain(|step| !matches!(step, Step::Flush));
    stream.steps.sort_by_key(|step| match step {
        Step::Record { thread, .. } => *thread + 1,
        Step::Lost(lost) => lost.thread + 1,
        _ => 0,
    });
    let mut file = Vec::new();
    stream.tell(&mut Perfetto::new(&mut file)).unwrap();
    let mut open = HashMap::new();
    let mut found = Vec::new();
    for packet in Trace::decode(&file[..]).unwrap().packets {
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

#[test]
fn an_instant_is_to_the_byte_what_prost_would_write() {
    let str = |text, cut| Field::Str { text, cut };
    let bytes = |bytes, cut| Field::Bytes { bytes, cut };
    let values = [
        Field::Bool(true),
        Field::Char('ß'),
        Field::U64(0),
        Field::U64(u64::MAX),
        Field::I64(i64::MIN),
        Field::U128(u128::MAX),
        Field::I128(i128::MIN),
        Field::F32(0.5),
        Field::F64(f64::NAN),
        str("", false),
        str("a \u{2028} \" b", false),
        str("nu\0ll", true),
        bytes(&[0, 255], false),
        bytes(&[7; 300], true),
        Field::Opaque("Type"),
        Field::Redacted,
        Field::Failed,
    ];
    let mut perfetto = Perfetto::new(io::sink());
    perfetto.events.push(Named {
        name: "e",
        parameters: (1..)
            .map(|iid| (iid * 40, "p"))
            .take(values.len())
            .collect(),
    });
    for (task, flows) in [(None, &[][..]), (Some(7), &[1, u64::MAX])] {
        let record = Record {
            time: 1 << 40,
            thread: 3,
            event: 0,
            task,
            values: &values,
        };
        let mut debug_annotations = perfetto.annotations(&record);
        debug_annotations
            .extend(task.map(|task| numbered(argument::TASK, AnnotationValue::Uint(task))));
        let packet = TracePacket {
            timestamp: Some(record.time),
            trusted_packet_sequence_id: Some(SEQUENCE),
            sequence_flags: Some(SEQ_NEEDS_INCREMENTAL_STATE),
            track_event: Some(TrackEvent {
                category_iids: vec![category::EVENT],
                debug_annotations,
                r#type: Some(Type::Instant.into()),
                name_iid: Some(1),
                track_uuid: Some(uuid::thread(3)),
                source_location_iid: Some(1),
                flow_ids: flows.to_vec(),
                terminating_flow_ids: flows.to_vec(),
                ..TrackEvent::default()
            }),
            ..TracePacket::default()
        };
        let packets = vec![packet];
        let instant = Instant {
            category: category::EVENT,
            track: uuid::thread(3),
            task,
            flows,
            terminating_flows: flows,
        };
        let mut written = Packets::default();
        let parameters = &perfetto.events[0].parameters;
        assert_eq!(
            written.instant(&instant, &record, parameters),
            Trace { packets }.encode_to_vec()
        );
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

#[test]
fn a_begin_whose_end_is_still_to_come_lasts_until_the_end_of_the_recording() {
    let stream = stream(1);
    let mut file = Vec::new();
    let mut to = Perfetto::new(&mut file);
    to.header(&stream.header).unwrap();
    for step in &stream.steps {
        if !matches!(step, Step::Record { event: 1, .. }) {
            step.tell(&mut to).unwrap();
        }
    }
    to.finish(stream.end, &[]).unwrap();
    drop(to);
    let packets = Trace::decode(&file[..]).unwrap().packets;
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
