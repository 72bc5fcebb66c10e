//! Where a process's socket is, and how one that nobody serves any more is recognized.
//!
//! Beside `PID.sock` lies `PID.lock`, which the process keeps locked as long as it lives, by a lock
//! that neither a fork nor an exec hands on (POSIX `fcntl`). A process that gets the lock may
//! remove both files: their process has ended. All this happens relative to an open folder, so
//! nobody can put another in its place meanwhile.

use super::error::ListenError;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, chmodat, fchmod, fcntl_lock, fstat,
    mkdirat, openat, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process;

/// The variable with the folder that is preferred to the usual ones.
const DIRECTORY: &str = "HOTPROBE_DIR";
/// The folder of sockets in each of [`bases`].
const NAME: &str = "hotprobe";
/// How many processes can have the same number in one folder, as those of containers that share it.
const MAX_NAMESAKES: u32 = 64;
/// The longest path that a socket's address has room for, on every system.
const LONGEST_ADDRESS: usize = 103;

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// A socket's file and its lock, which are removed when this is dropped by the process that made
/// them.
#[derive(Debug)]
pub(super) struct Place {
    folder: Folder,
    socket: OsString,
    lock: OsString,
    /// Closing it unlocks it.
    _locked: OwnedFd,
    owner: u32,
}

/// The folders that a socket can be in, the preferred one first. Whether not finding it there is an
/// error: the user has named this folder.
fn bases() -> Vec<(PathBuf, bool)> {
    let uid = geteuid().as_raw();
    let named = |name| env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = named(DIRECTORY) {
        return vec![(folder.into(), true)];
    }
    let of_session = named("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = [
        PathBuf::from(format!("/run/user/{uid}")),
        PathBuf::from(format!("/tmp/hotprobe-{uid}")),
    ];
    of_session
        .into_iter()
        .chain(usual)
        .map(|path| (path, false))
        .collect()
}

impl Folder {
    /// Opens the first folder of [`bases`] that belongs to this user, and makes it if need be.
    pub(super) fn of_this_user() -> Result<Self, ListenError> {
        let mut last = None;
        for (base, is_required) in bases() {
            match Self::in_base(&base) {
                Ok(folder) => return Ok(folder),
                Err((path, source)) => {
                    let error = ListenError::Folder { path, source };
                    if is_required {
                        return Err(error);
                    }
                    last = Some(error);
                }
            }
        }
        Err(last.unwrap_or(ListenError::Unsupported))
    }

    /// Opens, or makes, the folder in `base`, which is made as well if it is in `/tmp`.
    fn in_base(base: &Path) -> Result<Self, (PathBuf, io::Error)> {
        let failed = |error: io::Error| (base.to_owned(), error);
        let is_ours = base.starts_with("/tmp") && env::var_os(DIRECTORY).is_none();
        if is_ours {
            make(CWD, base.as_os_str()).map_err(|error| failed(error.into()))?;
        }
        let flags = if is_ours {
            OFlags::NOFOLLOW
        } else {
            OFlags::empty()
        };
        let base_fd = open_folder(CWD, base.as_os_str(), flags).map_err(failed)?;
        if is_ours {
            is_private(&base_fd).map_err(failed)?;
        }
        let path = base.join(NAME);
        let failed = |error: io::Error| (path.clone(), error);
        make(&base_fd, OsStr::new(NAME)).map_err(|error| failed(error.into()))?;
        let fd = open_folder(&base_fd, OsStr::new(NAME), OFlags::NOFOLLOW).map_err(failed)?;
        is_private(&fd).map_err(failed)?;
        Ok(Self { fd, path })
    }

    /// Opens the folder of a path that the user has given. Who may open it is theirs to decide.
    fn of_path(path: &Path) -> Result<(Self, OsString), ListenError> {
        let failed = |source| ListenError::Folder {
            path: path.to_owned(),
            source,
        };
        let name = path
            .file_name()
            .ok_or_else(|| failed(Errno::INVAL.into()))?;
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let fd = open_folder(CWD, parent.as_os_str(), OFlags::empty()).map_err(failed)?;
        Ok((
            Self {
                fd,
                path: parent.to_owned(),
            },
            name.to_owned(),
        ))
    }

