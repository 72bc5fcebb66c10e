//! Recordings.

use super::{Answer, BodyStream, ask, block_on, eventually, mounted, read, request, send};
use axum::Router;
use hotprobe_admin::Admin;
use std::process::{Command, Stdio};
use std::time::Duration;

mod written {
    hotprobe::event! { pub static BEGUN: fn(id: u64, path: &str); pub static DONE: fn(id: u64, #[redact] card: &str); }
}
mod sent {
    hotprobe::event! { pub static ITEM: fn(n: u64, text: &str); }
}
mod silent {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod tasks {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod left {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod unread {
    hotprobe::event! { pub static ITEM: fn(n: u64, text: &str); }
}
mod ended {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod archived {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod abandoned {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod wide {
    hotprobe::event! { pub static ITEM: fn(a: &str, b: &str, c: &str, d: &str); }
}

/// Records while `fire` runs, for a moment.
async fn record(app: &Router, path: &str, is_on: impl Fn() -> bool, fire: impl FnOnce()) -> Answer {
    let response = send(app, request("POST", path)).await;
    if response.status() == 200 {
        assert!(is_on(), "it is attached when the answer begins");
        fire();
    }
    read(response).await
}

#[test]
fn a_recording_in_which_nothing_happens_has_heartbeats() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        for (format, beat) in [("perfetto", &b"\x0a\x00"[..]), ("chrome", b"\n")] {
            let path = format!("/record?match=*::recording::silent::*&seconds=300&format={format}");
            let mut body = send(&app, request("POST", &path)).await.into_body();
            loop {
                let frame = super::in_time(http_body_util::BodyExt::frame(&mut body)).await;
                if *frame.unwrap().unwrap().into_data().unwrap() == *beat {
                    break;
                }
            }
        }
        // With them, it is still JSON.
        let path = "/record?match=*::recording::silent::*&seconds=2.5&format=chrome";
        let answer = read(send(&app, request("POST", path)).await).await;
        assert!(answer.json().is_array() || answer.json().is_object());
    });
}

#[test]
fn a_chrome_trace_has_what_was_fired_and_the_slices_but_nothing_redacted() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let [begin, end] = [written::BEGUN.name(), written::DONE.name()];
        let path = format!(
            "/record?match=*::recording::written::*&seconds=1.5&format=chrome&slice=request,{begin},{end},id"
        );
        let answer = record(
            &app,
            &path,
            || written::DONE.is_enabled(),
            || {
                written::BEGUN.fire(17, "/orders");
                written::DONE.fire(17, "4711-secret");
            },
        )
        .await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(
            answer.header("content-disposition"),
            "attachment; filename=\"trace.json\""
        );
        assert!(
            answer.body.contains("/orders") && !answer.body.contains("4711"),
            "{}",
            answer.body
        );
        let json = answer.json();
        let events = json
            .as_array()
            .or_else(|| json["traceEvents"].as_array())
            .unwrap();
        assert!(
            events.iter().any(|event| event["name"] == "request"),
            "{json}"
        );
        assert_eq!(written::BEGUN.probe_count(), 0);
        eventually("the session is over", || shutdown.open_sessions() == 0).await;
    });
}

#[test]
fn tokio_tasks_have_tracks_if_that_is_said() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        for (parameter, has_tracks) in [("", false), ("&tasks=0", false), ("&tasks=1", true)] {
            let path = format!("/record?match=*::recording::tasks::*&seconds=1{parameter}");
            let fire = || drop(tokio::spawn(async { tasks::ITEM.fire(7) }));
            let answer = record(&app, &path, || tasks::ITEM.is_enabled(), fire).await;
            assert!(answer.body.contains("tasks::ITEM") && answer.body.contains("totals"));
            assert_eq!(
                answer.body.contains("tokio tasks"),
                has_tracks,
                "{parameter}"
            );
        }
    });
}

#[test]
fn a_perfetto_trace_comes_while_it_is_recorded() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let mut stream = BodyStream::of(
            &app,
            "POST",
            "/record?match=*::recording::sent::*&seconds=30",
        )
        .await;
        sent::ITEM.fire(1, "marker-of-the-first");
        // Long before its end.
        stream.until("marker-of-the-first").await;
        assert_eq!(sent::ITEM.probe_count(), 1);
        drop(stream);
        eventually("it is detached", || sent::ITEM.probe_count() == 0).await;
    });
}

#[test]
fn a_ctf_trace_is_an_archive_that_tar_unpacks() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let response = send(
            &app,
            request(
                "POST",
                "/record?match=*::recording::archived::*&seconds=1.5&format=ctf",
            ),
        )
        .await;
        assert_eq!(response.headers()["content-type"], "application/x-tar");
        (0..10).for_each(|n| archived::ITEM.fire(n));
        let bytes = axum::body::to_bytes(response.into_body(), 64 << 20)
            .await
            .unwrap();
        assert_eq!(archived::ITEM.probe_count(), 0);
        let listed = tokio::task::spawn_blocking(move || {
            let mut tar = Command::new("tar")
                .args(["-tvf", "-"])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            std::io::Write::write_all(&mut tar.stdin.take().unwrap(), &bytes).unwrap();
            tar.wait_with_output().unwrap()
        });
        let listed = listed.await.unwrap();
        assert!(listed.status.success());
        let listed = String::from_utf8(listed.stdout).unwrap();
        assert!(
            listed.contains(" trace/metadata\n") && listed.contains(" trace/stream-"),
            "{listed}"
        );
    });
}

