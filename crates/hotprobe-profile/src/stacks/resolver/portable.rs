//! Names by the crate `backtrace`, on systems where we do not read the files ourselves.

use super::found::FoundFunction;
use std::fmt::Write;
use std::marker::PhantomData;
use std::ptr;

/// The files that names come from: `backtrace` keeps them.
#[derive(Debug, Default)]
pub(in crate::stacks) struct SymbolFiles(());

impl SymbolFiles {
    pub(in crate::stacks) fn new() -> Self {
        Self(())
    }
}

/// Looks up functions.
#[derive(Debug)]
pub(in crate::stacks) struct Resolver<'a>(PhantomData<&'a SymbolFiles>);

impl<'a> Resolver<'a> {
    pub(in crate::stacks) fn new(_: &'a SymbolFiles) -> Self {
        Self(PhantomData)
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
