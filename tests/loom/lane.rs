//! **The lane:** a firing without a barrier is waited for, and sees what was unlinked before a
//! grace period that does not wait for it.
//!
//! In most models here firings have light barriers, as they have on Linux after the first attach.
//! (In the other files they have full ones, as everywhere else.) The basic models are there
//! twice, with the bodies exchanged: loom keeps the last access of a place only, and overlooks some
//! of what the thread with the older one could have done.

use crate::{Captured, UNLIMITED, check, cold, past_its_destructors, preemptions, warm};
use hotprobe::__private::{Canary, Participant, light_barriers, refuse_barriers};
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use std::sync::Arc;

hotprobe::event! { static E: fn(); }

/// Explores a model whose firings have light barriers from the start.
fn check_light(bound: Option<usize>, model: impl Fn() + Send + Sync + 'static) {
    check(bound, move || {
        light_barriers();
        model();
    });
}

/// Two threads: one fires, one detaches and reclaims.
///
/// Cost: 3 129 executions, 0.6 s.
#[test]
fn a_firing_against_detach_and_reclaim() {
    check_light(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = warm(move || e.fire());
        assert!(probe.detach());
        hotprobe::reclaim();
        firing.join();
        assert!(fate.runs() <= 1);
    });
}

/// The same, with the bodies exchanged.
///
/// Cost: 2 693 executions, 0.5 s.
#[test]
fn a_detach_and_reclaim_against_a_firing() {
    check_light(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let detaching = warm(move || {
            assert!(probe.detach());
            hotprobe::reclaim();
        });
        e.fire();
        detaching.join();
        assert!(fate.runs() <= 1);
    });
}

/// Two threads: one fires twice, one detaches and synchronizes. What the first firing did is
/// carried by the second's entry, if that is what the scan finds.
///
/// Cost: 2 637 executions, 0.6 s.
#[test]
fn two_firings_against_detach_and_synchronize() {
    check_light(preemptions(3), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = warm(move || {
            e.fire();
            e.fire();
        });
        probe.detach_and_wait().unwrap();
        assert_eq!(fate.drops(), 1);
        firing.join();
    });
}

/// The same, with the bodies exchanged.
///
/// Cost: 3 525 executions, 0.7 s.
#[test]
fn a_detach_and_synchronize_against_two_firings() {
    check_light(preemptions(3), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let detaching = warm(move || {
            probe.detach_and_wait().unwrap();
            assert_eq!(fate.drops(), 1);
        });
        e.fire();
        e.fire();
        detaching.join();
    });
}

/// Two threads: what a scope reads may be reclaimed after a synchronize that began when nobody
/// could find it any more.
///
/// Cost: 855 executions, 0.2 s.
#[test]
fn synchronize_waits_for_the_scope() {
    check_light(UNLIMITED, || {
        let current = Arc::new(AtomicUsize::new(0));
        let memory = Arc::new([Canary::new(), Canary::new()]);
        let scope = {
            let (current, memory) = (Arc::clone(&current), Arc::clone(&memory));
            warm(move || {
                hotprobe::pinned(|| memory[current.load(Ordering::Acquire)].alive());
            })
        };
        current.store(1, Ordering::Release);
        hotprobe::synchronize().unwrap();
        memory[0].dead();
        scope.join();
    });
}

/// The same, with the bodies exchanged.
///
/// Cost: 477 executions, 0.1 s.
#[test]
fn a_scope_is_waited_for() {
    check_light(UNLIMITED, || {
        let current = Arc::new(AtomicUsize::new(0));
        let memory = Arc::new([Canary::new(), Canary::new()]);
        let synchronizing = {
            let (current, memory) = (Arc::clone(&current), Arc::clone(&memory));
            warm(move || {
                current.store(1, Ordering::Release);
                hotprobe::synchronize().unwrap();
                memory[0].dead();
            })
        };
        hotprobe::pinned(|| memory[current.load(Ordering::Acquire)].alive());
        synchronizing.join();
    });
}

/// Two threads: one fires, and its destructors run; one detaches and reclaims. The record belongs
/// to nobody when the scan passes it, and what was done on it counts all the same.
///
/// Cost: 15 650 executions, 2.9 s.
#[test]
fn a_firing_whose_record_is_given_back() {
    check_light(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let participant = Participant::that_fires();
        let firing = thread::spawn(move || {
            participant.enter();
            e.fire();
            Participant::depart();
        });
        assert!(probe.detach());
        hotprobe::reclaim();
        firing.join().unwrap();
        assert!(fate.runs() <= 1);
    });
}