/// How many temporary folders of CTF traces this process has.
fn temporary_folders() -> usize {
    let prefix = format!("hotprobe-trace-{}-", std::process::id());
    let is_ours = |name: std::ffi::OsString| name.to_string_lossy().starts_with(&prefix);
    std::fs::read_dir(std::env::temp_dir())
        .unwrap()
        .filter(|entry| entry.as_ref().is_ok_and(|entry| is_ours(entry.file_name())))
        .count()
}

#[test]
fn a_ctf_trace_leaves_no_temporary_folder_however_its_session_ends() {
    test_support::isolated(
        "recording::a_ctf_trace_leaves_no_temporary_folder_however_its_session_ends",
        || {
            block_on(async {
                for end in ["time", "gone", "shutdown"] {
                    let (app, shutdown) = mounted(Admin::new());
                    let seconds = if end == "time" { "0.2" } else { "300" };
                    let path = format!(
                        "/record?match=*::recording::archived::*&seconds={seconds}&format=ctf"
                    );
                    let response = send(&app, request("POST", &path)).await;
                    (0..10).for_each(|n| archived::ITEM.fire(n));
                    match end {
                        "time" => assert!(!read(response).await.body.is_empty()),
                        "gone" => drop(response),
                        _ => {
                            shutdown.begin();
                            assert!(!read(response).await.body.is_empty());
                        }
                    }
                    shutdown.ended().await;
                    assert_eq!(temporary_folders(), 0, "{end}");
                    assert_eq!(archived::ITEM.probe_count(), 0, "{end}");
                }
            });
        },
    );
}

#[test]
fn a_recording_that_is_left_is_detached_in_each_format() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        for format in ["perfetto", "chrome", "ctf"] {
            let path = format!("/record?match=*::recording::left::*&seconds=300&format={format}");
            let response = send(&app, request("POST", &path)).await;
            assert_eq!(left::ITEM.probe_count(), 1, "{format}");
            assert_eq!(left::ITEM.probes()[0].name(), Some("recording"));
            left::ITEM.fire(1);
            drop(response);
            eventually("it is detached", || left::ITEM.probe_count() == 0).await;
            eventually("the session is over", || shutdown.open_sessions() == 0).await;
        }
    });
}

#[test]
fn a_client_that_does_not_read_costs_records_and_neither_memory_nor_the_program() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let path = "/record?match=*::recording::unread::*&seconds=1&format=chrome";
        let response = send(&app, request("POST", path)).await;
        let fired = tokio::task::spawn_blocking(|| {
            let text = "x".repeat(200);
            let mut fired = 0_u64;
            while unread::ITEM.probe_count() > 0 {
                unread::ITEM.fire(fired, &text);
                fired += 1;
            }
            fired
        });
        // It is detached in time, though nobody has read a byte.
        let fired = fired.await.unwrap();
        let answer = read(response).await;
        assert!(
            serde_json::from_str::<serde_json::Value>(&answer.body).is_ok(),
            "it is whole"
        );
        let written = answer.body.matches(&"x".repeat(200)).count() as u64;
        assert!(written < fired, "nothing was lost: {written} of {fired}");
        // A thread's buffer, and the pipe: each record has 200 bytes at least.
        assert!(written * 200 < (2 << 20), "{written} were kept");
        assert!(answer.body.contains("lost"), "the trace counts them");
    });
}

#[test]
fn a_shutdown_finishes_the_trace_so_that_what_was_sent_is_whole() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let path = "/record?match=*::recording::ended::*&seconds=300&format=chrome";
        let response = send(&app, request("POST", path)).await;
        ended::ITEM.fire(4711);
        shutdown.begin();
        let answer = read(response).await;
        assert!(answer.json().to_string().contains("4711"));
        assert_eq!(ended::ITEM.probe_count(), 0);
        shutdown.ended().await;
    });
}

#[test]
fn a_runtime_that_ends_with_a_recording_open_detaches_it_and_does_not_hang() {
    for format in ["perfetto", "ctf"] {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let response = runtime.block_on(async {
            let (app, _) = mounted(Admin::new());
            let path =
                format!("/record?match=*::recording::abandoned::*&seconds=300&format={format}");
            let response = send(&app, request("POST", &path)).await;
            // The pipe is full, and the recording's thread waits.
            (0..100_000).for_each(|n| abandoned::ITEM.fire(n));
            response
        });
        drop(runtime);
        test_support::eventually("it is detached", || abandoned::ITEM.probe_count() == 0);
        drop(response);
    }
}

