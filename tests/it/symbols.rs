//! The names that `hotprobe-profile` takes out of stacks are those that real stacks have.

use hotprobe::__private::symbols::{
    CALLS_PROBE, CRATE, FIRE, FIRES, FIRES_BY_METHOD, FIRES_IN_CRATE, IMPL, source_file,
};
use hotprobe::{AnyEvent, Metadata, Value, fire};
use std::backtrace::Backtrace;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::thread;

hotprobe::event! { static FIRED: fn(n: u64); }

/// The stack of the last probe.
static STACK: Mutex<String> = Mutex::new(String::new());

#[inline(never)]
fn typed_probe(_: u64) {
    *STACK.lock().unwrap() = Backtrace::force_capture().to_string();
}

#[inline(never)]
fn dynamic_probe(_: &Metadata, _: &[Value<'_>]) {
    *STACK.lock().unwrap() = Backtrace::force_capture().to_string();
}

#[inline(never)]
fn by_macro() {
    fire!(FIRED, 1);
}

#[inline(never)]
fn by_method() {
    FIRED.fire(1);
}

/// The functions of the last stack with their files, the innermost first, between `probe` and
/// `firing`.
fn between(probe: &str, firing: &str) -> Vec<(String, String)> {
    let stack = STACK.lock().unwrap();
    let mut frames: Vec<(String, String)> = Vec::new();
    for line in stack.lines().map(str::trim) {
        if let Some(file) = line.strip_prefix("at ") {
            // Without line and column; the system's paths are below the working directory.
            let file = file.split_inclusive(".rs").next().unwrap_or(file);
            let file = file.trim_start_matches("./");
            frames.last_mut().expect("a name first").1.push_str(file);
        } else {
            let numbered = line.split_once(": ");
            let name = numbered.filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
            let name = name.map_or(line, |(_, name)| name);
            frames.push((name.to_owned(), String::new()));
        }
    }
    let position = |name: &str| {
        let name = format!("symbols::{name}");
        let found = frames.iter().position(|frame| frame.0.ends_with(&name));
        found.unwrap_or_else(|| panic!("no `{name}` in {stack}"))
    };
    let (start, end) = (position(probe), position(firing));
    frames[start + 1..end].to_vec()
}

/// Whether a function is of the crate; of `Vec<T>` in `<Vec<T> as Trait>::method`.
fn is_of(name: &str, krate: &str) -> bool {
    let name = name.trim_start_matches(['<', '&', '*']);
    let name = name.strip_prefix("dyn ").unwrap_or(name);
    name.starts_with(&format!("{krate}::"))
}

/// Whether the path's last segment is this, apart from generics and closures.
fn is_named(name: &str, segment: &str) -> bool {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with("::<") || rest.starts_with("::{");
    name.rsplit_once(&format!("::{segment}"))
        .is_some_and(|(_, rest)| ends(rest))
}

#[test]
#[cfg_attr(
    not(debug_assertions),
    ignore = "calls are inlined, and there is no debug information"
)]
fn every_frame_between_a_probe_and_the_function_that_fired_is_recognized_by_its_name() {
    let mut seen = BTreeSet::new();
    let mut check = |probe: &str, firing: &str| {
        for (name, file) in between(probe, firing) {
            let in_crate = is_of(&name, CRATE);
            let list = [FIRES, CALLS_PROBE].concat();
            let listed = list.iter().find(|listed| is_named(&name, listed));
            let methods = [FIRES_BY_METHOD, &[FIRE]].concat();
            let method = methods
                .iter()
                .find(|method| name.ends_with(&format!(">::{method}")));
            if let Some(listed) = listed {
                seen.insert(*listed);
            } else if let Some(method) = method {
                // One way to write a path has the `impl`, the other has the event only.
                assert!(name.contains(IMPL) || name.starts_with('<'), "{name}");
                let is_source = file.ends_with(source_file()) || source_file().ends_with(&file);
                assert!(!file.is_empty() && is_source, "{name} at {file}");
                seen.insert(*method);
            } else if in_crate {
                seen.extend(FIRES_IN_CRATE.iter().filter(|own| is_named(&name, own)));
            } else {
                let is_std = ["std", "core", "alloc"].iter().any(|std| is_of(&name, std));
                // The closure of `fire!`, which the function that fired calls.
                let is_macro = firing == "by_macro"
                    && (name.ends_with("by_macro::{{closure}}")
                        || name.ends_with("by_macro::{closure#0}"));
                assert!(
                    is_std || is_macro || name == "__rust_try",
                    "`{name}` is not recognized: {:#?}",
                    between(probe, firing)
                );
            }
        }
    };
    let typed = FIRED.attach(typed_probe);
    // A thread's first firing; then an outermost one, and one inside another.
    thread::spawn(by_macro).join().unwrap();
    check("typed_probe", "by_macro");
    by_macro();
    by_macro();
    check("typed_probe", "by_macro");
    by_method();
    check("typed_probe", "by_method");
    hotprobe::pinned(by_method);
    check("typed_probe", "by_method");
    drop(typed);
    let event: &dyn AnyEvent = &FIRED;
    let dynamic = event.attach(dynamic_probe);
    by_method();
    check("dynamic_probe", "by_method");
    drop(dynamic);

    let listed = [FIRES, FIRES_IN_CRATE, FIRES_BY_METHOD, &[FIRE], CALLS_PROBE].concat();
    assert_eq!(
        seen,
        listed.into_iter().collect(),
        "all that are listed, and no other"
    );
}
