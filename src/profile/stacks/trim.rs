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
    if let Some(last) = last_of_firing(&names) {
        frames.drain(..=last);
        trim_call(event, &mut frames, &name);
    }
    for frame in &mut frames {
        frame.1.retain(|line| !is_ours(name(line)));
    }
    frames.retain(|frame| !frame.1.is_empty());
    frames
}

/// The outermost frame of the innermost firing.
fn last_of_firing(names: &[&str]) -> Option<usize> {
    let mut last = names.iter().position(|name| step(name) > 0)?;
    for (index, name) in names.iter().enumerate().skip(last + 1) {
        if step(name) > step(names[last]) {
            last = index;
        } else if step(name) > 0 || is_probe(name) || !(is_ours(name) || is_std(name)) {
            break;
        }
    }
    Some(last)
}

/// How far out a function is among those that fire; 0: it is none of them.
fn step(name: &str) -> u8 {
    if name.ends_with(">::fire_enabled") {
        3
    } else if last_segment_is(name, "__fire_outermost") || last_segment_is(name, "__fire_inside") {
        2
    } else {
        u8::from(is_our_crate(name) && last_segment_is(name, "fire_first"))
    }
}

/// What `event!` makes to call a probe: within it another firing begins.
fn is_probe(name: &str) -> bool {
    last_segment_is(name, "__dynamic") || last_segment_is(name, "__thunk")
}

/// The firing function's own frame: without what `fire` and `fire!` add to it.
fn trim_call<'n, L>(event: &str, frames: &mut [Frame<L>], name: impl Fn(&L) -> &'n str) {
    let Some((_, lines)) = frames.first_mut() else {
        return;
    };
    let event = event.rsplit("::").next().unwrap_or(event);
    let fire = format!("{event}>::fire");
    let plain = lines
        .iter()
        .take_while(|line| name(line).ends_with(&fire))
        .count();
    lines.drain(..plain);
    if plain > 0 {
        return;
    }
    // No `fire`: it was `fire!`, whose closure is not the program's. (Without debug information a program's closure
    // that is called by the function it stands in cannot be told from it, and goes to that function.)
    let first = lines.first().map(&name);
    let around = lines.get(1).map(&name);
    let around = around.or_else(|| frames.get(1)?.1.first().map(&name));
    if let (Some(first), Some(around)) = (first, around) {
        if without_closure(first) == Some(around) {
            frames[0].1.remove(0);
        }
    }
}

/// `f` of `f::{{closure}}` and of `f::{closure#0}`.
fn without_closure(name: &str) -> Option<&str> {
    let (around, last) = name.rsplit_once("::")?;
    (last.starts_with("{{closure}}") || last.starts_with("{closure#")).then_some(around)
}

fn is_ours(name: &str) -> bool {
    is_our_crate(name) || is_probe(name) || step(name) > 0
}

fn is_our_crate(name: &str) -> bool {
    crate_is(name, "hotprobe")
}

fn is_std(name: &str) -> bool {
    ["std", "core", "alloc"]
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
