//! What a recording keeps of threads that have ended: it is bounded, and what is left out is counted.

use super::*;
use test_support::isolated;
use test_support::system::live_bytes;

hotprobe::event! {
    static E0: fn(n: u64);
    static E1: fn(n: u64);
    static E2: fn(n: u64);
    static E3: fn(n: u64);
    static E4: fn(n: u64);
    static E5: fn(n: u64);
    static E6: fn(n: u64);
    static E7: fn(n: u64);
    static E8: fn(n: u64);
    static E9: fn(n: u64);
}

/// How many threads fire, and how many times each of them.
const THREADS: u64 = 20_000;
const EACH: u64 = 10;
/// How many threads these recordings tell apart at most.
const APART: u64 = 1024;

/// All events, and the least memory.
fn recorder() -> Recorder {
    Recorder::new()
        .matching("it::memory::E*")
        .max_buffer_bytes(4096)
        .max_total_bytes(4096)
}

fn fire_on_threads() {
    for n in 0..THREADS {
        let fire = move || {
            E0.fire(n);
            E1.fire(n);
            E2.fire(n);
            E3.fire(n);
            E4.fire(n);
            E5.fire(n);
            E6.fire(n);
            E7.fire(n);
            E8.fire(n);
            E9.fire(n);
        };
        let thread = thread::Builder::new().name("short".to_owned());
        thread.spawn(fire).expect("a thread").join().expect("ends");
    }
}

/// Fires, and fails if the recording keeps more than 3 MiB then. (240 bytes for each thread are 4.8 MB.)
fn keeps_little(before: isize) {
    fire_on_threads();
    // What a stream has not flushed is there until then.
    eventually("no more than 3 MiB are kept", || {
        live_bytes() - before < 3 << 20
    });
}

/// The exact sum, and how many threads were told apart.
fn told_apart(trace: &Trace) -> u64 {
    assert_eq!(balanced(trace).fired, THREADS * EACH);
    let others = trace.other_threads();
    let name = format!("({others} other threads)");
    let threads: Vec<_> = trace.threads().collect();
    assert_eq!(threads[threads.len() - 1].name(), Some(&*name));
    assert_eq!(threads.len() as u64 - 1 + others, THREADS);
    let counts = trace.counts();
    let of_others = counts.filter(|(_, thread, _)| thread.name() == Some(&name));
    let fired: u64 = of_others.map(|(.., count)| count.fired).sum();
    assert_eq!(fired, others * EACH);
    threads.len() as u64 - 1
}

#[test]
fn threads_that_have_ended_cost_a_streamed_recording_no_more_than_its_cap() {
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);
    impl Write for Kept {
        /// Keeps what contains the name, which comes last.
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            *self.0.lock().unwrap() = bytes.to_vec();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    isolated(
        "memory::threads_that_have_ended_cost_a_streamed_recording_no_more_than_its_cap",
        || {
            let folder = directory("many_threads").join("x.ctf");
            for format in ["perfetto", "chrome", "ctf"] {
                let kept = Kept::default();
                let before = live_bytes();
                let recorder = match format {
                    "perfetto" => recorder().stream_perfetto_to(kept.clone()),
                    "chrome" => recorder().stream_chrome_json_to(kept.clone()),
                    _ => recorder().stream_to(&folder),
                };
                let recording = recorder.start().expect("it can start");
                keeps_little(before);
                let trace = finish(recording);
                // (Fewer if the one buffer was full for long.)
                let apart = told_apart(&trace);
                assert!(apart <= APART, "{format}: {apart}");
                let mut end = kept.0.lock().unwrap().clone();
                if format == "ctf" {
                    for file in std::fs::read_dir(&folder).expect("a folder") {
                        end.extend(std::fs::read(file.expect("a file").path()).expect("it"));
                    }
                }
                let name = format!("({} other threads)", THREADS - apart);
                let found = end.windows(name.len()).any(|part| part == name.as_bytes());
                assert!(found, "{format}: the file says how many they are");
            }
        },
    );
}

#[test]
fn threads_that_have_ended_cost_a_recording_in_memory_no_more_than_its_cap() {
    isolated(
        "memory::threads_that_have_ended_cost_a_recording_in_memory_no_more_than_its_cap",
        || {
            let before = live_bytes();
            let recording = recorder().start().expect("it can start");
            keeps_little(before);
            let apart = told_apart(&finish(recording));
            assert!(apart <= APART, "{apart}");

            // What each thread leaves in the one buffer is overwritten, and becomes a row for each event.
            let recorder = recorder().overflow(Overflow::OverwriteOldest);
            let recording = recorder.start().expect("it can start");
            keeps_little(before);
            let apart = told_apart(&finish(recording));
            assert!(apart < APART, "{apart}: there are too many rows before");
        },
    );
}

#[test]
fn threads_without_a_buffer_cost_no_more_than_the_cap() {
    isolated(
        "memory::threads_without_a_buffer_cost_no_more_than_the_cap",
        || {
            hotprobe::event! { static HOLDS: fn(); }
            let before = live_bytes();
            let recording = recorder().event(&HOLDS).start().expect("it can start");
            HOLDS.fire(); // this thread has the only buffer
            keeps_little(before);
            let trace = finish(recording);
            let sum = balanced(&trace);
            assert_eq!(
                (sum.fired, sum.written, sum.lost),
                (1 + THREADS * EACH, 1, THREADS * EACH)
            );
            let apart = trace.threads().count() as u64 - 1;
            assert!(apart < APART, "{apart}: there are too many rows before");
            assert_eq!(trace.other_threads(), 1 + THREADS - apart);
        },
    );
}

#[test]
fn a_thread_without_a_buffer_is_one_thread_however_many_recordings_there_are() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recorder = || {
        let recorder = Recorder::new().event(&NUMBER);
        recorder.max_buffer_bytes(4096).max_total_bytes(4096)
    };
    let recordings: Vec<_> = (0..9).map(|_| recorder().start().unwrap()).collect();
    NUMBER.fire(0);
    let other = thread::spawn(|| (0..100).for_each(|n| NUMBER.fire(n)));
    other.join().expect("it ends well");
    for recording in recordings {
        let trace = finish(recording);
        assert_eq!(trace.threads().count(), 2);
        let sum = balanced(&trace);
        assert_eq!((sum.written, sum.lost), (1, 100));
    }
}

#[test]
fn a_thread_s_name_is_kept_up_to_256_bytes() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let recording = record(&NUMBER);
    for name in [
        "é".repeat(127),
        "é".repeat(128),
        "a".to_owned() + &"é".repeat(9999),
    ] {
        let thread = thread::Builder::new().name(name);
        let thread = thread.spawn(|| NUMBER.fire(1)).expect("a thread");
        thread.join().expect("it ends well");
    }
    let trace = finish(recording);
    let names: Vec<_> = trace.threads().map(|thread| thread.name()).collect();
    let kept = [
        "é".repeat(127),
        "é".repeat(128),
        "a".to_owned() + &"é".repeat(127),
    ];
    assert!(names.into_iter().eq(kept.iter().map(|name| Some(&**name))));
}
