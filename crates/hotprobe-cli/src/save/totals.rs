//! The totals in a recording: how many firings there were, how many of them were lost, and up to
//! where the file can be opened. They are read while its bytes pass by, in each of its formats.
//!
//! Empty packets, and blanks between objects, keep a connection alive while nothing is fired.
//!
//! The server is not trusted: whatever it sends, what is kept here is bounded, and sums saturate.

use serde::Deserialize;

/// What is longer is not one of the totals, and is passed over.
const LONGEST: usize = 64 << 10;

/// The firings of a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    /// Firings. (Not read from CTF, unless there were none.)
    pub(crate) fired: Option<u64>,
    /// Those that are not in the recording.
    pub(crate) lost: u64,
}

impl Totals {
    const ZERO: Self = Self {
        fired: Some(0),
        lost: 0,
    };

    fn add(&mut self, fired: u64, lost: u64) {
        self.fired = Some(self.fired.unwrap_or(0).saturating_add(fired));
        self.lost = self.lost.saturating_add(lost);
    }
}

/// Reads along with what is saved.
#[derive(Debug)]
pub(crate) enum TotalsReader {
    Perfetto(PerfettoReader),
    Chrome(ChromeReader),
    Ctf(CtfReader),
}

impl TotalsReader {
    pub(crate) fn read(&mut self, bytes: &[u8]) {
        match self {
            Self::Perfetto(reader) => reader.read(bytes),
            Self::Chrome(reader) => reader.read(bytes),
            Self::Ctf(reader) => reader.read(bytes),
        }
    }

    /// Returns the totals, if the recording has any: at its end.
    pub(crate) fn totals(&self) -> Option<Totals> {
        match self {
            Self::Perfetto(reader) => reader.totals,
            Self::Chrome(reader) => reader.totals,
            Self::Ctf(reader) => reader.totals(),
        }
    }

    /// Returns how many of the bytes can be opened, and what has to follow them. `None` if nothing
    /// can.
    pub(crate) fn complete(&self) -> Option<(u64, &'static [u8])> {
        match self {
            Self::Perfetto(reader) => (reader.complete > 0).then_some((reader.complete, b"")),
            Self::Chrome(reader) if reader.is_closed => Some((reader.at, b"")),
            Self::Chrome(reader) => (reader.complete > 0).then_some((reader.complete, b"\n]\n")),
            // An archive, which comes when the recording is over.
            Self::Ctf(_) => None,
        }
    }
}

/// A sequence of packets, each field 1 of the trace. The totals are instants on a track of their
/// own.
#[derive(Debug, Default)]
pub(crate) struct PerfettoReader {
    totals: Option<Totals>,
    /// Where the last complete packet ends.
    complete: u64,
    at: u64,
    /// What has come of a packet, its key and length included.
    packet: Vec<u8>,
    /// How much of a packet that is too long is still to come.
    skipped: u64,
    /// It is not what it should be: nothing after can be told.
    is_broken: bool,
}

/// Numbers of fields, tracks and names, as the crate hotprobe-record writes them.
mod perfetto {
    pub(super) const PACKET_KEY: u8 = 1 << 3 | 2;
    pub(super) const TRACK_EVENT: u64 = 11;
    pub(super) const DESCRIPTOR: u64 = 60;
    pub(super) const UUID: u64 = 1;
    pub(super) const TRACK: u64 = 11;
    pub(super) const ANNOTATION: u64 = 4;
    pub(super) const NAME: u64 = 1;
    pub(super) const UNSIGNED: u64 = 3;
    pub(super) const TOTALS: u64 = 2;
    pub(super) const FIRED: u64 = 7;
    pub(super) const LOST: u64 = 9;
}

