//! Pairs of a begin and an end: what is measured, what is lost and counted.

use super::balanced;
use crate::alloc;
use hotprobe::fire;
use hotprobe_profile::{Clock, LatencyMeter, LatencySnapshot};
use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};
use test_support::{isolated, quiet_planned_panics};

fn label_counts(snapshot: &LatencySnapshot) -> BTreeMap<String, u64> {
    let labels = snapshot.labels().iter();
    labels
        .map(|label| (label.label().to_owned(), label.count()))
        .collect()
}

#[test]
fn a_pair_takes_as_long_as_an_independent_clock_says() {
    let latency = Arc::new(LatencyMeter::new());
    let outer = Instant::now();
    latency.begin(7);
    // The end is on another thread.
    let inner = thread::scope(|scope| {
        let latency = &latency;
        scope
            .spawn(move || {
                let inner = Instant::now();
                while inner.elapsed() < Duration::from_millis(3) {
                    std::hint::spin_loop();
                }
                let inner = inner.elapsed();
                latency.end(&7, "a label");
                inner
            })
            .join()
            .unwrap()
    });
    let outer = outer.elapsed();
    let snapshot = latency.snapshot();
    let label = snapshot.label("a label").unwrap();
    assert_eq!(label.count(), 1);
    // The sum is exact, but for where the clocks are read (and the processor's counter may step back a little).
    let slack = Duration::from_micros(1);
    assert!(inner <= label.sum() + slack && label.sum() <= outer + slack);
    // The rest is to two digits.
    for value in [
        label.min(),
        label.max(),
        label.percentile(50.0),
        label.mean(),
    ] {
        let ratio = value.as_secs_f64() / label.sum().as_secs_f64();
        assert!(
            (0.99..=1.01).contains(&ratio),
            "{value:?}, {:?}",
            label.sum()
        );
    }
}

#[test]
fn what_has_no_partner_is_counted() {
    let latency = LatencyMeter::builder().max_pairs(3).build().unwrap();
    latency.end(&1, "unmatched");
    latency.begin(1);
    latency.begin(1);
    latency.begin(2);
    latency.begin(3);
    // Of 1 (begun again before 2), 2, 3, the oldest goes.
    latency.begin(4);
    latency.end(&1, "evicted");
    latency.end(&2, "matched");
    let counts = latency.snapshot().counts();
    balanced(&counts);
    assert_eq!((counts.begins, counts.ends), (5, 3));
    assert_eq!((counts.matched, counts.evicted, counts.open), (1, 1, 2));
    assert_eq!((counts.unmatched_begins, counts.unmatched_ends), (1, 2));
}

