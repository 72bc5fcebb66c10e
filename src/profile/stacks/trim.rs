//! Which frames do not show: those between the firing function and the capture, and this library's wherever they are.
//!
//! They are known by their names. `event!` makes functions of its own in the program's crates; a stack has, from the inside:
//! what captures (this library, `backtrace`, the standard library), `__dynamic`, one of `__fire_outermost` and
//! `__fire_inside` (or, where that was a mere jump, `fire_first`), unless that was one, too, `fire_enabled`; then the function
//! that fired. There `fire` may be inlined, or `fire!` has made a closure.

type Frame<L> = (usize, Vec<L>);

/// What shows of a stack, the innermost frame first. A frame is an address and the functions there, the innermost inlined
/// one first.
pub(super) fn trim<'n, L>(
    event: &str,
    mut frames: Vec<Frame<L>>,
    name: impl Fn(&L) -> &'n str,
) -> Vec<Frame<L>> {
    let outer = |frame: &Frame<L>| frame.1.last().map_or("", &name);
    let names: Vec<_> = frames.iter().map(outer).collect();
    let mut shown = vec![true; names.len()];
    let mut calls = Vec::new();
    let mut index = 0;
    while let Some(start) = (index..names.len()).find(|&index| is_ours(names[index])) {
        let end = end_of_group(&names, start);
        // What captures is within the first group, whatever its names are.
        let start = if calls.is_empty() && is_fire(names[end]) {
            index
        } else {
            start
        };
        shown[start..=end].fill(false);
        index = end + 1;
        if is_fire(names[end]) {
            calls.push(index);
        }
    }
    for call in calls {
        if let [frame, callers @ ..] = &mut frames[call..] {
            trim_call(event, frame, callers, &name);
        }
    }
    let mut shown = shown.into_iter();
    frames.retain(|_| shown.next().unwrap_or(true));
    for frame in &mut frames {
        frame.1.retain(|line| !is_ours(name(line)));
    }
    frames.retain(|frame| !frame.1.is_empty());
    frames
}

/// The last of the frames that belong together, from this one outwards: this library's, with those of the standard
/// library between them. A group has one firing in it at most, and that is its end.
fn end_of_group(names: &[&str], start: usize) -> usize {
    let mut end = start;
    for (index, name) in names.iter().enumerate().skip(start + 1) {
        if is_fire(names[end]) && is_probe(name) {
            break;
        }
        if is_fire(name) || is_ours(name) && !is_fire(names[end]) {
            end = index;
        } else if !is_ours(name) && !is_std(name) {
            break;
        }
    }
    end
}

/// Whether it is one of those that fire.
fn is_fire(name: &str) -> bool {
    name.ends_with(">::fire_enabled")
        || last_segment_is(name, "__fire_outermost")
        || last_segment_is(name, "__fire_inside")
        || is_our_crate(name) && last_segment_is(name, "fire_first")
}

/// What `event!` makes to call a probe: within it another firing begins.
fn is_probe(name: &str) -> bool {
    last_segment_is(name, "__dynamic") || last_segment_is(name, "__thunk")
}

/// The firing function's own frame: without what `fire` and `fire!` add to it.
fn trim_call<'n, L>(
    event: &str,
    frame: &mut Frame<L>,
    callers: &[Frame<L>],
    name: impl Fn(&L) -> &'n str,
) {
    let lines = &mut frame.1;
    if lines
        .first()
        .is_some_and(|line| is_plain_fire(event, name(line)))
    {
        lines.remove(0);
        return;
    }
    // No `fire`: it was `fire!`, whose closure is not the program's. (Without debug information a program's closure
    // that is called by the function it stands in cannot be told from it, and goes to that function.)
    let first = lines.first().map(&name);
    let around = lines.get(1).or_else(|| callers.first()?.1.first());
    let around = around.map(&name);
    if first.is_some_and(|first| around.is_some() && without_closure(first) == around) {
        lines.remove(0);
    }
}

/// An event's own `fire`: of this event, or of one that is known by the block that `event!` makes (the newer mangling
/// leaves it out).
fn is_plain_fire(event: &str, name: &str) -> bool {
    let event = event.rsplit("::").next().unwrap_or(event);
    name.strip_suffix(">::fire")
        .is_some_and(|name| name.ends_with(&format!("::{event}")) || name.contains("::_::<impl "))
}

/// `f` of `f::{{closure}}` and of `f::{closure#0}`.
fn without_closure(name: &str) -> Option<&str> {
    let (around, last) = name.rsplit_once("::")?;
    (last.starts_with("{{closure}}") || last.starts_with("{closure#")).then_some(around)
}

fn is_ours(name: &str) -> bool {
    is_our_crate(name) || is_probe(name) || is_fire(name)
}

fn is_our_crate(name: &str) -> bool {
    crate_is(name, "hotprobe")
}

fn is_std(name: &str) -> bool {
    name == "__rust_try"
        || ["std", "core", "alloc"]
            .iter()
            .any(|krate| crate_is(name, krate))
}

fn crate_is(name: &str, krate: &str) -> bool {
    let name = name.trim_start_matches(['<', '&', '*']);
    let name = name.strip_prefix("dyn ").unwrap_or(name);
    name.strip_prefix(krate)
        .is_some_and(|rest| rest.starts_with("::"))
}

/// Whether the path has this segment, and nothing but generics and closures behind it.
fn last_segment_is(name: &str, segment: &str) -> bool {
    name.match_indices(segment).any(|(at, _)| {
        let rest = &name[at + segment.len()..];
        name[..at].ends_with("::")
            && (rest.is_empty() || rest.starts_with("::<") || rest.starts_with("::{"))
    })
}

#[cfg(test)]
mod tests {
    use super::trim;

    /// The names that show of these frames; a frame's functions are separated by spaces.
    fn shown(frames: &[&'static str]) -> Vec<&'static str> {
        let frames = frames
            .iter()
            .map(|lines| (0, lines.split('|').collect::<Vec<_>>()))
            .collect();
        let shown = trim("shop::SOLD", frames, |line| line);
        shown.into_iter().flat_map(|(_, lines)| lines).collect()
    }

    const INSIDE: [&str; 4] = [
        "backtrace::backtrace::trace",
        "hotprobe::profile::stacks::Shared::fire",
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
                "shop::_::<impl shop::SOLD>::fire|shop::sell::{{closure}}",
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
