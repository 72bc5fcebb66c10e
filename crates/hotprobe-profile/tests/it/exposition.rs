//! A reader of Prometheus' text and of `OpenMetrics` that takes nothing that a server would refuse.

use std::collections::{BTreeMap, BTreeSet, HashSet};

type Labels = BTreeMap<String, String>;

/// What a server would have of a scrape.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Scrape {
    /// The type of each family.
    pub(crate) types: BTreeMap<String, String>,
    /// Each series once.
    pub(crate) series: BTreeMap<(String, Labels), f64>,
}

impl Scrape {
    /// Reads `text/plain; version=0.0.4`.
    pub(crate) fn of(text: &str) -> Self {
        assert!(text.is_empty() || text.ends_with('\n'));
        let mut scrape = Self::default();
        let mut helps = HashSet::new();
        let mut family = String::new();
        for line in text.lines() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').expect("a help has a text");
                assert!(!help.is_empty() && helps.insert(name.to_owned()), "{line}");
                name.clone_into(&mut family);
            } else if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a type has a name");
                assert_eq!(name, family, "beside its help");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                let before = scrape.types.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "a second type of {name}:\n{text}");
            } else {
                let (name, labels, value) = sample(line);
                let kind = &*scrape.types[&family];
                let suffix = name.strip_prefix(&family).unwrap_or_else(|| {
                    panic!("{line} is under {family}:\n{text}");
                });
                match kind {
                    "histogram" => {
                        assert!(["_sum", "_count", "_bucket"].contains(&suffix), "{line}")
                    }
                    "counter" => assert!(suffix.is_empty() && name.ends_with("_total"), "{line}"),
                    _ => assert!(suffix.is_empty() && !name.ends_with("_total"), "{line}"),
                }
                let before = scrape.series.insert((name.to_owned(), labels), value);
                assert_eq!(before, None, "a second series: {line}\n{text}");
            }
        }
        scrape
    }

    /// Reads what a registry of prometheus-client writes, as if it were the other.
    #[cfg(feature = "prometheus-collector")]
    pub(crate) fn of_open_metrics(text: &str) -> Self {
        let text = text.strip_suffix("# EOF\n").expect("it is whole");
        let counters: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
            .collect();
        let lines = text.lines().filter(|line| !line.starts_with("# UNIT "));
        let lines = lines.map(|line| {
            let words: Vec<&str> = line.splitn(4, ' ').collect();
            match words[..] {
                ["#", what, name, rest] if counters.contains(&name) => {
                    format!("# {what} {name}_total {rest}\n")
                }
                _ => format!("{line}\n"),
            }
        });
        let lines: String = lines.collect();
        Self::of(&lines)
    }

    /// The value of the only series of this name that has these labels.
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let has = |series: &Labels| {
            let mut labels = labels.iter();
            labels.all(|(name, value)| series.get(*name).is_some_and(|v| v == value))
        };
        let mut found = self
            .series
            .iter()
            .filter(|((this, labels), _)| this == name && has(labels));
        match (found.next(), found.next()) {
            (Some((_, &value)), None) => value,
            other => panic!("{name} {labels:?}: {other:?} in {self:#?}"),
        }
    }

    /// The values of a label.
    pub(crate) fn values_of(&self, label: &str) -> BTreeSet<&str> {
        let labels = self
            .series
            .keys()
            .filter_map(|(_, labels)| labels.get(label));
        labels.map(String::as_str).collect()
    }
}

fn sample(line: &str) -> (&str, Labels, f64) {
    let name_ends = line.find(['{', ' ']).expect("a sample has a value");
    let (name, mut rest) = line.split_at(name_ends);
    assert!(
        !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c == '_'),
        "{line}"
    );
    let mut labels = Labels::new();
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        loop {
            let (label, after) = rest.split_once("=\"").expect("a label has a value");
            let (value, after) = quoted(after);
            assert_eq!(labels.insert(label.to_owned(), value), None, "{line}");
            if let Some(after) = after.strip_prefix('}') {
                rest = after;
                break;
            }
            rest = after.strip_prefix(',').expect("labels are separated");
        }
    }
    let value = rest.strip_prefix(' ').expect("a space before the value");
    (name, labels, value.parse().expect("a number"))
}

/// A text up to its quote, and what comes after that.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = text.char_indices();
    loop {
        match chars.next().expect("a quote ends it") {
            (end, '"') => return (value, &text[end + 1..]),
            (_, '\\') => value.push(match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, c @ ('"' | '\\'))) => c,
                other => panic!("{other:?} is not escaped in {text}"),
            }),
            (_, c) => value.push(c),
        }
    }
}
