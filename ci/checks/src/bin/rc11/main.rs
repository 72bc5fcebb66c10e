//! Checks memory orderings by litmus tests, in a model that allows load buffering (`ci/rc11.sh`).
//!
//! Loom runs the code itself, but explores no load buffering, and synchronizes fences more than the
//! standard does. This program knows the standard's rules (RC11, in `execution.rs`), but only
//! litmus tests: a few accesses each, in `ci/rc11/*.litmus` (the language: `litmus.rs`). So that
//! these stay true, each access is a *row* that names its line of the source.
//!
//! **Load buffering is allowed**, unlike in RC11 proper, which forbids cycles of program order and
//! reads-from: a load may read what a later store of its own thread caused. Hardware does that
//! (Arm, POWER), compilers do it to relaxed accesses, and Rust's standard does not forbid it.
//! Everything that RC11 allows is allowed here as well, so a test that holds here holds there.
//! Values out of thin air are not: each value has to be computable from the first ones. `--strict`
//! brings the axiom back, which shows what only load buffering breaks.
//!
//! What is checked:
//! * the checker: each combination of orderings in the families of `classics.litmus` (SB, MP, ...)
//!   is allowed or forbidden as listed there, with and without the axiom;
//! * each test holds; each bug in it, planted, does not;
//! * each row, weakened by one step in all tests that have it, violates one of them, or says why
//!   not; a reason that is not needed is an error;
//! * each row's line is in the source, with this ordering, and each ordering of the watched files
//!   that is not `Relaxed` has a row;
//! * the tables in the documentation list just that (`--write` renews them).

mod execution;
mod litmus;
mod order;
mod rows;
mod traces;

use execution::{Model, violation};
use litmus::{Family, File, Test};
use order::{Kind, Strength};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use traces::{Variant, traces};

const USAGE: &str = "rc11 [--strict] [--write] [--show TEST] ROOT";

struct Options {
    model: Model,
    write: bool,
    /// Prints violations of this test.
    show: Option<String>,
    root: PathBuf,
}