impl PerfettoReader {
    fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_broken {
            if self.skipped > 0 {
                let skipped = usize::try_from(self.skipped)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                bytes = &bytes[skipped..];
                self.at += skipped as u64;
                self.skipped -= skipped as u64;
                if self.skipped == 0 {
                    self.complete = self.at;
                }
                continue;
            }
            let Some((body, length)) = self.length() else {
                self.packet.push(bytes[0]);
                self.at += 1;
                bytes = &bytes[1..];
                // (A packet may be empty.)
                self.end_if_complete();
                continue;
            };
            let missing = length.saturating_sub((self.packet.len() - body) as u64);
            if length > LONGEST as u64 {
                self.packet.clear();
                self.skipped = missing;
                continue;
            }
            let count = usize::try_from(missing)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            self.packet.extend_from_slice(&bytes[..count]);
            self.at += count as u64;
            bytes = &bytes[count..];
            self.end_if_complete();
        }
    }

    /// Returns where the packet's body begins and its length, if that has come.
    fn length(&mut self) -> Option<(usize, u64)> {
        let (key, rest) = self.packet.split_first()?;
        if *key != perfetto::PACKET_KEY {
            self.is_broken = true;
            return None;
        }
        let mut left = rest;
        let length = varint(&mut left);
        if length.is_none() && rest.len() >= 10 {
            self.is_broken = true;
        }
        Some((self.packet.len() - left.len(), length?))
    }

    fn end_if_complete(&mut self) {
        let Some((body, length)) = self.length() else {
            return;
        };
        if (self.packet.len() - body) as u64 == length {
            let packet = &self.packet[body..];
            if begins_totals(packet) {
                self.totals.get_or_insert(Totals::ZERO);
            } else if let Some((fired, lost)) = total(packet) {
                self.totals.get_or_insert(Totals::ZERO).add(fired, lost);
            }
            self.packet.clear();
            self.complete = self.at;
        }
    }
}

/// Returns whether a packet describes the track of the totals: it comes when the recording is over,
/// whether anything was fired or not.
fn begins_totals(packet: &[u8]) -> bool {
    fields(packet).any(|field| match field {
        (perfetto::DESCRIPTOR, Wire::Bytes(descriptor)) => fields(descriptor)
            .any(|field| matches!(field, (perfetto::UUID, Wire::Number(perfetto::TOTALS)))),
        _ => false,
    })
}

/// Returns how many firings a packet counts, and how many of them were lost, if it is a total.
fn total(packet: &[u8]) -> Option<(u64, u64)> {
    let event = fields(packet).find_map(|field| match field {
        (perfetto::TRACK_EVENT, Wire::Bytes(event)) => Some(event),
        _ => None,
    })?;
    let is_total = fields(event)
        .any(|field| matches!(field, (perfetto::TRACK, Wire::Number(perfetto::TOTALS))));
    if !is_total {
        return None;
    }
    let number = |name| {
        fields(event).find_map(|field| match field {
            (perfetto::ANNOTATION, Wire::Bytes(annotation)) => {
                let is_named = fields(annotation).any(
                    |field| matches!(field, (perfetto::NAME, Wire::Number(this)) if this == name),
                );
                fields(annotation).find_map(|field| match field {
                    (perfetto::UNSIGNED, Wire::Number(number)) if is_named => Some(number),
                    _ => None,
                })
            }
            _ => None,
        })
    };
    Some((number(perfetto::FIRED)?, number(perfetto::LOST)?))
}

/// The value of a protobuf field.
enum Wire<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Fixed,
}

/// Returns the fields of a protobuf message, up to what is none.
fn fields(mut message: &[u8]) -> impl Iterator<Item = (u64, Wire<'_>)> {
    std::iter::from_fn(move || {
        let key = varint(&mut message)?;
        let mut take = |count: u64| {
            let count = usize::try_from(count).ok()?;
            let (taken, rest) = message.split_at_checked(count)?;
            message = rest;
            Some(taken)
        };
        let value = match key & 7 {
            0 => Wire::Number(varint(&mut message)?),
            1 => take(8).map(|_| Wire::Fixed)?,
            2 => {
                let length = varint(&mut message)?;
                let (taken, rest) = message.split_at_checked(usize::try_from(length).ok()?)?;
                message = rest;
                Wire::Bytes(taken)
            }
            5 => take(4).map(|_| Wire::Fixed)?,
            _ => return None,
        };
        Some((key >> 3, value))
    })
}

fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for (index, byte) in bytes.iter().take(10).enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *bytes = &bytes[index + 1..];
            return Some(number);
        }
    }
    None
}

/// An array with an object a line. The totals are objects of the category `total`.
#[derive(Debug, Default)]
pub(crate) struct ChromeReader {
    totals: Option<Totals>,
    /// Where the last complete object ends.
    complete: u64,
    at: u64,
    /// What has come of a line; its beginning, if it is too long.
    line: Vec<u8>,
    /// How much has come of it.
    length: u64,
    /// The last byte before the line's end.
    last: u8,
    is_closed: bool,
}

#[derive(Deserialize)]
struct ChromeTotal {
    cat: String,
    args: ChromeCounts,
}

