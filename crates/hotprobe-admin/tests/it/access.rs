//! Who is let in.

use super::{Answer, block_on, mounted, read, send};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hotprobe_admin::Admin;
use std::net::SocketAddr;

hotprobe::event! { static ASKED_FOR: fn(n: u64); }

/// The head of a request.
#[derive(Clone, Debug)]
pub(super) struct Head {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) peer: Option<&'static str>,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

/// From this machine, to this machine.
fn local(method: &'static str, path: &'static str) -> Head {
    Head {
        method,
        path,
        peer: Some("127.0.0.1:40000"),
        headers: vec![("host", "127.0.0.1:9000")],
    }
}

impl Head {
    fn from(mut self, peer: Option<&'static str>) -> Self {
        self.peer = peer;
        self
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    fn to(mut self, host: &'static str) -> Self {
        self.headers.retain(|(name, _)| *name != "host");
        self.with("host", host)
    }

    pub(super) async fn send(&self, app: &Router) -> Answer {
        let mut request = Request::builder()
            .method(self.method)
            .uri(format!("/debug/probes{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        if let Some(peer) = self.peer {
            let peer: SocketAddr = peer.parse().unwrap();
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        read(send(app, request).await).await
    }
}

/// Short, and of one event, so that a request that is let in ends soon.
const TAIL: &str = "/tail?match=*::access::ASKED_FOR&seconds=0.1";
const RECORD: &str = "/record?match=*::access::ASKED_FOR&seconds=0.1";

const RECORDED: u16 = 200;

#[test]
fn without_a_token_this_machine_is_let_in_and_nobody_else() {
    let events = || local("GET", "/events");
    let table = [
        (events(), 200, ""),
        (events().from(Some("127.8.9.10:1")), 200, ""),
        (events().from(Some("[::1]:1")), 200, ""),
        (events().from(Some("[::ffff:127.0.0.1]:1")), 200, ""),
        (
            events().from(Some("192.0.2.1:1")),
            403,
            "192.0.2.1 is another",
        ),
        (
            events().from(Some("[::ffff:192.0.2.1]:1")),
            403,
            "is another",
        ),
        (events().from(Some("[2001:db8::1]:1")), 403, "is another"),
        (events().from(Some("0.0.0.0:1")), 403, "is another"),
        (
            events().from(None),
            403,
            "into_make_service_with_connect_info::<SocketAddr>()",
        ),
        // A token helps nobody where none is set.
        (
            events()
                .from(Some("192.0.2.1:1"))
                .with("authorization", "Bearer "),
            403,
            "is another",
        ),
        // Behind a proxy everybody is on this machine.
        (
            events().with("forwarded", "for=192.0.2.1"),
            403,
            "`forwarded` says that a proxy asks",
        ),
        (
            events().with("x-forwarded-for", "192.0.2.1"),
            403,
            "`x-forwarded-for`",
        ),
        (
            events().with("X-Forwarded-Proto", "https"),
            403,
            "`x-forwarded-proto`",
        ),
        (
            events().with("x-forwarded-host", "127.0.0.1"),
            403,
            "a proxy",
        ),
        (events().with("x-real-ip", "127.0.0.1"), 403, "a proxy"),
        (events().with("via", "1.1 proxy"), 403, "a proxy"),
        (
            events().with("CF-Connecting-IP", "192.0.2.1"),
            403,
            "`cf-connecting-ip`",
        ),
        // Names that may be an attacker's.
        (events().to("localhost"), 200, ""),
        (events().to("LOCALHOST:9000"), 200, ""),
        (events().to("127.0.0.2:80"), 200, ""),
        (events().to("[::1]:9000"), 200, ""),
        (events().to("[::1]"), 200, ""),
        (events().to("attacker.example"), 403, "`attacker.example`"),
        (
            events().to("localhost.attacker.example"),
            403,
            "an attacker's",
        ),
        (
            events().to("127.0.0.1.attacker.example:9000"),
            403,
            "an attacker's",
        ),
        (events().to("attacker.example:127"), 403, "an attacker's"),
        (
            events().to("localhost:9000@attacker.example"),
            403,
            "an attacker's",
        ),
        (events().to("localhost:"), 403, "an attacker's"),
        (events().to("[::1"), 403, "an attacker's"),
        (events().to("[::1]x"), 403, "an attacker's"),
        (events().to("0.0.0.0:9000"), 403, "an attacker's"),
        (events().to("192.0.2.1"), 403, "an attacker's"),
        (events().to(""), 403, "an attacker's"),
        (
            events().with("host", "localhost"),
            400,
            "two headers `Host`",
        ),
    ];
    check(Admin::new(), &table);
    let mut nameless = local("GET", "/events");
    nameless.headers.clear();
    check(Admin::new(), &[(nameless, 400, "`Host` is missing")]);
}

#[test]
fn with_a_token_whoever_sends_it_is_let_in_and_nobody_else() {
    let events = || local("GET", "/events");
    let far = || {
        events()
            .from(Some("192.0.2.1:1"))
            .to("shop.example")
            .with("x-forwarded-for", "192.0.2.7")
    };
    let table = [
        (far().with("authorization", "Bearer correct-horse"), 200, ""),
        (
            far()
                .from(None)
                .with("authorization", "bearer correct-horse"),
            200,
            "",
        ),
        (events(), 401, "a token is needed"),
        (
            events().with("authorization", "Bearer correct-hors"),
            401,
            "not that of this server",
        ),
        (
            events().with("authorization", "Bearer correct-horsf"),
            401,
            "not that of this server",
        ),
        (
            events().with("authorization", "Bearer correct-horse2"),
            401,
            "not that of this server",
        ),
        (
            events().with("authorization", "Bearer"),
            401,
            "has to be `Bearer`",
        ),
        (events().with("authorization", "Bearer "), 401, ""),
        (
            events().with("authorization", "Basic Y29ycmVjdC1ob3JzZQ=="),
            401,
            "has to be `Bearer`",
        ),
        (events().with("authorization", "correct-horse"), 401, ""),
        (
            events()
                .with("authorization", "Bearer wrong")
                .with("authorization", "Bearer correct-horse"),
            401,
            "in one header",
        ),
        // It is read from nowhere else.
        (local("GET", "/events?token=correct-horse"), 401, ""),
        (events().with("cookie", "token=correct-horse"), 401, ""),
    ];
    check(Admin::new().token("correct-horse").unwrap(), &table);
    block_on(async {
        let (app, _) = mounted(Admin::new().token("correct-horse").unwrap());
        let answer = events().send(&app).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    });
}

#[test]
fn the_page_of_another_site_attaches_nothing() {
    let tail = || local("GET", TAIL);
    let record = || local("POST", RECORD);
    let table = [
        (tail(), 200, "event: end"),
        (record(), RECORDED, ""),
        (tail().with("origin", "http://127.0.0.1:9000"), 200, ""),
        (tail().with("origin", "https://127.0.0.1:9000"), 200, ""),
        (
            record()
                .with("origin", "http://127.0.0.1:9000")
                .with("sec-fetch-site", "same-origin"),
            RECORDED,
            "",
        ),
        (tail().with("sec-fetch-site", "none"), 200, ""),
        (
            tail().with("origin", "http://127.0.0.1:9001"),
            403,
            "`Origin: http://127.0.0.1:9001`",
        ),
        (
            tail().with("origin", "http://localhost:9000"),
            403,
            "another site",
        ),
        (tail().with("origin", "null"), 403, "another site"),
        (
            tail().with("origin", "http://127.0.0.1:9000.attacker.example"),
            403,
            "another site",
        ),
        (
            tail().with("origin", "ftp://127.0.0.1:9000"),
            403,
            "another site",
        ),
        (
            tail()
                .with("origin", "http://127.0.0.1:9000")
                .with("origin", "null"),
            403,
            "another site",
        ),
        (
            record().with("origin", "http://attacker.example"),
            403,
            "another site",
        ),
        (
            record().with("sec-fetch-site", "cross-site"),
            403,
            "`Sec-Fetch-Site: cross-site`",
        ),
        (
            tail().with("sec-fetch-site", "same-site"),
            403,
            "another site",
        ),
        (tail().with("sec-fetch-site", ""), 403, "another site"),
        (
            local("GET", "/stacks").with("sec-fetch-site", "cross-site"),
            403,
            "another site",
        ),
        (
            local("POST", "/latency").with("origin", "http://attacker.example"),
            403,
            "another site",
        ),
        // What only reads may be linked to, but not read by the other's script.
        (
            local("GET", "/events").with("sec-fetch-site", "cross-site"),
            200,
            "",
        ),
        (
            local("GET", "/events").with("origin", "http://attacker.example"),
            403,
            "another site",
        ),
    ];
    check(Admin::new(), &table);
    // The token changes nothing of it.
    let table = [
        (
            tail()
                .to("shop.example")
                .with("authorization", "Bearer t")
                .with("origin", "https://shop.example"),
            200,
            "",
        ),
        (
            tail()
                .with("authorization", "Bearer t")
                .with("origin", "https://shop.example"),
            403,
            "has to pass `Host` on",
        ),
        (
            record()
                .with("authorization", "Bearer t")
                .with("sec-fetch-site", "cross-site"),
            403,
            "another site",
        ),
    ];
    check(Admin::new().token("t").unwrap(), &table);
    assert_eq!(ASKED_FOR.probe_count(), 0);
}

#[test]
fn what_attaches_by_post_is_post_only_and_what_streams_is_get_only() {
    let table = [
        (local("GET", RECORD), 405, "asked for by POST, not by GET"),
        (local("GET", "/latency"), 405, "POST"),
        (local("HEAD", RECORD), 405, ""),
        (local("PUT", RECORD), 405, "POST"),
        (local("POST", TAIL), 405, "GET"),
        (local("HEAD", TAIL), 405, ""),
        (local("POST", "/stacks"), 405, "GET"),
        (local("OPTIONS", RECORD), 405, ""),
        (local("DELETE", "/events"), 405, "GET, HEAD"),
        (local("HEAD", "/events"), 200, ""),
        (local("POST", ""), 405, "GET, HEAD"),
        // A client that may not gets no other answer.
        (local("DELETE", "/events").from(None), 403, ""),
    ];
    check(Admin::new(), &table);
    block_on(async {
        let (app, _) = mounted(Admin::new());
        assert_eq!(
            local("GET", RECORD).send(&app).await.header("allow"),
            "POST"
        );
    });
}

#[test]
fn no_answer_is_stored_guessed_framed_or_read_elsewhere() {
    block_on(async {
        let (app, _) = mounted(Admin::new());
        for head in [
            local("GET", ""),
            local("GET", "/events"),
            local("GET", TAIL),
            local("GET", "/events").from(None),
        ] {
            let answer = head.send(&app).await;
            for (name, value) in [
                ("cache-control", "no-store"),
                ("x-content-type-options", "nosniff"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(answer.header(name), value, "{head:?}");
            }
            let referrer = if head.path.is_empty() {
                "same-origin"
            } else {
                "no-referrer"
            };
            assert_eq!(answer.header("referrer-policy"), referrer, "{head:?}");
            let policy = answer.header("content-security-policy");
            assert!(
                policy.starts_with("default-src 'none'"),
                "{head:?}: {policy}"
            );
            assert!(
                policy.contains("frame-ancestors 'none'"),
                "{head:?}: {policy}"
            );
        }
    });
}

#[test]
fn the_token_is_in_no_output() {
    let admin = Admin::new().token("correct-horse").unwrap();
    assert!(!format!("{admin:?} {:?}", admin.shutdown()).contains("horse"));
    block_on(async {
        let (app, _) = mounted(admin);
        let right = local("GET", "")
            .with("authorization", "Bearer correct-horse")
            .with("accept", "text/html");
        for head in [local("GET", "").with("accept", "text/html"), right] {
            let answer = head.send(&app).await;
            assert!(!format!("{answer:?}").contains("horse"));
        }
    });
}

#[track_caller]
fn check(admin: Admin, table: &[(Head, u16, &str)]) {
    block_on(async {
        let (app, _) = mounted(admin.max_sessions(100).unwrap());
        for (head, status, says) in table {
            let answer = head.send(&app).await;
            assert_eq!(answer.status.as_u16(), *status, "{head:?}: {}", answer.body);
            assert!(answer.body.contains(says), "{head:?}: {}", answer.body);
        }
    });
}

#[test]
fn each_header_that_only_proxies_send_is_refused_and_no_other() {
    const PROXIES: &str = "forwarded x-forwarded x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto \
        x-forwarded-server x-forwarded-prefix x-original-forwarded-for forwarded-for x-http-forwarded-for \
        cf-connecting-ip cf-connecting-ipv6 cf-pseudo-ipv4 cf-ray cf-visitor cf-ipcountry cf-worker true-client-ip x-true-client-ip \
        x-client-ip client-ip http-client-ip x-cluster-client-ip x-real-ip x-envoy-external-address x-envoy-internal \
        x-envoy-original-path cloudfront-viewer-address cloudfront-forwarded-proto x-amz-cf-id x-amzn-trace-id \
        fastly-client-ip fastly-ssl fly-client-ip fly-forwarded-port x-azure-clientip x-azure-socketip x-azure-ref x-arr-log-id \
        x-arr-ssl x-appengine-user-ip x-appengine-remote-addr x-vercel-forwarded-for x-nf-client-connection-ip \
        do-connecting-ip incap-client-ip x-sucuri-clientip akamai-origin-hop x-akamai-edgescape x-varnish via cdn-loop \
        wl-proxy-client-ip proxy-client-ip x-proxyuser-ip x-remote-ip x-remote-addr remote-addr x-original-host x-original-url \
        x-scheme x-url-scheme front-end-https proxy-connection x-source-ip x-host-forwarded x-client-addr";
    const PEERS: &str = "accept accept-encoding accept-language cache-control connection content-type cookie dnt pragma \
        priority sec-ch-ua sec-fetch-dest sec-fetch-mode sec-fetch-user sec-gpc te traceparent upgrade-insecure-requests \
        user-agent x-requested-with x-request-id x-go-pprof";
    block_on(async {
        let (app, _) = mounted(Admin::new());
        for (names, status) in [(PROXIES, 403), (PEERS, 200)] {
            for name in names.split_whitespace() {
                let answer = local("GET", "/events").with(name, "1").send(&app).await;
                assert_eq!(answer.status, status, "{name}");
            }
        }
        let (app, _) = mounted(Admin::new().token("right").unwrap());
        for name in PROXIES.split_whitespace() {
            let request = local("GET", "/events").with("authorization", "Bearer right");
            let answer = request.with(name, "1").send(&app).await;
            assert_eq!(answer.status, 200, "{name}");
        }
    });
}

#[test]
fn http_1_0_is_refused_without_a_token() {
    block_on(async {
        for (admin, version, status) in [
            (Admin::new(), axum::http::Version::HTTP_10, 403),
            (Admin::new(), axum::http::Version::HTTP_09, 403),
            (
                Admin::new().unix_socket(),
                axum::http::Version::HTTP_10,
                403,
            ),
            (Admin::new(), axum::http::Version::HTTP_11, 200),
            (Admin::new(), axum::http::Version::HTTP_2, 200),
            (
                Admin::new().token("right").unwrap(),
                axum::http::Version::HTTP_10,
                200,
            ),
        ] {
            let mut request = super::request("GET", "/events");
            *request.version_mut() = version;
            let token = "Bearer right".parse().unwrap();
            request.headers_mut().insert("authorization", token);
            let answer = read(send(&mounted(admin).0, request).await).await;
            assert_eq!(answer.status, status, "{version:?}: {}", answer.body);
        }
    });
}

#[test]
fn over_a_unix_socket_its_permissions_say_who_may() {
    let events = || local("GET", "/events");
    let table = [
        (events().from(None), 200, ""),
        (events().from(Some("127.0.0.1:1")), 200, ""),
        // Everything else is as it was.
        (events().from(Some("192.0.2.1:1")), 403, "is another"),
        (
            events().from(None).with("x-forwarded-for", "::1"),
            403,
            "a proxy",
        ),
        (events().from(None).to("shop.example"), 403, "an attacker's"),
    ];
    check(Admin::new().unix_socket(), &table);
    let unknown = [(events().from(None), 403, "`Admin::unix_socket`")];
    check(Admin::new(), &unknown);
    let table = [(events().from(None), 401, "a token is needed")];
    check(Admin::new().unix_socket().token("right").unwrap(), &table);
}
