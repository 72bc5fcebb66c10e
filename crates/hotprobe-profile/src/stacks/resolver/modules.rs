//! The files that the process has loaded, and where: `/proc/self/maps`.

use std::ffi::OsStr;
use std::fs;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const EXECUTABLE: &str = "/proc/self/exe";
const DELETED: &[u8] = b" (deleted)";

/// A piece of a file that is mapped as code.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Mapping {
    addresses: Range<u64>,
    /// Where in the file the piece begins.
    offset: u64,
    /// The number of the module.
    module: usize,
}

/// A file with code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Module {
    /// Where the file can be opened.
    pub(super) open: PathBuf,
    /// Its name; the files of its debug information are beside it.
    pub(super) path: PathBuf,
}

/// All code of the process that comes from files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Modules {
    pub(super) all: Vec<Module>,
    /// By their addresses.
    mappings: Vec<Mapping>,
}

impl Modules {
    /// Lists what is loaded now; nothing if `/proc` is not there.
    pub(super) fn of_this_process() -> Self {
        let maps = fs::read("/proc/self/maps").unwrap_or_default();
        let executable = fs::read_link(EXECUTABLE).unwrap_or_default();
        Self::parse(&maps, executable.as_os_str())
    }

    /// `executable` is what `/proc/self/exe` leads to.
    ///
    /// The program's own file can always be opened, by that link. Another file that was deleted
    /// cannot, and whatever has its name now is another file: its code has no names.
    pub(super) fn parse(maps: &[u8], executable: &OsStr) -> Self {
        let mut modules = Self::default();
        for line in maps.split(|&byte| byte == b'\n') {
            let Some((addresses, offset, path)) = code(line) else {
                continue;
            };
            let name = path.strip_suffix(DELETED);
            let open = if path == executable.as_bytes() {
                EXECUTABLE.into()
            } else if name.is_some() {
                continue;
            } else {
                PathBuf::from(OsStr::from_bytes(path))
            };
            let path = PathBuf::from(OsStr::from_bytes(name.unwrap_or(path)));
            // The pieces of a file follow one another.
            if modules.all.last().is_none_or(|last| last.path != path) {
                modules.all.push(Module { open, path });
            }
            modules.mappings.push(Mapping {
                addresses,
                offset,
                module: modules.all.len() - 1,
            });
        }
        modules
            .mappings
            .sort_by_key(|mapping| mapping.addresses.start);
        modules
    }

    /// Finds the module that an address lies in, and its offset in the module's file.
    pub(super) fn find(&self, address: u64) -> Option<(usize, u64)> {
        let after = self
            .mappings
            .partition_point(|mapping| mapping.addresses.start <= address);
        let mapping = self.mappings.get(after.checked_sub(1)?)?;
        let is_inside = mapping.addresses.contains(&address);
        is_inside.then(|| {
            let offset = address - mapping.addresses.start + mapping.offset;
            (mapping.module, offset)
        })
    }
}

/// Returns the addresses, the offset and the path of a line, if it is code of a file:
/// `55d0…000-55d0…000 r-xp 00002000 fd:01 1234      /usr/bin/program`.
fn code(line: &[u8]) -> Option<(Range<u64>, u64, &[u8])> {
    let mut rest = line;
    let mut word = || {
        let end = rest.iter().position(|&byte| byte == b' ')?;
        let word = std::str::from_utf8(&rest[..end]).ok()?;
        rest = rest[end..].trim_ascii_start();
        Some(word)
    };
    let (start, end) = word()?.split_once('-')?;
    let is_code = word()?.contains('x');
    let offset = word()?;
    let (_device, _inode) = (word()?, word()?);
    let number = |text| u64::from_str_radix(text, 16).ok();
    let is_file = rest.starts_with(b"/");
    (is_code && is_file).then_some((number(start)?..number(end)?, number(offset)?, rest))
}

#[cfg(test)]
mod tests {
    use super::{Module, Modules};
    use std::ffi::OsStr;

    const MAPS: &str = "\
55d000000000-55d000002000 r--p 00000000 fd:01 11                         /srv/shop (deleted)
55d000002000-55d000008000 r-xp 00001000 fd:01 11                         /srv/shop (deleted)
55d000008000-55d000009000 rw-p 00007000 fd:01 11                         /srv/shop (deleted)
55d000100000-55d000200000 rw-p 00000000 00:00 0                          [heap]
7f0000000000-7f0000001000 r-xp 00000000 00:00 0 
7f0000010000-7f0000020000 r-xp 00003000 fd:01 12                         /lib/a library.so
7f0000020000-7f0000030000 r-xp 00013000 fd:01 12                         /lib/a library.so
7f0000100000-7f0000110000 r-xp 00000000 fd:01 13                         /lib/gone.so (deleted)
7ffc00000000-7ffc00002000 r-xp 00000000 00:00 0                          [vdso]
";

    #[test]
    fn code_of_files_is_found_at_its_place_in_the_file_and_nothing_else_is() {
        let modules = Modules::parse(MAPS.as_bytes(), OsStr::new("/srv/shop (deleted)"));
        let module = |open: &str, path: &str| Module {
            open: open.into(),
            path: path.into(),
        };
        assert_eq!(
            modules.all,
            [
                // It was replaced while it runs: its own file is still there.
                module("/proc/self/exe", "/srv/shop"),
                module("/lib/a library.so", "/lib/a library.so"),
            ]
        );
        for (address, expected) in [
            (0x55d0_0000_1fff, None),
            (0x55d0_0000_2000, Some((0, 0x1000))),
            (0x55d0_0000_7fff, Some((0, 0x6fff))),
            (0x55d0_0000_8000, None),
            (0x7f00_0000_0000, None),
            (0x7f00_0001_0010, Some((1, 0x3010))),
            (0x7f00_0002_0010, Some((1, 0x13010))),
            (0x7f00_0003_0000, None),
            (0x7f00_0010_0000, None),
            (0x7ffc_0000_0000, None),
            (0, None),
            (u64::MAX, None),
        ] {
            assert_eq!(modules.find(address), expected, "{address:#x}");
        }
    }

    #[test]
    fn what_is_no_list_of_mappings_has_none() {
        for maps in [
            "",
            "\n",
            "x",
            "1-2 r-xp",
            "z-2 r-xp 0 0 0 /a",
            "1 r-xp 0 0 0 /a",
        ] {
            let modules = Modules::parse(maps.as_bytes(), OsStr::new("/a"));
            assert_eq!(modules, Modules::default(), "{maps:?}");
        }
    }
}