#[derive(Deserialize)]
struct ChromeCounts {
    fired: u64,
    lost: u64,
}

impl ChromeReader {
    fn read(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.at += piece.len() as u64;
            self.length += piece.len() as u64;
            let room = LONGEST.saturating_sub(self.line.len()).min(piece.len());
            self.line.extend_from_slice(&piece[..room]);
            let Some(text) = piece.strip_suffix(b"\n") else {
                self.last = piece[piece.len() - 1];
                continue;
            };
            self.last = text.last().copied().unwrap_or(self.last);
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let end = self.at - 1;
        match self.last {
            // The comma belongs to the next.
            b',' => self.complete = end - 1,
            b'}' => self.complete = end,
            b']' if self.line.trim_ascii() == b"]" => {
                self.is_closed = true;
                self.totals.get_or_insert(Totals::ZERO);
            }
            _ => {}
        }
        // (Where it stands is fixed, so that no argument is taken for it.)
        let line = self.line.trim_ascii();
        if self.length <= LONGEST as u64 && line.starts_with(br#"{"ph":"i","pid":"#) {
            let line = line.strip_suffix(b",").unwrap_or(line);
            if let Ok(total) = serde_json::from_slice::<ChromeTotal>(line) {
                if total.cat == "total" {
                    self.totals
                        .get_or_insert(Totals::ZERO)
                        .add(total.args.fired, total.args.lost);
                }
            }
        }
        self.line.clear();
        self.length = 0;
        self.last = 0;
    }
}

/// A tar archive of a CTF trace: `metadata`, and a file for each stream, whose packets count what
/// the threads of the stream have lost so far.
#[derive(Debug, Default)]
pub(crate) struct CtfReader {
    /// Of the files before.
    lost: u64,
    /// Of the last packet of this file.
    lost_here: u64,
    has_metadata: bool,
    /// How many packets there are, which have records or count lost ones.
    packets: u64,
    is_over: bool,
    /// The archive's header, or the packet's, as far as it has come.
    head: Vec<u8>,
    /// How much of this file is to come, and how much behind it up to the next header.
    file: u64,
    padding: u64,
    is_stream: bool,
    /// How much of this packet is to come, behind its header.
    packet: u64,
}

const TAR_BLOCK: usize = 512;
/// A packet's magic number and stream, and of its context the times, two sizes, a number, and the
/// lost records.
const CTF_HEAD: usize = 8 + 6 * 8;

impl CtfReader {
    fn read(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.is_over {
            let count = if self.file == 0 && self.padding > 0 {
                take(&mut bytes, &mut self.padding)
            } else if self.file == 0 {
                self.read_head(&mut bytes, TAR_BLOCK as u64);
                if self.head.len() == TAR_BLOCK {
                    self.begin_file();
                }
                continue;
            } else if !self.is_stream {
                take(&mut bytes, &mut self.file)
            } else if self.packet > 0 {
                let mut part = self.packet.min(self.file);
                let before = part;
                let count = take(&mut bytes, &mut part);
                self.packet -= before - part;
                self.file -= before - part;
                count
            } else {
                let least = (CTF_HEAD - self.head.len()) as u64;
                let before = self.head.len();
                self.read_head(&mut bytes, (before as u64) + least.min(self.file));
                self.file -= (self.head.len() - before) as u64;
                if self.head.len() == CTF_HEAD {
                    self.begin_packet();
                } else if self.file == 0 {
                    // Less than a packet.
                    self.head.clear();
                }
                continue;
            };
            debug_assert!(count > 0);
        }
    }

    /// Takes as much of a header as there is.
    fn read_head(&mut self, bytes: &mut &[u8], length: u64) {
        let mut missing = length - self.head.len() as u64;
        let before = *bytes;
        let count = take(bytes, &mut missing);
        self.head.extend_from_slice(&before[..count]);
    }

    fn begin_file(&mut self) {
        self.lost = self
            .lost
            .saturating_add(std::mem::take(&mut self.lost_here));
        let head = std::mem::take(&mut self.head);
        if head.iter().all(|&byte| byte == 0) {
            self.is_over = true;
            return;
        }
        let name = head[..100]
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default();
        let size = std::str::from_utf8(&head[124..136]).ok();
        let size = size.map(|size| size.trim_matches(['\0', ' ']));
        let Some(size) = size.and_then(|size| u64::from_str_radix(size, 8).ok()) else {
            self.is_over = true;
            return;
        };
        self.is_stream = name != b"trace/metadata";
        self.has_metadata |= name == b"trace/metadata";
        self.file = size;
        self.padding = size.next_multiple_of(TAR_BLOCK as u64) - size;
        self.packet = 0;
    }

