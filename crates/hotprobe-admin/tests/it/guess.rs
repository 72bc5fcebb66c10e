//! `GET /guess`. (The rule has its tests beside it, in `src/guess.rs`.)

use super::{block_on, get, mounted};
use hotprobe::event;
use hotprobe_admin::Admin;
use serde_json::{Value, json};

mod shop {
    hotprobe::event! {
        pub static HIDDEN_BEGIN: fn(#[redact] token: u64);
        pub static HIDDEN_END: fn(#[redact] token: u64);
        pub static LOADED: fn(item: u64);
        pub static SHIP_REQUEST_BEGIN: fn(order: u64, route: &str, #[redact] token: u64);
        pub static SHIP_REQUEST_DONE: fn(order: u64, code: u16, #[redact] token: u64);
    }
}

event! { static ALONE: fn(); }

async fn pairs(query: &str) -> Vec<Value> {
    let (app, _) = mounted(Admin::new());
    let answer = get(&app, &format!("/guess{query}")).await;
    assert_eq!(answer.header("content-type"), "application/json");
    let json = answer.json();
    json["pairs"].as_array().unwrap().clone()
}

#[test]
fn a_pair_is_guessed_and_what_is_redacted_is_neither_key_nor_label() {
    let [begin, done] = [
        shop::SHIP_REQUEST_BEGIN.name(),
        shop::SHIP_REQUEST_DONE.name(),
    ];
    let expected = json!({
        "begin": begin, "end": done, "name": "ship_request", "by_name": true,
        "key": "order", "keys": ["order"], "label": "route", "labels": ["route", "code"],
    });
    block_on(async {
        for query in [
            "?match=*::guess::shop::*".to_owned(),
            format!("?match={done}"),
            format!("?begin={begin}"),
            format!("?begin={begin}&end={done}"),
            // An empty field is none.
            format!("?begin={begin}&end=&match="),
        ] {
            assert_eq!(pairs(&query).await[0], expected, "{query}");
        }
        let all = pairs("").await;
        assert!(all.contains(&expected), "{all:?}");
        let hidden = Value::from(shop::HIDDEN_BEGIN.name());
        assert!(all.iter().all(|pair| pair["begin"] != hidden), "{all:?}");
        // Best first, and the others after the preferred ones.
        let preferred = pairs("?match=*::guess::shop::*").await;
        assert_eq!(all.len(), preferred.len());
    });
}

#[test]
fn two_events_without_a_key_are_no_pair() {
    block_on(async {
        let [hidden, end] = [shop::HIDDEN_BEGIN.name(), shop::HIDDEN_END.name()];
        assert!(
            pairs(&format!("?begin={hidden}&end={end}"))
                .await
                .is_empty()
        );
        assert!(pairs(&format!("?begin={}", ALONE.name())).await.is_empty());
        let [item, done] = [shop::LOADED.name(), shop::SHIP_REQUEST_DONE.name()];
        assert!(pairs(&format!("?begin={item}&end={done}")).await.is_empty());
        let begin = shop::SHIP_REQUEST_BEGIN.name();
        // The other way round, they have a parameter in common, and no more.
        let found = pairs(&format!("?begin={done}&end={begin}")).await;
        assert_eq!(found[0]["by_name"], false);
    });
}

#[test]
fn what_is_wrong_is_said() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        let end = format!("/guess?end={}", shop::LOADED.name());
        let body = get(&app, &end).await.says(400);
        assert!(body.contains("`begin` is missing"), "{body}");
        get(&app, "/guess?begin=*::nothing").await.says(404);
        get(&app, "/guess?match=*::nothing").await.says(404);
        get(&app, "/guess?key=id").await.says(400);
        super::ask(&app, "POST", "/guess").await.says(405);
    });
}
