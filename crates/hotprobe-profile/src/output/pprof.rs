//! pprof's files: `profile.proto`, gzip'd.

use super::pprof_proto::{Function, Label, Line, Location, Mapping, Profile, Sample, ValueType};
use crate::stacks::raw::RawRow;
use crate::stacks::symbols::{FrameFunction, FrameLine, FrameLocation};
use crate::{ProfileError, StackProfile};
use flate2::Compression;
use flate2::write::GzEncoder;
use prost::Message;
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Write};
use std::time::SystemTime;
use std::{env, fs};

impl StackProfile {
    /// Writes a profile for `pprof`: gzip'd protobuf. Sample types are `samples/count`, and the
    /// weight with its unit if there is one. The event is the label `event`, if there are several.
    /// A parameter of the name `samples` or `event` is called `samples (parameter)`, `event
    /// (parameter)` there, and an empty label `(empty)`.
    ///
    /// ```
    /// # use hotprobe_profile::Stacks;
    /// # hotprobe::event! { static TICK: fn(); }
    /// # let stacks = Stacks::at(&TICK).start()?;
    /// # TICK.fire();
    /// let mut file = Vec::new();
    /// stacks.snapshot().write_pprof(&mut file)?;
    /// assert_eq!(file[..2], [0x1f, 0x8b]);
    /// # Ok::<(), hotprobe_profile::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// The error of the writer.
    pub fn write_pprof(&self, writer: impl Write) -> Result<(), ProfileError> {
        write(self, writer).map_err(|error| ProfileError::io(None, error))
    }
}

pub(crate) fn write(profile: &StackProfile, writer: impl Write) -> io::Result<()> {
    let mut encoder = GzEncoder::new(writer, Compression::default());
    encoder.write_all(&message(profile).encode_to_vec())?;
    encoder.finish()?.flush()
}

fn message(profile: &StackProfile) -> Profile {
    let raw = profile.raw();
    let mut strings = StringTable::default();
    strings.index("");

    let mut value_type = |name: &str, unit: &str| ValueType {
        r#type: strings.index(name),
        unit: strings.index(unit),
    };
    let samples = value_type(SAMPLES, "count");
    let period_type = value_type("firings", "count");
    let weight = raw.weight.as_ref();
    let weight = weight.map(|(name, unit)| value_type(&other_than(SAMPLES, name), unit));
    let maps = maps();
    let since = raw.started.duration_since(SystemTime::UNIX_EPOCH);
    Profile {
        sample_type: [samples].into_iter().chain(weight).collect(),
        sample: sample(profile, &mut strings),
        mapping: mapping(&maps, &mut strings),
        location: location(profile, &maps),
        function: function(profile, &mut strings),
        time_nanos: since.map_or(0, |since| at_most(since.as_nanos())),
        duration_nanos: at_most(raw.lasted.as_nanos()),
        period_type: Some(period_type),
        period: at_most(raw.every),
        comment: comment(profile, &mut strings),
        default_sample_type: weight.unwrap_or(samples).r#type,
        string_table: strings.strings,
    }
}

/// Names of ours, in a place where parameters' names are, too.
const SAMPLES: &str = "samples";
const EVENT: &str = "event";

/// Returns the parameter's name; another if it is ours, which readers would take for the same.
fn other_than<'a>(ours: &str, parameter: &'a str) -> Cow<'a, str> {
    if parameter == ours {
        format!("{parameter} (parameter)").into()
    } else {
        parameter.into()
    }
}

