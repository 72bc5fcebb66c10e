//! Tails and rates.

use super::{BodyStream, block_on, eventually, get, mounted, parse, request, send};
use hotprobe_admin::Admin;
use serde_json::json;

mod shown {
    hotprobe::event! { pub static LOGIN: fn(user: &str, attempt: u64, #[redact] card: &str, rest: Option<&[u8]>); }
}
mod limited {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod flooded {
    hotprobe::event! { pub static ITEM: fn(n: u64); }
}
mod silent {
    hotprobe::event! { pub static TICK: fn(); }
}
mod timed {
    hotprobe::event! { pub static TICK: fn(); }
}
mod left {
    hotprobe::event! { pub static TICK: fn(); }
}
mod ended {
    hotprobe::event! { pub static TICK: fn(); }
}
mod counted {
    hotprobe::event! { pub static OFTEN: fn(n: u64); pub static NEVER: fn(); }
}
mod stuck {
    hotprobe::event! { pub static ITEM: fn(text: &str); }
}
mod crowded {
    hotprobe::event! { pub static TICK: fn(); }
}
mod brittle {
    hotprobe::event! { pub static ITEM: fn(item: &dyn std::fmt::Debug); }
}

#[test]
fn a_tail_on_which_nothing_happens_has_heartbeats() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let path = "/tail?match=*::streams::silent::*&seconds=300";
        let mut tail = BodyStream::of(&app, "GET", path).await;
        tail.until("event: begin").await;
        tail.until("\n\n:\n\n:\n\n").await;
        assert_eq!(parse(&tail.1).len(), 1, "they are comments");
    });
}

#[test]
fn a_tail_tells_each_record_with_its_arguments_but_for_those_that_are_redacted() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let mut tail =
            BodyStream::of(&app, "GET", "/tail?match=*::streams::shown::*&limit=2").await;
        tail.until("event: begin").await;
        assert_eq!(shown::LOGIN.probes()[0].name(), Some("tail"));
        shown::LOGIN.fire("JP \"x\"\n\nevent: end", 7, "4711-secret", None);
        shown::LOGIN.fire("é", u64::MAX, "4711-secret", Some(&[0]));
        let text = tail.rest().await;
        assert!(!text.contains("4711"), "{text}");
        let events = parse(&text);
        let names: Vec<_> = events.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["begin", "record", "record", "end"]);
        assert_eq!(events[0].1["events"], json!([shown::LOGIN.name()]));
        assert_eq!(events[0].1["limit"], 2);
        assert_eq!(events[1].1["event"], shown::LOGIN.name());
        let first =
            json!({"user": "JP \"x\"\n\nevent: end", "attempt": 7, "card": null, "rest": null});
        assert_eq!(events[1].1["values"], first);
        let second =
            json!({"user": "é", "attempt": "18446744073709551615", "card": null, "rest": "00"});
        assert_eq!(events[2].1["values"], second);
        assert!(events[1].1["at"].as_f64() <= events[2].1["at"].as_f64());
        assert_eq!(
            events[3].1,
            json!({"reason": "limit", "records": 2, "lost": 0})
        );
        assert_eq!(shown::LOGIN.probe_count(), 0);
        eventually("the session is over", || shutdown.open_sessions() == 0).await;
    });
}

#[test]
fn a_tail_that_has_reached_its_limit_ends_and_has_sent_no_more() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let mut tail = BodyStream::of(
            &app,
            "GET",
            "/tail?match=*::streams::limited::*&limit=5&rate=1000",
        )
        .await;
        tail.until("event: begin").await;
        (0..100).for_each(|n| limited::ITEM.fire(n));
        let events = parse(&tail.rest().await);
        let numbers: Vec<_> = events
            .iter()
            .filter(|(name, _)| name == "record")
            .map(|(_, data)| data["values"]["n"].as_u64().unwrap())
            .collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4]);
        assert_eq!(
            events.last().unwrap().1,
            json!({"reason": "limit", "records": 5, "lost": 0})
        );
        assert_eq!(limited::ITEM.probe_count(), 0);
    });
}

