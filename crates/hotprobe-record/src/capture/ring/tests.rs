//! Tests of the ring beside its models.

use super::*;
use crate::capture::buffers::{Buffers, Limits};
use crate::formats::export::Header;
use hotprobe::Metadata;
use hotprobe_clock::Clock;
use std::sync::Arc;
use std::thread;
use std::time::SystemTime;

const LONGEST: u64 = 8;

/// Writes a record of this time and `words` words behind it; false if it was lost.
fn write(ring: &Ring, time: u64, words: u64) -> bool {
    let mut writer = ring.begin();
    if !writer.reserve(1 + words) {
        ring.lose(0, time, 1);
        return false;
    }
    (0..=words).for_each(|_| writer.put(time));
    writer.commit(RecordHeader::RECORD, 0, 0);
    true
}

/// Times of records, and numbers of losses, in the order in which they are drained.
fn drained(ring: &Ring, most: usize) -> Vec<Result<u64, u64>> {
    take(&mut Drain::new(ring), most)
}

fn take(drain: &mut Drain<'_>, most: usize) -> Vec<Result<u64, u64>> {
    drain.begin();
    let mut all = Vec::new();
    while all.len() < most && drain.peek().is_some() {
        let (_, record) = drain.take();
        let is_loss = RecordHeader::from_word(record[0]).kind() == RecordHeader::LOST;
        all.push(if is_loss {
            Err(record[2])
        } else {
            Ok(record[1])
        });
    }
    all
}

#[test]
fn no_record_comes_before_the_mark_of_an_earlier_loss() {
    let ring = Ring::new(16, Overflow::DropNewest, 1, LONGEST, 0);
    assert!(write(&ring, 0, 6) && write(&ring, 1, 6));
    assert!(!write(&ring, 2, 0), "it is full");
    // Room for the longest record, but not for a mark before it.
    assert_eq!(drained(&ring, 1), [Ok(0)]);
    assert!(!write(&ring, 3, 0));
    assert_eq!(drained(&ring, 1), [Ok(1)]);
    assert!(write(&ring, 4, 0));
    assert_eq!(drained(&ring, 2), [Err(2), Ok(4)]);
}

#[test]
fn nor_while_a_reader_copies() {
    let ring = Ring::new(32, Overflow::DropNewest, 1, LONGEST, 0);
    assert!(write(&ring, 0, 6) && write(&ring, 1, 6) && write(&ring, 2, 6));
    ring.held.store(1, Ordering::Relaxed);
    assert!(!write(&ring, 3, 7), "it is full");
    assert!(!write(&ring, 4, 0), "the loss has no mark");
    ring.held.store(0, Ordering::Relaxed);
    assert_eq!(drained(&ring, 3), [Ok(0), Ok(1), Ok(2)]);
    assert!(write(&ring, 5, 0));
    assert_eq!(drained(&ring, 2), [Err(2), Ok(5)]);
}

#[test]
fn there_is_room_for_all_that_threads_leave_before_they_are_overwritten() {
    const EVENTS: u32 = 8;
    let ring = Ring::new(256, Overflow::OverwriteOldest, EVENTS as usize, LONGEST, 0);
    for thread in 0..500_u32 {
        assert!(ring.hand_over(thread as usize));
        for event in 0..(thread * 7) % (EVENTS + 1) {
            let mut writer = ring.begin();
            assert!(writer.reserve(1));
            writer.put(0);
            writer.commit(RecordHeader::RECORD, event, 0);
            let left = ring.left();
            assert!(left.room() >= left.promised);
        }
        if thread % 3 == 0 {
            ring.held.store(1, Ordering::Relaxed);
            ring.lose(2, 0, 1);
            ring.held.store(0, Ordering::Relaxed);
        }
    }
    let left = ring.left();
    assert!(left.losses.len() > 1000 && left.room() >= left.promised);
    assert!(left.promised <= 256 / 2 + 8, "{}", left.promised);
}

