//! Which frames are not shown: those between the firing function and the capture, and the core's
//! wherever they are.
//!
//! Frames are recognized by the names that [`symbols`] lists beside the macros, or, where the debug
//! information has no more than the last part of a name (`line-tables-only`), by their files.
//! `event!` makes functions in the program's crates. A stack has, from the inside: the capture
//! (this crate, `backtrace`, the standard library); a function that calls a probe; a function that
//! fires, in the program's crate or, where that was a mere jump, in the core; a method that fires,
//! unless it was a jump, too; then the function that fired. In that one the method `fire` may be
//! inlined, or `fire!` has made a closure.

use super::resolver::Resolver;
use hotprobe::__private::symbols;
use std::path::Path;

type Frame<L> = (usize, Vec<L>);

/// What is known of a function.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct SeenFunction<'n> {
    pub(super) name: &'n str,
    /// Empty: it is not known.
    pub(super) file: &'n str,
}

/// What shows of a stack, the innermost frame first. A frame is an address and the functions there,
/// the innermost inlined one first. `home` is the folder of the core's files, if it is known.
pub(super) fn trim<'n, L>(
    home: Option<&str>,
    mut frames: Vec<Frame<L>>,
    seen: impl Fn(&L) -> SeenFunction<'n>,
) -> Vec<Frame<L>> {
    let kind = |line: &L| FrameKind::of(seen(line), home);
    let outer = |frame: &Frame<L>| frame.1.last().map_or(FrameKind::Foreign, kind);
    let kinds: Vec<_> = frames.iter().map(outer).collect();
    let mut shown = vec![true; kinds.len()];
    let mut calls = Vec::new();
    let mut index = 0;
    while let Some(start) = (index..kinds.len()).find(|&index| kinds[index].is_ours()) {
        let end = end_of_group(&kinds, start);
        // What captures is within the first group, whatever its names are.
        let is_first = calls.is_empty() && kinds[end] == FrameKind::Fires;
        shown[if is_first { index } else { start }..=end].fill(false);
        index = end + 1;
        if kinds[end] == FrameKind::Fires {
            calls.push(index);
        }
    }
    for call in calls {
        if let [(_, lines), callers @ ..] = &mut frames[call..] {
            trim_call(home, lines, callers, &seen);
        }
    }
    let mut shown = shown.into_iter();
    frames.retain(|_| shown.next().unwrap_or(true));
    for (_, lines) in &mut frames {
        lines.retain(|line| !kind(line).is_ours());
    }
    frames.retain(|(_, lines)| !lines.is_empty());
    frames
}

/// Returns the folder of the core's files, with the separator at its end, as the debug information
/// has it: that of the macros' file, found by a function in that file. Without debug information of
/// the core, it is where the compiler was told to find the file, if that is a full path.
pub(super) fn home(resolver: &mut Resolver<'_>) -> Option<String> {
    let function: fn() -> &'static str = symbols::source_file;
    let source = Path::new(symbols::source_file());
    let name = source.file_name()?.to_str()?;
    let found = resolver.functions((function as *const ()).addr());
    let mut files = found.into_iter().map(|function| function.file);
    let file = files.find(|file| file.ends_with(name));
    let file = file.or_else(|| {
        source
            .is_absolute()
            .then(|| source.to_str().map(str::to_owned))?
    })?;
    Some(file.strip_suffix(name)?.to_owned())
}

