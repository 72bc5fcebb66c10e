//! Names from the files that the process has loaded.

use super::files::SymbolFiles;
use super::found::FoundFunction;
use super::modules::Modules;
use super::symbol_file::SymbolFile;

/// Looks up functions. A file is read when the first address in it is looked up.
pub(in crate::stacks) struct Resolver<'a> {
    files: &'a SymbolFiles,
    modules: Modules,
    /// For each module.
    read: Vec<ReadModule<'a>>,
}

/// What is known of a module.
enum ReadModule<'a> {
    NotYet,
    Unreadable,
    Read(Box<SymbolFile<'a>>),
}

impl<'a> Resolver<'a> {
    /// Lists what the process has loaded.
    pub(in crate::stacks) fn new(files: &'a SymbolFiles) -> Self {
        Self::of(Modules::of_this_process(), files)
    }

    fn of(modules: Modules, files: &'a SymbolFiles) -> Self {
        let read = modules.all.iter().map(|_| ReadModule::NotYet).collect();
        Self {
            files,
            modules,
            read,
        }
    }

    /// Returns the functions at an address inside an instruction, the innermost inlined one first;
    /// none if the address has no name.
    pub(in crate::stacks) fn functions(&mut self, address: usize) -> Vec<FoundFunction> {
        let Some((module, offset)) = self.modules.find(address as u64) else {
            return Vec::new();
        };
        let read = &mut self.read[module];
        if let ReadModule::NotYet = read {
            *read = SymbolFile::read(&self.modules.all[module], self.files)
                .map_or(ReadModule::Unreadable, |file| ReadModule::Read(file.into()));
        }
        match read {
            ReadModule::Read(file) => file.functions(offset),
            _ => Vec::new(),
        }
    }
}