    fn begin_packet(&mut self) {
        let head = std::mem::take(&mut self.head);
        let number = |index: usize| {
            let at = 8 + 8 * index;
            head[at..at + 8].try_into().map_or(0, u64::from_le_bytes)
        };
        self.packets = self.packets.saturating_add(1);
        let length = number(3) / 8;
        self.lost_here = number(5);
        self.packet = length.saturating_sub(CTF_HEAD as u64);
    }

    /// Those of a whole archive only: what was lost stands at the end of each file.
    fn totals(&self) -> Option<Totals> {
        (self.is_over && self.has_metadata).then_some(Totals {
            // Without a packet, nothing was fired; otherwise the format does not count it.
            fired: (self.packets == 0).then_some(0),
            lost: self.lost,
        })
    }
}

/// Takes what is there of what is missing; how much.
fn take(bytes: &mut &[u8], missing: &mut u64) -> usize {
    let count = usize::try_from(*missing)
        .unwrap_or(usize::MAX)
        .min(bytes.len());
    *bytes = &bytes[count..];
    *missing -= count as u64;
    count
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(number: u8, value: &[u8]) -> Vec<u8> {
        // (Two bytes, though one may do.)
        let length = [value.len() & 0x7f | 0x80, value.len() >> 7];
        let length = length.map(|byte| u8::try_from(byte).unwrap());
        [&[number << 3 | 2][..], &length, value].concat()
    }

    fn annotation(name: u8, value: u8) -> Vec<u8> {
        field(4, &[1 << 3, name, 3 << 3, value])
    }

    /// A packet of the track, with 100 firings of which 17 were lost.
    fn packet(track: u8) -> Vec<u8> {
        let event = [
            vec![11 << 3, track],
            annotation(7, 100),
            annotation(8, 83),
            annotation(9, 17),
        ];
        field(1, &field(11, &event.concat()))
    }

    /// Reads it in pieces of each of some sizes: the same comes of all.
    fn read(reader: impl Fn() -> TotalsReader, bytes: &[u8]) -> TotalsReader {
        let readers = [1, 7, 64, 1000, usize::MAX].map(|size| {
            let mut reader = reader();
            bytes.chunks(size).for_each(|piece| reader.read(piece));
            reader
        });
        for other in &readers {
            assert_eq!(other.totals(), readers[0].totals());
            assert_eq!(other.complete(), readers[0].complete());
        }
        readers.into_iter().next().unwrap()
    }

    #[test]
    fn a_perfetto_trace_counts_on_its_track_of_totals() {
        let new = || TotalsReader::Perfetto(PerfettoReader::default());
        let long = [&[0x0a, 0x80, 0x80, 0x08][..], &vec![0; 1 << 17]].concat();
        let trace = [packet(8), packet(2), vec![0x0a, 0], long, packet(2)].concat();
        let reader = read(new, &trace);
        let expected = Totals {
            fired: Some(200),
            lost: 34,
        };
        assert_eq!(reader.totals(), Some(expected));
        assert_eq!(reader.complete(), Some((trace.len() as u64, &b""[..])));

        let length = trace.len() as u64;
        // (60, as two bytes.)
        let descriptor = [&[0xe2, 0x03, 2][..], &[1 << 3, 2]].concat();
        let over = read(new, &field(1, &descriptor));
        assert_eq!(over.totals(), Some(Totals::ZERO));
        assert_eq!(read(new, &packet(8)).totals(), None);

        let cut = [&trace[..], &packet(2)[..9]].concat();
        assert_eq!(read(new, &cut).complete(), Some((length, &b""[..])));
        let foreign = [&trace[..], b"<html>", &packet(2)].concat();
        let reader = read(new, &foreign);
        assert_eq!(reader.complete(), Some((length, &b""[..])));
        assert_eq!(reader.totals(), Some(expected));
        for nothing in [
            &b""[..],
            b"data",
            &[0x0a; 1],
            &[0xff; 100],
            &[0x0a, 0xff, 0xff],
        ] {
            let reader = read(new, nothing);
            assert_eq!((reader.totals(), reader.complete()), (None, None));
        }
    }

    #[test]
    fn a_chrome_trace_counts_in_its_totals_and_is_closed_where_it_was_cut() {
        let new = || TotalsReader::Chrome(ChromeReader::default());
        let total = r#"{"ph":"i","pid":7,"cat":"total","name":"a","args":{"fired":9,"lost":4}}"#;
        let max = total.replace('9', &u64::MAX.to_string());
        let item = r#"{"ph":"i","pid":7,"cat":"event","args":{"x":"\"cat\":\"total\"","fired":9,"lost":4}}"#;
        let long = format!(r#"{{"ph":"i","pid":7,"x":"{}"}}"#, "x".repeat(1 << 17));
        let trace = format!("[\n{item},\n{long},\n{total},\n{max}\n]\n");
        let reader = read(new, trace.as_bytes());
        let expected = Totals {
            fired: Some(u64::MAX),
            lost: 8,
        };
        assert_eq!(reader.totals(), Some(expected));
        assert_eq!(reader.complete(), Some((trace.len() as u64, &b""[..])));

        // Wherever it is cut, it is JSON to there.
        for end in 0..trace.len().min(200) {
            let cut = &trace.as_bytes()[..end];
            let Some((length, ending)) = read(new, cut).complete() else {
                assert!(end <= item.len() + 3, "{end}");
                continue;
            };
            let closed = [&cut[..usize::try_from(length).unwrap()], ending].concat();
            let value: serde_json::Value = serde_json::from_slice(&closed).unwrap();
            assert_eq!(value.as_array().unwrap().len(), 1, "{end}");
        }
        let reader = read(new, b"data");
        assert_eq!((reader.totals(), reader.complete()), (None, None));
        // Blanks that keep the connection alive change nothing.
        let blanks = format!("  \n[\n \n{item},\n\n  {total}\n \n  ]\n");
        let totals = read(new, blanks.as_bytes()).totals();
        let expected = Totals {
            fired: Some(9),
            lost: 4,
        };
        assert_eq!(totals, Some(expected));
        let empty = format!("[\n{item}\n]\n");
        assert_eq!(read(new, empty.as_bytes()).totals(), Some(Totals::ZERO));
        assert_eq!(read(new, &empty.as_bytes()[..item.len()]).totals(), None);
    }

    fn tar_file(name: &str, data: &[u8]) -> Vec<u8> {
        let mut head = vec![0; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        let size = format!("{:011o}\0", data.len());
        head[124..136].copy_from_slice(size.as_bytes());
        head.extend_from_slice(data);
        head.resize(head.len().next_multiple_of(512), 0);
        head
    }

    fn ctf_packet(lost: u64, more: usize) -> Vec<u8> {
        let bits = 8 * (CTF_HEAD + more) as u64;
        let mut packet = [0xc1, 0x1f, 0xfc, 0xc1, 0, 0, 0, 0].to_vec();
        for number in [1, 2, bits, bits, 0, lost] {
            packet.extend_from_slice(&u64::to_le_bytes(number));
        }
        packet.resize(packet.len() + more, 0xee);
        packet
    }

    #[test]
    fn a_ctf_archive_counts_in_the_last_packet_of_each_stream() {
        let new = || TotalsReader::Ctf(CtfReader::default());
        let first = [ctf_packet(0, 100), ctf_packet(5, 0), ctf_packet(7, 2000)].concat();
        let files = [
            tar_file("trace/metadata", &[b'x'; 700]),
            tar_file("trace/stream-0", &first),
            tar_file("trace/stream-1", &ctf_packet(3, 900)),
            tar_file("trace/stream-2", &[]),
        ];
        let files = files.concat();
        let archive = [&files[..], &[0; 1024]].concat();
        let expected = Totals {
            fired: None,
            lost: 10,
        };
        assert_eq!(read(new, &archive).totals(), Some(expected));
        assert_eq!(read(new, &files).totals(), None, "it is cut");
        // What says that it is longer than its file is not longer.
        let wrong = [
            tar_file("trace/metadata", b""),
            tar_file("trace/stream-0", &[0xff; 100]),
            tar_file("trace/stream-1", &ctf_packet(3, 900)),
            vec![0; 1024],
        ];
        let totals = read(new, &wrong.concat()).totals();
        assert_eq!(totals.map(|totals| totals.lost), Some(u64::MAX));
        assert_eq!(read(new, &[b'x'; 2000]).totals(), None);
    }
}
