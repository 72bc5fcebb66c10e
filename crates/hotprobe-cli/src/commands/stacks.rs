//! `hotprobe stacks`: the call stacks that lead to an event.

use crate::arguments::Stacks;
use crate::duration::shown_seconds;
use crate::failure::{Failure, alarm, note};
use crate::http::client::Client;
use crate::http::query::Query;
use crate::output::{self, JSON_VERSION, shown, shown_json, shown_lines};
use crate::save::by_extension;
use crate::save::measured::measure;
use crate::save::session_time::SessionTime;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use indicatif::HumanCount;
use serde::{Deserialize, Serialize};

/// The default duration, in seconds.
const USUAL: f64 = 10.0;
const EXTENSIONS: [(&str, StacksFile); 4] = [
    (".folded", StacksFile::Folded),
    (".svg", StacksFile::Svg),
    (".pprof", StacksFile::Pprof),
    (".pb.gz", StacksFile::Pprof),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StacksFile {
    Folded,
    Svg,
    Pprof,
}

/// A profile as the server sends it, in each of its formats.
#[derive(Debug, Deserialize)]
struct StacksAll {
    fired: u64,
    sampled: u64,
    complete: bool,
    folded: String,
    svg: String,
    /// In base64.
    pprof: String,
}

/// The document of `--json`.
#[derive(Serialize)]
struct StacksJson<'a> {
    version: u32,
    fired: u64,
    sampled: u64,
    complete: bool,
    stacks: Vec<StackJson<'a>>,
}

#[derive(Serialize)]
struct StackJson<'a> {
    /// The outermost first.
    frames: Vec<&'a str>,
    weight: u64,
}

pub(crate) fn run(client: &Client, options: &Stacks) -> Result<(), Failure> {
    let file = match &options.output {
        Some(path) => Some(by_extension(path, &EXTENSIONS, "")?),
        None => None,
    };
    let query = |events: &[String]| {
        Query::get("stacks")
            .and("event", events.first())
            .and("weight", options.weight.as_ref())
            .and("label", options.label.as_ref())
            .and("every", options.every)
            .lasting(options.seconds, USUAL)
            .and("format", Some("all"))
            .answered_by("application/json")
    };
    let mut time = SessionTime::begin(options.seconds, USUAL);
    let events = [options.event.clone()];
    let measured = measure(client, &events, query, &mut time, options.output.as_deref())?;
    let profile: StacksAll = measured.parse()?;
    if profile.sampled > 0 {
        match file {
            Some(StacksFile::Folded) => measured.save(profile.folded.as_bytes())?,
            Some(StacksFile::Svg) => measured.save(profile.svg.as_bytes())?,
            Some(StacksFile::Pprof) => {
                let pprof = BASE64_STANDARD.decode(&profile.pprof).map_err(|error| {
                    Failure::failed(format!("the server's profile is not base64: {error}"))
                })?;
                measured.save(&pprof)?;
            }
            None if options.json => output::text(&profile.json())?,
            None => output::text(&shown_lines(&profile.folded))?,
        }
    } else if options.json {
        output::text(&profile.json())?;
    }
    note(format_args!(
        "{} fired, {} sampled",
        HumanCount(profile.fired),
        HumanCount(profile.sampled)
    ));
    if !profile.complete {
        alarm("some firings had not ended when the time was up: the result is incomplete");
    }
    time.check(client)?;
    if profile.sampled == 0 {
        return Err(profile.nothing(options, time.seconds()));
    }
    Ok(())
}

impl StacksAll {
    /// Returns the failure of a profile without a stack: no empty picture is written.
    fn nothing(&self, options: &Stacks, seconds: f64) -> Failure {
        let (event, seconds) = (shown(&options.event), shown_seconds(seconds));
        Failure::failed(if self.fired == 0 {
            format!("nothing was collected: `{event}` was not fired in {seconds}")
        } else {
            format!(
                "nothing was collected: {} firings of `{event}` in {seconds} are fewer than `--every {}`",
                HumanCount(self.fired),
                options.every.unwrap_or(1)
            )
        })
    }

    fn json(&self) -> String {
        let stack = |line: &'_ str| -> Option<(String, u64)> {
            let (stack, weight) = line.rsplit_once(' ')?;
            Some((stack.to_owned(), weight.parse().ok()?))
        };
        let stacks: Vec<_> = self.folded.lines().filter_map(stack).collect();
        let document = StacksJson {
            version: JSON_VERSION,
            fired: self.fired,
            sampled: self.sampled,
            complete: self.complete,
            stacks: stacks
                .iter()
                .map(|(stack, weight)| StackJson {
                    frames: stack.split(';').collect(),
                    weight: *weight,
                })
                .collect(),
        };
        // (Numbers and text can always be written.)
        shown_json(&serde_json::to_string(&document).unwrap_or_default()) + "\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_has_a_list_of_frames_for_each_stack() {
        let profile = StacksAll {
            fired: 7,
            sampled: 3,
            complete: true,
            folded: "main;a b;c 2\nmain 1\n".to_owned(),
            svg: String::new(),
            pprof: String::new(),
        };
        let expected = concat!(
            r#"{"version":1,"fired":7,"sampled":3,"complete":true,"stacks":["#,
            r#"{"frames":["main","a b","c"],"weight":2},{"frames":["main"],"weight":1}]}"#,
            "\n"
        );
        assert_eq!(profile.json(), expected);
    }
}
