//! Recordings that are written while they run.

use super::*;

/// Counts what is written, and fails when it is told to.
#[derive(Clone, Default)]
struct Counting {
    bytes: Arc<AtomicUsize>,
    flushed: Arc<AtomicUsize>,
    fail_after: Option<usize>,
    panics: bool,
}

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let before = self.bytes.fetch_add(bytes.len(), Ordering::SeqCst);
        if self
            .fail_after
            .is_some_and(|after| before + bytes.len() > after)
        {
            assert!(!self.panics, "planned");
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                "planned: the disk is full",
            ));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.flushed
            .store(self.bytes.load(Ordering::SeqCst), Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_streamed_recording_outlasts_its_buffers() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let writer = Counting::default();
    let recording = Recorder::new()
        .event(&NUMBER)
        .max_buffer_bytes(64 << 10)
        .stream_chrome_json_to(writer.clone())
        .start()
        .expect("it can start");
    // A record takes at least three words, and more than 50 bytes in the file.
    const FIT: u64 = 2 * (64 << 10) / 24;
    let deadline = Instant::now() + Duration::from_secs(60);
    let fired: u64 = thread::scope(|scope| {
        let threads = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut n = 0;
                while (writer.bytes.load(Ordering::SeqCst) as u64) < 500 * FIT
                    && Instant::now() < deadline
                {
                    for _ in 0..500 {
                        NUMBER.fire(n);
                        n += 1;
                    }
                    thread::sleep(Duration::from_millis(2));
                }
                n
            })
        });
        threads.map(|thread| thread.join().unwrap()).iter().sum()
    });
    assert!(matches!(recording.snapshot(), Err(RecordError::Streamed)));
    let trace = finish(recording);
    let sum = balanced(&trace);
    assert_eq!(sum.fired, fired);
    assert!(sum.written > 2 * FIT, "{sum:?}");
    assert_eq!(trace.counts().count(), 2);
    assert_eq!(trace.records().count(), 0);
    assert!(matches!(
        trace.save("trace.json"),
        Err(RecordError::Streamed)
    ));
    let written = writer.bytes.load(Ordering::SeqCst);
    assert!(written > 0);
    assert_eq!(writer.flushed.load(Ordering::SeqCst), written);
}

#[test]
fn a_streamed_recording_counts_exactly_while_it_loses() {
    hotprobe::event! { static NUMBER: fn(n: u64); static TEXT: fn(text: &str); }
    let recording = Recorder::new()
        .event(&NUMBER)
        .event(&TEXT)
        .max_buffer_bytes(8 << 10)
        .max_total_bytes(24 << 10)
        .stream_perfetto_to(io::sink())
        .start()
        .expect("it can start");
    const EACH: u64 = 300_000;
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..EACH {
                    NUMBER.fire(n);
                    if n % 3 == 0 {
                        TEXT.fire("a text");
                    }
                }
            });
        }
    });
    let sum = balanced(&finish(recording));
    assert_eq!(sum.fired, 4 * (EACH + EACH / 3));
    assert!(sum.lost > 0 && sum.written > 0, "{sum:?}");
}

#[test]
fn a_writer_that_fails_stops_the_recording_and_not_the_program() {
    quiet_planned_panics();
    hotprobe::event! { static NUMBER: fn(n: u64); }
    for (panics, expected) in [(false, "the disk is full"), (true, "the writer panicked")] {
        let recording = Recorder::new()
            .event(&NUMBER)
            .stream_chrome_json_to(Counting {
                fail_after: Some(10_000),
                panics,
                ..Counting::default()
            })
            .start()
            .expect("it can start");
        eventually("it is detached", || {
            NUMBER.fire(1);
            !NUMBER.is_enabled()
        });
        let error = recording.finish().unwrap_err();
        assert!(in_full(&error).contains(expected), "{error:?}");
    }
}

#[test]
fn dropping_a_recording_detaches_and_finishes_what_it_streams() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let writer = Counting::default();
    let recording = Recorder::new()
        .event(&NUMBER)
        .stream_perfetto_to(writer.clone())
        .start()
        .expect("it can start");
    NUMBER.fire(1);
    drop(recording);
    assert!(!NUMBER.is_enabled());
    let written = writer.bytes.load(Ordering::SeqCst);
    assert!(written > 0);
    assert_eq!(writer.flushed.load(Ordering::SeqCst), written);
}

