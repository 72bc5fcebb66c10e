//! What was read of the files that the process has loaded, shared by all that look names up.
//!
//! * A file is read once for all that need it at the same time, and is known by its
//!   [`FileIdentity`]: a library that was replaced is another file.
//! * The cache owns nothing. A module lives as long as anything that has looked a name up in it:
//!   a naming in progress, and then the profile that was named, by its [`NamedModules`]. When the
//!   last of them is dropped, so is what was read, and the files are unmapped.
//! * The list has a lock, under which no file is opened or read. Each module has one, which is held
//!   while its file is read and while a name is looked up: those that need this module wait, and no
//!   firing does. A thread that is inside a naming already (its allocator has events, say) takes
//!   none of these locks: it has a cache of its own.

use super::super::system;
use super::files::{Open, SymbolFiles};
use super::found::FoundFunction;
use super::modules::Module;
use super::symbol_file::{self, SymbolFile};
use memmap2::Mmap;
use std::fmt;
use std::fs::{File, Metadata};
use std::io;
use std::mem;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};

/// How many modules are shared at the same time. Further ones are read by each that needs them.
const MODULES_MOST: usize = 256;

/// Finds what others have read already.
pub(in crate::stacks) struct ModuleCache {
    open: Arc<Open>,
    at_most: usize,
    modules: Mutex<Vec<(FileIdentity, Weak<CachedModule>)>>,
}

impl ModuleCache {
    pub(in crate::stacks) fn new() -> Self {
        Self::opened_by(|path| File::open(path))
    }

    pub(in crate::stacks) fn opened_by(
        open: impl Fn(&Path) -> io::Result<File> + Send + Sync + 'static,
    ) -> Self {
        Self {
            open: Arc::new(open),
            at_most: MODULES_MOST,
            modules: Mutex::default(),
        }
    }

    /// Returns the cache that the whole process shares.
    pub(in crate::stacks) fn of_this_process() -> &'static Self {
        static CACHE: LazyLock<ModuleCache> = LazyLock::new(ModuleCache::new);
        &CACHE
    }

    /// Returns the module; `None` if its file cannot be opened. The file is looked at each time,
    /// but not read.
    pub(super) fn find(&self, module: &Module) -> Option<Arc<CachedModule>> {
        let file = (self.open)(&module.open).ok()?;
        let map = system::map(&file).ok()?;
        let identity = FileIdentity::of(module, &file.metadata().ok()?, &map);
        // Made before the lock is taken, and dropped after it if it is there already.
        let unread = Arc::new(CachedModule(Mutex::new(ReadModule::NotYet {
            module: module.clone(),
            map,
            open: Arc::clone(&self.open),
        })));
        let mut modules = lock(&self.modules);
        modules.retain(|(_, module)| module.strong_count() > 0);
        let found = modules.iter().find(|(found, _)| *found == identity);
        if let Some(found) = found.and_then(|(_, module)| module.upgrade()) {
            return Some(found);
        }
        if modules.len() < self.at_most {
            modules.push((identity, Arc::downgrade(&unread)));
        }
        Some(unread)
    }
}

#[cfg(test)]
impl ModuleCache {
    /// Takes the lock of the list.
    pub(in crate::stacks) fn hold(&self) -> impl Sized {
        lock(&self.modules)
    }
}

impl fmt::Debug for ModuleCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModuleCache")
            .field("listed", &lock(&self.modules).len())
            .finish_non_exhaustive()
    }
}

/// What distinguishes a file from one that was there before, or that has its name now.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileIdentity {
    module: Module,
    device: u64,
    inode: u64,
    len: u64,
    /// When its bytes changed, and when anything of it did, which no program can set back.
    modified: (i64, i64),
    changed: (i64, i64),
    build: Option<Vec<u8>>,
}

impl FileIdentity {
    fn of(module: &Module, metadata: &Metadata, bytes: &[u8]) -> Self {
        Self {
            module: module.clone(),
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
            build: symbol_file::build_id(bytes).map(<[u8]>::to_vec),
        }
    }
}

/// A module that is read when the first address in it is looked up.
pub(super) struct CachedModule(Mutex<ReadModule>);

enum ReadModule {
    NotYet {
        module: Module,
        map: Mmap,
        open: Arc<Open>,
    },
    Unreadable,
    Read(OwnedSymbolFile),
}

self_cell::self_cell!(
    /// What was read, with the files that it borrows from.
    struct OwnedSymbolFile {
        owner: SymbolFiles,
        #[not_covariant]
        dependent: SymbolFile,
    }
);

