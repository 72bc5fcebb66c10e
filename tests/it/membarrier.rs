//! Firings without a barrier, and what becomes of them where the kernel refuses `membarrier`: from
//! the start, later, for now, with and without a way to stand in for it.

use crate::{CHILD, Door, Witness, child, isolated, text};
use hotprobe::SynchronizeError::TimedOut;
use std::os::unix::process::CommandExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;
use std::time::{Duration, Instant};
use test_support::system::{kernel_has_membarrier, refuse_system_calls};

hotprobe::event! {
    static FIRED: fn();
    static OTHER: fn();
}

const MEMBARRIER: u32 = 324;
const SCHED_SETAFFINITY: u32 = 203;

const EPERM: u32 = 1;
const ENOMEM: u32 = 12;
const ENOSYS: u32 = 38;

/// Runs `body` in a process of its own, unless the kernel has no `membarrier`, or the environment
/// forbids it.
fn with_membarrier(name: &str, body: impl FnOnce()) {
    let forbidden = std::env::var_os("HOTPROBE_MEMBARRIER").is_some_and(|value| value == "off");
    if forbidden || !kernel_has_membarrier() {
        eprintln!("{name}: skipped, since there is no membarrier here");
        return;
    }
    isolated(name, body);
}

const A_LITTLE: Duration = Duration::from_millis(20);

/// Waits for a grace period, and fails instead of hanging if none ends.
fn synchronize() {
    hotprobe::synchronize_timeout(Duration::from_secs(60)).unwrap();
}

fn has_membarrier() -> bool {
    hotprobe::stats().membarrier
}

/// Attach, fire on several threads, detach, wait: all as ever.
fn all_works() {
    for _ in 0..100 {
        let (witness, dropped) = Witness::new();
        let calls = Arc::new(AtomicU64::new(0));
        let probe = FIRED.attach({
            let calls = Arc::clone(&calls);
            move || {
                witness.touch();
                calls.fetch_add(1, Ordering::Relaxed);
            }
        });
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        FIRED.fire();
                    }
                    hotprobe::pinned(|| FIRED.fire());
                });
            }
        });
        assert_eq!(calls.load(Ordering::Relaxed), 33);
        assert!(probe.detach());
        synchronize();
        dropped.try_recv().expect("dropped");
    }
    let stats = hotprobe::stats();
    assert_eq!(stats.retired, stats.reclaimed);
}

/// A thread that has fired without a barrier, and is parked until told to fire again.
struct Parked {
    again: mpsc::Sender<()>,
    fired: mpsc::Receiver<()>,
    thread: thread::JoinHandle<()>,
}

impl Parked {
    fn new() -> Self {
        let (again, told) = mpsc::channel();
        let (done, fired) = mpsc::channel();
        let thread = thread::spawn(move || {
            OTHER.fire();
            done.send(()).unwrap();
            while told.recv().is_ok() {
                OTHER.fire();
                done.send(()).unwrap();
            }
        });
        fired.recv().unwrap();
        Self {
            again,
            fired,
            thread,
        }
    }

    fn fire(&self) {
        self.again.send(()).unwrap();
        self.fired.recv().unwrap();
    }

    fn end(self) {
        drop(self.again);
        self.thread.join().unwrap();
    }
}

/// With an attached probe, without which nothing enters a lane.
fn attached() -> hotprobe::Probe {
    OTHER.attach(|| ())
}

#[test]
fn the_first_attach_asks_for_it() {
    with_membarrier("membarrier::the_first_attach_asks_for_it", || {
        assert!(!has_membarrier());
        let probe = attached();
        assert!(has_membarrier());
        all_works();
        drop(probe);
        assert!(has_membarrier());
    });
}

#[test]
fn an_attach_inside_a_firing_leaves_it_to_the_next() {
    with_membarrier(
        "membarrier::an_attach_inside_a_firing_leaves_it_to_the_next",
        || {
            hotprobe::pinned(|| attached().leak());
            assert!(!has_membarrier());
            attached().leak();
            assert!(has_membarrier());
        },
    );
}

