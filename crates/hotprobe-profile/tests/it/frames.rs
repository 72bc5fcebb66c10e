//! The stacks that lead to events: which frames show.

use super::last;
use hotprobe::fire;
use hotprobe_profile::{StackProfile, Stacks};
use std::hint::black_box;
use std::thread;

/// The names of the frames of the only stack.
fn only(profile: &StackProfile) -> Vec<String> {
    let samples = profile.samples();
    assert_eq!(samples.len(), 1, "{samples:#?}");
    let frames = samples[0].frames().iter();
    frames.map(|frame| frame.name().to_owned()).collect()
}

/// Names that only this library's frames have, and those that it brings in.
fn assert_none_of_ours(names: &[String]) {
    for name in names {
        for ours in [
            "hotprobe::",
            "__fire",
            "fire_",
            "__thunk",
            "__dynamic",
            "backtrace::",
        ] {
            assert!(
                !name.contains(ours) || name.contains("rust_begin_short_backtrace"),
                "`{name}` in {names:#?}"
            );
        }
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "there is no debug information; ci/profile.sh looks at such builds"
)]
fn the_innermost_frame_is_the_function_that_fired_however_it_did() {
    hotprobe::event! { static FIRED: fn(n: u64); }

    #[inline(never)]
    fn by_macro() {
        fire!(FIRED, black_box(1));
    }
    #[inline(never)]
    fn by_method() {
        FIRED.fire(black_box(1));
    }
    #[inline(never)]
    fn in_a_closure() {
        let closure = || fire!(FIRED, black_box(1));
        (0..1).for_each(|_| black_box(closure)());
    }
    #[inline(never)]
    fn in_a_closure_by_method() {
        let closure = || FIRED.fire(black_box(1));
        closure();
    }
    #[inline(never)]
    fn when_pinned() {
        hotprobe::pinned(by_macro);
    }
    #[inline(never)]
    fn on_a_thread_of_its_own() {
        thread::spawn(by_macro).join().unwrap();
    }

    type Case = (fn(), &'static [&'static str]);
    let cases: [Case; 6] = [
        (by_macro, &["by_macro", "the_innermost"]),
        (by_method, &["by_method", "the_innermost"]),
        (in_a_closure, &["in_a_closure::{{closure}}"]),
        (
            in_a_closure_by_method,
            &[
                "in_a_closure_by_method::{{closure}}",
                "in_a_closure_by_method",
            ],
        ),
        (when_pinned, &["by_macro"]),
        (on_a_thread_of_its_own, &["by_macro"]),
    ];
    for (case, expected) in cases {
        let stacks = Stacks::at(&FIRED).start().unwrap();
        case();
        let names = only(&stacks.finish().unwrap());
        for (name, expected) in names.iter().zip(expected) {
            assert!(name.contains(expected), "{expected}: {names:#?}");
        }
        assert!(
            !names[0].ends_with("{{closure}}::{{closure}}"),
            "{names:#?}"
        );
        let closures = names[0].matches("{{closure}}").count();
        assert_eq!(
            closures,
            expected[0].matches("{{closure}}").count(),
            "{names:#?}"
        );
        assert_none_of_ours(&names);
        assert!(names.len() > 3, "{names:#?}");
    }
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "there is no debug information; ci/profile.sh looks at such builds"
)]
fn a_frame_tells_the_file_and_the_line_of_the_firing() {
    hotprobe::event! { static FIRED: fn(); }
    let stacks = Stacks::at(&FIRED).start().unwrap();
    let line = line!() + 1;
    fire!(FIRED);
    let profile = stacks.finish().unwrap();
    let frame = profile.samples()[0].frames()[0];
    assert!(frame.file().unwrap().ends_with(file!()), "{frame:?}");
    assert_eq!(frame.line(), Some(line));
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "there is no debug information; ci/profile.sh looks at such builds"
)]
fn where_a_probe_fires_neither_firing_shows() {
    hotprobe::event! { static OUTER: fn(); static INNER: fn(); }

    #[inline(never)]
    fn probe() {
        fire!(INNER);
        black_box(());
    }
    #[inline(never)]
    fn outer() {
        fire!(OUTER);
        black_box(());
    }
    let stacks = Stacks::at(&INNER).start().unwrap();
    let watch = OUTER.attach(probe);
    outer();
    let names = only(&stacks.finish().unwrap());
    drop(watch);
    assert_eq!(last(&names[0]), "probe", "{names:#?}");
    assert!(names.iter().any(|name| last(name) == "outer"), "{names:#?}");
    assert_none_of_ours(&names);
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "there is no debug information; ci/profile.sh looks at such builds"
)]
fn a_deep_stack_keeps_its_innermost_frames_and_says_that_it_is_cut_off() {
    hotprobe::event! { static DEEP: fn(); }
    #[inline(never)]
    fn descend(levels: u32) {
        if levels == 0 {
            fire!(DEEP);
        } else {
            descend(black_box(levels - 1));
        }
        black_box(());
    }
    for (frames, levels) in [(10, 100), (448, 600), (1, 1)] {
        let stacks = Stacks::at(&DEEP).max_frames(frames).start().unwrap();
        descend(levels);
        let names = only(&stacks.finish().unwrap());
        assert_eq!(names.len(), frames + 1, "{names:#?}");
        assert!(
            names[..frames].iter().all(|name| last(name) == "descend"),
            "{names:#?}"
        );
        assert_eq!(names[frames], "(cut off)");
    }
}
