//! The peers, each in a process of its own, beside ours and the floors.

use crate::apart;
use crate::values::{self, Values};
use hotprobe_benches::layout_a::ours;
use hotprobe_benches::peers::{PEERS, Peer, Work, named};
use hotprobe_benches::{Subject, measure};
use std::fmt::Write;

/// Subjects, and what they are for people.
type Named = &'static [(&'static str, &'static str)];

/// Of each kind of work: the floors, and ours.
const BESIDE: &[(Work, &str, Named)] = &[
    (
        Work::Off,
        "off, a place",
        &[
            ("guard", "*floor:* a hand-written guard"),
            ("off", "**hotprobe**"),
        ],
    ),
    (
        Work::On,
        "one probe, or the like, that does nothing",
        &[
            ("call", "*floor:* a dyn call"),
            ("cas_call", "*floor:* a compare-and-exchange + a dyn call"),
            (
                "pin_call",
                "*floor:* crossbeam-epoch, pin + load + dyn call + unpin",
            ),
            (
                "pin_call_inlined",
                "*floor:* the same, in the loop itself, as those below are",
            ),
            ("fire_1", "**hotprobe**"),
            ("fire_pinned", "**hotprobe**, in `pinned`"),
        ],
    ),
    (
        Work::Change,
        "attach + detach, or the like",
        &[
            (
                "swaps_0",
                "*floor:* crossbeam-epoch, clone + swap + defer, twice",
            ),
            ("attach_detach_0", "**hotprobe**, the captures dropped"),
        ],
    ),
];

/// Measures one peer, and what it is compared with.
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

/// Measures all, and returns a table in Markdown.
pub(crate) fn markdown() -> String {
    let mut text = String::new();
    for (work, title, beside) in BESIDE {
        let peers: Vec<&Peer> = PEERS.iter().filter(|peer| peer.work == *work).collect();
        let mut values = Values::default();
        for peer in &peers {
            for _ in 0..3 {
                apart::measure(&format!("peer:{}", peer.subject.name), &mut values);
            }
        }
        let _ = writeln!(text, "\n| {title} | ns |\n|---|---|");
        let names = beside.iter().map(|(name, what)| (*name, *what));
        for (name, what) in names.chain(peers.iter().map(|peer| (peer.subject.name, peer.what))) {
            let figure = values.best(name).unwrap_or(f64::NAN);
            let digits = if figure < 100.0 { 2 } else { 0 };
            let _ = writeln!(text, "| {what} | {figure:.digits$} |");
        }
    }
    text
}
