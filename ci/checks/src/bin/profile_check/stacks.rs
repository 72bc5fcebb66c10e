//! Work whose stacks, bytes and labels are known, in all formats.

use hotprobe::fire;
use hotprobe_profile::Stacks;
use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::thread;

hotprobe::event! {
    static STORED: fn(route: &str, bytes: u64);
    static FLUSHED: fn(route: &str, bytes: u64);
}

#[inline(never)]
fn store_small() {
    fire!(STORED, "/small", 100);
    black_box(());
}

#[inline(never)]
fn store_large() {
    STORED.fire("/large", 10_000);
    black_box(());
}

/// In the newer mangling its name has a semicolon.
#[inline(never)]
fn flush<T: Default>(_: T) {
    fire!(FLUSHED, "/\"<&>\";", 7);
    black_box(T::default());
}

#[inline(never)]
fn serve() {
    for round in 0..1000 {
        store_small();
        if round % 10 == 0 {
            store_large();
        }
        flush([0_u8; 4]);
    }
    black_box(());
}

pub(crate) fn write(out: &Path) -> Result<(), Box<dyn Error>> {
    let stacks = Stacks::new()
        .event(&STORED)
        .event(&FLUSHED)
        .weight("bytes")
        .label("route")
        .start()?;
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(serve);
        }
    });
    let profile = stacks.finish()?;
    assert_eq!(profile.counts().fired, 2 * 2100);
    for name in ["stacks.pb.gz", "stacks.folded", "stacks.svg"] {
        profile.save(out.join(name))?;
    }
    Ok(())
}