#[test]
fn dropping_a_recording_inside_a_probe_does_not_wait() {
    hotprobe::event! { static NUMBER: fn(n: u64); static DROP: fn(); }
    let writer = Counting::default();
    let recording = Recorder::new()
        .event(&NUMBER)
        .stream_perfetto_to(writer.clone())
        .start()
        .expect("it can start");
    NUMBER.fire(1);
    let recording = Mutex::new(Some(recording));
    let probe = DROP.attach(move || drop(recording.lock().unwrap().take()));
    DROP.fire();
    assert!(!NUMBER.is_enabled() && !probe.has_panicked());
    eventually("it is finished", || {
        let written = writer.bytes.load(Ordering::SeqCst);
        written > 0 && writer.flushed.load(Ordering::SeqCst) == written
    });
}

/// Keeps what is written, up to a size; then the disk is full.
#[derive(Clone)]
struct Disk {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// How many of them are safe.
    flushed: Arc<AtomicUsize>,
    size: usize,
}

impl Disk {
    fn new(size: usize) -> Self {
        Self {
            bytes: Arc::default(),
            flushed: Arc::default(),
            size,
        }
    }

    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).expect("it is JSON")
    }

    /// Counts the records whose line is whole.
    fn whole_sevens(&self) -> u64 {
        self.text().matches("\"n\":7}}").count() as u64
    }

    /// Counts how often the event's argument is 7 in the first `bytes` bytes.
    fn sevens(&self, bytes: usize) -> u64 {
        self.text()[..bytes].matches("\"n\":7").count() as u64
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut kept = self.bytes.lock().unwrap();
        let fits = bytes.len().min(self.size - kept.len());
        if fits == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        kept.extend_from_slice(&bytes[..fits]);
        Ok(fits)
    }

    fn flush(&mut self) -> io::Result<()> {
        let bytes = self.bytes.lock().unwrap().len();
        self.flushed.store(bytes, Ordering::SeqCst);
        Ok(())
    }
}

#[test]
fn a_streamed_file_has_the_records_of_all_threads_in_the_order_of_time() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    // Enough turns for some rounds. The threads sleep until it is theirs: on a busy machine, those
    // that only yield would take minutes.
    const TURNS: u64 = 3_000;
    const AT_ONCE: u64 = 20;
    let disk = Disk::new(usize::MAX);
    let recording = Recorder::new()
        .event(&NUMBER)
        .stream_chrome_json_to(disk.clone())
        .start()
        .expect("it can start");
    let (give, take): (Vec<_>, Vec<_>) = (0..3).map(|_| std::sync::mpsc::channel()).unzip();
    give[0].send(()).expect("it waits");
    thread::scope(|scope| {
        for (me, turns) in (0..3).zip(take) {
            let next = give[(me + 1) % 3].clone();
            scope.spawn(move || {
                for turn in (me as u64..TURNS).step_by(3) {
                    turns.recv().expect("it is given on");
                    (turn * AT_ONCE..(turn + 1) * AT_ONCE).for_each(|n| NUMBER.fire(n));
                    // (The last has nobody to give it to.)
                    let _ = next.send(());
                }
            });
        }
    });
    let trace = finish(recording);
    assert_eq!(balanced(&trace).written, TURNS * AT_ONCE);
    let file: serde_json::Value = serde_json::from_str(&disk.text()).expect("it is whole");
    let events = file.as_array().or(file["traceEvents"].as_array());
    let numbers: Vec<u64> = events
        .expect("a list")
        .iter()
        .filter_map(|event| event["args"]["n"].as_u64())
        .collect();
    assert!(numbers.into_iter().eq(0..TURNS * AT_ONCE));
}

