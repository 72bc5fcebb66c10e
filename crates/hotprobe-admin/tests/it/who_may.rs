//! Who is let in, of all that may ask: against a second telling of the rules.

use super::access::Head;
use super::{block_on, mounted};
use hotprobe_admin::Admin;
use proptest::prelude::*;

/// A request, of parts that matter.
fn heads() -> impl Strategy<Value = Head> {
    let peers = prop::sample::select(vec![
        None,
        Some("127.0.0.1:1"),
        Some("[::1]:1"),
        Some("[::ffff:127.0.0.1]:1"),
        Some("192.0.2.1:1"),
        Some("[fe80::1]:1"),
    ]);
    let host = prop::sample::select(vec![
        "localhost",
        "127.0.0.1:9000",
        "[::1]:80",
        "shop.example",
        "localhost.example",
    ]);
    let others = prop::sample::subsequence(
        vec![
            ("authorization", "Bearer right"),
            ("authorization", "Bearer wrong"),
            ("forwarded", "for=192.0.2.1"),
            ("x-forwarded-for", "192.0.2.1"),
            ("origin", "http://localhost"),
            ("origin", "http://shop.example"),
            ("origin", "null"),
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "cross-site"),
        ],
        0..=4,
    );
    let asked = prop::sample::select(vec![
        ("GET", "/events"),
        ("GET", "/latency"),
        ("POST", "/latency"),
        ("POST", "/stop"),
        ("GET", "/stacks"),
    ]);
    (peers, host, others, asked).prop_map(|(peer, host, mut headers, (method, path))| {
        headers.push(("host", host));
        Head {
            method,
            path,
            peer,
            headers,
        }
    })
}

/// Written once more, from what is promised, and not from the code.
fn may(head: &Head, token: bool) -> bool {
    let all = |name: &str| {
        head.headers
            .iter()
            .filter(|(of, _)| *of == name)
            .map(|(_, value)| *value)
            .collect::<Vec<_>>()
    };
    let host = all("host")[0];
    let known = if token {
        all("authorization") == ["Bearer right"]
    } else {
        let here = ["127.0.0.1:1", "[::1]:1", "[::ffff:127.0.0.1]:1"];
        head.peer.is_some_and(|peer| here.contains(&peer))
            && all("forwarded").is_empty()
            && all("x-forwarded-for").is_empty()
            && ["localhost", "127.0.0.1:9000", "[::1]:80"].contains(&host)
    };
    let attaches = head.path != "/events";
    known
        && all("origin")
            .iter()
            .all(|origin| *origin == format!("http://{host}"))
        && (!attaches
            || all("sec-fetch-site")
                .iter()
                .all(|site| *site == "same-origin"))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_is_let_in_is_who_may(head in heads(), token: bool) {
        let answer = block_on(async {
            let admin = if token { Admin::new().token("right").unwrap() } else { Admin::new() };
            head.send(&mounted(admin).0).await
        });
        let refused = [401, 403].contains(&answer.status.as_u16());
        prop_assert_eq!(!refused, may(&head, token), "{:?}", answer);
    }
}
