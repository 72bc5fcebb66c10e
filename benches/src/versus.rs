//! The peers, each in its own process, in turn with this crate and the floors.

use crate::apart;
use crate::values::{self, Values};
use hotprobe_benches::layout_a::ours;
use hotprobe_benches::peers::{PEERS, Peer, Work, named};
use hotprobe_benches::{Subject, measure};
use std::fmt::Write;

/// Subjects: the name in the code, and the one in the table.
type Named = &'static [(&'static str, &'static str)];

/// For each kind of work: its title, the floors and this crate.
const BESIDE: &[(Work, &str, Named)] = &[
    (
        Work::Off,
        "an event that is off, or its equivalent",
        &[
            ("guard", "*floor:* a hand-written guard"),
            ("off", "**hotprobe**"),
        ],
    ),
    (
        Work::On,
        "one probe that does nothing, or its equivalent",
        &[
            ("call", "*floor:* a dyn call"),
            ("cas_call", "*floor:* a compare-and-exchange + a dyn call"),
            (
                "pin_call",
                "*floor:* crossbeam-epoch, pin + load + dyn call + unpin",
            ),
            (
                "pin_call_inlined",
                "*floor:* the same, inlined in the loop, as the peers below",
            ),
            ("fire_1", "**hotprobe**"),
            ("fire_pinned", "**hotprobe**, in `pinned`"),
        ],
    ),
    (
        Work::Change,
        "attach + detach, or its equivalent",
        &[
            (
                "swaps_0",
                "*floor:* crossbeam-epoch, clone + swap + defer, twice",
            ),
            (
                "attach_detach_0",
                "**hotprobe**, which also drops the captures",
            ),
        ],
    ),
];

/// The number of processes that measure a peer. The best counts; on a busy machine, three may all
/// be disturbed.
const PROCESSES: usize = 12;

/// Measures one peer and what it is compared with, and prints the values.
pub(crate) fn print(name: &str) {
    let peer = named(name);
    let _attached = ours::attached();
    (peer.prepare)();
    let mut subjects: Vec<Subject> = vec![peer.subject];
    for (_, _, beside) in BESIDE.iter().filter(|(work, ..)| *work == peer.work) {
        for (name, _) in *beside {
            subjects.push(*ours::named(name));
        }
    }
    for (subject, figures) in subjects.iter().zip(measure::interleave(&subjects, 100)) {
        values::print(subject.name, figures.best, figures.median);
    }
}

/// Measures all peers, and returns a table in Markdown for each kind of work.
pub(crate) fn markdown() -> String {
    let mut text = String::new();
    for (number, (work, title, beside)) in BESIDE.iter().enumerate() {
        let peers: Vec<&Peer> = PEERS.iter().filter(|peer| peer.work == *work).collect();
        let mut values = Values::default();
        for peer in &peers {
            for _ in 0..PROCESSES {
                apart::measure(&format!("peer:{}", peer.subject.name), &mut values);
            }
        }
        let empty_line = if number == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{empty_line}| {title} | ns |\n|---|---|");
        let names = beside.iter().map(|(name, what)| (*name, *what));
        for (name, what) in names.chain(peers.iter().map(|peer| (peer.subject.name, peer.what))) {
            let figure = values.best(name).unwrap_or(f64::NAN);
            let digits = if figure < 100.0 { 2 } else { 0 };
            let _ = writeln!(text, "| {what} | {figure:.digits$} |");
        }
    }
    text
}
