//! Tests of the CTF writer.

use super::*;
use crate::formats::synthetic::{SyntheticStep, stream};

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("hotprobe-ctf-{}-{name}", std::process::id()))
}

#[test]
fn files_consist_of_whole_packets_after_each_flush() {
    let folder = folder("packets");
    let stream = stream(50);
    let mut to = Ctf::create(&folder).unwrap();
    to.header(&stream.header).unwrap();
    let mut flushes = 0;
    for step in &stream.steps {
        step.tell(&mut to).unwrap();
        if !matches!(step, SyntheticStep::Flush) {
            continue;
        }
        flushes += 1;
        for entry in fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            if entry.file_name() == "metadata" {
                continue;
            }
            let mut file = &fs::read(entry.path()).unwrap()[..];
            while !file.is_empty() {
                assert_eq!(file[..4], MAGIC.to_le_bytes());
                let bits = u64::from_le_bytes(file[8 + 3 * 8..][..8].try_into().unwrap());
                file = &file[usize::try_from(bits / 8).unwrap()..];
            }
        }
    }
    assert!(flushes > 2);
    to.finish(stream.end, &stream.totals).unwrap();
    drop(to);
    // A second trace in the same folder has nothing of the first one.
    drop(Ctf::create(&folder).unwrap());
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    fs::remove_dir_all(&folder).unwrap();
}

/// Thread and times of each event in a stream file that has events of one class without parameters
/// only.
fn packets(file: &Path) -> Vec<(u64, Vec<u64>)> {
    let number =
        |bytes: &[u8], at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
    let mut rest = &fs::read(file).unwrap()[..];
    let mut packets = Vec::new();
    while !rest.is_empty() {
        let size = usize::try_from(number(rest, 8 + 3 * 8) / 8).unwrap();
        let (packet, after) = rest.split_at(size);
        rest = after;
        let name = 8 + 8 * 8;
        let end = packet[name..].iter().position(|&byte| byte == 0).unwrap();
        let events = packet[name + end + 1..].chunks_exact(4 + 8 + 8);
        let times = events.map(|event| number(event, 4)).collect();
        packets.push((number(packet, 8 + 6 * 8), times));
    }
    packets
}

#[test]
fn more_threads_than_streams_share_them_and_each_packet_names_its_thread() {
    const TICK: usize = 4;
    let folder = folder("many");
    let header = stream(1).header;
    let mut to = Ctf::create(&folder).unwrap();
    to.most_streams = 3;
    to.header(&header).unwrap();
    let mut expected = HashMap::<u64, Vec<u64>>::new();
    for time in 0..1000_u64 {
        // Two that fire often; the others by turns.
        let thread = if time % 3 < 2 { time % 3 } else { 2 + time % 7 };
        expected.entry(thread).or_default().push(time);
        let record = Record {
            time,
            thread: usize::try_from(thread).unwrap(),
            event: TICK,
            task: None,
            values: &[],
        };
        to.record(&record).unwrap();
        if time % 100 == 0 {
            to.flush().unwrap();
        }
    }
    to.finish(1000, &[]).unwrap();
    let mut found = HashMap::<u64, Vec<u64>>::new();
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("metadata") {
            continue;
        }
        files += 1;
        let mut last = 0;
        for (thread, times) in packets(&path) {
            assert!(times.is_sorted() && times.first().is_none_or(|&first| first >= last));
            last = times.last().copied().unwrap_or(last);
            found.entry(thread).or_default().extend(times);
        }
    }
    assert_eq!(files, 3);
    for times in found.values_mut() {
        times.sort_unstable();
    }
    assert_eq!(found, expected);
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn two_thousand_threads_have_no_more_streams_than_a_reader_opens() {
    let folder = folder("2000");
    let mut to = Ctf::create(&folder).unwrap();
    to.header(&stream(1).header).unwrap();
    for index in 0..2000 {
        let thread = ThreadInfo {
            index,
            id: 0,
            name: None,
        };
        to.thread(&thread).unwrap();
        let lost = Lost {
            time: index as u64,
            thread: index,
            event: 0,
            count: 1,
        };
        to.lost(&lost).unwrap();
    }
    to.finish(3000, &[]).unwrap();
    let files = fs::read_dir(&folder).unwrap().count();
    assert_eq!(files, MOST_STREAMS + 1);
    fs::remove_dir_all(&folder).unwrap();
}

