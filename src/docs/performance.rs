//! What an event costs, off and on, and how to see it for yourself.
//!
//! First what can be counted in the machine code; then [figures](#figures), which depend on the machine, and on how code
//! happens to be laid out, each beside what the machine asks for the same without us.
//!
//! # Off
//!
//! One relaxed load, one test, one branch that falls through. The arguments are not evaluated. Everything else
//! lies in a function of its own, never inlined, on a branch that is marked as the unlikely one, so that the code
//! around the event keeps its registers and its place in the instruction cache. (That function itself is not
//! marked cold: it would be compiled for size, and a firing that is on would pay for it.)
//!
//! To see it, put this into a binary crate, call `f` from `main`, and build it with `--release`:
//!
//! ```
//! use hotprobe::fire;
//!
//! hotprobe::event! {
//!     static E: fn(x: u64);
//! }
//!
//! #[inline(never)]
//! pub fn f(x: u64) {
//!     fire!(E, x)
//! }
//! # let probe = E.attach(|_| ());
//! # f(1);
//! # drop(probe);
//! ```
//!
//! ```text
//! $ objdump --disassemble --demangle --no-show-raw-insn -M intel target/release/NAME | grep -A 4 '::f>:$'
//!     mov    rax,QWORD PTR [rip+0x47729]
//!     test   rax,rax
//!     jne    … <…::fire_enabled>
//!     ret
//! ```
//!
//! (x86-64 Linux; addresses cut off.) There is no prologue, and the arguments are already where `fire_enabled`
//! wants them, so the way on is a mere jump. `ci/off-path.sh` in the repository fails if that ever changes. The
//! method, `E.fire(x)`, gives the same code; but its arguments are evaluated before.
//!
//! Two things are the surrounding function's own affair. Values that only the arguments need must be kept until
//! the event, which may cost a register. And code that is compiled to be shared (a library crate's, before it
//! is linked) finds the address of an exported event by one instruction more.
//!
//! # On
//!
//! An outermost firing, in order:
//!
//! 1. The off check, and a call of `fire_enabled`. That has no prologue: it compares the thread's state, one word in
//!    thread-local storage, with a constant, and jumps to one of two functions, for outermost firings and for those
//!    inside something. (In one function, what tells the two apart would have to be kept while the probes run.)
//! 2. The state: compared once more, and "one firing" stored, a constant.
//! 3. The pin, by crossbeam-epoch, inlined: it notes the current epoch in the thread's own record, and issues a
//!    full memory barrier (on x86-64 as a locked instruction). At each 128th pin of a thread, crossbeam also
//!    tries to advance the epoch and works off a few of its bags; of our code such a bag contains one store.
//! 4. The snapshot: an acquire load, which gives the address of its first entry. (The acquire fence before it is no
//!    instruction on x86-64.)
//! 5. For each entry, until there is an empty one: an indirect call of the probe's thunk, whose address lies in the entry
//!    and is loaded into a register first. (A compiler fence sees to that. With a call through memory, the same loop was
//!    seen to take three times as long in some runs of one binary, and not in others.) In the thunk: a load of the
//!    probe's state, which also says whether it has a gate to be looked at (if it came by a batch); a comparison of its
//!    type's id; and the closure, which the compiler can inline there. `catch_unwind` is a landing pad, which costs
//!    nothing until somebody panics.
//! 6. The state again: if it is still what step 2 stored, "idle" is stored, also a constant. (Counting down would make
//!    the next firing wait for what this one loads here.) And the unpin: a store into the thread's own record.
//!
//! No lock, no allocation, and nothing written that other threads write, so firings on many cores do not slow
//! each other down. Three exceptions: a thread's first enabled firing registers it, which allocates; each 128th
//! pin, as above; and a probe that panics takes the lock for a moment, to switch itself off.
//!
//! # Nested, and `pinned`
//!
//! A firing inside another firing, or inside [`pinned`](crate::pinned()), finds the pin already there and
//! leaves out the pin and the unpin; what it stores as the state is counted up from what it found, and put back
//! after. In a loop that fires much, `pinned` around the loop pays the barrier once:
//!
//! ```
//! use hotprobe::fire;
//! hotprobe::event! { static ITEM: fn(n: u64); }
//! # let probe = ITEM.attach(|_| ());
//!
//! hotprobe::pinned(|| {
//!     for n in 0..1000 {
//!         fire!(ITEM, n);
//!     }
//! });
//! # drop(probe);
//! ```
//!
//! It is not free when everything is off: it pins all the same. And it holds up every grace period of the
//! process while it lasts ([limitations](super::limitations#waiting)).
//!
//! # Attach and detach
//!
//! Neither waits for a firing; both hold the process-wide lock for a copy of the event's probe vector, at 16
//! bytes a probe on a 64-bit machine.
//!
//! * **attach** allocates the probe's memory (state and closure in one piece) and the next snapshot (which
//!   holds up to two probes; a vector beside it, if there are more), copies, stores one pointer, and retires
//!   the old snapshot, which allocates nothing.
//! * **detach** swaps one byte, allocates the shorter snapshot, copies, stores one pointer. Then, if it is not
//!   inside a firing, it tries to get a grace period over, by a few flushes of crossbeam-epoch, and drops what
//!   is past it. If a firing in flight is in the way, it leaves that to a later call.
//! * **commit**, and a group's **detach**, make one copy for each event, however many of its probes they
//!   concern. *n* attaches to one event one by one copy *n*²/2 entries; in a batch, *n*.
//!
//! # Figures
//!
//! *Floor* is the same work without anything of ours; what each does exactly stands in `benches/src/layout/floors.rs`.
//! *Judged* is the ratio, or the difference, that has a target. All of it comes from one run of one script, and is the
//! best of several processes and places in memory, except where it says "median".
//!
//! <!-- figures -->
//! On AMD EPYC, 2 cores (Linux x86_64), rustc 1.95.0, the default release profile:
//!
//! | what | ours | floor | judged | target | |
//! |---|---|---|---|---|---|
//! | off, a place: instructions in its function, above a guard's by hand | 10.0 i | 10.0 i | +0.0 i | +0.0 i |  |
//! | off, a place: bytes of load, test and branch | 12 B | 12 B | 12 B | 14 B |  |
//! | off, a place: instructions passed, above a guard's by hand | 3.0 i | 3.0 i | +0.0 i | +0.0 i |  |
//! | one probe: instructions, above pin + load + call | 87.6 i | 50.7 i | +37.0 i | +37.9 i |  |
//! | each further probe: instructions, above a plain loop's | 11.0 i | 8.0 i | +3.0 i | +3.9 i |  |
//! | one probe in `pinned`: instructions, above a dyn call | 65.0 i | 13.0 i | +52.0 i | +52.9 i |  |
//! | attach + detach: instructions, against clone + swap + defer | 3998.3 i | 1795.6 i | 2.23 x | 3.50 x |  |
//! | off, a place, against a hand-written guard | 0.15 ns | 0.15 ns | 1.00 x | 1.00 x |  |
//! | one probe, against compare-and-exchange + dyn call | 5.11 ns | 2.17 ns | 2.36 x | 2.10 x |  |
//! | one probe, above compare-and-exchange + dyn call | 5.11 ns | 2.17 ns | +2.95 ns | +3.20 ns |  |
//! | each further probe, against a dyn call in a plain loop | 1.34 ns | 1.64 ns | 0.82 x | 1.05 x |  |
//! | one probe in `pinned`, against a dyn call | 3.52 ns | 1.62 ns | 2.17 x | 2.20 x |  |
//! | one probe nested, against a dyn call | 3.52 ns | 1.62 ns | 2.17 x | 2.20 x |  |
//! | depth, gate, state, catch_unwind, counters: above pin + load + call | 5.11 ns | 3.58 ns | +1.54 ns | +1.60 ns |  |
//! | attach + detach, against clone + swap + defer | 326 ns | 125 ns | 2.61 x | 3.50 x |  |
//! | the same with 4 probes there | 413 ns | 165 ns | 2.50 x | 3.50 x |  |
//! | the same with 16 probes there | 486 ns | 264 ns | 1.84 x | 3.50 x |  |
//! | attach + detach with 256 MiB more on the heap, against without | 322 ns | 328 ns | 0.98 x | 1.10 x |  |
//! | the same with 64 more threads that have fired | 1599 ns | 328 ns | 4.88 x | 1.10 x | missed |
//! | the same, against clone + swap + defer + a grace period, likewise | 1599 ns | 1713 ns | 0.93 x | 1.10 x |  |
//! | (the floor alone: with 64 more threads, against without) | 1713 ns | 295 ns | 5.81 x |  |  |
//! | the same with 1024 probes at 64 other events | 321 ns | 328 ns | 0.98 x | 1.10 x |  |
//! | batch of 100 000 probes on one event | 27.4 ms |  | 27.4 ms | 100.0 ms |  |
//! | the detach of that group | 11.1 ms |  | 11.1 ms | 100.0 ms |  |
//! | batch of 10 000, against one of 1000 (linear: 10) | 355.6 µs | 35.0 µs | 10.16 x | 12.00 x |  |
//! | the detach of that group, likewise | 360.4 µs | 34.6 µs | 10.40 x | 12.00 x |  |
//! | synchronize, nobody fires, median | 240 ns |  | 240 ns | 3000 ns |  |
//! | synchronize, others fire without pause, median | 1462 ns |  | 1462 ns | 30.0 µs |  |
//! | attach + detach, others fire without pause, median | 2655 ns |  | 2655 ns | 10.0 µs |  |
//! | retired and not yet reclaimed meanwhile, 99th percentile | 3 |  | 3 | 1000 |  |
//! | two threads firing one event, each against alone | 10 ns | 5.08 ns | 1.98 x | 1.25 x | missed |
//! | what two threads cost each other, above what the floor's do | 4.99 ns | 5.18 ns | -0.19 ns | +1.00 ns |  |
//! | (the floor alone: pin + load + call, likewise) | 8.75 ns | 3.57 ns | 2.45 x |  |  |
//! | (the same without a pin: compare-and-exchange + dyn call) | 2.34 ns | 2.20 ns | 1.07 x |  |  |
//! | gap between firings, p99.99, 100 changes a second, against none | 291 ns | 321 ns | 0.91 x | 1.10 x |  |
//! | gap between firings, p99.99, changes without pause, against none | 391 ns | 321 ns | 1.22 x | 5.00 x |  |
//!
//! | off, a place | ns |
//! |---|---|
//! | *floor:* a hand-written guard | 0.15 |
//! | **hotprobe** | 0.15 |
//! | tracing, no subscriber | 0.30 |
//! | tracing, another target on | 0.54 |
//! | log, off | 0.17 |
//! | fastrace, no trace begun | 9.78 |
//! | static-keys, off | 0.07 |
//! | USDT (probe), not traced | 0.07 |
//!
//! | one probe, or the like, that does nothing | ns |
//! |---|---|
//! | *floor:* a dyn call | 1.62 |
//! | *floor:* a compare-and-exchange + a dyn call | 2.17 |
//! | *floor:* crossbeam-epoch, pin + load + dyn call + unpin | 3.57 |
//! | *floor:* the same, in the loop itself, as those below are | 2.48 |
//! | **hotprobe** | 5.11 |
//! | **hotprobe**, in `pinned` | 3.52 |
//! | tracing, a subscriber that does nothing | 5.41 |
//! | tracing, registry + a layer that does nothing | 5.96 |
//! | the same with reload | 11.96 |
//! | log, a logger that does nothing | 2.48 |
//! | fastrace, a span | 103 |
//! | arc-swap + Vec | 4.90 |
//! | std RwLock + Vec | 4.82 |
//! | parking_lot RwLock + Vec | 5.14 |
//! | seize + Vec | 6.40 |
//! | haphazard + Vec | 4.87 |
//! | crossbeam-epoch, its default collector | 2.76 |
//!
//! | attach + detach, or the like | ns |
//! |---|---|
//! | *floor:* crossbeam-epoch, clone + swap + defer, twice | 112 |
//! | **hotprobe**, the captures dropped | 323 |
//! | tracing, reload twice | 53.63 |
//! | arc-swap + Vec | 154 |
//! | std RwLock + Vec | 17.01 |
//! | parking_lot RwLock + Vec | 16.50 |
//! | seize + Vec | 118 |
//! | haphazard + Vec | 190 |
//! <!-- end of figures -->
//!
//! ## Where each nanosecond goes
//!
//! The differences of the floors tell. A function that ends in a dyn call is what any kind of dispatch begins with. A
//! compare-and-exchange before it is what makes the pin a full barrier; alone, on a line that stays in the cache, it is
//! cheap. The rest of crossbeam-epoch's pin (the guard count, the epoch, each 128th time an attempt to advance it) and
//! the unpin make "pin + load + call". What is above that is ours: the thread's word, compared and stored on the way in
//! and on the way out; the state of the probe, and the comparison of its type's id; and a second call, of the thunk. (The
//! gate is looked at only if there is one.) A further probe costs what a dyn call in a plain loop does, although it
//! takes three instructions more: they wait for nothing.
//!
//! Two threads that fire each pay more than one alone, although nothing of ours is shared: each 128th pin of a
//! thread looks at the other's epoch, and advances the one that both read. The row "the floor alone" shows the same
//! without us. How much it is depends on the two cores: on one virtual machine it was 1.2 times in some runs, and 2 in
//! others, when the floor suffered likewise.
//!
//! For the same reason a detach takes longer the more threads have ever fired and still live, and misses its target with
//! 64 of them. Before it drops what was captured, a grace period must be over; for that the epoch has to advance, and
//! each time crossbeam-epoch asks every participant on its list for the epoch that it is in: altogether some 20 ns for
//! each thread. (Such a word lies alone in its cache line, and probably they compete for a few places of the nearest
//! caches.) Any scheme of epochs must look at each thread that could be reading. So the same is also measured without us:
//! crossbeam-epoch's clone + swap + defer twice, then a deferred store, flushed until it has been done, among as many
//! participants. That floor itself takes five or six times as long with 64 threads as without; ours, beside it, is in the
//! row after. The heap, other events and their probes do not matter.
//!
//! ## In a server
//!
//! `examples/overhead_server` is one axum server, three times: without events (the compiler never sees them), with four
//! a request that are off, and the same with a probe at each that does nothing. What a request costs in instructions,
//! handed to it in process, without the allocator's (`ci/overhead-server.sh`, rustc 1.95, x86-64 Linux):
//!
//! | | a request | for an event |
//! |---|---|---|
//! | without events | 10316.4 | |
//! | four events, off | 10327.4 | 2.75 |
//! | four events, on | 10673.3 | 89.2 |
//!
//! Less than the three of the check, since the compiler arranged the rest a little differently. The events' arguments
//! are at hand there in any case: a handler that has to keep a number for nothing but an event pays some two
//! instructions more for each `.await` that it is kept across.
//!
//! And over real connections, all three in one process, asked in turn for 83 ms each, in an order of chance. Medians of
//! 240 rounds on two cores that were shared with other programs, and of the ratios to the server without events in the
//! same round, with the interval in which that median lies with 99 % confidence:
//!
//! | | without | off | ratio | on | ratio |
//! |---|---|---|---|---|---|
//! | requests a second | 51912 | 50712 | 1.007 (0.989 to 1.021) | 49776 | 0.998 (0.982 to 1.022) |
//! | 99th percentile, µs | 1769 | 2212 | 1.036 (0.949 to 1.121) | 2261 | 0.957 (0.922 to 1.041) |
//! | the server's CPU time, µs a request | 9.95 | 9.98 | 1.000 (0.994 to 1.004) | 10.05 | 1.009 (1.003 to 1.015) |
//!
//! So off costs nothing that could be measured. On, no loss of throughput was seen, but with this spread 1 % would not
//! have been seen for sure either. CPU time, which other programs disturb less, shows what is there: something below
//! 0.1 µs for four events that are on. That is more than four times what one costs in a loop, since between two requests
//! the caches and the branch predictor have seen other things.
//!
//! ## How to see it for yourself
//!
//! ```sh
//! ci/overhead.sh                           # the rows, against their targets and their gates; fails above a gate
//! ci/overhead.sh --write                   # the rows and the peers, written into this page
//! ci/overhead.sh --plant                   # slowdowns planted in a copy, each of which the gate must notice
//! ci/overhead-server.sh                    # a server's instructions a request, with a gate; then its times
//! ci/overhead-server.sh --plant            # the same for that gate
//! cargo run --release --example overhead_server -- --seconds 60 --rounds 240      # the times alone, and better
//! cargo benches --bench versus -- --quick  # by criterion: `fire`, `attach`, `contended`, `versus`
//! CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 ci/overhead.sh        # another way to cut the crate into pieces
//! ```
//!
//! (`cargo benches` is an alias of the repository. A bench is in the package `benches/`, with peers that want newer
//! compilers than the library does.) Subjects are measured in turn, in slices of 0.1 ms, so that whatever else the
//! machine does meets all of them; each in three places of the program's memory. Instructions are counted by callgrind,
//! as the difference of two runs of different length.
//!
//! ## What not to conclude
//!
//! * *That an event costs so much in your program.* In these loops all is in the cache and every branch is foreseen. The
//!   first firing after a while misses both.
//! * *That one of the peers is better or worse than another.* They do different things: a `tracing` subscriber gets
//!   fields by name, a lock gives mutual exclusion, arc-swap and hazard pointers hold up no others. The table says what a
//!   place with one closure that does nothing costs, in each.
//!   And it is one thread: two that take a lock, for reading too, wait for each other.
//! * *That crossbeam-epoch alone is the rest of the difference.* The peers lie in the loop itself, as one would write
//!   them. What an event does when it is on lies in a function of its own, which is what makes it free when it is off.
//! * *That detach is as cheap as clone + swap + defer.* The floor leaves dropping to some later pin; ours has dropped
//!   what was captured before it returns.
//! * *That a difference of a few tenths of a nanosecond is one.* `ci/overhead.sh` also prints what is typical of all
//!   places in memory and processes, beside the best.
//! * *Anything about many cores.* The machine has few. With fewer than three, "others fire without pause" is one thread.
//!
//! # Dynamic probes
//!
//! A dynamic probe ([`AnyEvent`](crate::AnyEvent)) lies in the same snapshot as the typed ones, behind a thunk of its
//! own, which the compiler makes for each event beside the others. So firings and typed probes do not know of it.
//! When it is called, its thunk makes one [`Value`](crate::Value) for each parameter, in an array on the stack, and
//! calls the closure through one pointer more than a typed one. Nothing is allocated, and nothing is formatted
//! before the probe does it. What is marked `#[redact]` is not even read.
//!
//! [`events`](crate::events()), [`find`](crate::find()) and [`matching`](crate::matching()) go through a list
//! that the linker has put together: 16 bytes for each event, on a 64-bit machine. The first and the last sort
//! what they found.
//!
//! # Memory
//!
//! An event is a static of at most 64 bytes, and what is in the catalogue beside it: its metadata, and the
//! code that attaches dynamic probes. A thread that has fired an enabled event has a record in
//! crossbeam-epoch.
//!
//! # What events cost to build
//!
//! 500 events of two parameters, each fired once, next to 500 `tracing::event!` with two fields.
//! CPU seconds for that crate alone, and bytes for each event:
//!
//! | | check | debug build | release build | bytes, debug | bytes, release, stripped |
//! |---|---|---|---|---|---|
//! | hotprobe | 8.3 s | 12.8 s | 15.5 s | 26,624 | 1,615 |
//! | tracing 0.1.44 | 1.5 s | 2.0 s | 2.5 s | 4,554 | 693 |
//!
//! Measured by `ci/build-cost.sh` with rustc 1.95 on two cores of an AMD EPYC, beside other work.
//! On the idle machine, in alternation, a check of 200 events took 2.26 s, and one with `tracing`
//! 0.55 s.
//!
//! The target was twice `tracing`'s, and is missed. Expanding the macros is 5 % of a check. The
//! rest goes into the functions and implementations that each event has of its own, mostly into
//! checking types and borrows: an event is a type with its own signature, a `tracing` event is a
//! call of one function.
//!
//! An earlier expansion took 2.85 s for these 200 events, and 32,833 bytes of a debug build for
//! each event: it spelled out the types of probes and thunks wherever the core's types had them,
//! and implemented every method of [`TypedEvent`](crate::TypedEvent). Now one private type names
//! them for each event. Of a check, the most expensive parts are the four attach methods (8 %), the
//! entry in the catalogue (8 %), and the functions that fire (8 %).
//!
//! # Benchmarks that lie
//!
//! **The check is there,** even if no attach is reachable in the whole program: since every event is in the
//! [catalogue](crate::events()), through which anybody could attach, the optimizer cannot take it to be off
//! forever (not with `lto = "fat"` either: looked at). Two exceptions: under loom, and for targets without linker
//! lists ([limitations](super::limitations#the-catalogue)), there is no catalogue; attach and detach once
//! before measuring there.
//!
//! **The loop may be gone.** Hide the argument behind [`std::hint::black_box`], and measure the same loop
//! without the event beside it.
//!
//! **Layout.** Where the loop lies in memory moves results of this size by more than many a change to the code.
//! Compare several layouts, and look at the instructions as well.

#![allow(
    clippy::doc_markdown,
    reason = "names of crates and types in tables are names, and the tables are written by a script"
)]
