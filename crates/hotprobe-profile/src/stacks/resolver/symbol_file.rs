//! A program or a library: its symbol table and its debug information.

use super::files::{self, SymbolFiles};
use super::found::FoundFunction;
use super::modules::Module;
use addr2line::gimli::{self, Dwarf, DwarfPackage, EndianSlice, NativeEndian, SectionId};
use addr2line::{Context, FrameIter, LookupContinuation, LookupResult, SplitDwarfLoad};
use flate2::read::ZlibDecoder;
use object::elf::PF_X;
use object::{
    CompressionFormat, Object, ObjectSection, ObjectSegment, ObjectSymbol, ObjectSymbolTable,
    SegmentFlags, SymbolKind,
};
use std::convert::Infallible;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(target_pointer_width = "64")]
type Elf<'a> = object::read::elf::ElfFile64<'a, object::NativeEndian>;
#[cfg(not(target_pointer_width = "64"))]
type Elf<'a> = object::read::elf::ElfFile32<'a, object::NativeEndian>;

type Slice<'a> = EndianSlice<'a, NativeEndian>;

/// What is known of the code in a file.
pub(super) struct SymbolFile<'a> {
    files: &'a SymbolFiles,
    segments: Vec<CodeSegment>,
    /// By their addresses.
    symbols: Vec<Symbol<'a>>,
    debug: Option<Context<Slice<'a>>>,
    package: Option<DwarfPackage<Slice<'a>>>,
}

/// Where code of the file lies in memory, before the file is moved to where it is loaded.
struct CodeSegment {
    offset: u64,
    len: u64,
    address: u64,
}

struct Symbol<'a> {
    address: u64,
    len: u64,
    name: &'a [u8],
}

impl<'a> SymbolFile<'a> {
    /// Reads the file that is loaded, and those of its debug information; `None` if it is no such
    /// file.
    pub(super) fn read(module: &Module, files: &'a SymbolFiles) -> Option<Self> {
        let elf = Elf::parse(files.loaded()).ok()?;
        let separate = separate(&elf, &module.path, files);
        let (debug_path, debug_elf) = match &separate {
            Some((path, elf)) => (path.as_path(), elf),
            None => (module.path.as_path(), &elf),
        };
        let mut symbols = symbols(debug_elf);
        if symbols.is_empty() {
            symbols = self::symbols(&elf);
        }
        let supplement = supplement(debug_elf, debug_path, files);
        let debug = context(debug_elf, supplement.as_ref(), files);
        Some(Self {
            files,
            segments: segments(&elf),
            symbols,
            debug,
            package: package(&module.path, files),
        })
    }

    /// Returns the functions at an offset in the file, the innermost inlined one first.
    pub(super) fn functions(&self, offset: u64) -> Vec<FoundFunction> {
        let segment = self
            .segments
            .iter()
            .find(|segment| offset >= segment.offset && offset - segment.offset < segment.len);
        let Some(segment) = segment else {
            return Vec::new();
        };
        let address = offset - segment.offset + segment.address;
        let mut found = Vec::new();
        let mut frames = self.frames(address);
        while let Some(Ok(Some(frame))) = frames.as_mut().map(FrameIter::next) {
            let name = match &frame.function {
                Some(function) => Some(function.name.slice()),
                None => self.symbol(address),
            };
            let Some(name) = name else { continue };
            let location = frame.location.as_ref();
            let file = location.and_then(|location| location.file);
            let line = location.and_then(|location| location.line);
            found.push(function(name, file.unwrap_or(""), line.unwrap_or(0)));
        }
        if found.is_empty() {
            found.extend(self.symbol(address).map(|name| function(name, "", 0)));
        }
        found
    }

    fn frames(&self, address: u64) -> Option<FrameIter<'_, Slice<'a>>> {
        let mut result = self.debug.as_ref()?.find_frames(address);
        loop {
            match result {
                LookupResult::Output(frames) => return frames.ok(),
                LookupResult::Load { load, continuation } => {
                    result = continuation.resume(self.split(&load));
                }
            }
        }
    }

    /// Reads debug information that is not in the file, but in its package, or in a file of the
    /// compiler's.
    fn split(&self, load: &SplitDwarfLoad<Slice<'a>>) -> Option<Arc<Dwarf<Slice<'a>>>> {
        let packed = self.package.as_ref();
        let packed = packed.and_then(|package| package.find_cu(load.dwo_id, &load.parent).ok()?);
        if let Some(dwarf) = packed {
            return Some(Arc::new(dwarf));
        }
        let mut path = PathBuf::new();
        if let Some(folder) = &load.comp_dir {
            path.push(OsStr::from_bytes(folder.slice()));
        }
        path.push(OsStr::from_bytes(load.path.as_ref()?.slice()));
        let elf = Elf::parse(self.files.map(&path)?).ok()?;
        let mut dwarf = dwarf(|id| section(&elf, id.dwo_name(), self.files));
        let unit = dwarf.units().next().ok()??;
        // (A newer build's is not this program's.)
        if dwarf.unit(unit).ok()?.dwo_id != Some(load.dwo_id) {
            return None;
        }
        dwarf.make_dwo(&load.parent);
        Some(Arc::new(dwarf))
    }

    fn symbol(&self, address: u64) -> Option<&'a [u8]> {
        let after = self
            .symbols
            .partition_point(|symbol| symbol.address <= address);
        let symbol = &self.symbols[after.checked_sub(1)?];
        // (Between two symbols there may be functions without one.)
        let is_inside = address - symbol.address <= symbol.len;
        is_inside.then_some(symbol.name)
    }
}