#[test]
fn the_environment_can_forbid_it() {
    let name = "membarrier::the_environment_can_forbid_it";
    if std::env::var(CHILD).is_ok_and(|child| child == name) {
        all_works();
        assert!(!has_membarrier());
        return;
    }
    let output = child(name)
        .env("HOTPROBE_MEMBARRIER", "off")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
}

#[test]
fn forbidden_from_the_start() {
    isolated("membarrier::forbidden_from_the_start", || {
        refuse_system_calls(&[MEMBARRIER], ENOSYS);
        all_works();
        assert!(!has_membarrier());
    });
}

#[test]
fn forbidden_later_other_threads_are_made_to_pass_a_barrier() {
    with_membarrier(
        "membarrier::forbidden_later_other_threads_are_made_to_pass_a_barrier",
        || {
            let probe = attached();
            // It never fires again.
            let parked = Parked::new();
            assert!(has_membarrier());
            refuse_system_calls(&[MEMBARRIER], EPERM);
            all_works();
            assert!(!has_membarrier());
            all_works();
            parked.end();
            drop(probe);
        },
    );
}

#[test]
fn forbidden_later_without_a_way_to_make_them_pass_one() {
    with_membarrier(
        "membarrier::forbidden_later_without_a_way_to_make_them_pass_one",
        || {
            let probe = attached();
            let parked = Parked::new();
            refuse_system_calls(&[MEMBARRIER, SCHED_SETAFFINITY], EPERM);
            let (witness, dropped) = Witness::new();
            assert!(FIRED.attach(move || witness.touch()).detach());
            // Detached is detached; but nobody knows what the parked thread holds.
            FIRED.fire();
            assert_eq!(hotprobe::synchronize_timeout(A_LITTLE), Err(TimedOut));
            dropped.try_recv().unwrap_err();
            // Until it fires again. A thread that begins now needs no asking.
            let later = Parked::new();
            assert_eq!(hotprobe::synchronize_timeout(A_LITTLE), Err(TimedOut));
            parked.fire();
            synchronize();
            dropped.try_recv().expect("dropped");
            all_works();
            parked.end();
            later.end();
            drop(probe);
        },
    );
}

#[test]
fn without_a_way_it_waits_no_longer_than_for_the_thread_to_end() {
    with_membarrier(
        "membarrier::without_a_way_it_waits_no_longer_than_for_the_thread_to_end",
        || {
            let probe = attached();
            let parked = Parked::new();
            refuse_system_calls(&[MEMBARRIER, SCHED_SETAFFINITY], EPERM);
            drop(FIRED.attach(|| ()));
            assert_eq!(hotprobe::synchronize_timeout(A_LITTLE), Err(TimedOut));
            parked.end();
            synchronize();
            all_works();
            drop(probe);
        },
    );
}

#[test]
fn a_barrier_that_fails_for_now_is_asked_for_again() {
    with_membarrier(
        "membarrier::a_barrier_that_fails_for_now_is_asked_for_again",
        || {
            let probe = attached();
            let parked = Parked::new();
            let (witness, dropped) = Witness::new();
            let scarce = thread::spawn(move || {
                // On this thread only.
                refuse_system_calls(&[MEMBARRIER], ENOMEM);
                assert!(FIRED.attach(move || witness.touch()).detach());
                assert_eq!(hotprobe::synchronize_timeout(A_LITTLE), Err(TimedOut));
            });
            scarce.join().unwrap();
            dropped.try_recv().unwrap_err();
            synchronize();
            dropped.try_recv().expect("dropped");
            // It was no reason to do without for good.
            assert!(has_membarrier());
            all_works();
            parked.end();
            drop(probe);
        },
    );
}