#[test]
fn what_a_full_disk_has_no_room_for_is_lost_and_counted() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    for size in [0, 10, 1000, 100_000] {
        let disk = Disk::new(size);
        let recording = Recorder::new()
            .event(&NUMBER)
            .stream_chrome_json_to(disk.clone())
            .start()
            .expect("it can start");
        if size == 100_000 {
            (0..100).for_each(|_| NUMBER.fire(7));
            eventually("they are flushed", || {
                disk.sevens(disk.flushed.load(Ordering::SeqCst)) == 100
            });
        }
        eventually("it is detached", || {
            NUMBER.fire(7);
            !NUMBER.is_enabled()
        });
        let error = recording.finish().unwrap_err();
        let message = error.to_string();
        assert!(message.contains("cannot write the records"), "{message}");
        says_it_once(&error);
        let trace = error.into_trace().expect("it has the counts");
        let sum = balanced(&trace);
        assert!(sum.lost > 0, "{sum:?}");
        assert_eq!(trace.records().count(), 0);
        let whole = disk.whole_sevens();
        let accepted = format!("the writer accepted {whole} of {} records", sum.fired);
        assert!(message.ends_with(&accepted), "{message}");
        assert_eq!(sum.written, whole, "{sum:?}");
        assert_eq!(whole >= 100, size == 100_000);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_without_room_stops_the_recording_and_is_told_at_its_end() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let directory = directory("full");
    for name in ["full.json", "full.pftrace"] {
        let path = directory.join(name);
        std::os::unix::fs::symlink("/dev/full", &path).expect("a link");
        let recording = Recorder::new()
            .event(&NUMBER)
            .stream_to(&path)
            .start()
            .expect("it can start");
        eventually("it is detached", || {
            NUMBER.fire(7);
            !NUMBER.is_enabled()
        });
        let error = recording.finish().unwrap_err();
        assert!(
            matches!(&error, RecordError::Stream { path: Some(failed), .. } if *failed == path),
            "{error:?}"
        );
        let sum = balanced(&error.into_trace().expect("it has the counts"));
        assert_eq!((sum.written, sum.lost), (0, sum.fired));
        assert!(sum.fired > 0);
        // What is saved at the end fails likewise.
        let recording = record(&NUMBER);
        NUMBER.fire(7);
        let error = finish(recording).save(&path).unwrap_err();
        assert!(matches!(error, RecordError::Io { path: Some(_), .. }));
    }
}

#[test]
fn a_writer_that_blocks_costs_records_and_does_not_hold_up_the_program() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    struct Slow(Arc<Door>, Disk);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.pass();
            self.1.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    // It writes all in the end, or fails when it was at it.
    for size in [usize::MAX, 3000, 10] {
        let (door, disk) = (Arc::new(Door::new()), Disk::new(size));
        let recording = Recorder::new()
            .event(&NUMBER)
            .max_buffer_bytes(8 << 10)
            .stream_chrome_json_to(Slow(Arc::clone(&door), disk.clone()))
            .start()
            .expect("it can start");
        door.wait_for_arrival();
        // More than there is room for, and nobody makes any.
        (0..10_000).for_each(|_| NUMBER.fire(7));
        let finished = AtomicBool::new(false);
        let result = thread::scope(|scope| {
            let finishing = scope.spawn(|| {
                let result = recording.finish();
                finished.store(true, Ordering::SeqCst);
                result
            });
            eventually("it is detached", || !NUMBER.is_enabled());
            // `finish` waits for the writer; the program continues.
            (0..10_000).for_each(|_| NUMBER.fire(7));
            assert!(!finished.load(Ordering::SeqCst));
            door.open();
            finishing.join().expect("it ends well")
        });
        let trace = if size == usize::MAX {
            result.expect("it could be written")
        } else {
            let trace = result.unwrap_err().into_trace();
            let trace = trace.expect("it has the counts");
            assert_eq!(trace.sum().written, disk.whole_sevens());
            trace
        };
        let sum = balanced(&trace);
        assert_eq!(sum.fired, 10_000);
        assert!(sum.lost > 1000, "{sum:?}");
        if size == usize::MAX {
            assert!(sum.written > 100, "{sum:?}");
            assert_eq!(disk.sevens(disk.text().len()), sum.written);
        }
    }
}