#[test]
fn a_tail_sends_at_most_its_rate_and_counts_every_other_firing() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let mut tail = BodyStream::of(
            &app,
            "GET",
            "/tail?match=*::streams::flooded::*&seconds=2&rate=20",
        )
        .await;
        tail.until("event: begin").await;
        let fired = 100_000;
        tokio::task::spawn_blocking(move || (0..fired).for_each(|n| flooded::ITEM.fire(n)))
            .await
            .unwrap();
        assert_eq!(
            flooded::ITEM.probe_count(),
            1,
            "all of it was fired while it was tailed"
        );
        let events = parse(&tail.rest().await);
        let end = &events.last().unwrap().1;
        let (records, lost) = (
            end["records"].as_u64().unwrap(),
            end["lost"].as_u64().unwrap(),
        );
        assert_eq!(end["reason"], "time");
        // A second's worth at once, and what is due meanwhile.
        assert!((20..=60).contains(&records), "{records}");
        assert_eq!(
            records,
            events.iter().filter(|(name, _)| name == "record").count() as u64
        );
        let told: u64 = events
            .iter()
            .filter(|(name, _)| name == "lost")
            .map(|(_, data)| data["lost"].as_u64().unwrap())
            .sum();
        assert!(told <= lost && told > 0);
        assert_eq!(records + lost, fired);
    });
}

#[test]
fn a_debug_that_panics_costs_its_value_and_not_the_tail() {
    test_support::quiet_planned_panics();
    struct Brittle;
    impl std::fmt::Debug for Brittle {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("planned: no Debug today")
        }
    }
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let mut tail =
            BodyStream::of(&app, "GET", "/tail?match=*::streams::brittle::*&limit=2").await;
        tail.until("event: begin").await;
        brittle::ITEM.fire(&Brittle);
        brittle::ITEM.fire(&1);
        let events = parse(&tail.rest().await);
        assert_eq!(events[1].1["values"]["item"], "[its `Debug` panicked]");
        assert_eq!(events[2].1["values"]["item"], "1");
    });
}

#[test]
fn what_is_tailed_or_watched_is_detached_when_its_time_is_up_though_nobody_reads() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let mut unread = Vec::new();
        for path in [
            "/tail?match=*::streams::timed::*&seconds=0.2",
            "/rates?match=*::streams::timed::*&seconds=0.2",
        ] {
            unread.push(send(&app, request("GET", path)).await);
        }
        assert_eq!(timed::TICK.probe_count(), 2);
        assert_eq!(shutdown.open_sessions(), 2);
        eventually("both are detached", || timed::TICK.probe_count() == 0).await;
    });
}

#[test]
fn what_is_tailed_or_watched_is_detached_when_the_body_is_dropped() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        for path in [
            "/tail?match=*::streams::left::*&seconds=300",
            "/rates?match=*::streams::left::*&seconds=300",
        ] {
            let mut stream = BodyStream::of(&app, "GET", path).await;
            stream.until("event: begin").await;
            assert_eq!(left::TICK.probe_count(), 1);
            drop(stream);
            eventually("it is detached", || left::TICK.probe_count() == 0).await;
            eventually("the session is over", || shutdown.open_sessions() == 0).await;
        }
    });
}

#[test]
fn a_shutdown_ends_what_is_open_and_nothing_begins_after_it() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new());
        let mut tail =
            BodyStream::of(&app, "GET", "/tail?match=*::streams::ended::*&seconds=300").await;
        let rates =
            BodyStream::of(&app, "GET", "/rates?match=*::streams::ended::*&seconds=300").await;
        tail.until("event: begin").await;
        ended::TICK.fire();
        shutdown.begin();
        for (stream, records) in [(tail, 1), (rates, 0)] {
            let events = parse(&stream.rest().await);
            let end = &events.last().unwrap();
            assert_eq!(end.0, "end");
            assert_eq!(end.1["reason"], "shutdown");
            assert_eq!(
                events.iter().filter(|(name, _)| name == "record").count(),
                records
            );
        }
        shutdown.ended().await;
        assert_eq!(ended::TICK.probe_count(), 0);
        let body = get(&app, "/tail?match=*::streams::ended::*")
            .await
            .says(503);
        assert!(body.contains("shuts down"), "{body}");
        get(&app, "/events").await.says(200);
        assert_eq!(ended::TICK.probe_count(), 0);
    });
}

