//! What is refused before a recording starts.

use super::*;

#[test]
fn a_pattern_that_matches_nothing_is_refused() {
    let error = Recorder::new().matching("nowhere::*").start().unwrap_err();
    assert!(
        matches!(&error, RecordError::NothingMatches { pattern, .. } if pattern == "nowhere::*")
    );
    // Even beside one that matches.
    let error = Recorder::new()
        .all()
        .matching("nowhere::*")
        .start()
        .unwrap_err();
    assert!(error.to_string().contains("`nowhere::*`"), "{error}");
    assert!(matches!(
        Recorder::new().start(),
        Err(RecordError::NothingChosen)
    ));
}

#[test]
fn a_slices_key_that_does_not_pair_is_refused_with_the_parameters_listed() {
    hotprobe::event! {
        static BEGIN: fn(id: u64, name: &str);
        static END: fn(id: u64, status: u16);
        static OTHER: fn(id: u32);
        static SECRET: fn(#[redact] id: u64);
        static NOTHING: fn();
    }
    let slice = |begin: &'static dyn AnyEvent, end: &'static dyn AnyEvent, key: &str| {
        Recorder::new().slice("request", begin, end, key).start()
    };
    drop(slice(&BEGIN, &END, "id").expect("it pairs"));
    let messages = [
        (
            slice(&BEGIN, &END, "name"),
            "END` has no parameter `name`; it has `id: u64`, `status: u16`",
        ),
        (
            slice(&BEGIN, &NOTHING, "id"),
            "NOTHING` has no parameter `id`; it has none",
        ),
        (
            slice(&BEGIN, &OTHER, "id"),
            "OTHER`: give a parameter that is of one type in both; they have `id: u64`",
        ),
        (slice(&BEGIN, &SECRET, "id"), "marked `#[redact]`"),
        (slice(&BEGIN, &BEGIN, "id"), "give two events"),
    ];
    for (result, expected) in messages {
        let error = result.unwrap_err().to_string();
        assert!(error.starts_with("slice `request`: "), "{error}");
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn limits_that_leave_no_room_are_refused_with_what_would_do() {
    hotprobe::event! { static TEXT: fn(text: &str); }
    let recorder = || Recorder::new().event(&TEXT);
    let error = recorder()
        .max_buffer_bytes(100)
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("give at least 1024"), "{error}");
    drop(
        recorder()
            .max_buffer_bytes(1024)
            .start()
            .expect("what was asked for"),
    );
    let error = recorder()
        .max_total_bytes(100)
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("one buffer of 1048576 bytes"), "{error}");
    let error = recorder()
        .overflow(Overflow::OverwriteOldest)
        .stream_perfetto_to(io::sink())
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be streamed"), "{error}");
    let error = recorder()
        .stream_to("trace.txt")
        .start()
        .unwrap_err()
        .to_string();
    assert!(error.contains("`.pftrace`"), "{error}");
    let error = recorder()
        .stream_to("/nowhere/trace.json")
        .start()
        .unwrap_err();
    assert_eq!(error.to_string(), "cannot write `/nowhere/trace.json`");
    says_it_once(&error);
}

#[cfg(unix)]
#[test]
fn a_file_that_another_recording_writes_is_refused_by_whatever_name() {
    hotprobe::event! { static NUMBER: fn(n: u64); }
    let directory = directory("one_writer");
    for name in ["x.json", "x.pftrace", "x.ctf"] {
        let path = directory.join(name);
        let stream = |path: PathBuf| Recorder::new().event(&NUMBER).stream_to(path).start();
        let recording = stream(path.clone()).expect("it can start");
        NUMBER.fire(7);
        let mut names = vec![path.clone(), directory.join(".").join(name)];
        let link = directory.join(format!("link-{name}"));
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        names.push(link);
        if path.is_file() {
            let link = directory.join(format!("hard-{name}"));
            std::fs::hard_link(&path, &link).expect("a link");
            names.push(link);
        }
        for other in names {
            let message = in_full(&stream(other.clone()).unwrap_err());
            assert!(
                message.contains("writes it; give each recording"),
                "{message}"
            );
            let kept = record(&NUMBER);
            assert!(finish(kept).save(&other).is_err(), "nor is it saved to");
            if cfg!(target_os = "linux") {
                let who = "`: another recording of this process writes it";
                assert!(message.contains(who), "{message}");
            }
        }
        assert_eq!(finish(recording).sum().written, 1);
        let size = |path: &PathBuf| std::fs::metadata(path).expect("it is there").len();
        let file = if path.is_dir() {
            path.join("stream-0")
        } else {
            path.clone()
        };
        assert!(size(&file) > 0, "the refused ones have not touched it");
        // It is free again.
        let again = stream(path).expect("nobody writes it");
        assert_eq!(finish(again).sum().written, 0);
    }
}

#[cfg(unix)]
#[test]
fn a_forked_child_neither_keeps_a_file_nor_gives_it_up() {
    use test_support::{eventually, isolated, system::in_child};

    hotprobe::event! { static NUMBER: fn(n: u64); }
    isolated(
        "refused::a_forked_child_neither_keeps_a_file_nor_gives_it_up",
        || {
            let directory = directory("forked_writer");
            let path = directory.join("x.json");
            let stream = || Recorder::new().event(&NUMBER).stream_to(&path).start();
            let mut recording = Some(stream().expect("it can start"));
            // What the child drops is the parent's.
            let drops = || {
                drop(recording.take());
                0
            };
            assert_eq!(in_child(drops), 0);
            assert!(stream().is_err(), "the parent writes it");

            let (forked, done) = (directory.join("forked"), directory.join("done"));
            std::thread::scope(|scope| {
                let child = scope.spawn(|| {
                    in_child(|| {
                        std::fs::write(&forked, "").expect("a file");
                        while !done.exists() {
                            std::thread::sleep(std::time::Duration::from_millis(1));
                        }
                        0
                    })
                });
                eventually("it is forked", || forked.exists());
                finish(recording.take().expect("the child took its own"));
                let again = stream().map(finish);
                std::fs::write(&done, "").expect("a file");
                assert_eq!(again.expect("nobody writes it").sum().written, 0);
                assert_eq!(child.join().expect("it ends"), 0);
            });
        },
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_child_that_inherits_the_variable_is_told_who_writes_the_file() {
    hotprobe::event! { static INHERITED: fn(n: u64); }
    const NAME: &str = "refused::a_child_that_inherits_the_variable_is_told_who_writes_the_file";
    if std::env::var(test_support::CHILD).is_ok_and(|child| child == NAME) {
        let parent = std::os::unix::process::parent_id();
        match hotprobe_record::from_env() {
            Err(error) => println!(
                "refused: {}",
                in_full(&error).replace(&parent.to_string(), "PARENT")
            ),
            Ok(recordings) => {
                INHERITED.fire(1);
                recordings.finish().expect("it can be written");
                println!("recorded by {}", std::process::id());
            }
        }
        return;
    }
    let directory = directory("inherited");
    let path = directory.join("one.json");
    let streamed = Recorder::new().event(&INHERITED).stream_to(&path).start();
    let recording = streamed.expect("it can start");
    INHERITED.fire(666);
    let run = |file: &str| {
        let asked = format!("*::INHERITED={}", directory.join(file).display());
        let output = child(NAME).env("HOTPROBE_RECORD", asked).output();
        text(&output.expect("it starts"))
    };
    let said = run("one.json");
    assert!(
        said.contains("refused: HOTPROBE_RECORD: cannot start `*::INHERITED="),
        "{said}"
    );
    assert!(said.contains("process PARENT (`"), "{said}");
    assert!(said.contains("each process by `%p` in the name"), "{said}");
    let said = run("of-%p.json");
    let number = said.split("recorded by ").nth(1).expect(&said);
    let number: String = number.chars().take_while(char::is_ascii_digit).collect();
    let own = directory.join(format!("of-{number}.json"));
    assert!(own.is_file(), "{said}");
    assert_eq!(finish(recording).sum().written, 1);
    let file = std::fs::read_to_string(&path).expect("it is there");
    let file: serde_json::Value = serde_json::from_str(&file).expect("it is whole");
    assert!(
        file.as_array()
            .expect("a list")
            .iter()
            .any(|event| event["args"]["n"] == 666)
    );
}