fn options() -> Option<Options> {
    let mut options = Options {
        model: Model {
            load_buffering: true,
        },
        write: false,
        show: None,
        root: PathBuf::new(),
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--strict" => options.model.load_buffering = false,
            "--write" => options.write = true,
            "--show" => options.show = Some(arguments.next()?),
            root => options.root = PathBuf::from(root),
        }
    }
    options.root.is_dir().then_some(options)
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!("usage: {USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(wrong) if wrong.is_empty() => ExitCode::SUCCESS,
        Ok(wrong) => {
            for line in &wrong {
                eprintln!("rc11: {line}");
            }
            eprintln!("rc11: {} errors", wrong.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("rc11: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(root: &Path) -> Result<Vec<File>, String> {
    let folder = root.join("ci/rc11");
    let entries = fs::read_dir(&folder).map_err(|error| format!("ci/rc11: {error}"))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| Path::new(name).extension().is_some_and(|e| e == "litmus"))
        .collect();
    names.sort();
    let parse = |name: &String| {
        let text = fs::read_to_string(folder.join(name));
        let text = text.map_err(|error| format!("{name}: {error}"))?;
        File::parse(name, &text)
    };
    names.iter().map(parse).collect()
}

fn run(options: &Options) -> Result<Vec<String>, String> {
    let files = read(&options.root)?;
    let mut wrong = Vec::new();
    for family in files.iter().flat_map(|file| &file.families) {
        wrong.extend(classic(family)?);
    }
    let used = used(&files)?;
    wrong.extend(rows::check(&options.root, &files, &used));
    let mut report = Report::default();
    for file in &files {
        report.file(file, options, &files)?;
    }
    wrong.append(&mut report.wrong);
    println!(
        "{} tests hold, {} planted bugs fail, {} of {} weakened orderings fail (the others say why \
         not)",
        report.tests, report.planted, report.caught, report.weakened
    );
    if options.model.load_buffering {
        wrong.extend(tables(&report.tables, options)?);
    }
    Ok(wrong)
}

/// A family: each combination of orderings is as listed.
fn classic(family: &Family) -> Result<Vec<String>, String> {
    let begun = Instant::now();
    let test = &family.test;
    let slots: Vec<(&String, Vec<Strength>)> = test
        .slots
        .iter()
        .map(|(slot, kind)| (slot, kind.strengths()))
        .collect();
    let (mut wrong, mut count, mut forbidden) = (Vec::new(), 0, 0);
    let mut at = vec![0; slots.len()];
    loop {
        let chosen = slots.iter().zip(&at);
        let chosen: BTreeMap<String, Strength> = chosen
            .map(|((slot, all), at)| ((*slot).clone(), all[*at]))
            .collect();
        let is_listed = family.forbidden.iter().any(|weakest| {
            let mut weakest = weakest.iter();
            weakest.all(|(slot, strength)| chosen[slot].is_at_least(*strength))
        });
        let variant = Variant {
            slots: chosen,
            ..Variant::default()
        };
        let traces = traces(test, &variant)?;
        for load_buffering in [false, true] {
            let model = Model { load_buffering };
            let is_forbidden = violation(test, model, &traces).is_none();
            if is_forbidden != (is_listed || family.is_thin_air && !load_buffering) {
                let verdict = if is_forbidden { "forbidden" } else { "allowed" };
                wrong.push(format!(
                    "{}: {verdict}, which is not as listed ({model:?}): {:?}",
                    test.name, variant.slots
                ));
            }
        }
        count += 1;
        forbidden += u32::from(is_listed);
        let Some(next) = (0..at.len()).find(|slot| at[*slot] + 1 < slots[*slot].1.len()) else {
            break;
        };
        at[next] += 1;
        at[..next].fill(0);
    }
    let verdict = if wrong.is_empty() {
        "as listed"
    } else {
        "WRONG"
    };
    println!(
        "{:44} {count:6} combinations, {forbidden:6} forbidden: {verdict} ({:.1} s)",
        test.name,
        begun.elapsed().as_secs_f64()
    );
    wrong.truncate(10);
    Ok(wrong)
}

/// The rows that tests have.
fn used(files: &[File]) -> Result<BTreeMap<String, (Kind, Strength)>, String> {
    let mut used = BTreeMap::new();
    for test in files.iter().flat_map(|file| &file.tests) {
        for (row, access) in &test.rows {
            let mut rows = files.iter().flat_map(|file| &file.rows);
            if !rows.any(|known| known.id == *row) {
                return Err(format!("{}: there is no row `{row}`", test.name));
            }
            let before = used.insert(row.clone(), *access);
            if before.is_some_and(|before| before != *access) {
                return Err(format!(
                    "{}: `{row}` is another access elsewhere",
                    test.name
                ));
            }
        }
    }
    Ok(used)
}

#[derive(Default)]
struct Report {
    tests: usize,
    planted: usize,
    weakened: usize,
    caught: usize,
    wrong: Vec<String>,
    /// By file: the lines.
    tables: BTreeMap<String, Vec<String>>,
    /// How many violations each test has had.
    violations: BTreeMap<String, usize>,
}

impl Report {
    /// The violation of a test, if there is one.
    fn look(
        &mut self,
        test: &Test,
        variant: &Variant,
        options: &Options,
    ) -> Result<Option<String>, String> {
        let found = violation(test, options.model, &traces(test, variant)?);
        if let Some(found) = &found {
            *self.violations.entry(test.name.clone()).or_default() += 1;
            if options.show.as_ref() == Some(&test.name) {
                println!("  {} {variant:?}: {found}", test.name);
            }
        }
        Ok(found)
    }

    fn file(&mut self, file: &File, options: &Options, files: &[File]) -> Result<(), String> {
        for test in &file.tests {
            let begun = Instant::now();
            self.tests += 1;
            if let Some(found) = self.look(test, &Variant::default(), options)? {
                self.wrong.push(format!("{}: {found}", test.name));
            }
            for bug in &test.bugs {
                self.planted += 1;
                let variant = Variant {
                    planted: Some(bug.clone()),
                    ..Variant::default()
                };
                if self.look(test, &variant, options)?.is_none() {
                    let line = format!("{}: the planted bug {bug} changes nothing", test.name);
                    self.wrong.push(line);
                }
            }
            let took = begun.elapsed().as_secs_f64();
            if took > 2.0 {
                println!("{}: {took:.1} s", test.name);
            }
        }
        for row in &file.rows {
            let mut tests = files.iter().flat_map(|file| &file.tests);
            let access = tests.find_map(|test| test.rows.get(&row.id));
            let (kind, strength) = access.copied().unwrap_or((Kind::Fence, Strength::Absent));
            let mut needless: Vec<&String> = row.may.iter().map(|(weaker, _)| weaker).collect();
            let mut lines = Vec::new();
            for weaker in strength.weaker(kind) {
                self.weakened += 1;
                let weakly = match (strength, weaker) {
                    (Strength::Heavy, _) => "a fence of its own".to_owned(),
                    _ => weaker.to_string(),
                };
                let plain = weakly.replace('`', "");
                let may = row.may.iter().find(|(name, _)| *name == plain);
                needless.retain(|name| **name != plain);
                let caught = self.weakened(&row.id, weaker, options, files)?;
                self.caught += usize::from(!caught.is_empty());
                match (may, caught.first()) {
                    (None, Some(test)) => {
                        // Of those that catch it, one that needs no load buffering, if there is.
                        let strict = Self::caught_strictly(&row.id, weaker, &caught, files)?;
                        lines.push(match strict {
                            Some(test) => format!("{weakly} | `{test}`"),
                            None => format!("{weakly} | `{test}`, by load buffering"),
                        });
                    }
                    (Some((_, reason)), None) => lines.push(format!("{weakly} | none: {reason}")),
                    (None, None) => self.wrong.push(format!(
                        "row {}: weakened to {weakly}, no test fails",
                        row.id
                    )),
                    (Some(_), Some(test)) => self.wrong.push(format!(
                        "row {}: weakened to {weakly}, {test} fails, though it says that it may be",
                        row.id
                    )),
                }
            }
            for name in needless {
                let line = format!("row {}: `{name}` is no step weaker", row.id);
                self.wrong.push(line);
            }
            if let Some(reason) = &row.outside {
                lines.push(format!("| no litmus: {reason}"));
            }
            let table = file.table.clone().unwrap_or_default();
            let table = self.tables.entry(table).or_default();
            table.extend(
                lines
                    .iter()
                    .map(|line| format!("| {} | {line} |", row.name)),
            );
        }
        for test in &file.tests {
            if !self.violations.contains_key(&test.name) {
                let line = format!("{}: nothing makes it fail, so it shows nothing", test.name);
                self.wrong.push(line);
            }
        }
        Ok(())
    }

    /// The first of the tests that fails as well without load buffering.
    fn caught_strictly<'a>(
        row: &str,
        weaker: Strength,
        caught: &'a [String],
        files: &[File],
    ) -> Result<Option<&'a String>, String> {
        let strict = Model {
            load_buffering: false,
        };
        let variant = Variant {
            weakened: Some((row.to_owned(), weaker)),
            ..Variant::default()
        };
        for name in caught {
            let mut tests = files.iter().flat_map(|file| &file.tests);
            let test = tests.find(|test| test.name == *name);
            let test = test.ok_or_else(|| format!("no test {name}"))?;
            if violation(test, strict, &traces(test, &variant)?).is_some() {
                return Ok(Some(name));
            }
        }
        Ok(None)
    }

    /// The tests that fail with a row weakened.
    fn weakened(
        &mut self,
        row: &str,
        weaker: Strength,
        options: &Options,
        files: &[File],
    ) -> Result<Vec<String>, String> {
        let mut caught = Vec::new();
        let variant = Variant {
            weakened: Some((row.to_owned(), weaker)),
            ..Variant::default()
        };
        for test in files.iter().flat_map(|file| &file.tests) {
            if test.rows.contains_key(row) && self.look(test, &variant, options)?.is_some() {
                caught.push(test.name.clone());
            }
        }
        Ok(caught)
    }
}

