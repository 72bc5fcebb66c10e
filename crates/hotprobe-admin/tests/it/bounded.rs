//! Sessions end on time, whatever fails: without threads, with a busy pool, beside a firing that
//! does not end, and when the runtime is dropped.

use super::{block_on, eventually, in_time, mounted, parse, read, request, send};
use axum::Router;
use axum::body::to_bytes;
use hotprobe::fire;
use hotprobe_admin::{Admin, Shutdown};
use std::fmt;
use std::thread;
use test_support::{Door, isolated};

mod paired {
    hotprobe::event! {
        pub static BEGUN: fn(id: u64);
        pub static DONE: fn(id: u64);
    }
}

/// A value whose `Debug` does not return before the door is opened.
struct Stuck(&'static Door);

impl fmt::Debug for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.pass();
        f.write_str("let go")
    }
}

mod stuck {
    hotprobe::event! {
        pub static BEGUN: fn(key: &super::Stuck);
        pub static DONE: fn(key: &super::Stuck);
    }
}

fn stuck() -> &'static Door {
    Box::leak(Box::default())
}

fn probes() -> usize {
    hotprobe::events()
        .iter()
        .map(|event| event.probe_count())
        .sum()
}

/// One of each kind that has work to do at its end.
fn measurements(seconds: f64) -> [(&'static str, String); 4] {
    let latency = "/latency?begin=*::bounded::paired::BEGUN&end=*::bounded::paired::DONE&key=id";
    let record = "/record?match=*::bounded::paired::*";
    let stacks = "/stacks?event=*::bounded::paired::DONE&format=folded";
    [
        ("POST", format!("{latency}&seconds={seconds}")),
        ("GET", format!("{stacks}&seconds={seconds}")),
        ("POST", format!("{record}&format=ctf&seconds={seconds}")),
        ("POST", format!("{record}&seconds={seconds}")),
    ]
}

async fn all_has_ended(shutdown: &Shutdown) {
    eventually("all is detached, and no session is open", || {
        probes() == 0 && shutdown.open_sessions() == 0
    })
    .await;
}

/// Limits the process's memory to what it has, and hardly more: not enough for a thread's stack.
#[cfg(target_os = "linux")]
struct Limited(std::process::Child);

#[cfg(target_os = "linux")]
impl Limited {
    fn new() -> Self {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: u64 = statm.split(' ').next().unwrap().parse().unwrap();
        let limit = pages * 4096 + (1 << 20);
        // It takes the limit back, too: under it, no other program could be started.
        let script = format!(
            "prlimit --pid {0} --as={limit}: && echo && read line && prlimit --pid {0} --as=unlimited:",
            std::process::id()
        );
        let mut child = std::process::Command::new("sh")
            .args(["-c", &script])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut limited = [0];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut limited)
            .expect("`prlimit` can be run");
        Self(child)
    }

    fn end(mut self) {
        std::io::Write::write_all(&mut self.0.stdin.take().unwrap(), b"\n").unwrap();
        assert!(self.0.wait().unwrap().success());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn nothing_stays_attached_when_no_thread_can_be_had() {
    isolated(
        "bounded::nothing_stays_attached_when_no_thread_can_be_had",
        || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let (app, shutdown) = mounted(Admin::new());
                let all = measurements(0.2);
                // The last apart: the stack of its own thread could be used again by another one's.
                for (kinds, cut_off) in [(&all[..3], true), (&all[3..], false)] {
                    let mut bodies = Vec::new();
                    for (method, path) in kinds {
                        let response = send(&app, request(method, path)).await;
                        assert_eq!(response.status(), 200, "{path}");
                        bodies.push(response.into_body());
                    }
                    assert!(probes() > 0);
                    let limited = Limited::new();
                    assert!(thread::Builder::new().spawn(|| {}).is_err());
                    all_has_ended(&shutdown).await;
                    for body in bodies {
                        let read = in_time(to_bytes(body, 64 << 20)).await;
                        // An end that came by itself would look like all there is.
                        assert!(read.is_err() || !cut_off);
                    }
                    limited.end();
                }
                // With threads, it is as before.
                for (method, path) in &all {
                    read(send(&app, request(method, path)).await)
                        .await
                        .says(200);
                }
                all_has_ended(&shutdown).await;
            });
        },
    );
}

#[test]
fn a_busy_pool_for_blocking_calls_delays_neither_the_end_nor_the_answer() {
    isolated(
        "bounded::a_busy_pool_for_blocking_calls_delays_neither_the_end_nor_the_answer",
        || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .max_blocking_threads(1)
                .enable_all()
                .build()
                .unwrap();
            let door = stuck();
            let busy = runtime.spawn_blocking(|| door.pass());
            door.wait_for_arrival();
            runtime.block_on(async {
                let (app, shutdown) = mounted(Admin::new());
                for (method, path) in measurements(0.1) {
                    let answer = read(send(&app, request(method, &path)).await).await;
                    assert_eq!(answer.status, 200, "{path}");
                    assert_eq!(probes(), 0, "{path}");
                }
                all_has_ended(&shutdown).await;
                assert!(!busy.is_finished());
                door.open();
                busy.await.unwrap();
            });
        },
    );
}

