//! Measurements that are shown while they run, and sessions that end early.

use super::{BodyStream, ask, block_on, eventually, in_time, mounted, parse, read, request, send};
use axum::Router;
use axum::body::Body;
use axum::http::Response;
use hotprobe::fire;
use hotprobe_admin::Admin;

mod paired {
    hotprobe::event! { pub static BEGUN: fn(id: u64); pub static DONE: fn(id: u64, path: &str); }
}
mod stacked {
    hotprobe::event! { pub static STORED: fn(bytes: u64); }
}
mod stopped {
    hotprobe::event! { pub static BEGUN: fn(id: u64); pub static DONE: fn(id: u64); }
}
mod unread {
    hotprobe::event! { pub static BEGUN: fn(id: u64); pub static DONE: fn(id: u64); }
}

/// Opens a session; its number, and its response.
async fn open(app: &Router, method: &str, path: &str) -> (String, Response<Body>) {
    let response = send(app, request(method, path)).await;
    assert_eq!(response.status(), 200, "{path}");
    let number = response.headers()["hotprobe-session"].to_str().unwrap();
    (number.to_owned(), response)
}

async fn stop(app: &Router, number: &str) {
    let answer = ask(app, "POST", &format!("/stop?session={number}")).await;
    assert_eq!(answer.says(200), format!("{{\"stopped\":{number}}}\n"));
}

#[test]
fn a_latency_is_reported_while_it_is_measured_and_is_complete_when_it_is_stopped() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let path = "/latency?begin=*::live::paired::BEGUN&end=*::live::paired::DONE&key=id&label=path&seconds=300&format=live";
        let (number, response) = open(&app, "POST", path).await;
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut body = BodyStream(response.into_body(), String::new());
        fire!(paired::BEGUN, 1);
        fire!(paired::DONE, 1, "/orders");
        body.until("\"label\":\"/orders\"").await;
        fire!(paired::BEGUN, 2);
        fire!(paired::DONE, 2, "/orders");
        stop(&app, &number).await;
        let events = parse(&body.rest().await);
        let (end, reports) = events.split_last().unwrap();
        for (name, data) in reports {
            assert_eq!(name, "latency");
            assert_eq!(data["complete"], false);
        }
        let first = reports.last().unwrap();
        assert_eq!(first.1["labels"][0]["label"], "/orders");
        assert_eq!(end.0, "end");
        assert_eq!(end.1["json"]["complete"], true);
        assert_eq!(end.1["json"]["labels"][0]["count"], 2);
        assert!(end.1["svg"].as_str().unwrap().starts_with("<svg "));
        assert!(end.1["text"].as_str().unwrap().contains("/orders"));
        assert_eq!(paired::BEGUN.probe_count(), 0);
        eventually("the session is over", || shutdown.open_sessions() == 0).await;
    });
}

#[test]
fn stacks_are_counted_while_they_are_taken() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let path = "/stacks?event=*::live::stacked::STORED&seconds=300&format=live";
        let (number, response) = open(&app, "GET", path).await;
        let mut body = BodyStream(response.into_body(), String::new());
        fire!(stacked::STORED, 17);
        body.until("event: stacks\ndata: {\"fired\":1,\"sampled\":1,")
            .await;
        stop(&app, &number).await;
        let events = parse(&body.rest().await);
        let (name, data) = events.last().unwrap();
        assert_eq!(name, "end");
        assert_eq!(data["fired"], 1);
        assert!(
            data["folded"]
                .as_str()
                .unwrap()
                .contains("stacks_are_counted")
        );
    });
}

#[test]
fn what_is_stopped_answers_with_what_it_has_and_detaches() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        for (method, path, has) in [
            (
                "POST",
                "/latency?begin=*::live::stopped::BEGUN&end=*::live::stopped::DONE&key=id&seconds=300&format=json",
                "\"matched\":1",
            ),
            (
                "POST",
                "/record?match=*::live::stopped::*&seconds=300&format=chrome",
                "stopped::DONE",
            ),
            (
                "GET",
                "/stacks?event=*::live::stopped::DONE&seconds=300&format=folded",
                "stopped",
            ),
            (
                "GET",
                "/tail?match=*::live::stopped::*&seconds=300",
                "\"reason\":\"stopped\"",
            ),
            (
                "GET",
                "/rates?match=*::live::stopped::*&seconds=300",
                "\"reason\":\"stopped\"",
            ),
        ] {
            let (number, response) = open(&app, method, path).await;
            assert!(stopped::DONE.probe_count() > 0, "{path}");
            fire!(stopped::BEGUN, 4711);
            fire!(stopped::DONE, 4711);
            stop(&app, &number).await;
            let body = read(response).await.body;
            assert!(body.contains(has), "{path}: {body}");
            assert_eq!(stopped::DONE.probe_count(), 0, "{path}");
            eventually("the session is over", || shutdown.open_sessions() == 0).await;
            // It is no more.
            let body = ask(&app, "POST", &format!("/stop?session={number}"))
                .await
                .says(404);
            assert_eq!(body, format!("no session `{number}` is open\n"));
        }
        for (path, expected) in [
            ("/stop", "`session` is missing"),
            ("/stop?session=-1", "no session `-1`"),
        ] {
            let answer = ask(&app, "POST", path).await;
            assert!(answer.body.contains(expected), "{answer:?}");
        }
    });
}

#[test]
fn a_stop_ends_no_other_session() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let path = "/rates?match=*::live::unread::*&seconds=300";
        let (first, one) = open(&app, "GET", path).await;
        let (second, other) = open(&app, "GET", path).await;
        assert_ne!(first, second);
        stop(&app, &second).await;
        assert!(read(other).await.body.contains("stopped"));
        assert_eq!(unread::DONE.probe_count(), 1);
        shutdown.begin();
        assert!(read(one).await.body.contains("\"reason\":\"shutdown\""));
        in_time(shutdown.ended()).await;
    });
}
