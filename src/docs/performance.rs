//! What an event costs, next to its peers, in a server, and in machine code; how to measure it.
//!
//! * [Next to its peers](#next-to-its-peers): `tracing`, LTTng-UST, `log`, `fastrace`, locks
//! * [Recording](#recording): one `u64` or one text, by `hotprobe-record` and by other recorders
//! * [The slowest firings](#the-slowest-firings): percentiles, next to threads that sleep, or
//!   while another one attaches and detaches
//! * [In a server](#in-a-server): throughput, latency and CPU time of a service with events
//! * What happens: [off](#off), [on](#on), [nested and pinned](#nested-and-pinned),
//!   [attach and detach](#attach-and-detach), [dynamic probes](#dynamic-probes),
//!   [memory](#memory), [build time](#build-time)
//! * [What not to conclude](#what-not-to-conclude), and
//!   [how to measure it yourself](#how-to-measure-it-yourself)
//! * [Against the floors](#against-the-floors): the targets and gates of this crate's own CI
//!
//! # Next to its peers
//!
//! Each peer does its own equivalent of the work, in its own process, in turn with the floors and
//! with this crate. A *floor* is the same work without this crate: the least that the machine
//! asks for it. (`benches/src/layout/floors.rs` has the code.) Figures are nanoseconds per call,
//! the best of several processes and memory layouts. `ci/overhead.sh --write peers` measures them;
//! `cargo benches --bench versus` shows each in criterion's way.
//!
//! ## Peers, Intel
//!
//! <!-- peers: intel -->
//! On Intel Xeon Processor, family 6, model 207, 2 cores (Linux x86_64), rustc 1.95.0, the
//! default release profile, **beside other work**, which took 0.26 processors:
//!
//! | an event that is off, or its equivalent | ns |
//! |---|---|
//! | *floor:* a hand-written guard | 0.18 |
//! | **hotprobe** | 0.18 |
//! | tracing, no subscriber | 0.20 |
//! | tracing, another target on | 0.49 |
//! | log, off | 0.20 |
//! | fastrace, no trace begun | 10.07 |
//! | static-keys, off | 0.09 |
//! | USDT (probe), not traced | 0.09 |
//! | LTTng-UST, off | 0.18 |
//!
//! | one probe that does nothing, or its equivalent | ns |
//! |---|---|
//! | *floor:* a dyn call | 1.88 |
//! | *floor:* a compare-and-exchange + a dyn call | 8.15 |
//! | *floor:* crossbeam-epoch, pin + load + dyn call + unpin | 9.86 |
//! | *floor:* the same, inlined in the loop, as the peers below | 9.87 |
//! | **hotprobe** | 4.01 |
//! | **hotprobe**, in `pinned` | 3.77 |
//! | tracing, a subscriber that does nothing | 6.02 |
//! | tracing, registry + a layer that does nothing | 6.39 |
//! | the same with reload | 36.15 |
//! | log, a logger that does nothing | 3.16 |
//! | fastrace, a span | 87.07 |
//! | arc-swap + Vec | 17.17 |
//! | std RwLock + Vec | 18.83 |
//! | parking_lot RwLock + Vec | 20.05 |
//! | seize + Vec | 11.01 |
//! | haphazard + Vec | 9.06 |
//! | crossbeam-epoch, its default collector | 10.14 |
//! | LTTng-UST, a callback that does nothing | 16.83 |
//! | the same with liburcu inlined | 2.34 |
//!
//! | attach + detach, or its equivalent | ns |
//! |---|---|
//! | *floor:* crossbeam-epoch, clone + swap + defer, twice | 146 |
//! | **hotprobe**, which also drops the captures | 615 |
//! | tracing, reload twice | 175 |
//! | arc-swap + Vec | 399 |
//! | std RwLock + Vec | 36.70 |
//! | parking_lot RwLock + Vec | 36.75 |
//! | seize + Vec | 166 |
//! | haphazard + Vec | 247 |
//! | LTTng-UST, register and unregister a callback | 1284 |
//! <!-- end of peers: intel -->
//!
//! ## Peers, AMD
//!
//! <!-- peers: amd -->
//! On AMD EPYC, 2 cores (Linux x86_64), rustc 1.95.0, the default release profile:
//!
//! | an event that is off, or its equivalent | ns |
//! |---|---|
//! | *floor:* a hand-written guard | 0.15 |
//! | **hotprobe** | 0.15 |
//! | tracing, no subscriber | 0.27 |
//! | tracing, another target on | 0.54 |
//! | log, off | 0.17 |
//! | fastrace, no trace begun | 9.78 |
//! | static-keys, off | 0.07 |
//! | USDT (probe), not traced | 0.07 |
//!
//! | one probe that does nothing, or its equivalent | ns |
//! |---|---|
//! | *floor:* a dyn call | 1.62 |
//! | *floor:* a compare-and-exchange + a dyn call | 2.10 |
//! | *floor:* crossbeam-epoch, pin + load + dyn call + unpin | 3.57 |
//! | *floor:* the same, inlined in the loop, as the peers below | 2.48 |
//! | **hotprobe** | 3.91 |
//! | **hotprobe**, in `pinned` | 3.52 |
//! | tracing, a subscriber that does nothing | 6.50 |
//! | tracing, registry + a layer that does nothing | 6.77 |
//! | the same with reload | 11.83 |
//! | log, a logger that does nothing | 2.45 |
//! | fastrace, a span | 102 |
//! | arc-swap + Vec | 4.89 |
//! | std RwLock + Vec | 4.82 |
//! | parking_lot RwLock + Vec | 5.14 |
//! | seize + Vec | 6.36 |
//! | haphazard + Vec | 4.87 |
//! | crossbeam-epoch, its default collector | 2.76 |
//!
//! | attach + detach, or its equivalent | ns |
//! |---|---|
//! | *floor:* crossbeam-epoch, clone + swap + defer, twice | 111 |
//! | **hotprobe**, which also drops the captures | 707 |
//! | tracing, reload twice | 54.19 |
//! | arc-swap + Vec | 135 |
//! | std RwLock + Vec | 17.02 |
//! | parking_lot RwLock + Vec | 16.50 |
//! | seize + Vec | 116 |
//! | haphazard + Vec | 184 |
//! <!-- end of peers: amd -->
//!
//! Go's `tracing`, whose ideas these are, was measured on another machine of AMD's, in a loop of
//! its own (Go 1.26; compare only orders of magnitude): 2.23 ns off, 4.65 ns with one probe that
//! does nothing. An attach and a detach take 4.7 ms each, and 2 ms per MB of heap.
//!
//! # Recording
//!
//! What a record costs the thread that fires, the reading of a clock included. *Hot* is 200 slices
//! of 4096 records without a pause. *Paced* is 200 batches of 1000 records, with 1 ms of sleep
//! between them, in which a recorder can write what it has. *Lost* is the share of the records that
//! were not written. A recorder that drops what it has no room for is fast when hot, because most
//! of its calls only drop: compare figures with the loss beside them. Each recorder runs in
//! processes of its own, and the best of them counts. The first two rows of `hotprobe-record` have
//! a fresh buffer for each slice, which has room.
//!
//! `ci/overhead.sh --write recorded` measures them. So does `cargo benches --bench recorded`, which
//! has this crate's figures for other arguments.
//!
//! ## Recorders, Intel
//!
//! <!-- recorded: intel -->
//! On Intel Xeon Processor, family 6, model 207, 2 cores (Linux x86_64), rustc 1.95.0, the
//! default release profile, **beside other work**, which took 0.23 processors:
//!
//! | nanoseconds a record | `u64`, paced | lost | hot | lost | text, paced | lost | hot | lost | when full |
//! |---|---|---|---|---|---|---|---|---|---|
//! | *floor:* the system's clock, without a record | 25.2 | – | 25.1 | – | 26.0 | – | 25.1 | – |  |
//! | *floor:* the processor's counter, without a record | 9.8 | – | 9.7 | – | 9.8 | – | 9.7 | – |  |
//! | **hotprobe-record**, `Clock::Tsc` | 21.7 | 0 | 21.5 | 0 | 30.1 | 0 | 30.5 | 0 | drops the newest, counts them |
//! | **hotprobe-record**, `Clock::System` | 38.0 | 0 | 37.7 | 0 | 46.3 | 0 | 44.7 | 0 | drops the newest, counts them |
//! | **hotprobe-record**, `Clock::Tsc`, `OverwriteOldest`, full | 24.2 | 78 % | 27.5 | 95 % | 37.3 | 91 % | 35.1 | 98 % | overwrites the oldest, counts them |
//! | **hotprobe-record**, `Clock::Tsc`, streaming to a file | 24.4 | 0 | 22.5 | 64 % | 33.6 | 0 | 31.8 | 66 % | drops the newest, counts them |
//! | ticklog 0.1.2, to a sink that counts | 27.9 | 0 | 9.0 | 95 % | 24.6 | 0 | 9.0 | 96 % | drops the newest, does not count |
//! | backbeat 0.1.5 | 47.4 | – | 44.7 | – | 47.6 | – | 45.3 | – | overwrites the oldest |
//! | dial9-core 0.5.7, to files | 62.8 | 0 | 61.6 | 0 | 67.8 | 0 | 59.0 | 0 | drops batches |
//! | LTTng-UST, to files (2.13.9) | 91.2 | 0 | 88.3 | 0 | 104 | 0 | 101 | 0 | drops the newest, counts them |
//! | fastrace 0.7.19, a span with a property | 252 | 0 | 126 | 0 | 259 | 0 | 123 | 0 | drops spans of long traces |
//! | puffin 0.20.0, a scope with a text | 136 | 0 | 137 | 0 | 127 | 0 | 125 | 0 | grows without bound |
//! | tracing-subscriber 0.3.23, `fmt`, to a sink | 640 | 0 | 656 | 0 | 679 | 0 | 674 | 0 | the program waits |
//! | tracing-chrome 0.7.2, to a sink | 326 | – | 1008 | – | 516 | – | 734 | – | grows without bound |
//! <!-- end of recorded: intel -->
//!
//! ## Recorders, AMD
//!
//! <!-- recorded: amd -->
//! Not measured yet in this way. The front page of `hotprobe-record` has some figures.
//! <!-- end of recorded: amd -->
//!
//! # The slowest firings
//!
//! Each firing of an event with one probe that does nothing, between two readings of the
//! processor's counter, which wait for what is before them; the first row of a table shows the
//! readings alone. All rows are measured in turn, in 24 parts of 100 ms each. A figure is the
//! percentile of a part; the table shows the first quartile of the parts. (A timer interrupt or
//! another program makes the longest firing of nearly every part.) Each detach asks the kernel for
//! a barrier on all running threads of the process, which interrupts them: the rows "membarriers"
//! do that, and do not change the event. `ci/overhead.sh --write tails` measures this and draws the
//! pictures; `cargo benches --bench contended` prints the same of one part each.
//!
//! ## Tails, Intel
//!
//! <!-- tails: intel -->
//! On Intel Xeon Processor, family 6, model 207, 2 cores (Linux x86_64), rustc 1.95.0, the
//! default release profile:
//!
//! | a firing, with threads that have fired and sleep | p50 | p99 | p99.3 | p99.9 | p99.99 | max |
//! |---|---|---|---|---|---|---|
//! | the two readings alone | 24 ns | 26 ns | 26 ns | 26 ns | 31 ns | 45 µs |
//! | no other thread | 30 ns | 31 ns | 31 ns | 32 ns | 39 ns | 39 µs |
//! | 64 threads | 30 ns | 31 ns | 31 ns | 32 ns | 40 ns | 49 µs |
//! | 512 threads | 30 ns | 30 ns | 31 ns | 31 ns | 38 ns | 72 µs |
//! | 2048 threads | 30 ns | 31 ns | 31 ns | 31 ns | 37 ns | 51 µs |
//!
//! | a firing, while another thread changes the event | p50 | p99 | p99.3 | p99.9 | p99.99 | max |
//! |---|---|---|---|---|---|---|
//! | no changes | 30 ns | 31 ns | 31 ns | 32 ns | 39 ns | 39 µs |
//! | 100 membarriers a second, no changes | 30 ns | 31 ns | 31 ns | 32 ns | 40 ns | 52 µs |
//! | 100 changes a second | 30 ns | 31 ns | 31 ns | 35 ns | 111 ns | 153 µs |
//! | membarriers without a pause, no changes | 30 ns | 35 ns | 59 ns | 10 µs | 11 µs | 80 µs |
//! | changes without a pause | 30 ns | 202 ns | 263 ns | 10 µs | 11 µs | 78 µs |
//! <!-- end of tails: intel -->
//!
#![doc = include_str!("../../assets/tails-intel.svg")]
//!
//! ## Tails, AMD
//!
//! <!-- tails: amd -->
//! Not measured yet.
//! <!-- end of tails: amd -->
//!
//! # In a server
//!
//! `benches/overhead_server` compiles one axum server three times: without events, with four
//! events per request that are off, and with a probe on each that does nothing. The instructions
//! of a request, called in process, without the allocator's
//! (`ci/overhead-server.sh`, rustc 1.95, x86-64 Linux):
//!
//! | | per request | per event |
//! |---|---|---|
//! | without events | 10316.4 | |
//! | four events, off | 10327.4 | 2.75 |
//! | four events, on | 10673.3 | 89.2 |
//!
//! An event that is off takes three instructions. The figure is 2.75 because the compiler arranged
//! the rest of the code a little differently. Here the arguments are at hand anyway. A handler that
//! keeps a number only for an event pays about two more instructions for each `.await` in between.
//!
//! The same over real connections. All three servers run in one process and receive requests in
//! turn, 83 ms each, in random order. The table shows medians of 240 rounds on two cores that other
//! programs used as well. A ratio compares with the server without events in the same round; the
//! table shows its median and, in brackets, the 99 % confidence interval:
//!
//! | | without | off | ratio | on | ratio |
//! |---|---|---|---|---|---|
//! | requests a second | 51912 | 50712 | 1.007 (0.989 to 1.021) | 49776 | 0.998 (0.982 to 1.022) |
//! | 99th percentile, µs | 1769 | 2212 | 1.036 (0.949 to 1.121) | 2261 | 0.957 (0.922 to 1.041) |
//! | CPU time, µs a request | 9.95 | 9.98 | 1.000 (0.994 to 1.004) | 10.05 | 1.009 (1.003 to 1.015) |
//!
//! * Events that are off cost nothing measurable.
//! * With events on, no loss of throughput was seen; at this spread, a loss of 1 % could have
//!   been missed.
//! * CPU time is disturbed less by other programs. It shows a little less than 0.1 µs for four
//!   events that are on. That is more than four times the cost in a loop: between two requests,
//!   other code displaces the event's from the caches and the branch predictor.
//!
//! # Off
//!
//! An event that is off is one relaxed load, one test, and one branch that falls through. The
//! arguments are not evaluated. Everything else is in a function that is never inlined, behind a
//! branch marked as unlikely, so that the code around the event keeps its registers and its place
//! in the instruction cache. (The function itself is not marked cold: the compiler would optimize
//! it for size, and firings that are on would pay for that.)
//!
//! To see it, put this into a binary crate, call `f` from `main`, and build with `--release`:
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
//! $ objdump --disassemble --demangle --no-show-raw-insn -M intel target/release/NAME |
//!       grep -A 4 '::f>:$'
//!     mov    rax,QWORD PTR [rip+0x47729]
//!     test   rax,rax
//!     jne    … <…::fire_enabled>
//!     ret
//! ```
//!
//! This is x86-64 Linux, with the addresses cut off. There is no prologue, and the arguments are
//! already where `fire_enabled` expects them, so the branch is a plain jump. `ci/off-path.sh`
//! fails if that changes. The method, `E.fire(x)`, compiles to the same code, but its arguments
//! are evaluated first.
//!
//! The surrounding function may pay for two more things. A value that only the event's arguments
//! need stays alive until the event, which may cost a register. And position-independent code,
//! such as a library crate before it is linked, takes one more instruction to find the address of
//! an exported event.
//!
//! # On
//!
//! The steps of an outermost firing:
//!
//! 1. The off check, and a jump to `fire_enabled`. That function has no prologue. It compares the
//!    thread's state, one word in thread-local storage, with a constant, and jumps to one of two
//!    functions: one for outermost firings, one for nested and pinned ones. (In a single function,
//!    the distinction would occupy a register while the probes run.)
//! 2. The state is compared once more, and the constant "one firing" is stored.
//! 3. The thread's lane: the number of the last grace period is loaded and stored into the thread's
//!    own record. After the first attach, on Linux, that is all. Without `membarrier` a full memory
//!    barrier follows (on x86-64, a locked exchange in place of the store).
//! 4. An acquire load of the snapshot gives the address of its first entry. (The acquire fence
//!    before it is no instruction on x86-64.)
//! 5. For each entry up to the empty one: an indirect call of the probe's thunk, whose address is
//!    in the entry and is loaded into a register first. (A compiler fence forces that. Calls
//!    through memory made the same loop three times as slow in some runs of one binary.) The thunk
//!    loads the probe's state, which also says whether the probe has a gate to check (it came by a
//!    batch), compares the id of the probe's type, and calls the closure, which the compiler can
//!    inline. `catch_unwind` is a landing pad and costs nothing unless a probe panics.
//! 6. If the state is still what step 2 stored, the constant "idle" is stored. (Decrementing
//!    instead would make the next firing wait for this one's load.) Before that, "out" is stored
//!    into the thread's record.
//!
//! A firing takes no lock, allocates nothing, and writes nothing that another thread writes, so
//! firings on many cores do not slow each other down, and the number of threads does not matter
//! (G17). There are two exceptions: a thread's first enabled firing may allocate, to get a lane (64
//! at a time); and a probe that panics takes the lock briefly, to be switched off.
//!
//! # Nested and pinned
//!
//! A firing inside another firing, or inside [`pinned`](crate::pinned()), skips the lane. It
//! increments the state and restores it afterwards. In a loop that fires often, `pinned` around the
//! loop enters the lane once, which matters where each entry has a barrier:
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
//! `pinned` enters the lane even if all events are off. While it runs, no grace period of the
//! process ends ([limitations](super::limitations#waiting)).
//!
//! # Attach and detach
//!
//! Neither waits for a firing. Both hold the process-wide lock while they copy the event's vector
//! of probes: 16 bytes per probe on a 64-bit machine.
//!
//! * **attach** allocates the probe (state and closure in one block) and the next snapshot, copies
//!   the entries, stores one pointer, and retires the old snapshot. A snapshot holds up to two
//!   probes itself, and more in a separate vector. Retiring allocates nothing.
//! * **detach** swaps one byte, allocates the shorter snapshot, copies the entries and stores one
//!   pointer. Outside a firing, it then tries to complete a grace period, by a few flushes of
//!   crossbeam-epoch, and drops what is past it. If a firing in flight prevents that, a later call
//!   drops it.
//! * **commit**, and **detach** of a group, copy once per event, however many of its probes they
//!   concern. Attaching *n* probes to one event one by one copies *n*²/2 entries; in a batch, *n*.
//!
//! # Dynamic probes
//!
//! A dynamic probe ([`AnyEvent`](crate::AnyEvent)) is in the same snapshot as the typed ones,
//! behind a thunk that the compiler generates for each event. Firings and typed probes are not
//! affected by it. The thunk builds an array on the stack, with one [`Value`](crate::Value) per
//! parameter, and calls the closure with one more indirection than a typed one. Nothing is
//! allocated, and nothing is formatted until the probe does so. An argument marked `#[redact]` is
//! not even read.
//!
//! [`events`](crate::events()), [`find`](crate::find()) and [`matching`](crate::matching()) walk a
//! list that the linker builds, with 16 bytes per event on a 64-bit machine. `events` and
//! `matching` sort their results.
//!
//! # Memory
//!
//! An event is a static of at most 64 bytes. Beside it, the catalogue holds its metadata and the
//! code that attaches dynamic probes. Each thread that has fired an enabled event has a record in
//! crossbeam-epoch.
//!
//! # Build time
//!
//! 500 events of two parameters, each fired once, next to 500 `tracing::event!` with two fields:
//! CPU seconds to compile that crate alone, and bytes per event.
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
//! them for each event.
//!
//! A second design, in which `fire` has no closures but a guard and a cursor over the probes, would
//! not reach the target, so it was not built: without any code in the functions that fire, a check
//! is 3 % faster. CPU seconds of a check of 200 events, each time without one part of the
//! expansion, the fastest of 4, on two cores of an Intel Xeon beside other work:
//!
//! | without | s |
//! |---|---|
//! | nothing | 2.30 |
//! | `TypedEvent`, `Deref` | 1.93 |
//! | three of the four attach methods | 2.00 |
//! | the entry in the catalogue | 2.03 |
//! | the bodies of the functions that fire | 2.22 |
//! | the metadata | 2.24 |
//! | `Debug` | 2.25 |
//!
//! So the floor of an event that has a type, a signature of its own and an entry in a catalogue is
//! above 1 s for these 200. The time is linear in the number of events: 500, 1000 and 2000 took
//! 7.4, 16.2 and 33.9 s there, and 1.1 MB of memory each. (5000 did not finish beside the other
//! work; `tracing`'s took 21 s.)
//!
//! # What not to conclude
//!
//! * *That an event costs this much in your program.* In these loops everything is in the cache
//!   and every branch is predicted. The first firing after a while misses both.
//! * *That one peer is better than another.* They do different things: a `tracing` subscriber gets
//!   fields by name; a lock gives mutual exclusion; arc-swap and hazard pointers delay no other
//!   thread. The table shows what one place with one closure that does nothing costs in each.
//! * *That locks are cheap.* The table is of one thread. Threads that take a lock wait for each
//!   other, even to read.
//! * *That crossbeam-epoch alone is the rest of the difference.* The peers' code is inlined in the
//!   loop, as one would write it. An event's enabled code is in a function of its own, which is
//!   what makes an event free when it is off.
//! * *That detach costs what clone + swap + defer does.* That floor leaves dropping to a later
//!   pin. `detach` has dropped the captures before it returns.
//! * *That a few tenths of a nanosecond are a difference.* `ci/overhead.sh --times` prints the
//!   typical figure of all memory layouts and processes beside the best. Some figures differ more
//!   between builds of the same code: `tracing`'s registry took 6.0 ns in one build and 8.7 in the
//!   next.
//! * *Anything about many cores.* The machine has two. With fewer than three, one thread fires in
//!   the rows "other threads fire without pause".
//!
//! # How to measure it yourself
//!
//! ```sh
//! ci/overhead.sh                           # instructions and allocations, against gates
//! ci/overhead.sh --times                   # times as well, which never fail
//! ci/overhead.sh --write                   # measures all, and writes the tables of this page for
//!                                          # this make of processor; --write peers: only those
//! ci/overhead.sh --add                     # likewise, with another run: the best of all counts
//! ci/overhead.sh --plant                   # checks that the gates notice planted slowdowns
//! ci/overhead-server.sh                    # a server's instructions per request, and its times
//! ci/overhead-server.sh --plant            # checks that its gate notices a planted slowdown
//! cargo run --release -p hotprobe-benches -F server --bin overhead_server -- \
//!     --seconds 60 --rounds 240
//! cargo benches --bench versus -- --quick  # by criterion; also `fire`, `attach`, `contended`,
//!                                          # `record`; in its own way: `recorded`
//! HOTPROBE_MEMBARRIER=off cargo benches --bench fire    # firings with a barrier of their own
//! CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 ci/overhead.sh  # with another division into units
//! ```
//!
//! LTTng-UST takes part where Debian's `liblttng-ust-dev`, `lttng-tools` and `gcc` are installed;
//! the benches compile `benches/lttng/peer.c`, and start a session daemon of their own if none
//! runs.
//!
//! `cargo benches` is an alias of the repository, for the package `benches/`. Some peers need newer
//! compilers than the libraries do. Subjects are measured in turn, in slices of 0.1 ms, so that
//! other load affects all of them alike, each at three places in the program's memory. Callgrind
//! counts instructions, as the difference of two runs of different lengths.
//!
//! A benchmark of your own needs care in three places:
//!
//! * **The check stays**, even if no attach is reachable in the whole program. Every event is in
//!   the [catalogue](crate::events()), through which anyone could attach, so the optimizer cannot
//!   assume that it is off forever (not even with `lto = "fat"`). There is no catalogue under loom,
//!   and on targets [without linker lists](super::limitations#the-catalogue): attach and detach
//!   once before you measure there.
//! * **The loop may vanish.** Hide the argument behind [`std::hint::black_box`], and measure the
//!   same loop without the event.
//! * **Layout matters.** The address of the loop changes such results by more than most changes of
//!   the code do. Compare several layouts, and count instructions as well.
//!
//! # Against the floors
//!
//! This crate's CI measures these rows. *Ours* and *floor* are as above; *judged* is the ratio or
//! the difference that has a *target*. Rows of instructions, bytes and allocations are gates:
//! `ci/overhead.sh` fails above them. Times gate nothing. All figures are the best of one run,
//! except where a row says "median". Each row names its *group*: `ci/overhead.sh --rows GROUP`
//! measures it again.
//!
//! ## Rows, Intel
//!
//! <!-- rows: intel -->
//! On Intel Xeon Processor, family 6, model 207, 2 cores (Linux x86_64), rustc 1.95.0, the
//! default release profile, **beside other work**, which took 1.07 processors:
//!
//! | group | what | ours | floor | judged | target | |
//! |---|---|---|---|---|---|---|
//! | code | off: instructions of the function, above a hand-written guard's | 10.0 i | 10.0 i | +0.0 i | +0.0 i |  |
//! | code | off: bytes of load, test and branch | 12 B | 12 B | 12 B | 14 B |  |
//! | count | off: instructions executed, above a hand-written guard's | 3.0 i | 3.0 i | +0.0 i | +0.0 i |  |
//! | count | one probe: instructions, above pin + load + call | 69.0 i | 50.7 i | +18.3 i | +20.9 i |  |
//! | count | each further probe: instructions, above a plain loop's | 11.0 i | 8.0 i | +3.0 i | +3.5 i |  |
//! | count | one probe in `pinned`: instructions, above a dyn call | 65.0 i | 13.0 i | +52.0 i | +52.5 i |  |
//! | count | one probe nested: instructions, above a dyn call | 65.0 i | 13.0 i | +52.0 i | +52.5 i |  |
//! | count | attach + detach: instructions, against clone + swap + defer | 2553.7 i | 473.0 i | 5.40 x | 5.45 x |  |
//! | count | the same with 4 probes attached: instructions | 3530.7 i | 646.0 i | 5.47 x | 5.52 x |  |
//! | count | the same with 16 probes attached: instructions | 5054.7 i | 1054.0 i | 4.80 x | 4.85 x |  |
//! | count | attach + detach: allocations | 3 | 4 | 3 | 3 |  |
//! | count | attach + detach + synchronize: instructions, against the floor + a grace period | 3804.3 i | 1129.9 i | 3.37 x | 3.42 x |  |
//! | count | each of 64 more threads: instructions of the same, against the floor's | 18.4 i | 28.3 i | 0.65 x | 0.70 x |  |
//! | count | attach + detach with 1024 probes on 64 other events: instructions, above without | 2553.7 i | 2553.7 i | +0.0 i | +0.0 i |  |
//! | count | batch of 10,000 and its detach: instructions per probe, against one of 1,000 | 934.6 i | 918.9 i | 1.02 x | 1.10 x |  |
//! | fire | off, against a hand-written guard | 0.19 ns | 0.18 ns | 1.03 x | 1.00 x | missed |
//! | fire | one probe, against compare-and-exchange + dyn call | 3.92 ns | 8.41 ns | 0.47 x | 2.10 x |  |
//! | fire | one probe, above compare-and-exchange + dyn call | 3.92 ns | 8.41 ns | -4.50 ns | +3.20 ns |  |
//! | fire | each further probe, against a dyn call in a plain loop | 1.70 ns | 1.34 ns | 1.27 x | 1.05 x | missed |
//! | fire | one probe, against a dyn call | 3.92 ns | 1.94 ns | 2.02 x | 2.60 x |  |
//! | fire, fat LTO | one probe, against a dyn call, with fat LTO | 4.02 ns | 1.67 ns | 2.40 x | 2.60 x |  |
//! | fire | one probe in `pinned`, against an outermost firing | 3.68 ns | 3.92 ns | 0.94 x | 1.00 x |  |
//! | fire | one probe nested, against an outermost firing | 3.68 ns | 3.92 ns | 0.94 x | 1.00 x |  |
//! | fire | depth, gate, state, catch_unwind, counters: above pin + load + call | 3.92 ns | 10 ns | -6.30 ns | +1.60 ns |  |
//! | fire, without membarrier | one probe without membarrier, above pin + load + call | 10 ns | 11 ns | -0.15 ns | +1.60 ns |  |
//! | fire, without membarrier | one probe in `pinned` without membarrier, against an outermost firing | 4.01 ns | 10 ns | 0.39 x | 1.00 x |  |
//! | attach | attach + detach, nobody fires, captures dropped | 633 ns |  | 633 ns | 1000 ns |  |
//! | attach | attach + detach, against clone + swap + defer | 633 ns | 162 ns | 3.90 x | 3.50 x | missed |
//! | attach | the same with 4 probes attached | 718 ns | 271 ns | 2.65 x | 3.50 x |  |
//! | attach | the same with 16 probes attached | 831 ns | 441 ns | 1.88 x | 3.50 x |  |
//! | first | the first attach of a process with one thread, median of 10 | 17.8 µs |  | 17.8 µs |  |  |
//! | first | the first attach of a process with two threads, median of 10 | 13.9 ms |  | 13.9 ms |  |  |
//! | first | the longest of these 10 | 18.5 ms |  | 18.5 ms |  |  |
//! | elsewhere | attach + detach with 512 threads that have fired and sleep | 1352 ns |  | 1352 ns | 3000 ns |  |
//! | elsewhere | attach + detach after 10,000 threads have fired and ended, above without | 694 ns | 667 ns | +27 ns | +1000 ns |  |
//! | elsewhere | attach + detach with 256 MiB more on the heap, against without | 647 ns | 667 ns | 0.97 x | 1.10 x |  |
//! | elsewhere | the same with 64 more threads that have fired | 765 ns | 667 ns | 1.15 x | 1.10 x | missed |
//! | elsewhere | the same, against clone + swap + defer + a grace period, with as many threads | 765 ns | 1346 ns | 0.57 x | 1.10 x |  |
//! | elsewhere | (the floor alone: with 64 more threads, against without) | 1346 ns | 347 ns | 3.88 x |  |  |
//! | elsewhere | the same with 1024 probes on 64 other events | 706 ns | 667 ns | 1.06 x | 1.10 x |  |
//! | batch | batch of 100,000 probes on one event | 15.1 ms |  | 15.1 ms | 100.0 ms |  |
//! | batch | the detach of that group | 10.1 ms |  | 10.1 ms | 100.0 ms |  |
//! | batch | batch of 10,000, against one of 1,000 (linear: 10) | 508.1 µs | 49.1 µs | 10.35 x | 12.00 x |  |
//! | batch | the same for the detach of that group | 749.2 µs | 72.8 µs | 10.29 x | 12.00 x |  |
//! | busy | synchronize, nobody fires, median | 464 ns |  | 464 ns | 3000 ns |  |
//! | busy | synchronize, other threads fire without pause, median | 768 ns |  | 768 ns | 30.0 µs |  |
//! | busy | attach + detach, other threads fire without pause, median, above one membarrier | 17.8 µs | 15.9 µs | +1920 ns | +3000 ns |  |
//! | busy | retired and not yet reclaimed meanwhile, p99 | 0 |  | 0 | 1000 |  |
//! | threads | two threads firing one event: each, against one alone | 4.35 ns | 4.34 ns | 1.00 x | 1.25 x |  |
//! | threads | one probe ÷ a dyn call, on each of two threads, against on one | 2.17 x | 2.17 x | 1.00 x | 1.00 x |  |
//! | threads | what two threads cost each other, above the floor's | 0.00 ns | 2.57 ns | -2.57 ns | +1.00 ns |  |
//! | threads | (the floor alone: pin + load + call, on two threads) | 13 ns | 10 ns | 1.24 x |  |  |
//! | threads | (the same without a pin: compare-and-exchange + dyn call) | 8.69 ns | 8.69 ns | 1.00 x |  |  |
//! | tails | a firing, p99.3, with 512 threads that have fired and sleep, above without | 31 ns | 31 ns | +0.00 ns | +10 ns |  |
//! | tails | the same with 2048 threads | 31 ns | 31 ns | +0.00 ns | +10 ns |  |
//! | tails | a firing, p99.99, 100 changes a second, above 100 membarriers a second | 111 ns | 40 ns | +71 ns | +10 ns | missed |
//! | tails | the same without a pause between changes, or membarriers | 11.3 µs | 11.4 µs | -111.30 ns |  |  |
//! <!-- end of rows: intel -->
//!
//! ## Rows, AMD
//!
//! (Of an earlier list of rows.)
//!
//! <!-- rows: amd -->
//! On AMD EPYC, 2 cores (Linux x86_64), rustc 1.95.0, the default release profile:
//!
//! | what | ours | floor | judged | target | |
//! |---|---|---|---|---|---|
//! | off: instructions of the function, above a hand-written guard's | 10.0 i | 10.0 i | +0.0 i | +0.0 i |  |
//! | off: bytes of load, test and branch | 12 B | 12 B | 12 B | 14 B |  |
//! | off: instructions executed, above a hand-written guard's | 3.0 i | 3.0 i | +0.0 i | +0.0 i |  |
//! | one probe: instructions, above pin + load + call | 69.0 i | 50.7 i | +18.3 i | +20.9 i |  |
//! | each further probe: instructions, above a plain loop's | 11.0 i | 8.0 i | +3.0 i | +3.5 i |  |
//! | one probe in `pinned`: instructions, above a dyn call | 65.0 i | 13.0 i | +52.0 i | +52.5 i |  |
//! | one probe nested: instructions, above a dyn call | 65.0 i | 13.0 i | +52.0 i | +52.5 i |  |
//! | attach + detach: instructions, against clone + swap + defer | 2553.7 i | 473.0 i | 5.40 x | 5.45 x |  |
//! | the same with 4 probes attached: instructions | 3530.7 i | 646.0 i | 5.47 x | 5.52 x |  |
//! | the same with 16 probes attached: instructions | 5054.7 i | 1054.0 i | 4.80 x | 4.85 x |  |
//! | attach + detach: allocations | 3 | 4 | 3 | 3 |  |
//! | attach + detach + synchronize: instructions, against the floor + a grace period | 3804.3 i | 1129.9 i | 3.37 x | 3.42 x |  |
//! | each of 64 more threads: instructions of the same, against the floor's | 18.4 i | 28.3 i | 0.65 x | 0.70 x |  |
//! | attach + detach with 1024 probes on 64 other events: instructions, above without | 2553.7 i | 2553.7 i | +0.0 i | +0.0 i |  |
//! | batch of 10,000 and its detach: instructions per probe, against one of 1,000 | 934.6 i | 918.9 i | 1.02 x | 1.10 x |  |
//! | off, against a hand-written guard | 0.15 ns | 0.15 ns | 1.00 x | 1.00 x |  |
//! | one probe, against compare-and-exchange + dyn call | 3.91 ns | 2.31 ns | 1.69 x | 2.10 x |  |
//! | one probe, above compare-and-exchange + dyn call | 3.91 ns | 2.31 ns | +1.60 ns | +3.20 ns |  |
//! | each further probe, against a dyn call in a plain loop | 1.36 ns | 1.36 ns | 1.01 x | 1.05 x |  |
//! | one probe in `pinned`, against a dyn call | 3.52 ns | 1.62 ns | 2.17 x | 2.20 x |  |
//! | one probe nested, against a dyn call | 3.53 ns | 1.62 ns | 2.17 x | 2.20 x |  |
//! | depth, gate, state, catch_unwind, counters: above pin + load + call | 3.91 ns | 3.57 ns | +0.34 ns | +1.60 ns |  |
//! | attach + detach, against clone + swap + defer | 716 ns | 125 ns | 5.73 x | 3.50 x | missed |
//! | the same with 4 probes attached | 804 ns | 165 ns | 4.88 x | 3.50 x | missed |
//! | the same with 16 probes attached | 883 ns | 265 ns | 3.34 x | 3.50 x |  |
//! | attach + detach with 256 MiB more on the heap, against without | 731 ns | 746 ns | 0.98 x | 1.10 x |  |
//! | the same with 64 more threads that have fired | 938 ns | 746 ns | 1.26 x | 1.10 x | missed |
//! | the same, against clone + swap + defer + a grace period, with as many threads | 938 ns | 1413 ns | 0.66 x | 1.10 x |  |
//! | (the floor alone: with 64 more threads, against without) | 1413 ns | 296 ns | 4.77 x |  |  |
//! | the same with 1024 probes on 64 other events | 761 ns | 746 ns | 1.02 x | 1.10 x |  |
//! | batch of 100,000 probes on one event | 14.5 ms |  | 14.5 ms | 100.0 ms |  |
//! | the detach of that group | 5719.7 µs |  | 5719.7 µs | 100.0 ms |  |
//! | batch of 10,000, against one of 1,000 (linear: 10) | 348.5 µs | 34.7 µs | 10.03 x | 12.00 x |  |
//! | the same for the detach of that group | 364.7 µs | 35.2 µs | 10.37 x | 12.00 x |  |
//! | synchronize, nobody fires, median | 641 ns |  | 641 ns | 3000 ns |  |
//! | synchronize, other threads fire without pause, median | 8927 ns |  | 8927 ns | 30.0 µs |  |
//! | attach + detach, other threads fire without pause, median | 9375 ns |  | 9375 ns | 10.0 µs |  |
//! | retired and not yet reclaimed meanwhile, p99 | 0 |  | 0 | 1000 |  |
//! | two threads firing one event: each, against one alone | 3.91 ns | 3.91 ns | 1.00 x | 1.25 x |  |
//! | what two threads cost each other, above the floor's | 0.00 ns | 1.10 ns | -1.10 ns | +1.00 ns |  |
//! | (the floor alone: pin + load + call, on two threads) | 4.67 ns | 3.58 ns | 1.31 x |  |  |
//! | (the same without a pin: compare-and-exchange + dyn call) | 2.34 ns | 2.35 ns | 0.99 x |  |  |
//! | gap between firings, p99.99, 100 changes a second, against none | 160 ns | 60 ns | 2.67 x | 1.10 x | missed |
//! | gap between firings, p99.99, changes without pause, against none | 5899 ns | 60 ns | 98.32 x | 5.00 x | missed |
//! <!-- end of rows: amd -->
//!
//! **Where each nanosecond goes.** Any kind of dispatch has the indirect call of a closure. The
//! rest is this crate's: the thread's state, compared and stored on the way in and out; the lane, a
//! load and two stores; the probe's state and the comparison of its type's id; and a second call,
//! of the thunk. (The gate is loaded only if there is one.) A further probe takes three more
//! instructions than a dyn call in a plain loop. They take no time on the AMD machine, since
//! nothing waits for them, and 0.4 ns on the Intel one.
//!
//! The rows "compare-and-exchange + dyn call" and "pin + load + call" are what a firing cost at
//! least before it had lanes, and costs without `membarrier`. An exchange on a cache line that no
//! other thread wants is cheap on recent AMD processors, and takes about 8 ns on Intel's servers.
//!
//! **Two threads that fire** share nothing of this crate but the cache line with the number of the
//! last grace period, which is written once for each.
//!
//! **A detach has to look at each thread that could be reading**: one load per thread that has
//! fired and lives, and one bit for each that has ended. Before that, it asks the kernel for a
//! barrier on every processor that runs a thread of the process. That takes as long as an interrupt
//! there (5 to 20 µs) if another one is busy, and less than 1 µs if none is. crossbeam's grace
//! period, which speaks for threads past their destructors, is pushed along at the same time. The
//! size of the heap, other events and their probes do not matter.
//!
//! **A thread that fires is interrupted** when a grace period asks for that barrier.
//! [The slowest firings](#the-slowest-firings) show how often, and for how long: about 10 µs for
//! each detach on the Intel machine, as by the barrier alone. Besides, the five to ten firings that
//! come first after an attach or a detach find new pointers, probes and the number of the grace
//! period in the other processor's cache, and take 0.1 to 0.3 µs each. So 100 changes a second show
//! beyond p99.99 only.
//!
//! **The first attach** asks the kernel once for the right to use `membarrier`, which takes a few
//! milliseconds, up to 50, if the process has more than one thread (group `first`).

#![allow(
    clippy::doc_markdown,
    reason = "names of crates and types in tables are names, and the tables are written by a script"
)]
