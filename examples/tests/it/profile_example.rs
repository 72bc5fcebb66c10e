//! The example `profile`, as its user runs it.

use crate::directory::{Directory, ran};
use std::fs;
use std::path::Path;

const FILES: [&str; 6] = [
    "latency.hlog",
    "latency.svg",
    "stacks.pb.gz",
    "stacks.folded",
    "flame.svg",
    "metrics.txt",
];

/// The cells of the first row after `heading` that begins with `name`.
fn row<'a>(out: &'a str, heading: &str, name: &str) -> Vec<&'a str> {
    let (_, table) = out
        .split_once(heading)
        .unwrap_or_else(|| panic!("no {heading:?}: {out}"));
    let row = table.lines().find_map(|line| line.strip_prefix(name));
    let row = row.unwrap_or_else(|| panic!("no {name:?} after {heading:?}: {out}"));
    row.split_whitespace().collect()
}

fn number(cell: &str) -> u64 {
    // (It has a comma between thousands.)
    let digits = cell.replace(',', "");
    digits
        .parse()
        .unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

#[test]
fn the_example_counts_what_its_clients_ask_and_writes_six_files() {
    let directory = Directory::new("profile");
    let to = directory.path("new/profile");
    let (output, out, err) = ran(
        "profile",
        &["--out", &to, "--seconds", "1", "--connections", "2"],
    );
    assert_eq!(output.status.code(), Some(0), "{out}\n{err}");
    for file in FILES {
        let path = Path::new(&to).join(file);
        let size = fs::metadata(&path).expect("it was written").len();
        assert!(size > 100, "{file}: {size}");
        assert!(out.contains(&format!("{size} bytes")), "{file}: {out}");
    }
    // By the clients, by the latencies, by the counts, and in the file.
    let read = "GET /orders/{id}  ";
    let asked = number(row(&out, "as measured by", read)[1]);
    assert!(asked > 0);
    assert_eq!(number(row(&out, "request ", read)[0]), asked, "{out}");
    assert_eq!(
        number(row(&out, "REQUEST_END by route", read)[0]),
        asked,
        "{out}"
    );
    let metrics = fs::read_to_string(Path::new(&to).join("metrics.txt")).expect("it is text");
    let counted = format!(r#"label="GET /orders/{{id}}"}} {asked}"#);
    assert!(
        metrics.lines().any(|line| line.ends_with(&counted)),
        "{metrics}"
    );

    // Each line of the folded stacks ends with its orders: together what is printed.
    let folded = fs::read_to_string(Path::new(&to).join("stacks.folded")).expect("it is text");
    let orders = folded
        .lines()
        .filter_map(|line| line.rsplit(' ').next())
        .map(number);
    let (_, printed) = out.split_once("STORE_END by ").expect("a line on stacks");
    let printed: Vec<_> = printed.split_whitespace().take(4).collect();
    let [_, "stacks,", printed, "orders;"] = printed[..] else {
        panic!("{printed:?}");
    };
    assert_eq!(orders.sum::<u64>(), number(printed), "{out}");
    assert!(out.contains(": all checks held"), "{out}");
}

#[test]
fn where_no_profiles_can_be_written_the_example_says_so_before_it_runs() {
    let directory = Directory::new("profile-nowhere");
    let file = directory.path("file");
    fs::write(&file, "mine").expect("it can be written");
    let (output, out, err) = ran("profile", &["--out", &file]);
    assert_eq!(output.status.code(), Some(2), "{out}\n{err}");
    assert_eq!(out, "", "nothing was served");
    let expected = format!("--out {file}: no profiles can be written there");
    assert!(err.contains(&expected), "{err}");
    assert!(err.contains("it is a file; give a directory"), "{err}");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "mine");
}

#[test]
fn the_profiling_example_names_a_bad_value_and_what_is_expected() {
    for (arguments, expected) in [
        (&["--out", "y", "--seconds", "0"][..], "from 1 to 3600"),
        (&["--out", "y", "--connections", "many"], "from 1 to 10000"),
        (&["--seconds", "1"], "--out <DIR>"),
    ] {
        let (output, _, err) = ran("profile", arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {err}");
        assert!(err.contains(expected), "{arguments:?}: {err}");
    }
    assert!(!Path::new("y").exists(), "nothing was made");
}