#[test]
fn rates_are_what_was_fired_while_it_was_watched() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        counted::OFTEN.fire(0);
        let mut rates = BodyStream::of(
            &app,
            "GET",
            "/rates?match=*::streams::counted::*&seconds=1.2",
        )
        .await;
        rates.until("event: begin").await;
        (0..1000).for_each(|n| counted::OFTEN.fire(n));
        let events = parse(&rates.rest().await);
        let watched = events[0].1["events"].as_array().unwrap();
        assert_eq!(watched[0]["name"], counted::NEVER.name());
        assert_eq!(watched[1]["line"], counted::OFTEN.metadata().line());
        let told: Vec<_> = events.iter().filter(|(name, _)| name == "rates").collect();
        let sum = |index: usize| {
            told.iter()
                .map(|(_, data)| data["fired"][index].as_u64().unwrap())
                .sum::<u64>()
        };
        assert_eq!((sum(0), sum(1)), (0, 1000));
        assert!(
            told.iter()
                .all(|(_, data)| data["seconds"].as_f64().unwrap() > 0.0)
        );
        assert_eq!(events.last().unwrap().1, json!({"reason": "time"}));
        assert_eq!(counted::OFTEN.probe_count(), 0);
    });
}

#[test]
fn a_tail_that_nobody_reads_keeps_little_and_counts_the_rest_as_lost() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let path = "/tail?match=*::streams::stuck::*&seconds=1&rate=1000&limit=1000000";
        let response = send(&app, request("GET", path)).await;
        let text = "x".repeat(256);
        let fired = 3000;
        let flood = move || (0..fired).for_each(|_| stuck::ITEM.fire(&text));
        tokio::task::spawn_blocking(flood).await.unwrap();
        assert_eq!(
            stuck::ITEM.probe_count(),
            1,
            "all of it was fired while it was tailed"
        );
        eventually("its time is up", || stuck::ITEM.probe_count() == 0).await;
        let text = BodyStream(response.into_body(), String::new()).rest().await;
        // The pipe, and what was on its way when it was read.
        assert!(text.len() <= 300 << 10, "{}", text.len());
        assert!(
            text.len() > 200 << 10,
            "the pipe was never full: {}",
            text.len()
        );
        let events = parse(&text);
        let (name, end) = events.last().unwrap();
        assert_eq!(name, "end", "it is told how it ended, however slow it is");
        let records = events.iter().filter(|(name, _)| name == "record").count() as u64;
        assert_eq!(end["records"], records);
        assert_eq!(records + end["lost"].as_u64().unwrap(), fired);
    });
}

#[test]
fn there_are_so_many_sessions_at_once_and_then_429_with_when_to_come_again() {
    block_on(async {
        let (app, shutdown) = mounted(Admin::new().max_sessions(2).unwrap());
        let path = "/tail?match=*::streams::crowded::*&seconds=100";
        let first = BodyStream::of(&app, "GET", path).await;
        let second = BodyStream::of(
            &app,
            "GET",
            "/rates?match=*::streams::crowded::*&seconds=50",
        )
        .await;
        let answer = get(&app, path).await;
        let wait: u64 = answer.header("retry-after").parse().unwrap();
        assert!((1..=50).contains(&wait), "{wait}");
        assert!(answer.says(429).contains("2 sessions are open"));
        assert_eq!(crowded::TICK.probe_count(), 2);
        drop(second);
        eventually("there is room again", || shutdown.open_sessions() == 1).await;
        drop(BodyStream::of(&app, "GET", path).await);
        drop(first);
        eventually("all is over", || shutdown.open_sessions() == 0).await;
    });
}

#[test]
fn with_no_session_allowed_events_can_be_read_and_nothing_be_attached() {
    block_on(async {
        let (app, _) = mounted(Admin::new().max_sessions(0).unwrap());
        get(&app, "/events").await.says(200);
        let body = get(&app, "/tail?match=*::streams::crowded::*")
            .await
            .says(403);
        assert!(body.contains("max_sessions(0)"), "{body}");
    });
}

#[test]
fn a_runtime_that_ends_with_streams_open_detaches_them() {
    let response = block_on(async {
        let (app, _) = mounted(Admin::new());
        let response = send(
            &app,
            request("GET", "/tail?match=*::streams::abandoned::*&seconds=300"),
        )
        .await;
        assert_eq!(abandoned::TICK.probe_count(), 1);
        response
    });
    assert_eq!(abandoned::TICK.probe_count(), 0);
    drop(response);
}

mod abandoned {
    hotprobe::event! { pub static TICK: fn(); }
}
