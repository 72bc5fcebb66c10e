//! The terms, the same in code and documentation. Most are those of RCU in the Linux kernel.
//!
//! | word | meaning |
//! |---|---|
//! | *event* | a named place in the code, declared by [`event!`](crate::event!) |
//! | *fire* | to execute an event; *a firing* is one execution, from the off check to the end of its last probe |
//! | *off* | without a probe, or with none that is still called (of an event) |
//! | *probe* | a closure attached to an event; also its handle, [`Probe`](crate::Probe) |
//! | *span* | an operation with a begin and an end, its two *halves*; declared by [`span!`](crate::span!) |
//! | *guard* | a span that has begun: it ends when its guard is dropped, [`Span`](crate::Span) |
//! | *current* | the span that is the parent of what begins on this thread: [`SpanId::current`](crate::SpanId::current) |
//! | *outcome* | how a span ended: [`Outcome`](crate::Outcome) |
//! | *dynamic probe* | a probe that was attached without knowing the event's type; it gets the arguments as [`Value`](crate::Value)s |
//! | *catalogue* | the list of all events of the program: [`events`](crate::events()) |
//! | *redact* | to withhold an argument from dynamic probes; typed ones still receive it |
//! | *attach*, *detach* | to make an event's firings call a probe; to end that |
//! | *captures* | what a probe's closure owns; dropped after its detach |
//! | *snapshot* | the immutable vector of an event's probes; attach and detach replace it |
//! | *publish*, *unlink* | to swap a snapshot in; to swap it out, so that no later firing finds it |
//! | *pin* | to hold the current epoch: nothing unlinked from then on is freed before the *unpin*. Every firing pins; [`pinned`](crate::pinned()) does so for many |
//! | *retire* | to hand over unlinked memory, to be reclaimed later |
//! | *grace period* | a period by whose end every firing that began before it has ended. Memory that was unlinked before it began is not in use after it |
//! | *synchronize* | to wait for a grace period, and until the captures of detached probes have been dropped: [`synchronize`](crate::synchronize()) |
//! | *reclaim* | to free or drop retired memory after its grace period: [`reclaim`](crate::reclaim()) |
//! | *drain* | the loop that reclaims, one closure at a time, without holding the lock |
//! | *slot* | the memory of one probe: its state and the closure. It outlives every snapshot that refers to it |
//! | *thunk* | the function that calls a slot's closure; it knows the closure's type, which the snapshot does not |
//! | *gate* | the flag that all slots of a [`Batch`](crate::Batch) share; one store closes it |
//! | *sequence* | the number of the last attach or commit that is complete; one store begins all probes of a batch |
//! | *quarantine* | to switch a probe off after a panic; it stays attached, but is not called again |
//! | *tombstone* | a detached probe that is still in a snapshot, since there was no memory for a shorter one |
//! | *record* | one recorded firing |
//!
//! In `hotprobe-testing`:
//!
//! | word | meaning |
//! |---|---|
//! | *stream* | a serial part of the system under test (a thread, a connection, a task), whose events have an order |
//! | *sender* | a thread or task that has fired an event, and is paused until the test has taken it |
//! | *to take* an event | to receive it from its stream and check it while its sender is paused |
//! | *to release*, *to let go* | to end a sender's pause; *to hold* it: to keep it paused after its event has been taken |
//! | *scope* | the threads, tasks and jobs of one test. The test does not see firings outside its scope |
//! | *run* | one execution of a test's body: `run`, `delay@3 (t2:1)`, `explore@17 (seed 0x2a)` |
//! | *dead time* | the longest time without an event in a run; after that it counts as a deadlock |
//! | *schedule* | the order in which paused senders continue |
