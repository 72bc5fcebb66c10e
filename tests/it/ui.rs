//! What must not compile (`tests/ui/fail`), and how it says so; each case has a twin of the same
//! name that compiles (`tests/ui/pass`, a module here), so that none fails for another reason than
//! the one it is about.

#[path = "../ui/pass/mod.rs"]
mod twins;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// The compiler whose words the `.stderr` files hold. Others word errors differently; with them
/// only the twins are compiled. To go to another one: `TRYBUILD=overwrite cargo test --test it ui`,
/// and read the difference.
const WORDED_BY: &str = "rustc 1.95.";

#[test]
fn mistakes_do_not_compile() {
    let version = rustc_version();
    if version.starts_with(WORDED_BY) {
        let cases = trybuild::TestCases::new();
        cases.compile_fail("tests/ui/fail/*.rs");
    } else {
        eprintln!(
            "tests/ui/fail is skipped: its errors are worded by {WORDED_BY}x, this is {version}"
        );
    }
}

#[test]
fn each_mistake_has_a_twin() {
    let mistakes = names("tests/ui/fail");
    assert!(!mistakes.is_empty());
    assert_eq!(mistakes, names("tests/ui/pass"));
    let compiled = include_str!("../ui/pass/mod.rs").lines();
    let compiled = compiled.filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
    assert_eq!(mistakes, compiled.map(str::to_owned).collect());
}

fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn names(folder: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "mod")
        .collect()
}
