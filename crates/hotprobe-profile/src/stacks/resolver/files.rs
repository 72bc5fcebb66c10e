//! The files that the names of a module are read from. They stay mapped as long as what was read.

use super::super::system;
use elsa::sync::FrozenVec;
use memmap2::Mmap;
use std::ffi::OsStr;
use std::fmt;
use std::fmt::Write;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where distributions put debug information.
const DEBUG: &str = "/usr/lib/debug";

/// Opens a file, and may take as long as it likes.
pub(super) type Open = dyn Fn(&Path) -> io::Result<File> + Send + Sync;

/// Files in memory, and sections of them that were compressed.
pub(super) struct SymbolFiles {
    open: Arc<Open>,
    loaded: Mmap,
    others: FrozenVec<Box<Mmap>>,
    sections: FrozenVec<Vec<u8>>,
}

impl SymbolFiles {
    /// `loaded` is the file that the process has loaded; `open` opens those of its debug
    /// information.
    pub(super) fn of(loaded: Mmap, open: Arc<Open>) -> Self {
        Self {
            open,
            loaded,
            others: FrozenVec::new(),
            sections: FrozenVec::new(),
        }
    }

    /// Returns the file that the process has loaded.
    pub(super) fn loaded(&self) -> &[u8] {
        &self.loaded
    }

    /// Maps a file, if that is possible.
    pub(super) fn map(&self, path: &Path) -> Option<&[u8]> {
        let file = (self.open)(path).ok()?;
        let map = system::map(&file).ok()?;
        Some(self.others.push_get(Box::new(map)))
    }

    /// Keeps a section as long as the files.
    pub(super) fn keep(&self, section: Vec<u8>) -> &[u8] {
        self.sections.push_get(section)
    }
}

impl fmt::Debug for SymbolFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SymbolFiles")
            .field("mapped", &(1 + self.others.len()))
            .finish_non_exhaustive()
    }
}

/// Returns where the debug information of a build lies, if it is installed.
pub(super) fn of_build(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    let mut path = format!("{DEBUG}/.build-id/{first:02x}/");
    for byte in rest {
        // Infallible: a `String` takes it.
        let _ = write!(path, "{byte:02x}");
    }
    path.push_str(".debug");
    Some(path.into())
}

/// Returns where the file that a program or a library names (`.gnu_debuglink`) may be, as debuggers
/// look for it.
pub(super) fn of_link(path: &Path, name: &OsStr) -> Vec<PathBuf> {
    let Some(folder) = path.parent() else {
        return Vec::new();
    };
    let installed = folder.strip_prefix("/").unwrap_or(folder);
    let mut paths = vec![
        folder.join(name),
        folder.join(".debug").join(name),
        Path::new(DEBUG).join(installed).join(name),
    ];
    paths.retain(|found| found != path);
    paths
}

/// Returns the name of the package that split debug information is in: `program.dwp`,
/// `library.so.dwp`.
pub(super) fn package(path: &Path) -> PathBuf {
    let mut extension = path.extension().map_or_else(Default::default, |extension| {
        let mut extension = extension.to_os_string();
        extension.push(".");
        extension
    });
    extension.push("dwp");
    path.with_extension(extension)
}

#[cfg(test)]
mod tests {
    use super::{of_build, of_link, package};
    use std::ffi::OsStr;
    use std::path::{Path, PathBuf};

    #[test]
    fn debug_information_is_looked_for_where_debuggers_look() {
        assert_eq!(
            of_build(&[0xab, 0x0c, 0xde]),
            Some(PathBuf::from("/usr/lib/debug/.build-id/ab/0cde.debug"))
        );
        assert_eq!(of_build(&[]), None);
        let expected = ["/srv/.debug/shop", "/usr/lib/debug/srv/shop"].map(PathBuf::from);
        assert_eq!(
            of_link(Path::new("/srv/shop"), OsStr::new("shop")),
            expected
        );
        assert_eq!(package(Path::new("/srv/shop")), Path::new("/srv/shop.dwp"));
        assert_eq!(package(Path::new("/lib/a.so")), Path::new("/lib/a.so.dwp"));
    }
}
