//! Latencies and stacks.

use super::{BodyStream, ask, block_on, eventually, get, mounted, read, request, send};
use axum::body::Body;
use hotprobe::fire;
use hotprobe_admin::Admin;
use std::io::Write as _;
use std::process::{Command, Stdio};

mod timed {
    hotprobe::event! {
        pub static BEGUN: fn(id: u64, tenant: &str);
        pub static DONE: fn(id: u64, path: &str, #[redact] card: &str);
    }
}
mod asked {
    hotprobe::event! {
        pub static BEGUN: fn(id: u64);
        pub static DONE: fn(id: u64, path: &str, #[redact] card: &str);
        pub static OTHER: fn(id: u32);
    }
}
mod formats {
    hotprobe::event! {
        pub static BEGUN: fn(id: u64);
        pub static DONE: fn(id: u64);
    }
}
mod led {
    hotprobe::event! { pub static STORED: fn(bytes: u64, route: &str, #[redact] key: &str); }
}
mod left {
    hotprobe::event! { pub static BEGUN: fn(id: u64); pub static DONE: fn(id: u64); }
}
mod ended {
    hotprobe::event! { pub static BEGUN: fn(id: u64); pub static DONE: fn(id: u64); }
}
mod refused {
    hotprobe::event! { pub static BEGUN: fn(id: u64); pub static DONE: fn(id: u64); }
}

fn latency(module: &str, more: &str) -> String {
    format!(
        "/latency?begin=*::profile::{module}::BEGUN&end=*::profile::{module}::DONE&key=id{more}"
    )
}

#[test]
fn a_latency_has_each_pair_under_its_label() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let path = latency("timed", "&label=path&seconds=1.5&format=json");
        let response = send(&app, request("POST", &path)).await;
        assert_eq!(response.status(), 200);
        assert_eq!(shutdown.open_sessions(), 1);
        for id in 0..10 {
            fire!(timed::BEGUN, id, "a");
            let path = if id < 7 { "/orders" } else { "<b>\"/slow\"" };
            fire!(timed::DONE, id, path, "4711-secret");
        }
        fire!(timed::BEGUN, 10, "a");
        fire!(timed::DONE, 11, "/", "");
        let answer = read(response).await;
        assert_eq!(answer.header("content-type"), "application/json");
        assert!(!answer.body.contains("4711"), "{}", answer.body);
        let json = answer.json();
        for (name, count) in [
            ("begins", 11),
            ("ends", 11),
            ("matched", 10),
            ("open", 1),
            ("unmatched_ends", 1),
        ] {
            assert_eq!(json["counts"][name], count, "{name}: {json}");
        }
        let labels = json["labels"].as_array().unwrap();
        assert_eq!(labels.len(), 2, "{json}");
        assert_eq!(labels[0]["label"], "/orders");
        assert_eq!(labels[0]["count"], 7);
        assert_eq!(labels[1]["label"], "<b>\"/slow\"");
        for label in labels {
            let [min, half, most] =
                ["min_ns", "p50_ns", "max_ns"].map(|name| label[name].as_u64().unwrap());
            assert!(min <= half && half <= most && most > 0, "{label}");
        }
        assert_eq!(timed::BEGUN.probe_count() + timed::DONE.probe_count(), 0);
        eventually("the session is over", || shutdown.open_sessions() == 0).await;
    });
}

#[test]
fn a_latency_comes_as_text_picture_log_or_all_of_them() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        for (format, kind, expected) in [
            ("", "text/plain; charset=utf-8", "formats::BEGUN"),
            ("&format=text", "text/plain; charset=utf-8", "p99"),
            ("&format=svg", "image/svg+xml", "<svg "),
            (
                "&format=hlog",
                "text/plain; charset=utf-8",
                "[Histogram log format",
            ),
            ("&format=all", "application/json", "\"hlog\":\"#[Histogram"),
        ] {
            let path = latency("formats", &format!("&seconds=1{format}"));
            let response = send(&app, request("POST", &path)).await;
            fire!(formats::BEGUN, 1);
            fire!(formats::DONE, 1);
            let answer = read(response).await;
            assert_eq!(answer.header("content-type"), kind, "{format}");
            assert!(answer.body.contains(expected), "{format}: {}", answer.body);
        }
    });
}

