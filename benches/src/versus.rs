//! The peers, each in its own process, in turn with this crate and the floors.

use crate::apart;
use crate::values::{self, Values};
use hotprobe_benches::layout_a::ours;
use hotprobe_benches::lttng::Programs;
use hotprobe_benches::peers::{PEERS, Work, named};
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

/// What LTTng-UST does, in programs of its own: the name, the one in the table, the program and its
/// argument.
const LTTNG: [(Work, &str, &str, &str, &str); 4] = [
    (Work::Off, "lttng_off", "LTTng-UST, off", "peer", "off"),
    (
        Work::On,
        "lttng_noop",
        "LTTng-UST, a callback that does nothing",
        "peer",
        "noop",
    ),
    (
        Work::On,
        "lttng_noop_inlined",
        "the same with liburcu inlined",
        "peer_inlined",
        "noop",
    ),
    (
        Work::Change,
        "lttng_change",
        "LTTng-UST, register and unregister a callback",
        "peer",
        "change",
    ),
];

/// Measures one peer and what it is compared with, and prints the values.
pub(crate) fn print(name: &str) {
    if name == "lttng" {
        return print_lttng();
    }
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

/// Measures LTTng-UST, if it is installed, and prints the values.
fn print_lttng() {
    let Some(programs) = Programs::compile() else {
        return;
    };
    for (_, name, _, program, argument) in LTTNG {
        let figures = measure::figures(programs.run(program, &[argument]));
        values::print(name, figures.best, figures.median);
    }
}

/// Measures all peers. Returns the values.
pub(crate) fn measure() -> String {
    let mut values = String::new();
    for _ in 0..PROCESSES {
        for peer in PEERS {
            values += &apart::measure(&format!("peer:{}", peer.subject.name));
        }
        values += &apart::measure("peer:lttng");
    }
    values
}

/// Returns a table in Markdown for each kind of work.
pub(crate) fn markdown(values: &Values) -> String {
    let mut text = String::new();
    for (number, (work, title, beside)) in BESIDE.iter().enumerate() {
        let empty_line = if number == 0 { "" } else { "\n" };
        let _ = writeln!(text, "{empty_line}| {title} | ns |\n|---|---|");
        let beside = beside.iter().map(|(name, what)| (*name, *what));
        let peers = PEERS.iter().filter(|peer| peer.work == *work);
        let peers = peers.map(|peer| (peer.subject.name, peer.what));
        let lttng = LTTNG.iter().filter(|(of, ..)| of == work);
        let lttng = lttng.map(|(_, name, what, ..)| (*name, *what));
        for (name, what) in beside.chain(peers).chain(lttng) {
            let figure = match values.best(name) {
                Some(figure) if figure < 100.0 => format!("{figure:.2}"),
                Some(figure) => format!("{figure:.0}"),
                None => "not installed".into(),
            };
            let _ = writeln!(text, "| {what} | {figure} |");
        }
    }
    text
}