    /// Removes the sockets of processes that have ended.
    pub(super) fn remove_stale(&self) {
        // (`Dir` opens the folder once more, with a position of its own.)
        let Ok(entries) = Dir::read_from(&self.fd) else {
            return;
        };
        let names = entries
            .flatten()
            .map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned());
        let locks: Vec<_> = names
            .filter(|name| name.as_bytes().ends_with(b".lock"))
            .collect();
        for lock in locks {
            // Under its lock, so that no process makes a socket of this name meanwhile.
            if let Some(_locked) = self.lock(&lock, OFlags::empty()) {
                let _ = unlinkat(&self.fd, socket_of(&lock), AtFlags::empty());
                let _ = unlinkat(&self.fd, &lock, AtFlags::empty());
            }
        }
    }

    /// Locks a file; `None` if another process has it locked, or if it cannot be opened.
    fn lock(&self, name: &OsStr, create: OFlags) -> Option<OwnedFd> {
        // Twice: between opening and locking it, a process may have removed it.
        for _ in 0..2 {
            let flags =
                OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | create;
            let file = openat(&self.fd, name, flags, Mode::RUSR | Mode::WUSR).ok()?;
            let opened = fstat(&file).ok()?;
            if !FileType::from_raw_mode(opened.st_mode).is_file() {
                return None;
            }
            fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
            match statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(named) if (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino) => {
                    return Some(file);
                }
                _ => {}
            }
        }
        None
    }

    /// Returns the path of one of its files for a socket's address, which has little room: where it
    /// is too long, Linux has another for it.
    fn address(&self, name: &OsStr) -> PathBuf {
        let path = self.path.join(name);
        if path.as_os_str().len() <= LONGEST_ADDRESS || !cfg!(target_os = "linux") {
            return path;
        }
        PathBuf::from(format!("/proc/self/fd/{}", self.fd.as_raw_fd())).join(name)
    }

    fn bind(
        self,
        socket: OsString,
        lock: OsString,
        locked: OwnedFd,
    ) -> Result<(Place, UnixListener), ListenError> {
        let path = self.path.join(&socket);
        let place = Place {
            folder: self,
            socket,
            lock,
            _locked: locked,
            owner: process::id(),
        };
        // An old socket is of a process that has ended: its lock was free.
        let _ = unlinkat(&place.folder.fd, &place.socket, AtFlags::empty());
        let bound = UnixListener::bind(place.folder.address(&place.socket));
        let listener = bound.map_err(|source| ListenError::Bind { path, source })?;
        // (The folder is closed to others until then, or the user has chosen it.)
        let _ = chmodat(
            &place.folder.fd,
            &place.socket,
            Mode::RUSR | Mode::WUSR,
            AtFlags::empty(),
        );
        Ok((place, listener))
    }
}

impl Place {
    /// Makes the socket of this process in the folder of this user.
    pub(super) fn of_this_process() -> Result<(Self, UnixListener), ListenError> {
        let folder = Folder::of_this_user()?;
        folder.remove_stale();
        let number = process::id();
        for namesake in 0..MAX_NAMESAKES {
            let stem = match namesake {
                0 => number.to_string(),
                _ => format!("{number}-{namesake}"),
            };
            let lock = OsString::from(format!("{stem}.lock"));
            if let Some(locked) = folder.lock(&lock, OFlags::CREATE) {
                return folder.bind(format!("{stem}.sock").into(), lock, locked);
            }
        }
        // Nothing could be created there: say why.
        let probe = openat(
            &folder.fd,
            format!("{number}.lock"),
            OFlags::RDWR | OFlags::CREATE | OFlags::CLOEXEC,
            Mode::RUSR | Mode::WUSR,
        );
        let source = probe.err().unwrap_or(Errno::EXIST).into();
        Err(ListenError::Folder {
            path: folder.path,
            source,
        })
    }

    /// Makes the socket at a path that the user has given.
    pub(super) fn at(path: &Path) -> Result<(Self, UnixListener), ListenError> {
        let (folder, socket) = Folder::of_path(path)?;
        let failed = |source: io::Error| ListenError::Bind {
            path: path.to_owned(),
            source,
        };
        // A file of another kind is somebody's.
        if let Ok(there) = statat(&folder.fd, &socket, AtFlags::SYMLINK_NOFOLLOW) {
            if !FileType::from_raw_mode(there.st_mode).is_socket() {
                return Err(failed(Errno::EXIST.into()));
            }
        }
        let mut lock = socket.clone();
        lock.push(".lock");
        let Some(locked) = folder.lock(&lock, OFlags::CREATE) else {
            return Err(failed(Errno::ADDRINUSE.into()));
        };
        folder.bind(socket, lock, locked)
    }

    /// Returns the socket's path.
    pub(super) fn path(&self) -> PathBuf {
        self.folder.path.join(&self.socket)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // A forked child has a copy, and the files are its parent's.
        if process::id() == self.owner {
            let _ = unlinkat(&self.folder.fd, &self.socket, AtFlags::empty());
            let _ = unlinkat(&self.folder.fd, &self.lock, AtFlags::empty());
        }
    }
}

/// Returns the name of the socket that a lock is for.
fn socket_of(lock: &OsStr) -> OsString {
    let stem = lock
        .as_bytes()
        .strip_suffix(b".lock")
        .unwrap_or(lock.as_bytes());
    let mut socket = OsStr::from_bytes(stem).to_owned();
    socket.push(".sock");
    socket
}

/// Makes a folder that only this user can open, unless it is there.
fn make(parent: impl AsFd, name: &OsStr) -> Result<(), Errno> {
    match mkdirat(parent, name, Mode::RWXU) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

fn open_folder(parent: impl AsFd, name: &OsStr, more: OFlags) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

/// Checks that a folder is this user's, and closes it to others.
fn is_private(folder: &OwnedFd) -> io::Result<()> {
    let stat = fstat(folder)?;
    if stat.st_uid != geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("it belongs to user {}", stat.st_uid),
        ));
    }
    if stat.st_mode & 0o077 != 0 {
        fchmod(folder, Mode::RWXU)?;
    }
    Ok(())
}
