//! Names for addresses, looked up when a profile is written.

use super::raw::{CUT, RawProfile, RawStack};
use super::trim::{SeenFunction, home, trim};
use std::collections::HashMap;
use std::fmt::Write;
use std::ptr;

/// All stacks of a profile with names, without the frames that do not show.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    pub(crate) functions: Vec<FrameFunction>,
    pub(crate) locations: Vec<FrameLocation>,
    /// For each of the profile's rows, its locations, the innermost first.
    pub(crate) stacks: Vec<Vec<usize>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FrameFunction {
    /// Demangled, without the hash.
    pub(crate) name: String,
    /// As the linker knows it.
    pub(crate) system_name: String,
    /// Empty: it is not known.
    pub(crate) file: String,
}

/// An address, and the functions that it lies in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FrameLocation {
    /// Within the call; 0 if it is made up.
    pub(crate) address: u64,
    /// The innermost inlined function first.
    pub(crate) lines: Vec<FrameLine>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FrameLine {
    pub(crate) function: usize,
    /// 0: it is not known.
    pub(crate) line: u32,
}

impl Symbols {
    pub(crate) fn of(raw: &RawProfile) -> Self {
        let mut builder = SymbolsBuilder {
            home: home(),
            ..SymbolsBuilder::default()
        };
        for row in &raw.rows {
            let stack = match &row.stack {
                RawStack::MadeUp(name) => vec![builder.made_up(name)],
                RawStack::Addresses(addresses) => builder.stack(addresses, raw.frames_at_most),
            };
            builder.symbols.stacks.push(stack);
        }
        builder.symbols
    }

    /// The functions of a row's stack, the innermost first, and the lines in them.
    pub(crate) fn lines(
        &self,
        row: usize,
    ) -> impl DoubleEndedIterator<Item = (&FrameFunction, u32)> {
        self.stacks[row]
            .iter()
            .flat_map(|&location| &self.locations[location].lines)
            .map(|line| (&self.functions[line.function], line.line))
    }
}

#[derive(Default)]
struct SymbolsBuilder {
    symbols: Symbols,
    functions: HashMap<FrameFunction, usize>,
    locations: HashMap<FrameLocation, usize>,
    /// What was found at an address, before anything is taken away.
    found: HashMap<usize, Vec<FrameLine>>,
    /// Where this library's files are.
    home: Option<String>,
}

impl SymbolsBuilder {
    fn stack(&mut self, addresses: &[usize], at_most: usize) -> Vec<usize> {
        let frames: Vec<_> = addresses
            .iter()
            .map(|&address| (address, self.look_up(address)))
            .collect();
        let functions = &self.symbols.functions;
        let seen = |line: &FrameLine| {
            let function = &functions[line.function];
            SeenFunction {
                name: &function.name,
                file: &function.file,
            }
        };
        let mut shown = trim(self.home.as_deref(), frames, seen);
        let cut = shown.len() > at_most;
        shown.truncate(at_most);
        let mut stack: Vec<_> = shown
            .into_iter()
            // (A return address may be the next function's already.)
            .map(|(address, lines)| self.location(address as u64 - 1, lines))
            .collect();
        if cut {
            stack.push(self.made_up(CUT));
        }
        stack
    }

    fn look_up(&mut self, address: usize) -> Vec<FrameLine> {
        if let Some(lines) = self.found.get(&address) {
            return lines.clone();
        }
        let mut lines = Vec::new();
        // (It looks at the instruction before: that is the call.)
        backtrace::resolve(ptr::without_provenance_mut(address), |symbol| {
            let Some(name) = symbol.name() else { return };
            let mut plain = String::new();
            // Infallible: the name writes what it can.
            let _ = write!(plain, "{name:#}");
            let file = symbol
                .filename()
                .map(|file| file.to_string_lossy().into_owned());
            lines.push((
                FrameFunction {
                    name: plain,
                    system_name: String::from_utf8_lossy(name.as_bytes()).into_owned(),
                    file: file.unwrap_or_default(),
                },
                symbol.lineno().unwrap_or(0),
            ));
        });
        if lines.is_empty() {
            let name = format!("{address:#x}");
            lines.push((named(&name), 0));
        }
        let lines: Vec<_> = lines
            .into_iter()
            .map(|(function, line)| FrameLine {
                function: self.function(function),
                line,
            })
            .collect();
        self.found.insert(address, lines.clone());
        lines
    }

    fn function(&mut self, function: FrameFunction) -> usize {
        let functions = &mut self.symbols.functions;
        *self
            .functions
            .entry(function)
            .or_insert_with_key(|function| {
                functions.push(function.clone());
                functions.len() - 1
            })
    }

    fn location(&mut self, address: u64, lines: Vec<FrameLine>) -> usize {
        let locations = &mut self.symbols.locations;
        let location = FrameLocation { address, lines };
        *self
            .locations
            .entry(location)
            .or_insert_with_key(|location| {
                locations.push(location.clone());
                locations.len() - 1
            })
    }

    fn made_up(&mut self, name: &str) -> usize {
        let function = self.function(named(name));
        self.location(0, vec![FrameLine { function, line: 0 }])
    }
}

fn named(name: &str) -> FrameFunction {
    FrameFunction {
        name: name.to_owned(),
        system_name: name.to_owned(),
        file: String::new(),
    }
}
