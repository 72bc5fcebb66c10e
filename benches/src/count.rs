//! Instructions, counted by callgrind: the same on a busy machine as on an idle one, and on every
//! processor.

use crate::values::print_exact;
use hotprobe_benches::layout_a::ours;
use hotprobe_benches::{Subject, recordings, writers};
use std::path::Path;
use std::process::{Command, Stdio};

/// The environment of a subject while it is counted.
#[derive(Clone, Copy)]
enum Around {
    Nothing,
    /// 64 threads that have fired and now sleep.
    Threads,
    /// 1024 threads that have fired and ended, 64 at a time.
    Gone,
    /// 64 other events with 16 probes each.
    Events,
    /// A recording that has room for all records.
    Recording,
    /// No membarrier: firings have barriers of their own.
    NoMembarrier,
}

/// A subject that is counted.
struct Counted {
    name: &'static str,
    subject: &'static str,
    around: Around,
    /// The iterations of two runs. The difference excludes work that is done once.
    iterations: (u64, u64),
}

/// Crossbeam does more at each 128th pin: whole multiples of it.
const EACH: (u64, u64) = (128 * 8, 128 * 24);

const fn counted(name: &'static str) -> Counted {
    Counted {
        name,
        subject: name,
        around: Around::Nothing,
        iterations: EACH,
    }
}

const fn around(name: &'static str, subject: &'static str, around: Around) -> Counted {
    Counted {
        name,
        subject,
        around,
        iterations: EACH,
    }
}

const fn recorded(name: &'static str) -> Counted {
    around(name, name, Around::Recording)
}

const fn batch(name: &'static str) -> Counted {
    Counted {
        name,
        subject: name,
        around: Around::Nothing,
        iterations: (2, 4),
    }
}

const COUNTED: &[Counted] = &[
    counted("nothing"),
    counted("guard"),
    counted("off"),
    counted("call"),
    counted("pin_call"),
    counted("loop_1"),
    counted("loop_16"),
    counted("fire_1"),
    around("fire_1_full", "fire_1", Around::NoMembarrier),
    counted("fire_16"),
    counted("fire_pinned"),
    counted("fire_nested"),
    counted("swaps_0"),
    counted("swaps_4"),
    counted("swaps_16"),
    counted("attach_detach_0"),
    counted("attach_detach_4"),
    counted("attach_detach_16"),
    counted("swaps_over"),
    counted("attach_detach_over"),
    around("swaps_over_threads", "swaps_over", Around::Threads),
    around(
        "attach_detach_over_threads",
        "attach_detach_over",
        Around::Threads,
    ),
    around("attach_detach_0_gone", "attach_detach_0", Around::Gone),
    around("attach_detach_0_events", "attach_detach_0", Around::Events),
    recorded("record_u64"),
    recorded("record_text"),
    batch("batch_1k"),
    batch("batch_10k"),
];

/// Prints what one operation of each subject takes: `count_NAME`, instructions of the program
/// itself; `all_NAME`, those of libc as well; `allocations_NAME`. Prints nothing where there is no
/// callgrind.
///
/// Most rows leave libc out: which of its variants of `memcpy` runs depends on the processor, and
/// which way `malloc` takes on what else has been allocated.
pub(crate) fn print() {
    if !crate::code::KNOWN {
        return;
    }
    let membarrier = has_membarrier();
    print_exact("membarrier", f64::from(u8::from(membarrier)));
    for counted in COUNTED {
        let (few, many) = counted.iterations;
        let operations = (many - few) as f64 * f64::from(find(counted.subject).per_iteration);
        let [less, more] = [few, many].map(|iterations| Profile::of(counted, iterations));
        let each = |of: fn(&Profile) -> u64| (of(&more) as f64 - of(&less) as f64) / operations;
        let name = counted.name;
        print_exact(&format!("count_{name}"), each(|profile| profile.own));
        if name == "fire_1" && membarrier {
            print_exact("count_fire_1_light", each(|profile| profile.own));
        }
        print_exact(
            &format!("all_{name}"),
            each(|profile| profile.own + profile.libc),
        );
        print_exact(
            &format!("allocations_{name}"),
            each(|profile| profile.allocations),
        );
    }
}

/// Returns whether firings have light barriers here. Attaches and detaches a probe.
fn has_membarrier() -> bool {
    drop(ours::attached());
    hotprobe::stats().membarrier
}

