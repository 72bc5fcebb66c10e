//! What is known, and what is refused.

use super::{ask, block_on, get, mounted, read, request, send};
use hotprobe::ProbeOptions;
use hotprobe_admin::Admin;

mod shelf {
    hotprobe::event! {
        /// A book has been lent.
        ///
        /// To `reader`.
        pub static LENT: fn(book: u64, reader: &str, #[redact] card: &str);
        pub static RETURNED: fn(book: u64);
    }
}

const SHELF: &str = "it::answers::shelf";

#[test]
fn events_are_told_with_all_that_is_known_of_them() {
    let probe = shelf::LENT.attach_with(ProbeOptions::new().name("a \"name\""), |_, _, _| ());
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let json = get(&app, "/events?match=*::answers::shelf::*").await.json();
        assert_eq!(json["total"], hotprobe::events().len());
        let events = json["events"].as_array().unwrap();
        assert_eq!(events.len(), 2);
        let lent = &events[0];
        assert_eq!(lent["name"], format!("{SHELF}::LENT"));
        assert_eq!(lent["module"], SHELF);
        assert!(lent["file"].as_str().unwrap().ends_with("answers.rs"));
        assert_eq!(lent["line"], shelf::LENT.metadata().line());
        assert_eq!(lent["column"], shelf::LENT.metadata().column());
        assert_eq!(lent["docs"], "A book has been lent.\n\nTo `reader`.");
        let parameters = serde_json::json!([
            {"name": "book", "type": "u64", "redacted": false},
            {"name": "reader", "type": "&str", "redacted": false},
            {"name": "card", "type": "&str", "redacted": true},
        ]);
        assert_eq!(lent["parameters"], parameters);
        assert_eq!(lent["enabled"], true);
        assert_eq!(lent["probe_count"], 1);
        assert_eq!(
            lent["probes"],
            serde_json::json!([{"name": "a \"name\"", "panicked": false}])
        );
        assert_eq!(events[1]["enabled"], false);
        assert_eq!(events[1]["probes"], serde_json::json!([]));
    });
    drop(probe);
}

#[test]
fn without_a_pattern_all_events_are_told_and_several_patterns_tell_each_event_once() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let all = get(&app, "/events").await.json();
        assert_eq!(
            all["events"].as_array().unwrap().len(),
            hotprobe::events().len()
        );
        let path = format!("/events?match=*::shelf::LENT&match={SHELF}::*");
        let both = get(&app, &path).await.json();
        assert_eq!(both["events"].as_array().unwrap().len(), 2);
    });
}

#[test]
fn an_unknown_event_is_not_found_and_the_nearest_are_told() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        for path in ["/events", "/tail", "/rates"] {
            let answer = get(&app, &format!("{path}?match=*::shelf::RETURND")).await;
            let body = answer.says(404);
            assert!(
                body.contains("`*::shelf::RETURND` is none of the program's"),
                "{body}"
            );
            assert!(body.contains(&format!("\n    {SHELF}::RETURNED")), "{body}");
        }
        let mut request = request("GET", "/events?match=lent");
        request
            .headers_mut()
            .insert("accept", "application/json".parse().unwrap());
        let answer = read(send(&app, request).await).await;
        assert_eq!(answer.header("content-type"), "application/json");
        let error = &answer.json()["error"];
        assert_eq!(error["status"], 404);
        assert_eq!(error["kind"], "unknown-event");
        assert!(
            error["nearest"]
                .as_array()
                .unwrap()
                .contains(&format!("{SHELF}::LENT").into()),
            "{error}"
        );
        // Nothing is like it.
        let body = get(&app, "/events?match=~~~~").await.says(404);
        assert!(!body.contains("nearest"), "{body}");
    });
}

