//! Linux's `membarrier`: a full memory barrier on each processor that runs a thread of this
//! process, at the cost of the thread that asks for it. It is what lets firings do without a
//! barrier of their own.
//!
//! Registering for it takes the kernel 6 to 51 ms once the process has a second thread. It survives
//! `fork`, and is lost at `exec`.

/// Why there was no barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// There will be one later: the kernel had no memory.
    ForNow,
    /// There will be none: the kernel does not know the call, or a filter forbids it.
    ForGood,
}

pub(super) use imp::{barrier, register, visit_processors};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use super::Refused;
    use std::ffi::{c_int, c_long, c_ulong};
    use std::fs;
    use std::io::Error;
    use std::sync::atomic::{Ordering, fence};

    // The C library's, which std links.
    unsafe extern "C" {
        // `membarrier` has no function of its own there.
        fn syscall(number: c_long, ...) -> c_long;
        fn sched_getaffinity(thread: c_int, size: usize, mask: *mut Processors) -> c_int;
        fn sched_setaffinity(thread: c_int, size: usize, mask: *const Processors) -> c_int;
    }

    /// The call's number; none on architectures where it is not known here.
    const MEMBARRIER: Option<c_long> = if cfg!(target_arch = "x86_64") {
        Some(324)
    } else if cfg!(target_arch = "x86") {
        Some(375)
    } else if cfg!(target_arch = "arm") {
        Some(389)
    } else if cfg!(target_arch = "powerpc64") {
        Some(365)
    } else if cfg!(target_arch = "s390x") {
        Some(356)
    } else if cfg!(any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "loongarch64"
    )) {
        Some(283)
    } else {
        None
    };

    const PRIVATE_EXPEDITED: c_int = 1 << 3;
    const REGISTER_PRIVATE_EXPEDITED: c_int = 1 << 4;

    const EINTR: i32 = 4;
    const EAGAIN: i32 = 11;
    const ENOMEM: i32 = 12;

    fn membarrier(command: c_int) -> Result<(), Refused> {
        let Some(number) = MEMBARRIER else {
            return Err(Refused::ForGood);
        };
        let (flags, cpu): (c_int, c_int) = (0, 0);
        // SAFETY: the call takes three integers, and touches no memory of ours.
        if unsafe { syscall(number, command, flags, cpu) } == 0 {
            return Ok(());
        }
        Err(match Error::last_os_error().raw_os_error() {
            Some(EINTR | EAGAIN | ENOMEM) => Refused::ForNow,
            _ => Refused::ForGood,
        })
    }

    /// Asks the kernel to let this process call [`barrier`]. May take tens of milliseconds.
    pub(in super::super) fn register() -> Result<(), Refused> {
        membarrier(REGISTER_PRIVATE_EXPEDITED)
    }

    /// A full barrier on this thread and on every running thread of the process.
    pub(in super::super) fn barrier() -> Result<(), Refused> {
        membarrier(PRIVATE_EXPEDITED)
    }

    /// A full barrier on every running thread of the process, by other means: this thread runs on
    /// each processor in turn that any of them may run on, and whatever thread runs there has to
    /// make room, which is a barrier. Takes some ten microseconds for each, and longer behind a
    /// real-time thread.
    pub(in super::super) fn visit_processors() -> Result<(), Refused> {
        const THIS_THREAD: c_int = 0;
        let own = Processors::of(THIS_THREAD)?;
        let visited = visit_those_of_all_threads();
        // (As it was. A thread that loses a processor meanwhile keeps the rest.)
        let restored = own.confine_this_thread();
        // SeqCst fence: what this thread reads from here on comes after the visits.
        fence(Ordering::SeqCst);
        visited.and(restored)
    }

    fn visit_those_of_all_threads() -> Result<(), Refused> {
        let mut visited = Processors::NONE;
        // A thread that begins later, or goes to another processor, passes a barrier by that.
        for thread in fs::read_dir("/proc/self/task").map_err(|_| Refused::ForGood)? {
            let name = thread.map_err(|_| Refused::ForGood)?.file_name();
            let Some(thread) = name.to_str().and_then(|name| name.parse().ok()) else {
                return Err(Refused::ForGood);
            };
            let may_run_on = match Processors::of(thread) {
                Ok(processors) => processors,
                Err(_) if Error::last_os_error().raw_os_error() == Some(ESRCH) => continue,
                Err(refused) => return Err(refused),
            };
            for processor in may_run_on
                .iter()
                .filter(|&n| !visited.contains(n))
                .collect::<Vec<_>>()
            {
                Processors::only(processor).confine_this_thread()?;
                visited.insert(processor);
            }
        }
        Ok(())
    }

    const ESRCH: i32 = 3;

    /// As many processors as Linux can be built for.
    const MOST: usize = 8192;
    const BITS: usize = c_ulong::BITS as usize;
    const WORDS: usize = MOST / BITS;

    /// The C library's `cpu_set_t`, with room for them.
    #[derive(Clone)]
    #[repr(C)]
    struct Processors([c_ulong; WORDS]);

    impl Processors {
        const NONE: Self = Self([0; WORDS]);

        fn only(processor: usize) -> Self {
            let mut this = Self::NONE;
            this.insert(processor);
            this
        }

        /// Those that a thread may run on.
        fn of(thread: c_int) -> Result<Self, Refused> {
            let mut this = Self::NONE;
            // SAFETY: the size is that of the mask.
            let failed = unsafe { sched_getaffinity(thread, size_of::<Self>(), &raw mut this) } < 0;
            if failed {
                Err(Refused::ForGood)
            } else {
                Ok(this)
            }
        }

        /// Lets this thread run on these only; when it returns, it does.
        fn confine_this_thread(&self) -> Result<(), Refused> {
            // SAFETY: the size is that of the mask.
            let failed = unsafe { sched_setaffinity(0, size_of::<Self>(), self) } < 0;
            if failed {
                Err(Refused::ForGood)
            } else {
                Ok(())
            }
        }

        fn insert(&mut self, processor: usize) {
            self.0[processor / BITS] |= 1 << (processor % BITS);
        }

        fn contains(&self, processor: usize) -> bool {
            self.0[processor / BITS] & 1 << (processor % BITS) != 0
        }

        fn iter(&self) -> impl Iterator<Item = usize> {
            (0..MOST).filter(|&processor| self.contains(processor))
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    use super::Refused;

    pub(in super::super) fn register() -> Result<(), Refused> {
        Err(Refused::ForGood)
    }

    pub(in super::super) fn barrier() -> Result<(), Refused> {
        Err(Refused::ForGood)
    }

    pub(in super::super) fn visit_processors() -> Result<(), Refused> {
        Err(Refused::ForGood)
    }
}
