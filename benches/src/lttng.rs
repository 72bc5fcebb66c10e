//! LTTng-UST, where it is installed (Debian: `liblttng-ust-dev lttng-tools gcc`): compiles
//! `benches/lttng/peer.c` and runs it, with a session of its own if it is to record.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// Returns its version, if it is installed.
#[must_use]
pub fn version() -> Option<String> {
    let output = Command::new("lttng").arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    // "lttng (LTTng Trace Control) 2.13.9 - Nordicité"
    let version = text.split_whitespace().find(|word| {
        word.starts_with(|first: char| first.is_ascii_digit()) && word.contains('.')
    })?;
    Some(version.into())
}

/// The compiled programs: `peer`, and `peer_inlined`, with liburcu's read side inlined.
#[derive(Debug)]
pub struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Compiles them; none if there is no compiler, or no LTTng-UST. Says so.
    #[must_use]
    pub fn compile() -> Option<Self> {
        let this = Self {
            folder: env::temp_dir().join(format!("hotprobe-lttng-{}", process::id())),
        };
        fs::create_dir_all(&this.folder).ok()?;
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("lttng");
        for (name, flags) in [("peer", &[][..]), ("peer_inlined", &["-D_LGPL_SOURCE"])] {
            let compiled = Command::new("cc")
                .args(["-O2", "-I"])
                .arg(&source)
                .args(flags)
                .arg(source.join("peer.c"))
                .arg("-o")
                .arg(this.folder.join(name))
                .args(["-llttng-ust", "-llttng-ust-tracepoint"])
                .args(["-llttng-ust-common", "-ldl"])
                .stderr(Stdio::null())
                .status();
            if !compiled.is_ok_and(|status| status.success()) {
                eprintln!("LTTng-UST: not installed");
                return None;
            }
        }
        Some(this)
    }

    /// Runs one of the programs. Returns the nanoseconds of each slice.
    ///
    /// # Panics
    /// If it fails.
    #[must_use]
    pub fn run(&self, program: &str, arguments: &[&str]) -> Vec<f64> {
        let output = Command::new(self.folder.join(program))
            .args(arguments)
            // It waits for the daemon to register it.
            .env("LTTNG_UST_REGISTER_TIMEOUT", "3000")
            .env("LTTNG_HOME", &self.folder)
            .output()
            .expect("a program that was compiled");
        assert!(output.status.success(), "{program} {arguments:?} failed");
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .map(|line| line.parse().expect("a number"))
            .collect()
    }
}

impl Drop for Programs {
    fn drop(&mut self) {
        // What stays behind in a temporary folder does no harm.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The session daemon, with a session that records the program's events into a file.
#[derive(Debug)]
pub struct Daemon<'a> {
    programs: &'a Programs,
    session: String,
    /// The daemon, unless one ran already.
    child: Option<Child>,
}

impl<'a> Daemon<'a> {
    /// Starts both; none if that is not possible. Says so.
    #[must_use]
    pub fn start(programs: &'a Programs) -> Option<Self> {
        let mut this = Self {
            programs,
            session: format!("hotprobe-{}", process::id()),
            child: None,
        };
        if this.lttng(&["list"]).is_none() {
            let mut daemon = Command::new("lttng-sessiond");
            daemon.args(["--quiet", "--no-kernel"]);
            daemon.env("LTTNG_HOME", &programs.folder);
            daemon.stdout(Stdio::null()).stderr(Stdio::null());
            this.child = Some(daemon.spawn().ok()?);
            let begin = Instant::now();
            while this.lttng(&["list"]).is_none() {
                if begin.elapsed() > Duration::from_secs(10) {
                    eprintln!("LTTng-UST: its session daemon does not answer");
                    return None;
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
        let output = format!("--output={}", programs.folder.join("trace").display());
        let session = format!("--session={}", this.session);
        // Eight buffers of 1 MiB for each processor.
        let channel = ["--subbuf-size=1M", "--num-subbuf=8", &session, "channel"];
        let events = "hotprobe_peer:number,hotprobe_peer:text";
        this.lttng(&["create", &this.session, &output])?;
        this.lttng(&[&["enable-channel", "--userspace"][..], &channel].concat())?;
        let enable = ["enable-event", "--userspace", "--channel=channel", &session];
        this.lttng(&[&enable[..], &[events]].concat())?;
        this.lttng(&["start", &this.session])?;
        Some(this)
    }

    /// Stops the session. Returns the number of events that were discarded.
    #[must_use]
    pub fn stop(self) -> Option<u64> {
        self.lttng(&["stop", &self.session])?;
        let list = self.lttng(&["list", &self.session])?;
        let discarded = list
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Discarded events: "));
        discarded.map(|n| n.trim().parse::<u64>().ok()).sum()
    }

    /// Runs the program `lttng`. Returns what it prints, if it succeeds.
    fn lttng(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("lttng")
            .args(arguments)
            .env("LTTNG_HOME", &self.programs.folder)
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let _ = self.lttng(&["destroy", &self.session]);
        if let Some(child) = &mut self.child {
            // SIGTERM: it ends its consumers, too.
            let _ = Command::new("kill").arg(child.id().to_string()).status();
            let _ = child.wait();
        }
    }
}