impl CachedModule {
    /// Returns the functions at an offset in the file, the innermost inlined one first.
    pub(super) fn functions(&self, offset: u64) -> Vec<FoundFunction> {
        let mut read = lock(&self.0);
        // What panics on the way is not read again.
        *read = match mem::replace(&mut *read, ReadModule::Unreadable) {
            ReadModule::NotYet { module, map, open } => {
                let files = SymbolFiles::of(map, open);
                OwnedSymbolFile::try_new(files, |files| SymbolFile::read(&module, files).ok_or(()))
                    .map_or(ReadModule::Unreadable, ReadModule::Read)
            }
            read => read,
        };
        match &*read {
            ReadModule::Read(file) => file.with_dependent(|_, file| file.functions(offset)),
            _ => Vec::new(),
        }
    }
}

/// The modules in which a profile's names were looked up: later profiles find them as long as this
/// lives.
#[derive(Clone, Default)]
pub(in crate::stacks) struct NamedModules(pub(super) Vec<Arc<CachedModule>>);

impl fmt::Debug for NamedModules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedModules").field(&self.0.len()).finish()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::super::linux::Resolver;
    use super::super::modules::{Module, Modules};
    use super::{FileIdentity, ModuleCache, NamedModules, lock};
    use crate::Stacks;
    use hotprobe::fire;
    use std::ffi::OsStr;
    use std::fs::{self, File};
    use std::hint::black_box;
    use std::os::unix::ffi::OsStrExt;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{Arc, mpsc};
    use std::thread;
    use std::time::Duration;
    use tempfile::TempDir;
    use test_support::Door;

    #[inline(never)]
    fn known() {
        black_box(());
    }

    /// A copy of this program, in place of the program itself.
    struct CopiedProgram {
        folder: TempDir,
        path: PathBuf,
    }

    impl CopiedProgram {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("program");
            fs::copy("/proc/self/exe", &path).unwrap();
            Self { folder, path }
        }

        /// What the process would have mapped if the copy ran.
        fn modules(&self) -> Modules {
            let path = std::env::current_exe().unwrap();
            let mut maps = Vec::new();
            for line in fs::read("/proc/self/maps").unwrap().split(|&b| b == b'\n') {
                if let Some(line) = line.strip_suffix(path.as_os_str().as_bytes()) {
                    maps.extend_from_slice(line);
                    maps.extend_from_slice(self.path.as_os_str().as_bytes());
                    maps.push(b'\n');
                }
            }
            Modules::parse(&maps, OsStr::new(""))
        }

        /// Whether `known` has its name, and what was looked at for that.
        fn name(&self, cache: &ModuleCache) -> (bool, NamedModules) {
            let mut resolver = Resolver::of(self.modules(), cache);
            let found = resolver.functions((known as fn()) as usize);
            let is_known = found.first().is_some_and(|f| f.name.ends_with("known"));
            (is_known, resolver.into_modules())
        }

        fn replace(&self, fill: impl FnOnce(&Path)) {
            let new = self.folder.path().join("new");
            fill(&new);
            fs::rename(new, &self.path).unwrap();
        }

        fn is_mapped(&self) -> bool {
            let maps = fs::read("/proc/self/maps").unwrap();
            let path = self.path.as_os_str().as_bytes();
            maps.windows(path.len()).any(|bytes| bytes == path)
        }
    }

    /// Whether this is where split debug information may be: looked for when a module is read.
    fn is_package(path: &Path) -> bool {
        path.extension() == Some(OsStr::new("dwp"))
    }

    /// A cache, and how many modules were read by it.
    fn counting() -> (ModuleCache, Arc<AtomicUsize>) {
        let reads = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&reads);
        let cache = ModuleCache::opened_by(move |path| {
            if is_package(path) {
                counted.fetch_add(1, Ordering::Relaxed);
            }
            File::open(path)
        });
        (cache, reads)
    }

    #[test]
    fn a_module_is_read_once_and_goes_with_the_last_that_has_looked_a_name_up() {
        let program = CopiedProgram::new();
        let (cache, reads) = counting();
        let reads = || reads.load(Ordering::Relaxed);
        let first = program.name(&cache);
        let second = program.name(&cache);
        assert!(first.0 && second.0);
        drop(first);
        let third = program.name(&cache);
        assert!(third.0);
        drop(second);
        assert_eq!(reads(), 1);
        assert!(program.is_mapped());
        drop(third);
        assert!(!program.is_mapped(), "its memory stays");

        assert!(program.name(&cache).0);
        assert_eq!(reads(), 2);
        assert!(!program.is_mapped());
    }

    #[test]
    fn a_file_that_was_replaced_is_not_named_from_the_old_one() {
        let program = CopiedProgram::new();
        let (cache, reads) = counting();
        let old = program.name(&cache);
        assert!(old.0);
        // At the same addresses, and nothing of the old one was dropped.
        program.replace(|path| fs::write(path, "no program at all").unwrap());
        let none = program.name(&cache);
        assert!(!none.0);
        program.replace(|path| {
            fs::copy("/proc/self/exe", path).unwrap();
        });
        assert!(program.name(&cache).0);
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        drop((old, none));
    }

    #[test]
    fn each_part_of_an_identity_tells_files_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let module = Module {
            open: path.clone(),
            path: path.clone(),
        };
        fs::write(&path, "0123456789").unwrap();
        let metadata = fs::metadata(&path).unwrap();
        let identity = FileIdentity::of(&module, &metadata, b"");
        assert_eq!(FileIdentity::of(&module, &metadata, b""), identity);
        let program = fs::read("/proc/self/exe").unwrap();
        let others = [
            FileIdentity {
                device: identity.device + 1,
                ..identity.clone()
            },
            FileIdentity {
                inode: identity.inode + 1,
                ..identity.clone()
            },
            FileIdentity {
                len: identity.len + 1,
                ..identity.clone()
            },
            FileIdentity {
                modified: (identity.modified.0, identity.modified.1 + 1),
                ..identity.clone()
            },
            FileIdentity {
                changed: (identity.changed.0, identity.changed.1 + 1),
                ..identity.clone()
            },
            FileIdentity {
                build: Some(vec![1]),
                ..identity.clone()
            },
        ];
        for other in others {
            assert_ne!(other, identity);
        }
        // (Not each linker names its builds.)
        let build = super::symbol_file::build_id(&program).map(<[u8]>::to_vec);
        let identity = FileIdentity::of(&module, &metadata, &program);
        assert_eq!(identity.build, build);
    }

    #[test]
    fn neither_a_firing_nor_another_module_waits_for_one_that_is_being_read() {
        hotprobe::event! { static TICK: fn(); }
        static DOOR: Door = Door::new();
        let (slow, other) = (CopiedProgram::new(), CopiedProgram::new());
        let package = slow.path.with_extension("dwp");
        let reads = AtomicUsize::new(0);
        let cache = ModuleCache::opened_by(move |path| {
            if path == package {
                assert_eq!(reads.fetch_add(1, Ordering::Relaxed), 0, "read again");
                DOOR.pass();
            }
            File::open(path)
        });
        let (sender, receiver) = mpsc::channel();
        let stacks = Stacks::at(&TICK).start().unwrap();
        thread::scope(|scope| {
            let reading = scope.spawn(|| slow.name(&cache));
            DOOR.wait_for_arrival();
            let waiting = scope.spawn(|| slow.name(&cache));
            scope.spawn(|| {
                fire!(TICK);
                let (is_known, _) = other.name(&cache);
                sender.send((is_known, stacks.counts().fired)).unwrap();
            });
            let found = receiver.recv_timeout(Duration::from_secs(60));
            DOOR.open();
            let found = found.expect("it waits for the module that is being read");
            assert_eq!(found, (true, 1));
            // Both are kept until here: it is read once.
            let (reading, waiting) = (reading.join().unwrap(), waiting.join().unwrap());
            assert!(reading.0 && waiting.0);
        });
    }

    #[test]
    fn what_finds_no_room_in_the_list_is_named_and_not_shared() {
        let program = CopiedProgram::new();
        let (mut cache, reads) = counting();
        cache.at_most = 0;
        let named = [program.name(&cache), program.name(&cache)];
        assert!(named[0].0 && named[1].0);
        assert_eq!(reads.load(Ordering::Relaxed), 2);
        assert!(lock(&cache.modules).is_empty());
        drop(named);
        assert!(!program.is_mapped());
    }

    #[test]
    fn the_list_does_not_grow_by_what_is_gone() {
        let (cache, _) = counting();
        for _ in 0..3 {
            let program = CopiedProgram::new();
            // (No program is read faster.)
            program.replace(|path| fs::write(path, "no program").unwrap());
            assert!(!program.name(&cache).0);
            assert_eq!(lock(&cache.modules).len(), 1);
        }
    }
}
