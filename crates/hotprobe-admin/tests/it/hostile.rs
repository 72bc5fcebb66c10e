//! Requests that mean no good, many at once: nothing is left behind.

use super::{block_on, eventually, mounted};
use crate::alloc::live_bytes;
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hotprobe_admin::Admin;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tower::ServiceExt as _;

hotprobe::event! {
    static ATTACKED: fn(n: u64, text: &str);
    static BESIEGED: fn();
}

/// How many requests: more by the environment.
fn requests() -> usize {
    std::env::var("HOTPROBE_HOSTILE").map_or(3000, |count| {
        count.parse().expect("`HOTPROBE_HOSTILE` is a number")
    })
}

/// A request, half of them nearly right.
fn hostile() -> impl Strategy<Value = (String, String, Vec<(String, String)>, Vec<u8>, bool)> {
    let method = prop_oneof![
        6 => Just("GET".to_owned()),
        4 => Just("POST".to_owned()),
        1 => prop::sample::select(vec!["HEAD", "PUT", "OPTIONS", "DELETE", "TRACE", "X"]).prop_map(str::to_owned),
    ];
    let endpoint = prop::sample::select(vec![
        "", "/", "/events", "/events/", "/guess", "/stats", "/metrics", "/tail", "/rates",
        "/record", "/latency", "/stacks", "/guess", "//", "/..",
    ]);
    let name = prop_oneof![
        8 => prop::sample::select(vec!["match", "seconds", "limit", "rate", "format", "slice"]).prop_map(str::to_owned),
        1 => "[a-z%0-9&=+]{0,8}",
    ];
    let value = prop_oneof![
        6 => Just("*::hostile::*".to_owned()),
        3 => Just("0.1".to_owned()),
        2 => prop::sample::select(vec!["perfetto", "chrome", "ctf", "*", "", "0", "-1", "1e400", "NaN", "300", "a,b,c,d"]).prop_map(str::to_owned),
        2 => "[!-~]{0,40}",
        1 => "%[0-9a-fA-F]{2}(%[0-9a-fA-F]{2}){0,20}",
    ];
    let wild = prop::collection::vec((name, value), 0..4).prop_map(|all| {
        let all: Vec<_> = all
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        all.join("&")
    });
    let right = prop::sample::select(vec![
        "match=*::hostile::*&seconds=0.1",
        "match=*::hostile::*",
        "match=*::hostile::ATTACKED&match=*::hostile::BESIEGED&seconds=0.2",
        "",
    ]);
    let query = prop_oneof![2 => right.prop_map(str::to_owned), 1 => wild];
    let header = (
        prop::sample::select(vec![
            "authorization",
            "origin",
            "sec-fetch-site",
            "x-forwarded-for",
            "forwarded",
            "accept",
            "content-type",
            "host",
        ]),
        prop_oneof![
            prop::sample::select(vec![
                "127.0.0.1",
                "localhost",
                "null",
                "cross-site",
                "application/json",
                "text/html",
                "application/x-www-form-urlencoded",
                "Bearer x"
            ])
            .prop_map(str::to_owned),
            "[ -~]{0,60}",
        ],
    )
        .prop_map(|(name, value)| (name.to_owned(), value));
    let headers = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(header, 1..3)];
    let body = prop_oneof![
        6 => Just(Vec::new()),
        1 => prop::collection::vec(any::<u8>(), 0..100),
        1 => Just(b"match=*::hostile::*&seconds=0.1".to_vec()),
        1 => Just(vec![b'x'; 5000]),
    ];
    (method, (endpoint, query), headers, body, any::<bool>()).prop_map(
        |(method, (endpoint, query), headers, body, reads)| {
            (method, format!("{endpoint}?{query}"), headers, body, reads)
        },
    )
}

async fn attack(
    app: Router,
    case: (String, String, Vec<(String, String)>, Vec<u8>, bool),
    served: Arc<AtomicU64>,
) {
    let (method, path, headers, body, reads) = case;
    let mut request = Request::builder()
        .method(&*method)
        .uri(format!("/debug/probes{path}"));
    if !headers.iter().any(|(name, _)| name == "host") {
        request = request.header("host", "localhost");
    }
    for (name, value) in headers {
        request = request.header(name, value);
    }
    // Some are no requests even before they come to us.
    let Ok(mut request) = request.body(Body::from(body)) else {
        return;
    };
    request
        .extensions_mut()
        .insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
    let response = app.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    assert!(status < 500 || status == 503, "{method} {path}: {status}");
    let kind = response.headers().get("content-type");
    if status == 200 && kind.is_some_and(|kind| kind == "text/event-stream") {
        served.fetch_add(1, Ordering::Relaxed);
    }
    if reads {
        // Some read, some leave at once.
        let read = axum::body::to_bytes(response.into_body(), 16 << 20);
        let _ = tokio::time::timeout(Duration::from_millis(50), read).await;
    }
}

#[test]
fn hostile_requests_leave_no_probe_no_task_no_session_and_no_memory_behind() {
    test_support::isolated(
        "hostile::hostile_requests_leave_no_probe_no_task_no_session_and_no_memory_behind",
        || block_on(siege()),
    );
}

async fn siege() {
    let mut runner = TestRunner::deterministic();
    let strategy = hostile();
    let served = Arc::new(AtomicU64::new(0));
    let (app, shutdown) = mounted(Admin::new().max_sessions(8).unwrap());
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let mut used = None;
    let mut left = requests();
    while left > 0 {
        let at_once = left.min(500);
        left -= at_once;
        let mut attacks = Vec::new();
        for _ in 0..at_once {
            let case = strategy.new_tree(&mut runner).unwrap().current();
            attacks.push(tokio::spawn(attack(app.clone(), case, Arc::clone(&served))));
        }
        ATTACKED.fire(1, "text");
        BESIEGED.fire();
        for attack in attacks {
            attack.await.unwrap();
        }
        if used.is_none() {
            // What is allocated once has been.
            eventually("no session is left", || shutdown.open_sessions() == 0).await;
            used = Some(live_bytes());
        }
    }
    assert!(
        served.load(Ordering::Relaxed) > 30,
        "hardly anything was attached: the attack is a poor one"
    );
    eventually("no session is left", || shutdown.open_sessions() == 0).await;
    assert_eq!((ATTACKED.probe_count(), BESIEGED.probe_count()), (0, 0));
    eventually("no task is left", || tasks() <= before).await;
    eventually("no memory is left", || {
        hotprobe::reclaim();
        live_bytes() - used.unwrap_or_default() < 1 << 20
    })
    .await;
}
