//! Names by the crate `backtrace`, on systems where we do not read the files ourselves.

use super::found::FoundFunction;
use std::fmt::Write;
use std::marker::PhantomData;
use std::ptr;

/// What was read of files: `backtrace` keeps it, for the whole process.
#[derive(Debug, Default)]
pub(in crate::stacks) struct ModuleCache(());

impl ModuleCache {
    pub(in crate::stacks) fn new() -> Self {
        Self(())
    }

    pub(in crate::stacks) fn of_this_process() -> &'static Self {
        static CACHE: ModuleCache = ModuleCache(());
        &CACHE
    }
}

/// What a profile keeps for the next: nothing.
#[derive(Clone, Debug, Default)]
pub(in crate::stacks) struct NamedModules(());

/// Looks up functions.
#[derive(Debug)]
pub(in crate::stacks) struct Resolver<'a>(PhantomData<&'a ModuleCache>);

impl<'a> Resolver<'a> {
    pub(in crate::stacks) fn new(_: &'a ModuleCache) -> Self {
        Self(PhantomData)
    }

    #[allow(clippy::unused_self, reason = "on Linux, it has something to give")]
    pub(in crate::stacks) fn into_modules(self) -> NamedModules {
        NamedModules(())
    }

    /// Returns the functions at an address inside an instruction, the innermost inlined one first.
    ///
    /// Takes the lock of the crate `backtrace`.
    pub(in crate::stacks) fn functions(&mut self, address: usize) -> Vec<FoundFunction> {
        let mut found = Vec::new();
        // `resolve` looks at the byte before.
        backtrace::resolve(ptr::without_provenance_mut(address + 1), |symbol| {
            let Some(system_name) = symbol.name() else {
                return;
            };
            let mut name = String::new();
            // Infallible: a name writes what it can.
            let _ = write!(name, "{system_name:#}");
            let file = symbol
                .filename()
                .map(|file| file.to_string_lossy().into_owned());
            found.push(FoundFunction {
                name,
                system_name: String::from_utf8_lossy(system_name.as_bytes()).into_owned(),
                file: file.unwrap_or_default(),
                line: symbol.lineno().unwrap_or(0),
            });
        });
        found
    }
}