/// The last of the frames that belong together, from this one outwards: this library's, with those
/// of the standard library between them. A group has one firing in it at most, and that is its end.
fn end_of_group(kinds: &[FrameKind], start: usize) -> usize {
    let mut end = start;
    for (index, &kind) in kinds.iter().enumerate().skip(start + 1) {
        let has_fired = kinds[end] == FrameKind::Fires;
        match kind {
            FrameKind::Foreign => break,
            FrameKind::CallsProbe if has_fired => break,
            FrameKind::Fires => end = index,
            FrameKind::CallsProbe | FrameKind::Ours if !has_fired => end = index,
            FrameKind::CallsProbe | FrameKind::Ours | FrameKind::Std => {}
        }
    }
    end
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FrameKind {
    /// The program's, or anyone's.
    Foreign,
    Std,
    Ours,
    /// What `event!` makes to call a probe: within it another firing begins.
    CallsProbe,
    /// One of those that fire.
    Fires,
}

impl FrameKind {
    fn of(seen: SeenFunction<'_>, home: Option<&str>) -> Self {
        let SeenFunction { name, file } = seen;
        let is_at_home = is_at_home(file, home);
        let is_ours = is_at_home || crate_is(name, symbols::CRATE);
        let is = |segment: &&str| last_segment_is(name, segment, is_at_home);
        let is_method = |method: &&str| method_is(name, method);
        if symbols::FIRES.iter().any(is)
            || symbols::FIRES_BY_METHOD.iter().any(is_method)
            || is_at_home && symbols::FIRES_BY_METHOD.iter().any(is)
            || is_ours && symbols::FIRES_IN_CRATE.iter().any(is)
        {
            Self::Fires
        } else if symbols::CALLS_PROBE.iter().any(is) {
            Self::CallsProbe
        } else if is_ours {
            Self::Ours
        } else if name == "__rust_try"
            || ["std", "core", "alloc"]
                .iter()
                .any(|krate| crate_is(name, krate))
            || file.starts_with("/rustc/")
            || file.contains("/rustlib/src/rust/library/")
        {
            Self::Std
        } else {
            Self::Foreign
        }
    }

    fn is_ours(self) -> bool {
        !matches!(self, Self::Foreign | Self::Std)
    }
}

/// The firing function's own frame: without what `fire` and `fire!` add to it.
fn trim_call<'n, L>(
    home: Option<&str>,
    lines: &mut Vec<L>,
    callers: &[Frame<L>],
    seen: impl Fn(&L) -> SeenFunction<'n>,
) {
    let Some(first) = lines.first().map(&seen) else {
        return;
    };
    let is_fire = first.name.contains(symbols::IMPL) && method_is(first.name, symbols::FIRE);
    if is_fire || is_at_home(first.file, home) {
        // `fire`, inlined.
        lines.remove(0);
        return;
    }
    // No `fire`: it was `fire!`, whose closure is not the program's. (Without debug information
    // this is unknown; then a closure that is called by the function that contains it is taken for
    // that of `fire!`.)
    let around = lines.get(1).or_else(|| callers.first()?.1.first());
    let around = around.map_or("", |line| seen(line).name);
    let is_closure = match first.name.rsplit_once("::") {
        _ if first.name.starts_with('{') => !first.file.is_empty(),
        Some((before, last)) => {
            before == around && (last.starts_with("{{closure}}") || last.starts_with("{closure#"))
        }
        None => false,
    };
    if is_closure {
        lines.remove(0);
    }
}

fn is_at_home(file: &str, home: Option<&str>) -> bool {
    home.is_some_and(|home| file.starts_with(home))
}

fn crate_is(name: &str, krate: &str) -> bool {
    let name = name.trim_start_matches(['<', '&', '*']);
    let name = name.strip_prefix("dyn ").unwrap_or(name);
    name.strip_prefix(krate)
        .is_some_and(|rest| rest.starts_with("::"))
}

fn method_is(name: &str, method: &str) -> bool {
    name.strip_suffix(method)
        .is_some_and(|before| before.ends_with(">::"))
}

/// Whether the path has this segment, and nothing but generics and closures behind it; or is
/// nothing else, if it may be the last part of one.
fn last_segment_is(name: &str, segment: &str, may_be_last_part: bool) -> bool {
    name.match_indices(segment).any(|(at, _)| {
        let rest = &name[at + segment.len()..];
        let begins = name[..at].ends_with("::") || at == 0 && may_be_last_part;
        begins
            && (rest.is_empty()
                || ["::<", "::{", "<"]
                    .iter()
                    .any(|next| rest.starts_with(next)))
    })
}

#[cfg(test)]
mod tests {
    use super::{SeenFunction, trim};