#[cfg(unix)]
#[test]
fn a_class_that_the_disk_has_no_room_for_leaves_metadata_readable() {
    const KINDS: usize = 3;
    const NAME: &str =
        "formats::ctf::tests::a_class_that_the_disk_has_no_room_for_leaves_metadata_readable";
    if !std::env::var(test_support::CHILD).is_ok_and(|child| child == NAME) {
        // Some sizes, in blocks of 512 bytes, so that a class ends at one of them at most. Without
        // the signal that is the default, a write fails after the part for which there is room.
        for blocks in 8..11 {
            let child = test_support::child(NAME);
            let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
            let output = std::process::Command::new("sh")
                .args(["-c", &limited])
                .arg(child.get_program())
                .args(child.get_args())
                .env(test_support::CHILD, NAME)
                .output()
                .expect("there is a shell");
            let said = test_support::text(&output);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "{said}"
            );
        }
        return;
    }
    let folder = folder("torn");
    let mut to = Ctf::create(&folder).unwrap();
    to.header(&stream(1).header).unwrap();
    let mut described = 0;
    let error = loop {
        // Each is of kinds that none before had.
        let values: Vec<_> = (0..6)
            .map(|bit| {
                if described >> bit & 1 == 0 {
                    Field::U64(1)
                } else {
                    Field::Bool(true)
                }
            })
            .collect();
        let record = Record {
            time: described,
            thread: 0,
            event: KINDS,
            task: None,
            values: &values,
        };
        if let Err(error) = to.record(&record) {
            break error;
        }
        described += 1;
    };
    assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
    to.flush().unwrap();
    let metadata = fs::read_to_string(folder.join("metadata")).unwrap();
    assert!(described > 1);
    assert!(metadata.ends_with("    };\n};\n\n"), "{metadata}");
    let classes = metadata.matches("name = \"shop::KINDS\"").count();
    assert_eq!(classes as u64, described);
    fs::remove_dir_all(&folder).unwrap();
}

/// Counts the events of class 2, which is the first that is not ours, in all streams, by thread.
/// They have no parameters, and losses and totals are not among them.
#[cfg(unix)]
fn records_in(folder: &Path) -> HashMap<(usize, usize), u64> {
    const TICK: usize = 4;
    let mut found = HashMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.ends_with("metadata") {
            for (thread, times) in packets(&path) {
                let of = (usize::try_from(thread).unwrap(), TICK);
                *found.entry(of).or_default() += times.len() as u64;
            }
        }
    }
    found.retain(|_, count| *count > 0);
    found
}

#[cfg(unix)]
#[test]
fn what_a_folder_has_when_a_stream_has_no_room_is_counted_exactly() {
    const TICK: usize = 4;
    const NAME: &str =
        "formats::ctf::tests::what_a_folder_has_when_a_stream_has_no_room_is_counted_exactly";
    if !std::env::var(test_support::CHILD).is_ok_and(|child| child == NAME) {
        // In blocks of 512 bytes; without the signal that is the default.
        for blocks in [8, 50, 200, 600] {
            let child = test_support::child(NAME);
            let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
            let output = std::process::Command::new("sh")
                .args(["-c", &limited])
                .arg(child.get_program())
                .args(child.get_args())
                .env(test_support::CHILD, NAME)
                .output()
                .expect("there is a shell");
            let said = test_support::text(&output);
            assert!(
                output.status.success() && said.contains("1 passed"),
                "{said}"
            );
        }
        return;
    }
    // Flushed never, seldom, and often.
    for every in [usize::MAX, 5000, 100] {
        let folder = folder(&format!("room-{every}"));
        let mut to = Ctf::create(&folder).unwrap();
        to.most_streams = 3;
        to.header(&stream(1).header).unwrap();
        let mut counted = HashMap::<_, u64>::new();
        for time in 0.. {
            // One of five threads fires most, so that its stream fails first.
            let thread = if time % 3 == 0 { time % 5 } else { 4 };
            *counted.entry((thread, TICK)).or_default() += 1;
            let record = Record {
                time: time as u64,
                thread,
                event: TICK,
                task: None,
                values: &[],
            };
            let mut told = to.record(&record);
            if time % every == every - 1 {
                told = told.and_then(|()| to.flush());
            }
            if let Err(error) = told {
                assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
                break;
            }
        }
        to.unwritten(&mut |thread, event| *counted.get_mut(&(thread, event)).unwrap() -= 1);
        counted.retain(|_, count| *count > 0);
        drop(to);
        assert_eq!(counted, records_in(&folder), "{every}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

#[test]
fn a_folder_that_is_gone_is_an_error() {
    let folder = folder("gone");
    let stream = stream(5);
    let mut to = Ctf::create(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(
        stream.tell(&mut to).unwrap_err().kind(),
        io::ErrorKind::NotFound
    );
}

#[test]
fn names_are_identifiers_and_differ() {
    let mut used = HashSet::new();
    let names =
        ["id", "string", "größe", "gru", "", "id", "id_"].map(|name| identifier(name, &mut used));
    assert_eq!(
        names,
        [
            "_id",
            "_string",
            "_gruf6_udf_e",
            "_gru",
            "_",
            "_id_",
            "_id__"
        ]
    );
}

#[test]
fn a_string_literal_stays_one() {
    assert_eq!(
        quoted("a \"b\" \\ é\n\0c"),
        r#""a \042b\042 \134 \303\251\012""#
    );
}