#[test]
fn a_bad_parameter_says_which_one_and_what_was_expected() {
    let lent = "match=*::answers::shelf::LENT";
    let table = [
        (
            format!("/tail?{lent}&seconds=0"),
            "`seconds` is `0`: expected a number from 0.1 to 300",
        ),
        (format!("/tail?{lent}&seconds=301"), "`seconds` is `301`"),
        (format!("/tail?{lent}&seconds=NaN"), "`seconds` is `NaN`"),
        (format!("/tail?{lent}&seconds=inf"), "`seconds` is `inf`"),
        (
            format!("/tail?{lent}&seconds=-1"),
            "expected a number from 0.1",
        ),
        (
            format!("/tail?{lent}&seconds=1&seconds=2"),
            "`seconds` is given twice",
        ),
        (
            format!("/tail?{lent}&limit=0"),
            "`limit` is `0`: expected a number from 1 to 1000000",
        ),
        (format!("/tail?{lent}&limit=1e3"), "`limit` is `1e3`"),
        (
            format!("/tail?{lent}&limit=18446744073709551616"),
            "`limit` is",
        ),
        (
            format!("/tail?{lent}&rate=100000"),
            "`rate` is `100000`: expected a number from 1 to 1000",
        ),
        (
            format!("/tail?{lent}&speed=1"),
            "there is no parameter `speed` here; there is `match`, `seconds`, `limit`, `rate`",
        ),
        ("/tail".to_owned(), "`match` is missing"),
        ("/rates?seconds=1".to_owned(), "`match` is missing"),
        ("/stats?match=*".to_owned(), "there is none"),
        ("/events?%0aX=1".to_owned(), "no parameter `\\nX`"),
    ];
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        for (path, says) in table {
            let body = get(&app, &path).await.says(400);
            assert!(body.contains(says), "{path}: {body}");
        }
        assert_eq!(shutdown.open_sessions(), 0);
    });
    assert_eq!(shelf::LENT.probe_count(), shelf::LENT.probes().len());
}

#[test]
fn there_are_so_many_parameters_at_most() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let many = |count: usize| format!("/events?{}", "match=*::shelf::*&".repeat(count));
        get(&app, &many(256)).await.says(200);
        let body = get(&app, &many(257)).await.says(400);
        assert!(body.contains("more than 256 parameters"), "{body}");
    });
}

#[test]
fn patterns_have_so_many_bytes_together_at_most() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let long = format!("/events?match={}", "*".repeat(1024));
        get(&app, &long).await.says(200);
        for path in [
            "/events?match=",
            "/tail?match=",
            "/rates?match=",
            "/stacks?event=",
        ] {
            let body = get(&app, &format!("{path}{}", "*".repeat(1025)))
                .await
                .says(400);
            assert!(body.contains("more than 1024 bytes together"), "{body}");
        }
        let both = format!(
            "/events?match={}&match={}",
            "*".repeat(512),
            "*".repeat(513)
        );
        get(&app, &both).await.says(400);
    });
}

#[test]
fn a_path_that_is_no_endpoint_s_is_answered_with_those_that_there_are() {
    block_on(async {
        for app in [
            axum::Router::new().nest_service("/debug/probes", hotprobe_admin::router(Admin::new())),
            mounted(Admin::new()).0,
        ] {
            for method in ["GET", "POST"] {
                let answer = ask(&app, method, "/nope").await;
                assert_eq!(answer.header("cache-control"), "no-store");
                let body = answer.says(404);
                assert!(
                    body.starts_with("`/nope` is no endpoint: there are"),
                    "{body}"
                );
                assert!(body.contains("`/tail`"), "{body}");
            }
            // Not to who is not let in.
            let mut request = request("GET", "/nope");
            request
                .headers_mut()
                .insert("via", "1.1 proxy".parse().unwrap());
            read(send(&app, request).await).await.says(403);
        }
    });
}

#[test]
fn a_kind_of_text_is_compared_without_regard_to_case() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let mut request = request("GET", "/nope");
        let kind = "Application/JSON".parse().unwrap();
        request.headers_mut().insert("accept", kind);
        let answer = read(send(&app, request).await).await;
        assert_eq!(answer.json()["error"]["kind"], "path");
    });
}

#[test]
fn an_empty_parameter_is_none() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let all = get(&app, "/events").await.json();
        assert_eq!(
            get(&app, "/events?match=").await.json()["total"],
            all["total"]
        );
        let one = "/tail?match=&match=*::answers::shelf::LENT&seconds=0.1&limit=";
        get(&app, one).await.says(200);
        for path in ["/tail?match=", "/rates?match=&match="] {
            let body = get(&app, path).await.says(400);
            assert!(body.contains("`match` is missing"), "{body}");
        }
        let body = get(&app, "/stacks?event=").await.says(400);
        assert!(body.contains("`event` is missing"), "{body}");
    });
}

#[test]
fn a_message_repeats_no_more_of_a_request_than_it_has_to() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let body = get(
            &app,
            &format!(
                "/events?match={}",
                "é%20".repeat(1000).replace('é', "%C3%A9")
            ),
        )
        .await
        .says(404);
        assert!(body.len() < 1000, "{}", body.len());
    });
}

