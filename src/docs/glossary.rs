//! The words, used the same in code and documentation. Most are those of the Linux kernel's RCU.
//!
//! | word | meaning |
//! |---|---|
//! | *event* | a named place in the code, declared by [`event!`](crate::event!) |
//! | *fire* | to pass through an event; *a firing* is one such pass, from the off check to the end of its last probe |
//! | *off* | said of an event that has no probe, or none that is still called |
//! | *probe* | a closure attached to an event; also its handle, [`Probe`](crate::Probe) |
//! | *dynamic probe* | a probe that was attached without knowing the event's type; it gets the arguments as [`Value`](crate::Value)s |
//! | *catalogue* | the list of all events of the program: [`events`](crate::events()) |
//! | *redact* | to withhold an argument from whatever looks at it without knowing the event's type |
//! | *attach*, *detach* | to make an event's firings call a probe; to end that |
//! | *captures* | what a probe's closure owns; dropped after its detach |
//! | *snapshot* | the immutable vector of an event's probes; attach and detach replace it by another |
//! | *publish*, *unlink* | to swap a snapshot in; to swap it out, so that no later firing finds it |
//! | *pin* | to hold the current epoch: nothing unlinked from then on is freed before the *unpin*. Every firing pins; [`pinned`](crate::pinned()) does so for many |
//! | *retire* | to hand over what has been unlinked, to be reclaimed later |
//! | *grace period* | a stretch of time in which every firing that began before it has ended. What was unlinked before it began is out of use when it is over |
//! | *synchronize* | to wait for a grace period, and for the captures of what had been detached: [`synchronize`](crate::synchronize()) |
//! | *reclaim* | to free, or drop, what is past its grace period: [`reclaim`](crate::reclaim()) |
//! | *drain* | the loop that does so, one captured closure at a time and without the lock |
//! | *slot* | one probe's memory: its state, and the closure. It outlives every snapshot that names it |
//! | *thunk* | the function that calls a slot's closure; it knows the closure's type, which the snapshot does not |
//! | *gate* | the flag that all slots of a [`Batch`](crate::Batch) share; one store opens it, one closes it |
//! | *quarantine* | to switch a probe off after a panic; it stays attached, and is called no more |
//! | *tombstone* | a detached probe that is still named by a snapshot, since there was no memory for a shorter one |
//! | *record* | one recorded firing |
//!
//! In `testing`:
//!
//! | word | meaning |
//! |---|---|
//! | *stream* | a serial part of the system under test (a thread, a connection, a task), whose events have an order |
//! | *sender* | a thread or task that has fired an event, and is paused until the test has taken it |
//! | *to take* an event | to receive it from its stream, and check it, while its sender is paused |
//! | *to let go*, *to release* | to end a sender's pause; *to hold* is not to, though its event has been taken |
//! | *scope* | what belongs to one test: threads, tasks, jobs. A firing outside it is nothing to the test |
//! | *run* | one time that the body of a test runs: `run`, `delay@3 (t2:1)`, `explore@17 (seed 0x2a)` |
//! | *dead time* | for how long nothing may happen in a run; after that it is a deadlock |
//! | *schedule* | in which order paused senders continue |