fn sample(profile: &StackProfile, strings: &mut StringTable) -> Vec<Sample> {
    let raw = profile.raw();
    let event_key = strings.index(EVENT);
    let sample = |(row, stack): (&RawRow, &Vec<usize>)| {
        let mut label: Vec<_> = raw
            .labels
            .iter()
            .zip(&row.labels)
            .map(|(key, value)| Label {
                key: strings.index(&other_than(EVENT, key)),
                // (Index 0, the empty text, is how the format says that there is no text.)
                str: strings.index(if value.is_empty() { "(empty)" } else { value }),
            })
            .collect();
        if raw.events.len() > 1 {
            label.push(Label {
                key: event_key,
                str: strings.index(raw.events[row.event].name()),
            });
        }
        let weight = raw.weight.as_ref().map(|_| at_most(row.sum.weight));
        Sample {
            location_id: stack.iter().map(|&index| id(index)).collect(),
            value: [at_most(row.sum.count)].into_iter().chain(weight).collect(),
            label,
        }
    };
    let stacks = &profile.symbols().stacks;
    raw.rows.iter().zip(stacks).map(sample).collect()
}

fn mapping(maps: &[MemoryMap], strings: &mut StringTable) -> Vec<Mapping> {
    let mapping = |(index, map): (usize, &MemoryMap)| Mapping {
        id: id(index),
        memory_start: map.start,
        memory_limit: map.end,
        file_offset: map.offset,
        filename: strings.index(&map.path),
        // What is not known now, nobody finds out: it need not try.
        has_functions: true,
        has_filenames: true,
        has_line_numbers: true,
        has_inline_frames: true,
    };
    maps.iter().enumerate().map(mapping).collect()
}

fn location(profile: &StackProfile, maps: &[MemoryMap]) -> Vec<Location> {
    let line = |line: &FrameLine| Line {
        function_id: id(line.function),
        line: line.line.into(),
    };
    let location = |(index, location): (usize, &FrameLocation)| {
        let address = location.address;
        let map = maps
            .iter()
            .position(|map| (map.start..map.end).contains(&address));
        Location {
            id: id(index),
            mapping_id: map.map_or(0, id),
            address,
            line: location.lines.iter().map(line).collect(),
        }
    };
    let locations = profile.symbols().locations.iter();
    locations.enumerate().map(location).collect()
}

fn function(profile: &StackProfile, strings: &mut StringTable) -> Vec<Function> {
    let function = |(index, function): (usize, &FrameFunction)| Function {
        id: id(index),
        name: strings.index(&function.name),
        system_name: strings.index(&function.system_name),
        filename: strings.index(&function.file),
    };
    let functions = profile.symbols().functions.iter();
    functions.enumerate().map(function).collect()
}

fn comment(profile: &StackProfile, strings: &mut StringTable) -> Vec<i64> {
    let counts = profile.counts();
    let names = profile.event_names().join(", ");
    let mut comments = vec![
        format!("hotprobe: the stacks that lead to {names}"),
        format!(
            "fired {}, sampled {}, skipped {}, of the sampled: other {}, in hotprobe {}; without a weight {}",
            counts.fired,
            counts.sampled,
            counts.skipped,
            counts.other,
            counts.nested,
            counts.unweighed
        ),
    ];
    if let Some(filter) = profile.filter() {
        comments.push(format!("where {filter}: {} rejected", counts.rejected));
    }
    comments
        .iter()
        .map(|comment| strings.index(comment))
        .collect()
}

/// Numbers there are from 1; 0 is none.
fn id(index: usize) -> u64 {
    index as u64 + 1
}

