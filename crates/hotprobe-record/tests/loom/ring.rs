//! **The recorder's ring:** what is read of it is whole, in order, and with what was lost as much
//! as was written.

use crate::{UNLIMITED, check, preemptions};
use hotprobe_record::ModelRing;
use hotprobe_record::Overflow;
use loom::thread;
use std::sync::Arc;

/// A record has four words: the ring has room for two, or for one and a mark.
const WORDS: usize = 8;
const LONGEST: u64 = 4;

/// Looks at what is read: records of the times 0, 1, 2, …, of which some are lost.
#[derive(Default)]
struct Reader {
    records: u64,
    lost: u64,
}

impl Reader {
    fn see(&mut self, step: Result<&[u64], u64>) {
        match step {
            Ok(record) => {
                assert_eq!(record.len(), 3);
                assert!(
                    record.iter().all(|&word| word == record[0]),
                    "not whole: {record:?}"
                );
                assert_eq!(record[0], self.records + self.lost, "not the next");
                self.records += 1;
            }
            Err(lost) => {
                assert_ne!(lost, 0, "a loss of nothing");
                self.lost += lost;
            }
        }
    }
}

/// Two threads: one writes three records, of which each may find no room; one drains twice.
///
/// Cost: 929 executions, 0.4 s.
#[test]
fn what_is_drained_is_whole_and_losses_stand_where_they_were() {
    check(preemptions(4), || {
        let ring = Arc::new(ModelRing::new(WORDS, Overflow::DropNewest, LONGEST));
        let drained = Arc::clone(&ring);
        let draining = thread::spawn(move || {
            let mut reader = Reader::default();
            drained.drain(|step| reader.see(step));
            drained.drain(|step| reader.see(step));
            reader
        });
        let kept = (0..3).filter(|&time| ring.write(time, 2)).count() as u64;
        let mut reader = draining.join().unwrap();
        ring.drain(|step| reader.see(step));
        assert_eq!(reader.records, kept);
        assert_eq!(reader.records + reader.lost + ring.lost_without_mark(), 3);
    });
}

/// Two threads: one writes to the end of the window, then on in the front or behind it; one drains
/// meanwhile, at first perhaps one record only, so that the front has another that is not read.
/// There is room for all.
///
/// Cost: 3554 executions, 0.2 s.
#[test]
fn a_window_keeps_what_is_not_read_yet() {
    check(preemptions(3), || {
        let ring = ModelRing::new(4 * WORDS, Overflow::DropNewest, LONGEST);
        let ring = Arc::new(ring.with_window(WORDS as u64));
        let drained = Arc::clone(&ring);
        assert!(ring.write(0, 2));
        let draining = thread::spawn(move || {
            let mut reader = Reader::default();
            drained.drain(|step| reader.see(step));
            drained.drain(|step| reader.see(step));
            reader
        });
        for time in 1..6 {
            assert!(ring.write(time, 2));
        }
        let mut reader = draining.join().unwrap();
        ring.drain(|step| reader.see(step));
        assert_eq!((reader.records, reader.lost), (6, 0));
    });
}

/// Two threads: one writes two records over the two that were there; one copies meanwhile. The copy
/// is of one moment: what was overwritten by then, and all that followed.
///
/// Cost: 43178 executions, 3 s. (A third preemption lets it try again more often, and takes a
/// minute.)
#[test]
fn a_copy_is_of_one_moment() {
    check(preemptions(2), || {
        let ring = Arc::new(ModelRing::new(WORDS, Overflow::OverwriteOldest, LONGEST));
        for time in 0..2 {
            assert!(ring.write(time, 2));
        }
        let written = Arc::clone(&ring);
        // (While it is being copied, a record may be lost.)
        let writing =
            thread::spawn(move || (2..4).filter(|&time| written.write(time, 2)).count() as u64);
        let mut reader = Reader::default();
        ring.copy(|step| reader.see(step));
        assert!(reader.records + reader.lost >= 2, "what was there before");
        assert!(reader.records + reader.lost <= 4);
        let kept = writing.join().unwrap();
        let mut all = Reader::default();
        ring.copy(|step| match step {
            Ok(_) => all.records += 1,
            Err(lost) => all.lost += lost,
        });
        assert_eq!(all.records + all.lost, 4);
        assert!(kept + 2 >= all.records);
    });
}

/// Two threads: one gives its ring to the other, which writes next; both records are there, and the
/// losses.
///
/// Cost: 4 executions, below 0.1 s.
#[test]
fn a_ring_that_is_handed_over_keeps_what_is_in_it() {
    check(UNLIMITED, || {
        let ring = Arc::new(ModelRing::new(2 * WORDS, Overflow::DropNewest, LONGEST));
        let first = Arc::clone(&ring);
        let lock = Arc::new(loom::sync::Mutex::new(false));
        let given = Arc::clone(&lock);
        let writing = thread::spawn(move || {
            assert!(first.write(0, 2));
            *given.lock().unwrap() = true;
        });
        let mut written = 1;
        if *lock.lock().unwrap() {
            assert!(ring.hand_over(1));
            assert!(ring.write(1, 2));
            written += 1;
        }
        writing.join().unwrap();
        let mut reader = Reader::default();
        ring.drain(|step| reader.see(step));
        assert_eq!(reader.records, written);
    });
}
