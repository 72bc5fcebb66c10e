//! Where the sockets of processes are. Beside each lies a lock, which its process holds: one whose
//! lock can be had is left over, and removed (see `hotprobe_admin`, `listen/folder.rs`).

use crate::http::unix;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, fcntl_lock, fstat, openat, statat,
    unlinkat,
};
use rustix::process::geteuid;
use std::collections::HashSet;
use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// A socket whose process lives.
#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) path: PathBuf,
    /// The number of its process, as it is seen from here.
    pub(crate) pid: u32,
    /// The number of its user.
    pub(crate) uid: u32,
}

/// The folder of sockets in each of [`bases`].
const NAME: &str = "hotprobe";

/// The folders that processes of this user may use, whatever their own variables are. For root,
/// those of all users.
fn bases() -> Vec<PathBuf> {
    let named = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = named("HOTPROBE_DIR") {
        return vec![folder.into()];
    }
    let user = geteuid();
    let mut bases: Vec<PathBuf> = named("XDG_RUNTIME_DIR")
        .into_iter()
        .map(Into::into)
        .collect();
    if user.is_root() {
        bases.extend(children("/run/user", ""));
        bases.extend(children("/tmp", "hotprobe-"));
    }
    let uid = user.as_raw();
    bases.push(format!("/run/user/{uid}").into());
    bases.push(format!("/tmp/hotprobe-{uid}").into());
    bases
}

/// The entries of a folder whose names begin so.
fn children(folder: &str, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().as_bytes().starts_with(prefix.as_bytes()));
    named.map(|entry| entry.path()).collect()
}

/// Returns the sockets whose processes live, and removes the others.
pub(super) fn living() -> Vec<Socket> {
    let mut sockets = Vec::new();
    let mut seen = HashSet::new();
    for base in bases() {
        let path = base.join(NAME);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let Ok(folder) = openat(CWD, &path, flags, Mode::empty()) else {
            continue;
        };
        let Ok(stat) = fstat(&folder) else { continue };
        // The owner of another folder could imitate our processes; root trusts each user with
        // their own.
        let is_trusted = geteuid().is_root() || stat.st_uid == geteuid().as_raw();
        if is_trusted && seen.insert((stat.st_dev, stat.st_ino)) {
            sockets.extend(of_folder(&folder, &path));
        }
    }
    sockets
}

fn of_folder(folder: &OwnedFd, path: &Path) -> Vec<Socket> {
    let Ok(entries) = Dir::read_from(folder) else {
        return Vec::new();
    };
    let names = entries
        .flatten()
        .map(|entry| entry.file_name().to_bytes().to_vec());
    let stems =
        names.filter_map(|name| Some(OsString::from_vec(name.strip_suffix(b".lock")?.to_vec())));
    let stems: Vec<_> = stems.collect();
    let living = stems
        .iter()
        .filter_map(|stem| of_process(folder, path, stem));
    living.collect()
}

fn of_process(folder: &OwnedFd, path: &Path, stem: &OsStr) -> Option<Socket> {
    let with = |suffix: &str| {
        let mut name = stem.to_owned();
        name.push(suffix);
        name
    };
    let (socket, lock) = (with(".sock"), with(".lock"));
    if let Some(_locked) = lock_of_none(folder, &lock) {
        let _ = unlinkat(folder, &socket, AtFlags::empty());
        let _ = unlinkat(folder, &lock, AtFlags::empty());
        return None;
    }
    let path = path.join(&socket);
    let peer = unix::peer(&path).ok()?;
    Some(Socket {
        pid: peer.pid.or_else(|| number(stem))?,
        uid: peer.uid,
        path,
    })
}

/// The number that a socket's name begins with.
fn number(stem: &OsStr) -> Option<u32> {
    stem.to_str()?.split('-').next()?.parse().ok()
}

/// Locks a file that no process has locked; `None` if one has. Files that nobody could have made by
/// listening are left alone.
fn lock_of_none(folder: &OwnedFd, name: &OsStr) -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = openat(folder, name, flags, Mode::empty()).ok()?;
    let opened = fstat(&file).ok()?;
    if !FileType::from_raw_mode(opened.st_mode).is_file() {
        return None;
    }
    fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    // Another process may have removed it, and a third may have made it again.
    let named = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    ((named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)).then_some(file)
}