#[test]
fn what_a_latency_lacks_is_said_and_nothing_is_attached() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let begin = "begin=*::profile::asked::BEGUN";
        let end = "end=*::profile::asked::DONE";
        for (query, status, expected) in [
            (String::new(), 400, "`begin` is missing"),
            (begin.to_owned(), 400, "`end` is missing"),
            (
                format!("{begin}&{end}"),
                400,
                "`key` is missing: say by which parameter an end finds its begin; both events have `id`",
            ),
            (
                format!("{begin}&end=*::profile::asked::OTHER"),
                400,
                "these two events have none in common",
            ),
            (
                "begin=it::profile::asked::BEGN&end=x".to_owned(),
                404,
                "profile::asked::BEGUN",
            ),
            (
                format!("begin=*::profile::asked::*&{end}&key=id"),
                400,
                "which 3 events match: name one of `it::profile::asked::BEGUN`, `it::profile::asked::",
            ),
            (
                format!("{begin}&{end}&key=card"),
                400,
                "has no parameter `card`",
            ),
            (
                format!("{begin}&{end}&key=id&label=card"),
                400,
                "keeps its parameter `card` to typed probes",
            ),
            (
                format!("{begin}&{end}&key=id&label=tenant"),
                400,
                "neither event has a parameter `tenant`",
            ),
            (
                format!("{begin}&end=*::profile::asked::OTHER&key=id"),
                400,
                "the types have to be the same",
            ),
            (
                format!("{begin}&{begin}&{end}&key=id"),
                400,
                "`begin` is given twice",
            ),
            (
                format!("{begin}&{end}&key=id&format=pdf"),
                400,
                "`format` is `pdf`: expected `text`, `json`, `svg`, `hlog`, `all` or `live`",
            ),
            (
                format!("{begin}&{end}&key=id&seconds=301"),
                400,
                "`seconds` is `301`",
            ),
            (
                format!("{begin}&{end}&key=id&match=x"),
                400,
                "there is no parameter `match` here",
            ),
        ] {
            let body = ask(&app, "POST", &format!("/latency?{query}"))
                .await
                .says(status);
            assert!(body.contains(expected), "{query}: {body}");
        }
        assert_eq!(asked::BEGUN.probe_count() + asked::DONE.probe_count(), 0);
        assert_eq!(shutdown.open_sessions(), 0);
        get(&app, "/latency").await.says(405);
    });
}

#[inline(never)]
fn serve_an_order(bytes: u64) {
    fire!(led::STORED, bytes, "/orders", "4711-secret");
}

/// By `gzip`; small enough for a pipe.
fn unpacked(bytes: &[u8]) -> String {
    let mut gzip = Command::new("gzip")
        .arg("-dc")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    gzip.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = gzip.wait_with_output().unwrap();
    assert!(output.status.success(), "gzip reads it");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn stacks_lead_to_the_event_and_weigh_what_they_are_told() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        // A process's first stack takes long in a debug build; a session's time is short.
        let first = hotprobe_profile::Stacks::at(&led::STORED).start().unwrap();
        serve_an_order(1);
        drop(first);
        let path =
            "/stacks?event=*::profile::led::STORED&weight=bytes&label=route&seconds=1.5&format=";
        for format in ["folded", "svg", "pprof", "all", ""] {
            let response = send(&app, request("GET", &format!("{path}{format}"))).await;
            assert_eq!(response.status(), 200, "{format}");
            (0..10).for_each(|_| serve_an_order(100));
            let bytes = axum::body::to_bytes(response.into_body(), 64 << 20)
                .await
                .unwrap();
            let mut text = String::from_utf8_lossy(&bytes).into_owned();
            if matches!(format, "pprof" | "") {
                text = unpacked(&bytes);
                assert!(text.contains("/orders"), "its label");
            }
            assert!(text.contains("serve_an_order"), "{format}: {text}");
            assert!(!text.contains("4711"), "{format}");
            if format == "folded" {
                let sum: u64 = text
                    .lines()
                    .map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap())
                    .sum();
                assert_eq!(sum, 1000, "{text}");
            }
            if format == "all" {
                let all: serde_json::Value = serde_json::from_str(&text).unwrap();
                assert_eq!(all["fired"], 10);
                assert!(all["svg"].as_str().unwrap().starts_with("<svg "));
            }
        }
        assert_eq!(led::STORED.probe_count(), 0);
        eventually("the session is over", || shutdown.open_sessions() == 0).await;
    });
}