/// Prints how long `finish` took. (`HOTPROBE_TEST_BEGINS=1000000` for as many; optimized, to
/// compare.)
#[test]
fn begins_of_one_key_that_never_end_cost_no_records() {
    hotprobe::event! {
        static BEGUN: fn(key: Option<u64>);
        static ENDED: fn(key: Option<u64>);
    }
    let many = std::env::var("HOTPROBE_TEST_BEGINS").ok();
    let many = many.map_or(50_000, |many| many.parse().expect("a number"));
    for format in ["perfetto", "chrome"] {
        let recorder = Recorder::new()
            .slice("open", &BEGUN, &ENDED, "key")
            .max_buffer_bytes(64 << 20);
        let recorder = match format {
            "perfetto" => recorder.stream_perfetto_to(io::sink()),
            _ => recorder.stream_chrome_json_to(io::sink()),
        };
        let recording = recorder.start().expect("it can start");
        (0..many).for_each(|_| BEGUN.fire(None));
        let begin = Instant::now();
        let sum = balanced(&finish(recording));
        println!(
            "{format}: {many} open begins, finished in {:?}",
            begin.elapsed()
        );
        assert_eq!((sum.written, sum.lost), (many, 0));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_for_the_size_of_files_ends_the_recording_and_not_the_program() {
    const NAME: &str =
        "streams::a_limit_for_the_size_of_files_ends_the_recording_and_not_the_program";
    hotprobe::event! { static NUMBER: fn(n: u64); }
    if std::env::var(test_support::CHILD).is_ok_and(|child| child == NAME) {
        let directory = directory("limited");
        for name in ["x.json", "x.pftrace", "x.ctf"] {
            let path = directory.join(name);
            let recording = Recorder::new().event(&NUMBER).stream_to(&path).start();
            let recording = recording.expect("it can start");
            eventually("it is detached", || {
                NUMBER.fire(7);
                !NUMBER.is_enabled()
            });
            let error = recording.finish().unwrap_err();
            let source = match &error {
                RecordError::Stream { source, .. } => source,
                other => panic!("{other}"),
            };
            assert_eq!(source.kind(), io::ErrorKind::FileTooLarge);
            assert!(in_full(&error).contains("(`ulimit -f`)"), "{error:?}");
            let message = error.to_string();
            let sum = balanced(&error.into_trace().expect("it has the counts"));
            // (The first packet of CTF is larger than that.)
            assert_eq!(sum.written > 0, name != "x.ctf", "{sum:?}");
            let has = format!("the file has {} of {} records", sum.written, sum.fired);
            assert!(message.ends_with(&has), "{message}");
            if name == "x.json" {
                let file = std::fs::read_to_string(&path).expect("it is text");
                assert_eq!(file.matches("\"n\":7}}").count() as u64, sum.written);
            }
            // What is saved at the end fails likewise.
            let recording = record(&NUMBER);
            (0..10_000).for_each(|n| NUMBER.fire(n));
            let saved = finish(recording).save(directory.join(format!("saved-{name}")));
            assert!(in_full(&saved.unwrap_err()).contains("(`ulimit -f`)"));
        }
        return;
    }
    let child = child(NAME);
    let output = std::process::Command::new("sh")
        .args(["-c", "ulimit -f 100; exec \"$0\" \"$@\""])
        .arg(child.get_program())
        .args(child.get_args())
        .env(test_support::CHILD, NAME)
        .output()
        .expect("there is a shell");
    let said = text(&output);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{:?}: {said}",
        output.status
    );
}

#[test]
fn a_writer_that_is_interrupted_without_end_is_an_error() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    struct Interrupted;
    impl Write for Interrupted {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::Interrupted.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for format in ["perfetto", "chrome"] {
        let recorder = Recorder::new().event(&NUMBER);
        let recorder = match format {
            "perfetto" => recorder.stream_perfetto_to(Interrupted),
            _ => recorder.stream_chrome_json_to(Interrupted),
        };
        let recording = recorder.start().expect("it can start");
        NUMBER.fire(7);
        let finishing = thread::spawn(move || recording.finish().unwrap_err());
        eventually("it finishes", || finishing.is_finished());
        let error = finishing.join().expect("it ends well");
        let message = in_full(&error);
        assert!(
            message.contains("it was interrupted 1000 times in a row"),
            "{message}"
        );
    }
    // One that is interrupted now and then is not one of those.
    struct Sometimes(Vec<u8>, u64);
    impl Write for Sometimes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 += 1;
            if self.1 % 2 == 0 {
                return Err(io::ErrorKind::Interrupted.into());
            }
            self.0.extend_from_slice(&bytes[..1]);
            Ok(1)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let recorder = Recorder::new().event(&NUMBER);
    let recording = recorder
        .stream_chrome_json_to(Sometimes(Vec::new(), 0))
        .start();
    let recording = recording.expect("it can start");
    (0..50).for_each(|n| NUMBER.fire(n));
    assert_eq!(finish(recording).sum().written, 50);
}
