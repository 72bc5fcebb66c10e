//! Names from the files that the process has loaded.

use super::files::SymbolFiles;
use super::found::FoundFunction;
use super::modules::Modules;
use super::symbol_file::SymbolFile;

/// Looks up functions. A file is read when the first address in it is looked up.
pub(in crate::stacks) struct Resolver<'a> {
    files: &'a SymbolFiles,
    modules: Modules,
    /// For each module: not read yet, or what could be read.
    read: Vec<Option<Option<SymbolFile<'a>>>>,
}

impl<'a> Resolver<'a> {
    /// Lists what the process has loaded.
    pub(in crate::stacks) fn new(files: &'a SymbolFiles) -> Self {
        Self::of(Modules::of_this_process(), files)
    }

    fn of(modules: Modules, files: &'a SymbolFiles) -> Self {
        let read = modules.all.iter().map(|_| None).collect();
        Self {
            files,
            modules,
            read,
        }
    }

    /// Returns the functions at an address inside an instruction, the innermost inlined one first; none if the address has no
    /// name.
    pub(in crate::stacks) fn functions(&mut self, address: usize) -> Vec<FoundFunction> {
        let Some((module, offset)) = self.modules.find(address as u64) else {
            return Vec::new();
        };
        let file = self.read[module]
            .get_or_insert_with(|| SymbolFile::read(&self.modules.all[module], self.files));
        let found = file.as_ref().map(|file| file.functions(offset));
        found.unwrap_or_default()
    }
}