#[test]
fn what_stacks_lack_is_said_so_that_pprof_shows_it() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let event = "event=*::profile::led::STORED";
        for (query, status, expected) in [
            (String::new(), 400, "`event` is missing"),
            ("event=led::STORD".to_owned(), 404, "profile::led::STORED"),
            (
                format!("{event}&weight=route"),
                400,
                "is no number, which a weight has to be",
            ),
            (
                format!("{event}&label=key"),
                400,
                "keeps its parameter `key` to typed probes",
            ),
            (format!("{event}&every=0"), 400, "`every` is `0`"),
            (
                format!("{event}&format=png"),
                400,
                "`format` is `png`: expected `pprof`, `folded`, `svg`, `all` or `live`",
            ),
        ] {
            let answer = get(&app, &format!("/stacks?{query}")).await;
            assert_eq!(answer.header("x-go-pprof"), "1", "{query}");
            assert!(answer.header("content-type").starts_with("text/plain"));
            let body = answer.says(status);
            assert!(body.contains(expected), "{query}: {body}");
        }
        ask(&app, "POST", &format!("/stacks?{event}"))
            .await
            .says(405);
    });
}

#[test]
fn a_client_that_goes_away_and_a_shutdown_end_them() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let stacks = "/stacks?event=*::profile::left::BEGUN&seconds=300";
        for (method, path) in [
            ("POST", latency("left", "&seconds=300")),
            ("GET", stacks.to_owned()),
        ] {
            let response = send(&app, request(method, &path)).await;
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(left::BEGUN.probe_count(), 1, "{path}");
            assert_eq!(shutdown.open_sessions(), 1);
            drop(response);
            eventually("it is detached", || left::BEGUN.probe_count() == 0).await;
            eventually("the session is over", || shutdown.open_sessions() == 0).await;
        }
        // The response has what was measured until then.
        let stream =
            BodyStream::of(&app, "POST", &latency("ended", "&seconds=300&format=json")).await;
        fire!(ended::BEGUN, 1);
        fire!(ended::DONE, 1);
        shutdown.begin();
        let rest = stream.rest().await;
        assert!(rest.contains("\"matched\":1"), "{rest}");
        assert_eq!(ended::BEGUN.probe_count(), 0);
        eventually("the session is over", || shutdown.open_sessions() == 0).await;
        let body = ask(&app, "POST", &latency("ended", "")).await.says(503);
        assert!(body.contains("shuts down"), "{body}");
    });
}

#[test]
fn they_count_as_sessions_and_need_their_share_of_the_memory() {
    block_on(async {
        let (app, _) = mounted(Admin::new().max_sessions(1).unwrap());
        let open = send(&app, request("POST", &latency("refused", "&seconds=300"))).await;
        for (method, path) in [
            ("POST", latency("refused", "")),
            ("GET", "/stacks?event=*::profile::refused::DONE".to_owned()),
        ] {
            let answer = ask(&app, method, &path).await;
            assert_eq!(answer.header("retry-after"), "300");
            answer.says(429);
        }
        drop(open);
        // 64 bytes for each.
        let little = Admin::new().max_memory_bytes(64 << 10).unwrap();
        let (app, shutdown) = mounted(little.max_sessions(1024).unwrap());
        for (method, path) in [
            ("POST", latency("refused", "")),
            ("GET", "/stacks?event=*::profile::refused::DONE".to_owned()),
        ] {
            let body = ask(&app, method, &path).await.says(507);
            assert!(body.contains("`Admin::max_memory_bytes`"), "{body}");
        }
        assert_eq!(shutdown.open_sessions(), 0);
    });
}