#[test]
fn a_begin_takes_the_place_of_an_open_one_of_its_key_and_is_the_newest_then() {
    let latency = LatencyMeter::builder().max_pairs(2).build().unwrap();
    latency.begin(1);
    latency.begin(2);
    latency.begin(1);
    latency.begin(3);
    latency.end(&2, "2");
    latency.end(&1, "1");
    latency.end(&3, "3");
    let snapshot = latency.snapshot();
    let labels = label_counts(&snapshot);
    assert_eq!(labels.into_keys().collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(snapshot.counts().evicted, 1);
}

#[test]
fn labels_beyond_the_cap_are_counted_together() {
    let latency = LatencyMeter::builder().max_labels(2).build().unwrap();
    for (key, label) in ["a", "b", "c", "a", "d", "(other)"].into_iter().enumerate() {
        latency.begin(key);
        latency.end(&key, label);
    }
    let labels = label_counts(&latency.snapshot());
    let expected = [("(other)", 3), ("a", 2), ("b", 1)];
    assert_eq!(
        labels,
        expected
            .map(|(label, count)| (label.to_owned(), count))
            .into()
    );
}

#[test]
fn what_is_out_of_range_counts_at_its_ends() {
    let hour = Duration::from_secs(3600);
    let latency = LatencyMeter::builder()
        .range(hour..=hour * 2)
        .build()
        .unwrap();
    latency.begin(1);
    latency.end(&1, "short");
    let snapshot = latency.snapshot();
    let label = snapshot.label("short").unwrap();
    assert_eq!(
        (label.count(), label.too_short(), label.too_long()),
        (1, 1, 0)
    );
    assert!(label.sum() < hour, "the sum is what it was");
    assert!(label.min() <= hour && label.max() >= hour);

    let ns = Duration::from_nanos(1);
    let latency = LatencyMeter::builder().range(ns..=ns * 2).build().unwrap();
    latency.begin(1);
    thread::sleep(Duration::from_micros(1));
    latency.end(&1, "long");
    let snapshot = latency.snapshot();
    let label = snapshot.label("long").unwrap();
    assert_eq!(
        (label.count(), label.too_short(), label.too_long()),
        (1, 0, 1)
    );
    assert!(label.sum() > ns * 2);
    assert_eq!(label.max(), ns * 2);
}

/// All of them have the same hash.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Colliding(u32);

impl Hash for Colliding {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[test]
fn keys_with_one_hash_are_told_apart() {
    let latency = LatencyMeter::new();
    (0..10).for_each(|key| latency.begin(Colliding(key)));
    latency.end(&Colliding(10), "not begun");
    (0..10).for_each(|key| latency.end(&Colliding(key), "begun"));
    let snapshot = latency.snapshot();
    assert_eq!(label_counts(&snapshot), [("begun".to_owned(), 10)].into());
    assert_eq!(snapshot.counts().unmatched_ends, 1);
}

#[test]
fn sums_are_exact_over_threads_and_resets() {
    const THREADS: u64 = 4;
    const ROUNDS: u64 = 5_000;
    // Small, so that all that can happen does; keys are everybody's.
    let latency = LatencyMeter::builder()
        .max_pairs(128)
        .max_labels(3)
        .build()
        .unwrap();
    let done = AtomicBool::new(false);
    let mut readings = Vec::new();
    thread::scope(|scope| {
        let firing: Vec<_> = (0..THREADS)
            .map(|thread| {
                let latency = &latency;
                scope.spawn(move || {
                    for i in 0..ROUNDS {
                        latency.begin((i * 7 + thread) % 300);
                        latency.end(
                            &((i * 5 + thread) % 300),
                            ["a", "b", "c", "d"][(i % 4) as usize],
                        );
                    }
                })
            })
            .collect();
        let reader = scope.spawn(|| {
            let mut readings = Vec::new();
            while !done.load(Ordering::Acquire) {
                balanced(&latency.snapshot().counts());
                readings.push(latency.reset());
            }
            readings
        });
        for thread in firing {
            thread.join().unwrap();
        }
        done.store(true, Ordering::Release);
        readings = reader.join().unwrap();
    });
    readings.push(latency.reset());
    let mut open = 0;
    let (mut begins, mut ends, mut matched, mut in_labels, mut sums) = (0, 0, 0, 0, [0; 3]);
    for reading in &readings {
        let counts = reading.counts();
        balanced(&counts);
        assert_eq!(counts.carried, open, "what was open stays open");
        open = counts.open;
        begins += counts.begins;
        ends += counts.ends;
        matched += counts.matched;
        in_labels += label_counts(reading).into_values().sum::<u64>();
        sums[0] += counts.unmatched_begins;
        sums[1] += counts.evicted;
        sums[2] += counts.unmatched_ends;
    }
    assert_eq!((begins, ends), (THREADS * ROUNDS, THREADS * ROUNDS));
    assert_eq!(begins, matched + sums[0] + sums[1] + open);
    assert_eq!(
        in_labels, matched,
        "each pair is in one reading's histograms"
    );
    assert!(
        matched > 0 && sums.iter().all(|&sum| sum > 0),
        "{matched} {sums:?}"
    );
    let last = latency.snapshot().counts();
    assert_eq!((last.carried, last.open, last.begins), (open, open, 0));
}

#[derive(Clone, Debug)]
enum Operation {
    Begin(u8),
    End(u8, usize),
    Reset,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        10 => (0_u8..12).prop_map(Operation::Begin),
        10 => (0_u8..12, 0_usize..4).prop_map(|(key, label)| Operation::End(key, label)),
        1 => Just(Operation::Reset),
    ]
}

/// What the measurement is, without any of its means.
#[derive(Default)]
struct Model {
    open: Vec<u8>,
    known: Vec<&'static str>,
    labels: BTreeMap<String, u64>,
    begins: u64,
    again: u64,
    evicted: u64,
    unmatched_ends: u64,
    carried: u64,
}

const LABELS: [&str; 4] = ["a", "b", "c", "d"];

impl Model {
    fn agrees(&self, snapshot: &LatencySnapshot) -> Result<(), TestCaseError> {
        let counts = snapshot.counts();
        balanced(&counts);
        let matched: u64 = self.labels.values().sum();
        prop_assert_eq!(&label_counts(snapshot), &self.labels);
        prop_assert_eq!(counts.matched, matched);
        prop_assert_eq!(counts.begins, self.begins);
        prop_assert_eq!(counts.unmatched_begins, self.again);
        prop_assert_eq!(counts.evicted, self.evicted);
        prop_assert_eq!(counts.unmatched_ends, self.unmatched_ends);
        prop_assert_eq!(counts.carried, self.carried);
        prop_assert_eq!(counts.open, self.open.len() as u64);
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_measurement_counts_what_its_model_counts(
        pairs in 1_usize..8,
        operations in vec(operation(), 0..100),
    ) {
        let latency = LatencyMeter::builder().max_pairs(pairs).max_labels(2).build().unwrap();
        let mut model = Model::default();
        for operation in operations {
            match operation {
                Operation::Begin(key) => {
                    latency.begin(key);
                    model.begins += 1;
                    if let Some(index) = model.open.iter().position(|open| *open == key) {
                        model.open.remove(index);
                        model.again += 1;
                    } else if model.open.len() == pairs {
                        model.open.remove(0);
                        model.evicted += 1;
                    }
                    model.open.push(key);
                }
                Operation::End(key, label) => {
                    latency.end(&key, LABELS[label]);
                    if let Some(index) = model.open.iter().position(|open| *open == key) {
                        model.open.remove(index);
                        let mut label = LABELS[label];
                        if !model.known.contains(&label) {
                            if model.known.len() < 2 {
                                model.known.push(label);
                            } else {
                                label = "(other)";
                            }
                        }
                        *model.labels.entry(label.to_owned()).or_default() += 1;
                    } else {
                        model.unmatched_ends += 1;
                    }
                }
                Operation::Reset => {
                    model.agrees(&latency.reset())?;
                    model = Model {
                        carried: model.open.len() as u64,
                        open: model.open,
                        known: model.known,
                        ..Model::default()
                    };
                }
            }
        }
        model.agrees(&latency.snapshot())?;
    }
}

#[test]
fn however_many_pairs_there_are_room_for_no_more_are_kept() {
    for pairs in [1, 127, 128, 1000, 65_536] {
        let latency = LatencyMeter::builder().max_pairs(pairs).build().unwrap();
        (0..2 * pairs).for_each(|key| latency.begin(key));
        let counts = latency.snapshot().counts();
        balanced(&counts);
        // All shards are full, or nearly.
        assert!(
            counts.open <= pairs as u64 && counts.open * 100 >= pairs as u64 * 90,
            "{counts:?}"
        );
        let latency = LatencyMeter::builder().max_pairs(pairs).build().unwrap();
        (0..pairs / 2).for_each(|key| latency.begin(key));
        assert_eq!(
            latency.snapshot().counts().evicted,
            0,
            "half of the room is enough for half"
        );
    }
}

hotprobe::event! { static COMPARED: fn(); }

static OF_MEDDLING: OnceLock<LatencyMeter<Meddling>> = OnceLock::new();

/// A key that begins and ends while it is compared.
struct Meddling(u32);

impl Hash for Meddling {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

impl PartialEq for Meddling {
    fn eq(&self, other: &Self) -> bool {
        fire!(COMPARED);
        self.0 == other.0
    }
}

impl Eq for Meddling {}

#[test]
fn a_firing_inside_of_a_keys_comparison_is_skipped_and_counted() {
    let latency = OF_MEDDLING.get_or_init(LatencyMeter::new);
    let probe = COMPARED.attach(|| {
        let latency = OF_MEDDLING.get().unwrap();
        latency.begin(Meddling(1));
        latency.end(&Meddling(1), "nested");
    });
    latency.begin(Meddling(1));
    latency.begin(Meddling(2)); // one comparison
    latency.end(&Meddling(2), "outer"); // two
    drop(probe);
    let snapshot = latency.snapshot();
    let counts = snapshot.counts();
    balanced(&counts);
    assert_eq!((counts.begins, counts.matched, counts.skipped), (2, 1, 6));
    assert_eq!(label_counts(&snapshot), [("outer".to_owned(), 1)].into());
}

#[test]
fn a_key_whose_comparison_panics_spoils_nothing() {
    struct Faulty(bool);
    impl Hash for Faulty {
        fn hash<H: Hasher>(&self, _: &mut H) {}
    }
    impl PartialEq for Faulty {
        fn eq(&self, other: &Self) -> bool {
            assert!(!self.0 && !other.0, "planned");
            true
        }
    }
    impl Eq for Faulty {}

    quiet_planned_panics();
    let latency = LatencyMeter::builder().max_pairs(2).build().unwrap();
    latency.begin(Faulty(false));
    let faulty = || latency.begin(Faulty(true));
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(faulty)).unwrap_err();
    latency.end(&Faulty(false), "as before");
    let counts = latency.snapshot().counts();
    balanced(&counts);
    assert_eq!((counts.begins, counts.matched, counts.skipped), (1, 1, 0));
}

#[test]
fn what_keys_own_is_dropped_outside_of_the_locks() {
    static DROPPING: OnceLock<LatencyMeter<Dropping>> = OnceLock::new();
    #[derive(Hash, PartialEq, Eq)]
    struct Dropping(u32);
    impl Drop for Dropping {
        fn drop(&mut self) {
            // Waits for itself if it is under a lock.
            drop(DROPPING.get().unwrap().snapshot());
        }
    }

    let latency = DROPPING.get_or_init(|| LatencyMeter::builder().max_pairs(1).build().unwrap());
    latency.begin(Dropping(1));
    latency.begin(Dropping(1));
    latency.begin(Dropping(2));
    latency.end(&Dropping(2), "dropped");
    assert_eq!(latency.snapshot().counts().matched, 1);
}

#[test]
fn an_allocator_that_fires_inside_of_a_probe_is_measured_itself() {
    isolated(
        "latency::an_allocator_that_fires_inside_of_a_probe_is_measured_itself",
        || {
            hotprobe::event! { static BEGUN: fn(id: &str); static ENDED: fn(id: &str, label: &str); }
            let latency = Arc::new(LatencyMeter::<Box<str>>::new());
            let in_begin = BEGUN.attach({
                let latency = Arc::clone(&latency);
                move |id| latency.begin(id.into())
            });
            let in_end = ENDED.attach({
                let latency = Arc::clone(&latency);
                move |id, label| latency.end(id, label)
            });
            let in_allocator = alloc::ALLOCATED.attach({
                let latency = Arc::clone(&latency);
                move |_| {
                    latency.end("allocation", "allocation");
                    // (It allocates, and so on until the nesting is too deep.)
                    latency.begin("allocation".into());
                }
            });
            alloc::FIRES.store(true, Ordering::Relaxed);
            for i in 0..100 {
                fire!(BEGUN, "outer");
                fire!(ENDED, "outer", ["a", "b", "c"][i % 3]);
            }
            alloc::FIRES.store(false, Ordering::Relaxed);
            drop((in_allocator, in_begin, in_end));
            let snapshot = latency.snapshot();
            balanced(&snapshot.counts());
            assert_eq!(
                snapshot.counts().skipped,
                0,
                "nothing allocates under a lock"
            );
            assert!(snapshot.label("allocation").unwrap().count() > 0);
            let outer: u64 = ["a", "b", "c"]
                .map(|l| snapshot.label(l).unwrap().count())
                .iter()
                .sum();
            assert_eq!(outer, 100);
        },
    );
}

#[test]
fn a_pair_with_an_integer_key_allocates_nothing() {
    let latency = LatencyMeter::new();
    for key in 0..1000 {
        latency.begin(key);
        latency.end(&key, "warm");
    }
    let before = alloc::allocations();
    for key in 0..1000 {
        latency.begin(key);
    }
    for key in 0..1000 {
        latency.end(&key, "warm");
    }
    assert_eq!(alloc::allocations(), before);
    assert_eq!(latency.snapshot().counts().matched, 2000);
}

#[test]
fn limits_that_are_not_possible_are_refused() {
    let error = |builder: hotprobe_profile::LatencyMeterBuilder| {
        builder.build::<u64>().unwrap_err().to_string()
    };
    let builder = LatencyMeter::builder;
    assert_eq!(
        error(builder().max_pairs(0)),
        "`max_pairs(0)` is not possible: give 1 to 67108864"
    );
    assert_eq!(
        error(builder().max_labels(0)),
        "`max_labels(0)` is not possible: give 1 to 65536"
    );
    assert_eq!(
        error(builder().digits(0)),
        "`digits(0)` is not possible: give 1 to 4"
    );
    let s = Duration::from_secs;
    for (range, shown) in [
        (s(0)..=s(1), "0ns..=1s"),
        (s(2)..=s(3), "2s..=3s"),
        (s(1)..=Duration::MAX, "1s..=18446744073709551615.999999999s"),
    ] {
        assert_eq!(
            error(builder().range(range)),
            format!(
                "`range({shown})` is not possible: it begins at 1 ns or more, ends at twice that or more, and at 292 years \
                 or less"
            )
        );
    }
    builder()
        .range(s(1)..=s(2))
        .digits(4)
        .build::<u64>()
        .unwrap();
}

#[test]
fn a_measurement_uses_the_clock_that_was_chosen() {
    let clocks = [
        Clock::System,
        #[cfg(feature = "tsc")]
        Clock::Tsc,
    ];
    for clock in clocks {
        let latency = LatencyMeter::builder().clock(clock).build().unwrap();
        for key in 0..100_u64 {
            latency.begin(key);
            latency.end(&key, "a label");
        }
        let snapshot = latency.snapshot();
        balanced(&snapshot.counts());
        let label = snapshot.label("a label").unwrap();
        assert_eq!(label.count(), 100, "{clock:?}");
    }
}

#[test]
fn snapshots_are_compared_by_value() {
    let latency = LatencyMeter::new();
    latency.begin(1);
    latency.end(&1, "a");
    let first = latency.snapshot();
    assert_eq!(first, first.clone());
    let labels = first.labels().to_vec();
    assert_eq!(latency.snapshot().labels(), labels);
    latency.begin(1);
    latency.end(&1, "a");
    assert_ne!(latency.snapshot().labels(), labels);
    assert_ne!(latency.snapshot(), first);
}