#[test]
fn a_runtime_that_ends_while_a_stalled_client_is_waited_for_does_not_hang() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let response = runtime.block_on(async {
        let (app, _) = mounted(Admin::new());
        let path = "/record?match=*::recording::stalled::*&seconds=1&format=chrome";
        let response = send(&app, request("POST", path)).await;
        eventually("its time is up", || {
            // More than the pipe takes, so that the rest waits.
            (0..1000).for_each(|n| stalled::ITEM.fire(n));
            stalled::ITEM.probe_count() == 0
        })
        .await;
        response
    });
    let ended = std::thread::spawn(move || drop(runtime));
    // Far less than a stalled client is given.
    let begin = std::time::Instant::now();
    test_support::eventually("the runtime has ended", || ended.is_finished());
    assert!(begin.elapsed() < Duration::from_secs(8));
    drop(response);
}

mod stalled {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}

#[test]
fn what_cannot_be_recorded_is_refused_before_anything_is_attached() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let [begin, end] = [written::BEGUN.name(), written::DONE.name()];
        let table = [
            (
                "format=pprof".to_owned(),
                400,
                "`format` is `pprof`: expected `perfetto`, `chrome` or `ctf`",
            ),
            (
                "tasks=yes".to_owned(),
                400,
                "`tasks` is `yes`: expected `0` or `1`",
            ),
            ("seconds=0".to_owned(), 400, "`seconds` is `0`"),
            ("limit=1".to_owned(), 400, "no parameter `limit`"),
            ("slice=a,b".to_owned(), 400, "expected `NAME,BEGIN,END,KEY`"),
            (
                format!("slice=a,{begin},{end},path"),
                400,
                "has no parameter `path`",
            ),
            (
                format!("slice=a,{begin},{begin},id"),
                400,
                "cannot both begin and end it",
            ),
            (
                format!("slice=a,{begin},{end}S,id"),
                404,
                "written::DONES` is none of",
            ),
        ];
        for (parameters, status, says) in table {
            let path = format!("/record?match=*::recording::written::*&{parameters}");
            let body = ask(&app, "POST", &path).await.says(status);
            assert!(body.contains(says), "{parameters}: {body}");
        }
        let body = ask(&app, "POST", "/record?seconds=1").await.says(400);
        assert!(body.contains("`match` is missing"), "{body}");
        let body = ask(&app, "POST", "/record?match=*::no::such")
            .await
            .says(404);
        assert!(body.contains("none of the program's"), "{body}");
        assert_eq!(shutdown.open_sessions(), 0);
    });
}

#[test]
fn a_slice_lacks_nothing() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let whole = ["request", "a::BEGIN", "a::END", "id"];
        for missing in 0..whole.len() {
            for empty in ["", "%20"] {
                let mut parts = whole;
                parts[missing] = empty;
                let path = format!("/record?slice={}", parts.join(","));
                let body = ask(&app, "POST", &path).await.says(400);
                assert!(body.contains("expected `NAME,BEGIN,END,KEY`"), "{body}");
            }
        }
        // An empty field of a form beside one is none.
        let [begin, end] = [written::BEGUN.name(), written::DONE.name()];
        let path = format!("/record?match=&slice=request,{begin},{end},id&seconds=0.1");
        ask(&app, "POST", &path).await.says(200);
    });
}

#[test]
fn memory_that_is_too_little_for_a_record_is_said_and_frees_the_session() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new().max_memory_bytes(64 << 10).unwrap());
        let body = ask(&app, "POST", "/record?match=*::recording::wide::*")
            .await
            .says(507);
        assert!(body.contains("leaves no room for one buffer"), "{body}");
        assert_eq!(shutdown.open_sessions(), 0);
        assert_eq!(wide::ITEM.probe_count(), 0);
    });
}

#[test]
fn recordings_have_their_share_of_the_memory_and_lose_what_is_beyond() {
    block_on(async {
        // One buffer of 64 KiB for each of the two sessions: whichever thread is second has none.
        let (app, _) = mounted(
            Admin::new()
                .max_sessions(2)
                .unwrap()
                .max_memory_bytes(128 << 10)
                .unwrap(),
        );
        let path = "/record?match=*::recording::shared::*&seconds=1.5&format=chrome";
        let answer = record(
            &app,
            path,
            || shared::ITEM.is_enabled(),
            || {
                shared::ITEM.fire(1);
                std::thread::spawn(|| shared::ITEM.fire(2)).join().unwrap();
            },
        )
        .await;
        let text = answer.says(200);
        assert!(text.contains("\"n\":1"), "{text}");
        assert!(!text.contains("\"n\":2") && text.contains("lost"), "{text}");
    });
}

mod shared {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}

#[test]
fn seconds_may_have_a_fraction() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let path = "/record?match=*::recording::sent::*&seconds=1&format=chrome";
        let begin = std::time::Instant::now();
        ask(&app, "POST", path).await.says(200);
        assert!(begin.elapsed() >= Duration::from_millis(250));
    });
}
