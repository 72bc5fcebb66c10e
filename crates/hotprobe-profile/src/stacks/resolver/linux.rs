//! Names from the files that the process has loaded.

use super::cache::{CachedModule, ModuleCache, NamedModules};
use super::found::FoundFunction;
use super::modules::Modules;
use std::sync::Arc;

/// Looks up functions. A file is read when the first address in it is looked up, unless another
/// resolver has read it.
pub(in crate::stacks) struct Resolver<'a> {
    cache: &'a ModuleCache,
    modules: Modules,
    /// For each module.
    found: Vec<FoundModule>,
}

/// What is known of a module.
enum FoundModule {
    NotYet,
    Unreadable,
    Found(Arc<CachedModule>),
}

impl<'a> Resolver<'a> {
    /// Lists what the process has loaded.
    pub(in crate::stacks) fn new(cache: &'a ModuleCache) -> Self {
        Self::of(Modules::of_this_process(), cache)
    }

    pub(super) fn of(modules: Modules, cache: &'a ModuleCache) -> Self {
        let found = modules.all.iter().map(|_| FoundModule::NotYet).collect();
        Self {
            cache,
            modules,
            found,
        }
    }

    /// Returns the functions at an address inside an instruction, the innermost inlined one first;
    /// none if the address has no name.
    pub(in crate::stacks) fn functions(&mut self, address: usize) -> Vec<FoundFunction> {
        let Some((module, offset)) = self.modules.find(address as u64) else {
            return Vec::new();
        };
        let found = &mut self.found[module];
        if let FoundModule::NotYet = found {
            *found = self
                .cache
                .find(&self.modules.all[module])
                .map_or(FoundModule::Unreadable, FoundModule::Found);
        }
        match found {
            FoundModule::Found(module) => module.functions(offset),
            _ => Vec::new(),
        }
    }

    /// Returns what was looked at: the next resolver finds it, as long as it is kept.
    pub(in crate::stacks) fn into_modules(self) -> NamedModules {
        let found = self.found.into_iter();
        let found = found.filter_map(|found| match found {
            FoundModule::Found(module) => Some(module),
            _ => None,
        });
        NamedModules(found.collect())
    }
}