/// Asks, lets a firing get stuck, and returns the answer, which has to come while it is.
async fn beside_a_stuck_firing(
    app: &Router,
    shutdown: &Shutdown,
    method: &str,
    path: &str,
) -> String {
    let door = stuck();
    let response = send(app, request(method, path)).await;
    let firing = thread::spawn(|| fire!(stuck::BEGUN, &Stuck(door)));
    door.wait_for_arrival();
    let body = read(response).await.says(200);
    all_has_ended(shutdown).await;
    assert!(!firing.is_finished());
    door.open();
    firing.join().unwrap();
    body
}

#[test]
fn a_firing_that_does_not_end_holds_up_no_session_and_is_counted() {
    isolated(
        "bounded::a_firing_that_does_not_end_holds_up_no_session_and_is_counted",
        || {
            block_on(async {
                let (app, shutdown) = mounted(Admin::new());
                let record = "/record?match=*::bounded::stuck::*&seconds=0.1";
                let body = beside_a_stuck_firing(
                    &app,
                    &shutdown,
                    "POST",
                    &format!("{record}&format=chrome"),
                )
                .await;
                let trace: serde_json::Value = serde_json::from_str(&body).unwrap();
                let events = trace.as_array().unwrap();
                let total = |event: &&serde_json::Value| event["cat"] == "total";
                let totals: Vec<_> = events.iter().filter(total).collect();
                assert_eq!(totals.len(), 1, "{body}");
                let args = &totals[0]["args"];
                assert_eq!((&args["fired"], &args["lost"]), (&1.into(), &1.into()));

                for format in ["perfetto", "ctf"] {
                    let path = format!("{record}&format={format}");
                    let body = beside_a_stuck_firing(&app, &shutdown, "POST", &path).await;
                    assert!(!body.is_empty(), "{format}");
                }

                let latency = "/latency?begin=*::bounded::stuck::BEGUN&end=*::bounded::stuck::DONE&key=key&seconds=0.1";
                let text = beside_a_stuck_firing(&app, &shutdown, "POST", latency).await;
                assert!(text.ends_with("are not counted\n"), "{text}");
                let path = format!("{latency}&format=json");
                let json = beside_a_stuck_firing(&app, &shutdown, "POST", &path).await;
                assert!(json.contains("\"complete\":false"), "{json}");
                let answer = read(send(&app, request("POST", &path)).await).await;
                assert_eq!(answer.json()["complete"], true);

                let stacks =
                    "/stacks?event=*::bounded::stuck::BEGUN&label=key&seconds=0.1&format=all";
                let json = beside_a_stuck_firing(&app, &shutdown, "GET", stacks).await;
                assert!(json.contains("\"complete\":false"), "{json}");

                let tail = "/tail?match=*::bounded::stuck::*&seconds=0.1";
                let events = parse(&beside_a_stuck_firing(&app, &shutdown, "GET", tail).await);
                let (name, end) = events.last().unwrap();
                assert_eq!(name, "end");
                assert_eq!((&end["records"], &end["lost"]), (&0.into(), &1.into()));

                let rates = "/rates?match=*::bounded::paired::*&seconds=0.1";
                read(send(&app, request("GET", rates)).await)
                    .await
                    .says(200);
                all_has_ended(&shutdown).await;
            });
        },
    );
}

#[test]
fn a_firing_that_does_not_end_does_not_hold_up_the_end_of_the_runtime() {
    isolated(
        "bounded::a_firing_that_does_not_end_does_not_hold_up_the_end_of_the_runtime",
        || {
            for seconds in ["0.1", "60"] {
                let door = stuck();
                let runtime = tokio::runtime::Builder::new_multi_thread()
                    .worker_threads(2)
                    .enable_all()
                    .build()
                    .unwrap();
                let bodies = runtime.block_on(async {
                    let (app, _) = mounted(Admin::new());
                    let mut bodies = Vec::new();
                    for (method, path) in [
                        ("POST", "/record?match=*::bounded::stuck::*"),
                        ("POST", "/record?match=*::bounded::stuck::*&format=ctf"),
                        ("GET", "/stacks?event=*::bounded::stuck::BEGUN&label=key"),
                        ("GET", "/tail?match=*::bounded::stuck::*"),
                    ] {
                        let path = format!("{path}&seconds={seconds}");
                        bodies.push(send(&app, request(method, &path)).await);
                    }
                    bodies
                });
                let firing = thread::spawn(|| fire!(stuck::BEGUN, &Stuck(door)));
                door.wait_for_arrival();
                if seconds == "0.1" {
                    // The sessions are over, and wait for the firing.
                    test_support::eventually("all is detached", || probes() == 0);
                }
                drop(runtime);
                assert_eq!(stuck::BEGUN.probe_count(), 0);
                assert!(!firing.is_finished());
                door.open();
                firing.join().unwrap();
                drop(bodies);
            }
        },
    );
}