/// Returns what the linker calls the build, if it does.
pub(super) fn build_id(file: &[u8]) -> Option<&[u8]> {
    Elf::parse(file).ok()?.build_id().ok()?
}

fn function(name: &[u8], file: &str, line: u32) -> FoundFunction {
    let system_name = String::from_utf8_lossy(name).into_owned();
    FoundFunction {
        name: format!("{:#}", rustc_demangle::demangle(&system_name)),
        system_name,
        file: file.to_owned(),
        line,
    }
}

fn segments(elf: &Elf<'_>) -> Vec<CodeSegment> {
    let is_code = |flags| matches!(flags, SegmentFlags::Elf { p_flags } if p_flags & PF_X != 0);
    let segments = elf.segments().filter(|segment| is_code(segment.flags()));
    segments
        .map(|segment| {
            let (offset, len) = segment.file_range();
            CodeSegment {
                offset,
                len,
                address: segment.address(),
            }
        })
        .collect()
}

/// Returns the functions of the symbol table; of the one for the dynamic linker, if there is no
/// other.
fn symbols<'a>(elf: &Elf<'a>) -> Vec<Symbol<'a>> {
    let table = elf.symbol_table().or_else(|| elf.dynamic_symbol_table());
    let all = table.iter().flat_map(ObjectSymbolTable::symbols);
    let mut symbols: Vec<_> = all
        .filter(|symbol| symbol.kind() == SymbolKind::Text && !symbol.is_undefined())
        .filter_map(|symbol| {
            Some(Symbol {
                address: symbol.address(),
                len: symbol.size(),
                name: symbol.name_bytes().ok()?,
            })
        })
        .collect();
    // Of two names at an address, the longer function's is found.
    symbols.sort_by_key(|symbol| (symbol.address, symbol.len));
    symbols
}

/// Returns the file that has this one's debug information, and its path, if it is another and is of
/// the same build.
fn separate<'a>(elf: &Elf<'a>, path: &Path, files: &'a SymbolFiles) -> Option<(PathBuf, Elf<'a>)> {
    let id = elf.build_id().ok().flatten();
    let mut paths: Vec<_> = id.and_then(files::of_build).into_iter().collect();
    if let Ok(Some((name, _))) = elf.gnu_debuglink() {
        paths.extend(files::of_link(path, OsStr::from_bytes(name)));
    }
    paths
        .into_iter()
        .filter(|path| path.is_file())
        .find_map(|path| {
            let found = Elf::parse(files.map(&path)?).ok()?;
            let is_same = found.build_id().ok().flatten() == id;
            is_same.then_some((path, found))
        })
}

/// Returns the file that has what the debug information of several files have in common
/// (`.gnu_debugaltlink`).
fn supplement<'a>(elf: &Elf<'a>, path: &Path, files: &'a SymbolFiles) -> Option<Elf<'a>> {
    let (name, id) = elf.gnu_debugaltlink().ok()??;
    let beside = path.parent()?.join(OsStr::from_bytes(name));
    let paths = [Some(beside), files::of_build(id)];
    paths
        .into_iter()
        .flatten()
        .filter(|path| path.is_file())
        .find_map(|path| {
            let found = Elf::parse(files.map(&path)?).ok()?;
            (found.build_id() == Ok(Some(id))).then_some(found)
        })
}

fn context<'a>(
    elf: &Elf<'a>,
    supplement: Option<&Elf<'a>>,
    files: &'a SymbolFiles,
) -> Option<Context<Slice<'a>>> {
    let mut dwarf = dwarf(|id| section(elf, Some(id.name()), files));
    if let Some(supplement) = supplement {
        let Ok(()) =
            dwarf.load_sup(|id| Ok::<_, Infallible>(section(supplement, Some(id.name()), files)));
    }
    Context::from_dwarf(dwarf).ok()
}

fn package<'a>(path: &Path, files: &'a SymbolFiles) -> Option<DwarfPackage<Slice<'a>>> {
    let elf = Elf::parse(files.map(&files::package(path))?).ok()?;
    let load = |id: SectionId| gimli::Result::Ok(section(&elf, id.dwo_name(), files));
    DwarfPackage::load(load, Slice::new(&[], NativeEndian)).ok()
}

fn dwarf<'a>(section: impl Fn(SectionId) -> Slice<'a>) -> Dwarf<Slice<'a>> {
    let Ok(dwarf) = Dwarf::load(|id| Ok::<_, Infallible>(section(id)));
    dwarf
}

/// Returns a section of debug information; an empty one if it is not there or cannot be
/// decompressed.
fn section<'a>(elf: &Elf<'a>, name: Option<&str>, files: &'a SymbolFiles) -> Slice<'a> {
    let bytes = name
        .and_then(|name| elf.section_by_name(name))
        .and_then(|section| {
            let data = section.compressed_data().ok()?;
            match data.format {
                CompressionFormat::None => Some(data.data),
                CompressionFormat::Zlib => {
                    let mut bytes = Vec::new();
                    let decoder = ZlibDecoder::new(data.data);
                    decoder
                        .take(data.uncompressed_size)
                        .read_to_end(&mut bytes)
                        .ok()?;
                    Some(files.keep(bytes))
                }
                _ => None,
            }
        });
    Slice::new(bytes.unwrap_or(&[]), NativeEndian)
}