/// Three threads: one fires and gives its record back; one takes it, and fires; one detaches and
/// reclaims.
///
/// Two preemptions.
///
/// Cost: 11 529 executions, 2.6 s.
#[test]
fn a_firing_on_a_record_that_another_thread_had() {
    check_light(preemptions(2), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let participant = Participant::that_fires();
        let first = thread::spawn(move || {
            participant.enter();
            e.fire();
            Participant::depart();
        });
        let second = cold(move || e.fire());
        assert!(probe.detach());
        hotprobe::reclaim();
        first.join().unwrap();
        second.join().unwrap();
        assert!(fate.runs() <= 2);
    });
}

/// Two threads: one fires for the first time, when all records belong to others, so that it makes a
/// chunk; one detaches and reclaims.
///
/// Cost: 16 540 executions, 3.2 s.
#[test]
fn a_firing_on_a_record_of_a_new_chunk() {
    check_light(UNLIMITED, || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        // A chunk has four in models; the main thread has one.
        let _others: Vec<_> = (0..3).map(|_| Participant::that_fires()).collect();
        let firing = cold(move || e.fire());
        assert!(probe.detach());
        hotprobe::reclaim();
        firing.join().unwrap();
        assert!(fate.runs() <= 1);
    });
}

/// Two threads: one fires twice, with the barriers that it finds; one does away with full ones,
/// then detaches and reclaims.
///
/// Cost: 5 487 executions, 1.1 s.
#[test]
fn firings_lose_their_barriers() {
    check(preemptions(3), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = warm(move || {
            e.fire();
            e.fire();
        });
        light_barriers();
        assert!(probe.detach());
        hotprobe::reclaim();
        firing.join();
        assert!(fate.runs() <= 2);
    });
}

/// Two threads: one fires twice; one detaches and reclaims, and is refused the heavy barrier. What
/// the first firing may hold is not reclaimed before its thread has taken up full barriers again.
///
/// Cost: 16 362 executions, 3.9 s.
#[test]
fn a_barrier_is_refused_for_good() {
    check_light(preemptions(3), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = warm(move || {
            e.fire();
            e.fire();
        });
        refuse_barriers();
        assert!(probe.detach());
        hotprobe::reclaim();
        hotprobe::reclaim();
        firing.join();
        assert!(fate.runs() <= 2);
    });
}

/// The same, with the bodies exchanged.
///
/// Cost: 14 225 executions, 3.2 s.
#[test]
fn firings_take_up_full_barriers_again() {
    check_light(preemptions(3), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        refuse_barriers();
        let detaching = warm(move || {
            assert!(probe.detach());
            hotprobe::reclaim();
            hotprobe::reclaim();
        });
        e.fire();
        e.fire();
        detaching.join();
        assert!(fate.runs() <= 2);
    });
}

/// Two threads: one past its destructors fires, and crossbeam-epoch protects that; one detaches and
/// reclaims.
///
/// Two preemptions, since joining and leaving crossbeam's collector is so much.
///
/// Cost: 3 111 executions, 0.6 s.
#[test]
fn a_firing_past_the_destructors_against_detach_and_reclaim() {
    check_light(preemptions(2), || {
        let e = E::new();
        let (captured, fate) = Captured::new();
        let probe = e.attach(move || captured.run());
        let firing = past_its_destructors(move || e.fire());
        assert!(probe.detach());
        hotprobe::reclaim();
        firing.join();
        assert!(fate.runs() <= 1);
    });
}

/// Three threads: two detach and reclaim, and push one grace period along by turns; one fires.
///
/// One preemption; with two it takes more than five minutes.
///
/// Cost: 3 023 executions, 0.8 s.
#[test]
fn two_threads_scan_for_one_grace_period() {
    check_light(preemptions(1), || {
        let e = E::new();
        let (first, first_fate) = Captured::new();
        let (second, second_fate) = Captured::new();
        let first = e.attach(move || first.run());
        let second = e.attach(move || second.run());
        let firing = warm(move || e.fire());
        let other = warm(move || {
            first.detach();
            hotprobe::reclaim();
        });
        second.detach();
        hotprobe::reclaim();
        firing.join();
        other.join();
        assert!(first_fate.runs() <= 1 && second_fate.runs() <= 1);
    });
}