const BEGIN: &str = "<!-- ci/rc11.sh --write: begin -->";
const END: &str = "<!-- ci/rc11.sh --write: end -->";

/// Compares the tables in the documentation, or writes them.
fn tables(
    tables: &BTreeMap<String, Vec<String>>,
    options: &Options,
) -> Result<Vec<String>, String> {
    let mut wrong = Vec::new();
    for (file, lines) in tables.iter().filter(|(file, _)| !file.is_empty()) {
        let path = options.root.join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        let (begin, end) = (format!("//! {BEGIN}\n"), format!("//! {END}\n"));
        let parts = text.split_once(&begin).and_then(|(before, rest)| {
            let (inside, after) = rest.split_once(&end)?;
            Some((before, inside, after))
        });
        let Some((before, inside, after)) = parts else {
            wrong.push(format!("{file}: it has no place for the table, `{BEGIN}`"));
            continue;
        };
        let mut table = String::from("//! | access | weakened to | litmus test that fails |\n");
        table += "//! |---|---|---|\n";
        for line in lines {
            let _ = writeln!(table, "//! {line}");
        }
        if options.write {
            let text = [before, &begin, &table, &end, after].concat();
            fs::write(&path, text).map_err(|error| format!("{file}: {error}"))?;
        } else if inside != table {
            wrong.push(format!(
                "{file}: its table is out of date; `ci/rc11.sh --write` renews it"
            ));
        }
    }
    Ok(wrong)
}
