//! The machine code that an event adds to the hot path of its function.

use crate::values::print_exact;
use hotprobe::fire;
use std::hint::black_box;
use std::process::Command;
use std::sync::atomic::{AtomicPtr, Ordering};

/// Whether code and instructions are measured on this platform.
pub(crate) const KNOWN: bool = cfg!(all(target_arch = "x86_64", target_os = "linux"));

hotprobe::event! {
    static SITE: fn(x: u64);
}

static POINTER: AtomicPtr<u8> = AtomicPtr::new(std::ptr::null_mut());

#[inline(never)]
fn by_hand(x: u64) {
    black_box(x);
}

/// Three functions: with nothing, with a hand-written guard, with an event. Each has work before
/// and after, so that arguments have to be kept and the branch cannot be a tail call.
macro_rules! functions {
    ($($name:ident $site:expr;)*) => { $(
        #[inline(never)]
        fn $name(x: u64, y: u64) -> u64 {
            black_box(y);
            $site(x);
            x ^ black_box(y)
        }
    )* };
}
functions! {
    site_plain |_| ();
    site_guard |x| if !POINTER.load(Ordering::Relaxed).is_null() {
        std::hint::cold_path();
        by_hand(x);
    };
    site_event |x| fire!(SITE, x);
}

/// Prints the instructions that a guard and an event add to a function's hot path, what they ask of
/// its prologue included; and the bytes of the check itself, load, test and branch. Prints nothing
/// where there is no objdump, or another machine.
pub(crate) fn print() {
    if !KNOWN {
        return;
    }
    // They are on at times.
    POINTER.store(black_box(std::ptr::null_mut()), Ordering::Relaxed);
    drop(SITE.attach(|_| ()));
    for f in [site_plain, site_guard, site_event] {
        black_box(f(black_box(1), black_box(2)));
    }

    let program = std::env::current_exe().expect("the path of this program");
    let output = Command::new("objdump")
        .args(["--disassemble", "--demangle", "--no-show-raw-insn"])
        .arg(program)
        .output()
        .expect("objdump (ci/overhead.sh installs it)");
    let listing = String::from_utf8_lossy(&output.stdout);
    let [plain, guard, event] =
        ["site_plain", "site_guard", "site_event"].map(|name| hot_path(&listing, name));
    for (name, site) in [("guard", guard), ("event", event)] {
        print_exact(&format!("bytes_{name}"), site.check);
        let more = site.instructions - plain.instructions;
        print_exact(&format!("instructions_{name}"), more);
    }
}

struct HotPath {
    /// Instructions from the function's start to its first `ret`.
    instructions: f64,
    /// Bytes from the load of a static to the end of the first branch after it; 0 if there is none.
    check: f64,
}

fn hot_path(listing: &str, name: &str) -> HotPath {
    let head = format!("<overhead::code::{name}>:");
    let mut load = None;
    let mut branched = false;
    let mut check = 0;
    let function = listing.lines().skip_while(|line| !line.ends_with(&head));
    for (instructions, line) in function.skip(1).enumerate() {
        let (address, code) = line.trim().split_once(':').expect("an instruction");
        let address = u64::from_str_radix(address, 16).expect("a hexadecimal number");
        if let (Some(load), true, 0) = (load, branched, check) {
            check = address - load;
        }
        match code.split_whitespace().next() {
            Some("ret") => {
                return HotPath {
                    instructions: instructions as f64,
                    check: check as f64,
                };
            }
            Some("jne" | "je") => branched = load.is_some(),
            _ if load.is_none() && code.contains("(%rip)") => load = Some(address),
            _ => {}
        }
    }
    panic!("{name} does not return");
}