    /// The names that show of these frames; a frame's functions are separated by spaces.
    fn shown(frames: &[&'static str]) -> Vec<&'static str> {
        let frames = frames
            .iter()
            .map(|lines| (0, lines.split('|').collect::<Vec<_>>()))
            .collect();
        let seen = |line: &&'static str| {
            let (name, file) = line.split_once(" @ ").unwrap_or((line, ""));
            SeenFunction { name, file }
        };
        let shown = trim(Some("/hotprobe/src/"), frames, seen);
        let lines = shown.into_iter().flat_map(|(_, lines)| lines);
        lines.map(|line| seen(&line).name).collect()
    }

    const INSIDE: [&str; 4] = [
        "backtrace::backtrace::trace",
        "hotprobe_profile::stacks::collector::StackCollector::fire",
        "core::ops::function::Fn::call",
        "shop::_::__dynamic",
    ];

    fn after_inside(frames: &[&'static str]) -> Vec<&'static str> {
        shown(&[&INSIDE, frames].concat())
    }

    #[test]
    fn in_a_release_build_it_may_have_been_a_jump() {
        assert_eq!(
            after_inside(&["shop::_::__fire_outermost", "shop::sell", "main"]),
            ["shop::sell", "main"]
        );
        assert_eq!(
            after_inside(&["hotprobe::rcu::place::Place<F,T>::fire_first", "shop::sell"]),
            ["shop::sell"]
        );
    }

    #[test]
    fn in_a_debug_build_it_is_all_there() {
        assert_eq!(
            after_inside(&[
                "hotprobe::rcu::place::Place<F,T>::fire_first",
                "std::thread::local::LocalKey<T>::with",
                "shop::_::__fire_inside",
                "shop::_::<impl shop::SOLD>::fire_enabled",
                "shop::sell::{{closure}}",
                "shop::sell",
                "std::rt::lang_start",
            ]),
            ["shop::sell", "std::rt::lang_start"]
        );
        // The other mangling.
        assert_eq!(
            after_inside(&[
                "shop::_::__fire_inside",
                "<shop::SOLD>::fire_enabled",
                "shop::sell::{closure#1}",
                "shop::sell",
            ]),
            ["shop::sell"]
        );
    }

    #[test]
    fn fire_is_inlined_and_the_closure_around_it_is_the_programs() {
        assert_eq!(
            after_inside(&[
                "shop::_::__fire_outermost",
                "shop::_::<impl shop::SOLD>::fire @ /hotprobe/src/macros.rs|shop::sell::{{closure}}",
                "shop::sell",
            ]),
            ["shop::sell::{{closure}}", "shop::sell"]
        );
        assert_eq!(
            after_inside(&[
                "shop::_::__fire_outermost",
                "shop::sell::{{closure}}::{{closure}}|shop::sell::{{closure}}|core::iter::map",
                "shop::sell",
            ]),
            ["shop::sell::{{closure}}", "core::iter::map", "shop::sell"]
        );
        // A closure that something else calls is no macro's.
        assert_eq!(
            after_inside(&[
                "shop::_::__fire_outermost",
                "shop::sell::{{closure}}",
                "core::iter::map"
            ]),
            ["shop::sell::{{closure}}", "core::iter::map"]
        );
    }

    #[test]
    fn the_last_parts_of_names_are_enough_where_there_are_files() {
        let inside = [
            "trace @ /backtrace/src/backtrace.rs",
            "call @ /hotprobe/src/any.rs|__dynamic @ /hotprobe/src/macros.rs",
        ];
        let outside = "serve @ /shop/src/main.rs";
        for (frames, expected) in [
            (
                [
                    "{closure#0} @ /hotprobe/src/macros.rs|__fire_outermost @ /hotprobe/src/macros.rs",
                    "{closure#0}<u8> @ /shop/src/main.rs|sell<u8> @ /shop/src/main.rs",
                ],
                ["sell<u8>", "serve"],
            ),
            (
                [
                    "__fire_inside @ /hotprobe/src/macros.rs",
                    "fire @ /hotprobe/src/macros.rs|{closure#0} @ /shop/src/main.rs",
                ],
                ["{closure#0}", "serve"],
            ),
            (
                [
                    "fire_first<F, T> @ /hotprobe/src/rcu/place.rs",
                    "__fire_inside @ /shop/src/lib.rs",
                ],
                ["__fire_inside", "serve"],
            ),
        ] {
            assert_eq!(
                shown(&[&inside[..], &frames, &[outside]].concat()),
                expected
            );
        }
    }

    #[test]
    fn where_a_probe_fires_both_firings_are_taken_out_and_its_own_functions_stay() {
        assert_eq!(
            after_inside(&[
                "shop::_::__fire_inside",
                "shop::_::<impl shop::SOLD>::fire_enabled",
                "watch::probe",
                "core::ops::function::FnOnce::call_once",
                "hotprobe::probe::run",
                "shop::_::__thunk",
                "shop::_::__fire_outermost",
                "shop::_::<impl shop::TICK>::fire_enabled",
                "shop::sell",
            ]),
            [
                "watch::probe",
                "core::ops::function::FnOnce::call_once",
                "shop::sell"
            ]
        );
        // Inlined into the standard library's, it stays, too.
        assert_eq!(
            after_inside(&[
                "shop::_::__fire_inside",
                "core::ops::function::FnOnce::call_once",
                "shop::_::__thunk",
                "shop::_::__fire_outermost",
                "shop::sell",
            ]),
            ["core::ops::function::FnOnce::call_once", "shop::sell"]
        );
    }

    #[test]
    fn names_that_are_only_alike_stay() {
        let frames = [
            "hotprobe_shop::sell",
            "shop::hotprobe::fire",
            "<shop::Gun>::fire",
            "gun::fire_first",
        ];
        assert_eq!(
            after_inside(&[&["shop::_::__fire_outermost"], &frames[..]].concat()),
            frames
        );
    }

    #[test]
    fn without_names_all_stays() {
        assert_eq!(shown(&["0x1", "0x2"]), ["0x1", "0x2"]);
    }
}