#[test]
fn the_cap_on_seconds_can_be_set() {
    block_on(async {
        let (app, _) = mounted(
            Admin::new()
                .max_duration(std::time::Duration::from_secs(5))
                .unwrap(),
        );
        let body = get(&app, "/rates?match=*&seconds=5.5").await.says(400);
        assert!(body.contains("from 0.1 to 5"), "{body}");
    });
}

#[test]
fn stats_are_those_of_the_crate() {
    block_on(async {
        let (app, _) = mounted(Admin::new().max_sessions(7).unwrap().version("1.2.3"));
        let before = hotprobe::stats();
        let json = get(&app, "/stats").await.json();
        assert_eq!(json["events"], hotprobe::events().len());
        assert_eq!(json["sessions"], 0);
        assert_eq!(json["pid"], std::process::id());
        let program = std::env::current_exe().unwrap();
        assert_eq!(
            json["program"],
            program.file_name().unwrap().to_str().unwrap()
        );
        assert_eq!(json["version"], "1.2.3");
        assert_eq!(json["hotprobe"], env!("CARGO_PKG_VERSION"));
        assert!(json["uptime_seconds"].is_u64());
        assert_eq!(json["max_sessions"], 7);
        let after = hotprobe::stats();
        let retired = json["retired"].as_u64().unwrap();
        assert!(before.retired <= retired && retired <= after.retired);
        let panics = json["probe_panics"].as_u64().unwrap();
        assert!(before.probe_panics <= panics && panics <= after.probe_panics);
        for name in [
            "events_enabled",
            "probes",
            "skipped_nested",
            "skipped_registering",
            "reclaimed",
            "drop_panics",
        ] {
            assert!(json[name].is_u64(), "{name}");
        }
    });
}

#[test]
fn each_metric_says_what_it_is_and_has_one_number() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let answer = get(&app, "/metrics").await;
        assert_eq!(
            answer.header("content-type"),
            "text/plain; version=0.0.4; charset=utf-8"
        );
        let lines: Vec<_> = answer.body.lines().collect();
        assert_eq!(lines.len(), 3 * 11);
        for metric in lines.chunks(3) {
            let (name, value) = metric[2].split_once(' ').unwrap();
            value.parse::<u64>().unwrap();
            assert!(
                metric[0].starts_with(&format!("# HELP {name} ")),
                "{metric:?}"
            );
            let kind = if name.ends_with("_total") {
                "counter"
            } else {
                "gauge"
            };
            assert_eq!(metric[1], format!("# TYPE {name} {kind}"));
        }
        assert!(
            answer
                .body
                .contains(&format!("\nhotprobe_events {}\n", hotprobe::events().len()))
                || answer
                    .body
                    .contains(&format!("hotprobe_events {}\n", hotprobe::events().len()))
        );
    });
}

mod bodies {
    use super::*;
    use crate::Answer;
    use axum::body::Body;

    async fn post(kind: &str, body: impl Into<Body>) -> Answer {
        let (app, _) = mounted(Admin::new());
        let mut request = request("POST", "/record");
        request
            .headers_mut()
            .insert("content-type", kind.parse().unwrap());
        *request.body_mut() = body.into();
        read(send(&app, request).await).await
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[test]
    fn a_form_is_as_good_as_a_query() {
        block_on(async {
            let answer = post(
                &format!("{FORM}; charset=utf-8"),
                "match=*::answers::shelf::*&seconds=0.1&format=chrome&slice=",
            )
            .await;
            answer.says(200);
            // As a browser's form or a client of HTTP may write it.
            let answer = post(
                "Application/X-WWW-Form-URLEncoded;charset=UTF-8",
                "match=*::answers::shelf::*&seconds=0.1",
            )
            .await;
            answer.says(200);
        });
    }

    #[test]
    fn a_body_that_is_no_form_or_too_large_or_does_not_come_is_refused() {
        block_on(async {
            let body = post("application/json", "{}").await.says(415);
            assert!(body.contains(FORM), "{body}");
            let body = post(FORM, format!("match=*&{}", "x".repeat(4096)))
                .await
                .says(413);
            assert!(body.contains("at most 4096 bytes"), "{body}");
        });
    }

    #[test]
    fn a_body_that_never_comes_is_not_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let begin = std::time::Instant::now();
            let body = post(FORM, Body::new(crate::Never)).await.says(408);
            assert!(body.contains("did not come within 5 s"), "{body}");
            assert!(begin.elapsed().as_secs() < 60);
        });
    }
}