#[test]
fn a_firing_in_flight_is_waited_for_whatever_is_refused_meanwhile() {
    isolated(
        "membarrier::a_firing_in_flight_is_waited_for_whatever_is_refused_meanwhile",
        || {
            let door = Arc::new(Door::new());
            let (witness, dropped) = Witness::new();
            let probe = FIRED.attach({
                let door = Arc::clone(&door);
                move || {
                    door.pass();
                    witness.touch();
                }
            });
            thread::scope(|scope| {
                scope.spawn(|| FIRED.fire());
                door.wait_for_arrival();
                refuse_system_calls(&[MEMBARRIER], EPERM);
                assert!(probe.detach());
                assert_eq!(hotprobe::synchronize_timeout(A_LITTLE), Err(TimedOut));
                dropped.try_recv().unwrap_err();
                door.open();
                synchronize();
                dropped.try_recv().expect("dropped");
            });
        },
    );
}

#[test]
fn a_program_that_executes_itself_asks_for_it_again() {
    const STAGE: &str = "HOTPROBE_TEST_AFTER_EXEC";
    let name = "membarrier::a_program_that_executes_itself_asks_for_it_again";
    with_membarrier(name, || {
        assert!(!has_membarrier());
        let probe = attached();
        OTHER.fire();
        assert!(has_membarrier());
        if std::env::var_os(STAGE).is_none() {
            // The registration is lost here, and all threads but this one.
            let parked = Parked::new();
            let error = child(name).env(STAGE, "1").exec();
            parked.end();
            panic!("not executed: {error}");
        }
        all_works();
        // Without a registration of its own, it would have been refused the barriers.
        assert!(has_membarrier());
        drop(probe);
    });
}

/// The number of threads that come and go: `HOTPROBE_THREADS`, or fewer than `ci/full.sh` asks for.
fn threads() -> usize {
    let asked = std::env::var("HOTPROBE_THREADS");
    asked.map_or(5_000, |threads| threads.parse().unwrap())
}

#[test]
fn threads_that_come_and_go_leave_nothing_behind() {
    const AT_ONCE: usize = 50;
    isolated(
        "membarrier::threads_that_come_and_go_leave_nothing_behind",
        || {
            let probe = attached();
            let pairs = || {
                let time = |_| {
                    let begin = Instant::now();
                    drop(FIRED.attach(|| ()));
                    begin.elapsed()
                };
                (0..1000).map(time).min().unwrap()
            };
            let round = || {
                thread::scope(|scope| {
                    for _ in 0..AT_ONCE {
                        scope.spawn(|| OTHER.fire());
                    }
                });
            };
            round();
            let (idle, live) = (pairs(), crate::alloc::live_bytes());
            let begin = Instant::now();
            for _ in 1..threads() / AT_ONCE {
                round();
            }
            let took = begin.elapsed();
            synchronize();
            let cost = crate::alloc::live_bytes() - live;
            let gone = pairs();
            println!(
                "{} threads in {took:?}: {cost} bytes more; attach + detach {idle:?} before, {gone:?} after",
                threads()
            );
            // A chunk of lanes takes 8 KiB, and there may be one more.
            assert!(cost < 16 << 10, "{cost} bytes");
            all_works();
            drop(probe);
        },
    );
}

#[test]
fn more_threads_than_a_chunk_has_lanes_come_and_go() {
    isolated(
        "membarrier::more_threads_than_a_chunk_has_lanes_come_and_go",
        || {
            let probe = attached();
            let before = crate::alloc::live_bytes();
            for _ in 0..100 {
                let all = Barrier::new(200);
                thread::scope(|scope| {
                    for _ in 0..200 {
                        scope.spawn(|| {
                            OTHER.fire();
                            all.wait();
                            OTHER.fire();
                        });
                    }
                });
                drop(FIRED.attach(|| ()));
            }
            synchronize();
            // 200 lanes are four chunks of 8 KiB; 20,000 would be 2.5 MB.
            let cost = crate::alloc::live_bytes() - before;
            assert!(cost < 64 << 10, "{cost} bytes");
            all_works();
            drop(probe);
        },
    );
}