fn at_most(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

#[derive(Default)]
struct StringTable {
    strings: Vec<String>,
    known: HashMap<String, i64>,
}

impl StringTable {
    fn index(&mut self, string: &str) -> i64 {
        if let Some(&index) = self.known.get(string) {
            return index;
        }
        let index = at_most(self.strings.len());
        self.strings.push(string.to_owned());
        self.known.insert(string.to_owned(), index);
        index
    }
}

/// Where code of a file lies in memory.
#[derive(Debug, PartialEq, Eq)]
struct MemoryMap {
    start: u64,
    end: u64,
    offset: u64,
    path: String,
}

/// The program's own first: pprof takes its name for the profile's.
fn maps() -> Vec<MemoryMap> {
    let program = env::current_exe().unwrap_or_default();
    let program = program.to_string_lossy().into_owned();
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let mut maps: Vec<_> = maps.lines().filter_map(map).collect();
    maps.sort_by_key(|map| map.path != program);
    if maps.first().is_none_or(|map| map.path != program) {
        // On other systems there is one, at an unknown address.
        let unknown = MemoryMap {
            start: 0,
            end: 0,
            offset: 0,
            path: program,
        };
        maps.insert(0, unknown);
    }
    maps
}

/// A line of `/proc/self/maps`, if it is code: `55d0-55e0 r-xp 00001000 fd:00 77   /usr/bin/shop`.
fn map(line: &str) -> Option<MemoryMap> {
    let mut rest = line;
    let mut field = || {
        let (field, after) = rest.trim_start().split_once(' ')?;
        rest = after;
        Some(field)
    };
    let (range, rights, offset) = (field()?, field()?, field()?);
    let (_device, _inode) = (field()?, field()?);
    let path = rest.trim_start();
    let (start, end) = range.split_once('-')?;
    (rights.contains('x') && path.starts_with('/')).then_some(MemoryMap {
        start: u64::from_str_radix(start, 16).ok()?,
        end: u64::from_str_radix(end, 16).ok()?,
        offset: u64::from_str_radix(offset, 16).ok()?,
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{MemoryMap, map, maps, message};
    use crate::Stacks;
    use std::env;

    hotprobe::event! {
        static FIRST: fn(samples: u64, event: &str);
        static SECOND: fn(samples: u64, event: &str);
    }

    #[test]
    fn a_parameter_with_a_name_of_ours_and_an_empty_label_are_told_apart() {
        let stacks = Stacks::at(&FIRST)
            .event(&SECOND)
            .weight("samples")
            .label("event");
        let stacks = stacks.start().expect("it starts");
        FIRST.fire(u64::MAX, "");
        SECOND.fire(0, "a");
        let profile = message(&stacks.snapshot());
        let text = |index: i64| {
            let index = usize::try_from(index).expect("it is an index");
            profile.string_table[index].as_str()
        };
        let types = profile.sample_type.iter().map(|of| text(of.r#type));
        assert_eq!(
            types.collect::<Vec<_>>(),
            ["samples", "samples (parameter)"]
        );
        let mut samples: Vec<_> = profile
            .sample
            .iter()
            .map(|sample| {
                let labels = sample.label.iter();
                let labels: Vec<_> = labels
                    .map(|label| (text(label.key), text(label.str)))
                    .collect();
                (sample.value.clone(), labels)
            })
            .collect();
        samples.sort();
        let expected = [
            (
                vec![1, 0],
                vec![
                    ("event (parameter)", "a"),
                    ("event", "hotprobe_profile::output::pprof::tests::SECOND"),
                ],
            ),
            (
                vec![1, i64::MAX],
                vec![
                    ("event (parameter)", "(empty)"),
                    ("event", "hotprobe_profile::output::pprof::tests::FIRST"),
                ],
            ),
        ];
        assert_eq!(samples, expected);
    }

    #[test]
    fn a_line_of_the_maps_is_read_if_it_is_code_of_a_file() {
        let expected = MemoryMap {
            start: 0x55d0,
            end: 0x55e0,
            offset: 0x1000,
            path: "/usr/bin/my shop".to_owned(),
        };
        let line = "55d0-55e0 r-xp 00001000 fd:00 77                         /usr/bin/my shop";
        assert_eq!(map(line), Some(expected));
        assert_eq!(map(&line.replace("r-xp", "r--p")), None);
        assert_eq!(
            map("55d0-55e0 r-xp 00000000 00:00 0                  [vdso]"),
            None
        );
        assert_eq!(map("55d0-55e0 r-xp 00000000 00:00 0 "), None);
        assert_eq!(map(""), None);
    }

    #[test]
    fn the_program_is_the_first() {
        let program = env::current_exe().expect("it has a path");
        assert_eq!(maps()[0].path, program.to_string_lossy());
    }
}