/// Runs a counted subject, `iterations` times.
///
/// # Panics
/// If there is none of that name.
pub(crate) fn run(name: &str, iterations: u64) {
    let counted = COUNTED.iter().find(|counted| counted.name == name);
    let counted = counted.expect("a counted subject of that name");
    let subject = find(counted.subject);
    let _attached = ours::attached();
    let run = || collected(subject.run, iterations);
    match counted.around {
        Around::Nothing => run(),
        Around::NoMembarrier => {
            assert!(!hotprobe::stats().membarrier, "the environment forbids it");
            run();
        }
        Around::Gone => {
            for _ in 0..1024 / 64 {
                writers::with_threads(64, || ());
            }
            run();
        }
        Around::Threads => writers::with_threads(64, run),
        Around::Events => writers::with_events(run),
        Around::Recording => {
            let recording = recordings::recording();
            run();
            let sum = recording.finish().expect("outside probes").sum();
            assert_eq!((sum.written, sum.lost), (iterations + 1, 0));
        }
    }
}

fn find(subject: &str) -> &'static Subject {
    let mut elsewhere = writers::BATCHES.iter().chain(&recordings::RECORDS);
    let found = elsewhere.find(|found| found.name == subject);
    found.unwrap_or_else(|| ours::named(subject))
}

/// Callgrind collects inside this function, by its name.
#[inline(never)]
fn collected(run: fn(u64), iterations: u64) {
    run(iterations);
    std::hint::black_box(iterations);
}

/// The costs that callgrind collected.
#[derive(Default)]
struct Profile {
    own: u64,
    libc: u64,
    allocations: u64,
}

impl Profile {
    fn of(counted: &Counted, iterations: u64) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let file = std::env::temp_dir().join(format!("overhead-{}.callgrind", std::process::id()));
        let mut command = Command::new("valgrind");
        if let Around::NoMembarrier = counted.around {
            command.env("HOTPROBE_MEMBARRIER", "off");
        }
        let output = command
            .args([
                "--tool=callgrind",
                "--compress-strings=no",
                "--compress-pos=no",
                // Only there: some peers measure the machine's clock before `main`, each time
                // differently.
                "--toggle-collect=overhead::count::collected",
            ])
            .arg(format!("--callgrind-out-file={}", file.display()))
            .arg(program)
            .args(["run", counted.name, &iterations.to_string()])
            .stdout(Stdio::null())
            .output()
            .expect("valgrind (ci/overhead.sh installs it)");
        let messages = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "callgrind failed: {messages}");
        let text = std::fs::read_to_string(&file).expect("callgrind's file");
        // What stays behind in a temporary folder does no harm.
        let _ = std::fs::remove_file(&file);
        Self::parse(&text)
    }

    /// Reads callgrind's format: `ob=` and `cob=` name the object of a function and of one that it
    /// calls, a line that begins with a number is a function's own cost, and the one after `calls=`
    /// is the callee's, which has lines of its own.
    fn parse(text: &str) -> Self {
        const ALLOCATORS: [&str; 5] = [
            "malloc",
            "calloc",
            "realloc",
            "posix_memalign",
            "aligned_alloc",
        ];
        let mut profile = Self::default();
        let mut in_libc = false;
        let mut allocator = false;
        let mut of_callee = false;
        for line in text.lines() {
            if let Some(object) = line.strip_prefix("ob=") {
                in_libc = is_libc(object);
            } else if let Some(callee) = line.strip_prefix("cfn=") {
                allocator = ALLOCATORS.contains(&callee);
            } else if let Some(calls) = line.strip_prefix("calls=") {
                let count = calls.split_whitespace().next().map(str::parse::<u64>);
                let count = count.expect("a count").expect("a number");
                profile.allocations += if allocator && !in_libc { count } else { 0 };
                of_callee = true;
            } else if line.starts_with(|first: char| first.is_ascii_digit()) {
                let cost = line.split_whitespace().nth(1).map_or(Ok(0), str::parse);
                let cost = cost.expect("a number");
                match (std::mem::take(&mut of_callee), in_libc) {
                    (true, _) => {}
                    (false, true) => profile.libc += cost,
                    (false, false) => profile.own += cost,
                }
            }
        }
        profile
    }
}

/// Whether an object file is the C library, or the loader, which belongs to it.
fn is_libc(object: &str) -> bool {
    Path::new(object)
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| {
            ["libc.", "libc-", "ld-linux", "libm.", "libpthread"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        })
}
