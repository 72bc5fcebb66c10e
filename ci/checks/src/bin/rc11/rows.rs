//! The source behind the tests: each row names a line of it, as a pattern, and each ordering of a
//! watched file belongs to a row.

use crate::litmus::{File, Row};
use crate::order::{Kind, Strength};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The code of a file without comments and white space; where each line begins.
struct Code {
    text: String,
    lines: Vec<usize>,
}

impl Code {
    fn read(root: &Path, file: &str) -> Result<Self, String> {
        let path = root.join(file);
        let source = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let mut code = Self {
            text: String::new(),
            lines: Vec::new(),
        };
        for line in source.lines() {
            code.lines.push(code.text.len());
            let line = line.split("//").next().unwrap_or_default();
            code.text.extend(line.split_whitespace());
        }
        Ok(code)
    }

    fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|begin| *begin <= at)
    }

    fn find<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = usize> + 'a {
        self.text.match_indices(pattern).map(|(at, _)| at)
    }
}

fn squeeze(pattern: &str) -> String {
    pattern.split_whitespace().collect()
}

/// The orderings that a piece of code names.
fn orders(pattern: &str) -> Vec<String> {
    pattern
        .split("Ordering::")
        .skip(1)
        .map(|rest| {
            let is_name = |c: char| c.is_ascii_alphanumeric();
            rest.chars().take_while(|c| is_name(*c)).collect()
        })
        .collect()
}

/// What is wrong with the rows, as lines.
pub(crate) fn check(
    root: &Path,
    files: &[File],
    used: &BTreeMap<String, (Kind, Strength)>,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut codes = BTreeMap::new();
    // Parts of each file's code that belong to a row.
    let mut claimed: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    let watched: BTreeSet<&str> = files
        .iter()
        .flat_map(|file| file.watched.iter().map(String::as_str))
        .collect();
    let rows = || files.iter().flat_map(|file| &file.rows);
    let named = rows().flat_map(|row| row.sources.iter().map(|source| source.file.as_str()));
    for file in named.chain(watched.iter().copied()) {
        if !codes.contains_key(file) {
            match Code::read(root, file) {
                Ok(code) => drop(codes.insert(file, code)),
                Err(error) => wrong.push(error),
            }
        }
    }
    for row in rows() {
        if row.sources.is_empty() || row.name.is_empty() {
            wrong.push(format!("row {}: it has no source, or no name", row.id));
        }
        if used.contains_key(&row.id) == row.outside.is_some() {
            let but = if row.outside.is_some() {
                "is `outside`, but has tests"
            } else {
                "has no test, and no reason (`outside`)"
            };
            wrong.push(format!("row {}: it {but}", row.id));
        }
        for source in &row.sources {
            let Some(code) = codes.get(source.file.as_str()) else {
                continue;
            };
            let pattern = squeeze(&source.pattern);
            let found: Vec<usize> = code.find(&pattern).collect();
            if found.len() != source.times {
                wrong.push(format!(
                    "row {}: {} has {} times, not {}: {}",
                    row.id,
                    source.file,
                    found.len(),
                    source.times,
                    source.pattern
                ));
            }
            let claims = claimed.entry(source.file.as_str()).or_default();
            claims.extend(found.iter().map(|at| (*at, at + pattern.len())));
            wrong.extend(compare(row, &orders(&source.pattern), used.get(&row.id)));
        }
    }
    for file in watched {
        let Some(code) = codes.get(file) else {
            continue;
        };
        for strong in ["Acquire", "Release", "AcqRel", "SeqCst"] {
            let name = format!("Ordering::{strong}");
            let claims = claimed.get(file).map_or(&[][..], Vec::as_slice);
            for at in code.find(&name) {
                let is_claimed = claims.iter().any(|(from, to)| *from <= at && at < *to);
                if !is_claimed {
                    let line = code.line(at);
                    wrong.push(format!("{file}:{line}: no row has this `{name}`"));
                }
            }
        }
    }
    wrong
}

/// Whether the pattern names the ordering that tests have, last.
fn compare(row: &Row, named: &[String], used: Option<&(Kind, Strength)>) -> Option<String> {
    let (_, strength) = used?;
    let expected: Vec<String> = match strength {
        // (What a light one is made of is no ordering of an access.)
        Strength::Absent | Strength::Light | Strength::Heavy => return None,
        Strength::Order(order) => vec![order.name().to_owned()],
        Strength::Exchange(order, failure) => {
            vec![order.name().to_owned(), failure.name().to_owned()]
        }
    };
    (!named.ends_with(&expected)).then(|| {
        format!(
            "row {}: its tests have {expected:?}, its source has {named:?}",
            row.id
        )
    })
}