#[test]
fn a_ring_that_is_being_copied_goes_to_no_other_thread() {
    static TICK: Metadata = Metadata::new(b"test::TICK", b"test", ("test.rs", 1, 1), "", &[]);
    let header = Header {
        wall: SystemTime::now(),
        process: (0, String::new()),
        events: vec![&TICK],
        slices: Vec::new(),
        most_open: 0,
        filter: None,
    };
    let limits = Limits {
        words: 64,
        buffers: 2,
        overflow: Overflow::OverwriteOldest,
        is_drained: false,
        longest: LONGEST,
        cut_at: 8,
        threads: 8,
        rows: 8,
    };
    let buffers = Arc::new(Buffers::new(Clock::default().start(), header, limits));
    let fire_on_a_thread = || {
        let buffers = Arc::clone(&buffers);
        let fire = move || buffers.record::<false, false, false>(0, &[]);
        thread::spawn(fire).join().unwrap();
    };
    fire_on_a_thread();
    let first = buffers.ring(0).expect("its ring");
    first.held.store(1, Ordering::Relaxed);
    fire_on_a_thread();
    first.held.store(0, Ordering::Relaxed);
    assert_eq!((buffers.made(), first.thread()), (2, 0));
    // Both rings are free, and have the same room: the next thread gets the first.
    fire_on_a_thread();
    assert_eq!((buffers.made(), first.thread()), (2, 2));
}

#[test]
fn bytes_of_each_length_are_kept_wherever_they_begin() {
    let bytes: Vec<u8> = (1..=40).collect();
    for start in 0..8 {
        for len in 0..=bytes.len() {
            let words: Vec<_> = (0..8).map(|_| AtomicU64::new(u64::MAX)).collect();
            put_bytes(&words, start, &bytes[..len]);
            let mut kept = Vec::new();
            let used = len.div_ceil(8) as u64;
            for at in start..start + used {
                kept.extend(word(&words, at).load(Ordering::Relaxed).to_le_bytes());
            }
            assert_eq!(kept[..len], bytes[..len]);
            assert!(kept[len..].iter().all(|&byte| byte == 0));
            // Nothing beside them is written.
            for at in start + used..start + 8 {
                assert_eq!(word(&words, at).load(Ordering::Relaxed), u64::MAX);
            }
        }
    }
}

#[test]
fn a_ring_that_is_read_in_time_uses_its_window_only() {
    let ring = Ring::new(256, Overflow::DropNewest, 1, LONGEST, 0).with_window(32);
    let mut next = 0;
    for time in 0..1000 {
        assert!(write(&ring, time, time % 5));
        if time % 3 == 2 {
            let read = drained(&ring, usize::MAX);
            assert!(read.into_iter().eq((next..=time).map(Ok)));
            next = time + 1;
        }
    }
    let touched = ring.words.iter().map(|word| word.load(Ordering::Relaxed));
    // One word more, which is the skip.
    assert!(touched.skip(33).all(|word| word == 0));
}

#[test]
fn a_window_takes_no_room_from_a_ring_however_it_is_read() {
    // Records of three words. (The skips take two words, what is read without being released
    // already at most a sixteenth and a record, and a mark three words.)
    let capacity = (256 - 2 - 16 - 3 - 3) / 3;
    let mut random = 7_u64;
    let mut below = |n: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % n
    };
    let ring = Ring::new(256, Overflow::DropNewest, 1, LONGEST, 0).with_window(32);
    let mut drain = Drain::new(&ring);
    let (mut written, mut read, mut lost) = (0, 0, 0);
    let mut was_full = 0;
    for _ in 0..20_000 {
        let most = if below(20) == 0 { 120 } else { 12 };
        for _ in 0..below(most) {
            if !write(&ring, written, 1) {
                assert!(written - read >= capacity, "{written} {read}");
                lost += 1;
                was_full += 1;
            }
            written += 1;
        }
        for record in take(&mut drain, index(below(60))) {
            match record {
                Ok(time) => assert_eq!(time, read),
                Err(count) => {
                    lost -= count;
                    read += count;
                    continue;
                }
            }
            read += 1;
        }
    }
    assert!(was_full > 100 && read > 50_000, "{was_full} {read}");
    for record in take(&mut drain, usize::MAX) {
        read += record.map_or_else(|count| count, |_| 1);
        lost -= record.err().unwrap_or(0);
    }
    assert_eq!(read + lost, written);
}