#[test]
fn a_form_is_as_good_as_a_query() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let mut posted = request("POST", "/latency");
        posted.headers_mut().insert(
            "content-type",
            "application/x-www-form-urlencoded".parse().unwrap(),
        );
        let form = latency("formats", "&seconds=0.1");
        *posted.body_mut() = Body::from(form.split_once('?').unwrap().1.to_owned());
        read(send(&app, posted).await).await.says(200);
    });
}

#[test]
fn a_picture_s_own_style_is_allowed_and_nothing_else() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let stacks = "/stacks?event=*::profile::led::STORED&seconds=0.1&format=";
        let latency = latency("formats", "&seconds=0.1&format=");
        for (method, path) in [("GET", stacks), ("POST", &latency)] {
            let answer = ask(&app, method, &format!("{path}svg")).await;
            assert_eq!(
                answer.header("content-security-policy"),
                "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
            );
            // There is nothing in it that the policy forbids.
            assert!(answer.body.contains("<style>"), "{}", answer.body);
            for forbidden in [
                "<script",
                "<image",
                "<foreignObject",
                "@import",
                "url(",
                "href=",
            ] {
                assert!(!answer.body.contains(forbidden), "{forbidden}");
            }
            let answer = ask(&app, method, &format!("{path}all")).await;
            assert_eq!(
                answer.header("content-security-policy"),
                "default-src 'none'; frame-ancestors 'none'"
            );
        }
    });
}

/// The names of all fields, as paths.
fn fields(value: &serde_json::Value, path: &str, to: &mut Vec<String>) {
    if let Some(all) = value.as_object() {
        for (name, value) in all {
            to.push(format!("{path}.{name}"));
            fields(value, &format!("{path}.{name}"), to);
        }
    }
    for value in value.as_array().into_iter().flatten() {
        fields(value, path, to);
    }
}

#[test]
fn responses_have_the_fields_of_the_results_themselves() {
    let own = own::measured();
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let path = latency("own", "&label=path&seconds=300&format=json");
        let response = send(&app, request("POST", &path)).await;
        own::pair();
        let session = response.headers()["hotprobe-session"].to_str().unwrap();
        let stop = format!("/stop?session={session}");
        ask(&app, "POST", &stop).await.says(200);
        let (mut expected, mut found) = (vec![".complete".to_owned()], Vec::new());
        fields(&own.0, "", &mut expected);
        fields(&read(response).await.json(), "", &mut found);
        expected.sort();
        found.sort();
        assert_eq!(found, expected);

        let path = "/stacks?event=*::profile::own::DONE&seconds=0.1&format=all";
        let body = ask(&app, "GET", path).await.json();
        let (mut expected, mut found) = (Vec::new(), Vec::new());
        fields(&own.1, "", &mut expected);
        fields(&body, "", &mut found);
        for name in &expected {
            assert!(found.contains(name), "{name} is not in {found:?}");
        }
        assert_eq!(found.len(), expected.len() + 4, "{found:?}");
    });
}

mod own {
    use hotprobe_profile::{Latency, Stacks};
    use serde_json::{Value, to_value};

    hotprobe::event! {
        pub static BEGUN: fn(id: u64, path: &str);
        pub static DONE: fn(id: u64);
    }

    pub(super) fn pair() {
        BEGUN.fire(1, "/own");
        DONE.fire(1);
    }

    /// A latency and counts of stacks, as the crate that measures them serializes them.
    pub(super) fn measured() -> (Value, Value) {
        let session = Latency::between(&BEGUN, &DONE, "id")
            .label("path")
            .start()
            .unwrap();
        pair();
        let latency = to_value(session.snapshot()).unwrap();
        drop(session);
        let stacks = Stacks::at(&DONE).start().unwrap();
        (latency, to_value(stacks.counts()).unwrap())
    }
}
