//! Names for addresses, looked up when a profile is written.

use super::raw::{CUT, RawProfile, RawStack};
use super::resolver::{ModuleCache, NamedModules, Resolver};
use super::trim::{SeenFunction, home, trim};
use std::collections::HashMap;

/// All stacks of a profile with names, without the frames that do not show.
#[derive(Clone, Debug, Default)]
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
    /// Looks up all names. What was read for that is in the cache as long as the second part of the
    /// result lives.
    pub(super) fn of(raw: &RawProfile, cache: &ModuleCache) -> (Self, NamedModules) {
        let mut resolver = Resolver::new(cache);
        let mut builder = SymbolsBuilder {
            home: home(&mut resolver),
            resolver,
            symbols: Self::default(),
            functions: HashMap::new(),
            locations: HashMap::new(),
            found: HashMap::new(),
        };
        for row in &raw.rows {
            let stack = match &row.stack {
                RawStack::MadeUp(name) => vec![builder.made_up(name)],
                RawStack::Addresses(addresses) => builder.stack(addresses, raw.max_frames),
            };
            builder.symbols.stacks.push(stack);
        }
        (builder.symbols, builder.resolver.into_modules())
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

struct SymbolsBuilder<'a> {
    resolver: Resolver<'a>,
    symbols: Symbols,
    functions: HashMap<FrameFunction, usize>,
    locations: HashMap<FrameLocation, usize>,
    /// What was found at an address, before anything is taken away.
    found: HashMap<usize, Vec<FrameLine>>,
    /// Where this library's files are.
    home: Option<String>,
}

impl SymbolsBuilder<'_> {
    fn stack(&mut self, addresses: &[usize], max: usize) -> Vec<usize> {
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
        let cut = shown.len() > max;
        shown.truncate(max);
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
        // (A return address may be the next function's already; the byte before is the call's.)
        let mut lines: Vec<_> = self
            .resolver
            .functions(address - 1)
            .into_iter()
            .map(|found| {
                let function = FrameFunction {
                    name: found.name,
                    system_name: found.system_name,
                    file: found.file,
                };
                FrameLine {
                    function: self.function(function),
                    line: found.line,
                }
            })
            .collect();
        if lines.is_empty() {
            let function = self.function(named(&format!("{address:#x}")));
            lines.push(FrameLine { function, line: 0 });
        }
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::{ModuleCache, Symbols};
    use crate::stacks::capture::Busy;
    use crate::{StackProfile, Stacks};
    use std::fs::File;
    use std::hint::black_box;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;
    use test_support::Door;

    #[test]
    fn threads_fire_and_name_stacks_while_a_symbol_file_does_not_open() {
        hotprobe::event! { static TICK: fn(); }
        static DOOR: Door = Door::new();
        #[inline(never)]
        fn tick() {
            hotprobe::fire!(TICK);
            black_box(());
        }
        let stacks = Stacks::at(&TICK).start().unwrap();
        tick();
        let profile = stacks.snapshot();
        let is_first = AtomicBool::new(true);
        let cache = ModuleCache::opened_by(move |path| {
            if is_first.swap(false, Ordering::Relaxed) {
                DOOR.pass();
            }
            File::open(path)
        });
        let name = |profile: &StackProfile| {
            let (symbols, _) = Symbols::of(profile.raw(), &cache);
            let first = symbols.lines(0).next();
            first.map(|(function, _)| function.name.clone())
        };
        let (sender, receiver) = mpsc::channel();
        thread::scope(|scope| {
            let stopped = scope.spawn(|| name(&profile));
            DOOR.wait_for_arrival();
            scope.spawn(|| {
                tick();
                let profile = stacks.snapshot();
                sender
                    .send((name(&profile), profile.counts().fired))
                    .unwrap();
            });
            let found = receiver.recv_timeout(Duration::from_secs(60));
            DOOR.open();
            let (name, fired) = found.expect("it waits for the file");
            assert!(
                name.as_ref().is_some_and(|name| name.ends_with("::tick")),
                "{name:?}"
            );
            assert_eq!(fired, 2);
            assert_eq!(stopped.join().unwrap(), name);
        });
    }

    #[test]
    fn without_the_files_stacks_are_addresses() {
        hotprobe::event! { static TICK: fn(); }
        let stacks = Stacks::at(&TICK).start().unwrap();
        TICK.fire();
        let profile = stacks.snapshot();
        let cache = ModuleCache::opened_by(|path| File::open(path.join("not-there")));
        let (symbols, _) = Symbols::of(profile.raw(), &cache);
        let names: Vec<_> = symbols
            .lines(0)
            .map(|(function, _)| &function.name)
            .collect();
        assert!(names.len() > 3, "{names:?}");
        for name in names {
            let address = name.strip_prefix("0x").unwrap_or_default();
            assert!(u64::from_str_radix(address, 16).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_naming_inside_another_takes_none_of_its_locks() {
        hotprobe::event! { static TICK: fn(); }
        let stacks = Stacks::at(&TICK).start().unwrap();
        TICK.fire();
        let profile = stacks.snapshot();
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            // What a naming holds at most when its allocator fires an event.
            let _busy = Busy::enter();
            let _list = ModuleCache::of_this_process().hold();
            let samples = profile.samples();
            let named = samples[0].frames().iter();
            sender
                .send(named.filter(|frame| frame.file().is_some()).count())
                .unwrap();
        });
        let named = receiver.recv_timeout(Duration::from_secs(60));
        assert!(named.expect("it waits for itself") > 0);
    }
}
