//! It works mounted at any path, in a router of any state.

use super::{Answer, block_on, read, request, send};
use axum::Router;
use axum::extract::ConnectInfo;
use axum::http::{Request, Uri};
use axum::routing::get;
use hotprobe_admin::{Admin, router};
use std::net::SocketAddr;

async fn at(app: &Router, path: &str) -> Answer {
    let mut request = request("GET", "");
    *request.uri_mut() = path.parse::<Uri>().unwrap();
    read(send(app, request).await).await
}

#[test]
fn each_way_to_mount_it_answers_the_page_and_the_endpoints() {
    #[derive(Clone)]
    struct Shop;
    let admin = || router(Admin::new());
    let deep = Router::new().nest("/b", router(Admin::new()));
    // Where it is mounted, and at which of its own paths.
    let apps: [(Router, &str, &[&str]); 6] = [
        (
            Router::new().nest("/debug/probes", admin()),
            "/debug/probes",
            &["", "/events", "/events/", "/stats"],
        ),
        (
            Router::new().nest("/debug/probes/", admin()),
            "/debug/probes",
            &["/", "/events", "/events/", "/stats"],
        ),
        (
            Router::new().nest_service("/debug/probes", router(Admin::new())),
            "/debug/probes",
            &["", "/", "/events", "/events/"],
        ),
        (
            Router::new()
                .route("/", get(|| async { "shop" }))
                .nest("/a", deep)
                .with_state(Shop),
            "/a/b",
            &["", "/events", "/metrics/"],
        ),
        (
            Router::<Shop>::new()
                .nest("/{tenant}/probes", router(Admin::new()))
                .with_state(Shop),
            "/t/probes",
            &["", "/events"],
        ),
        (
            Router::new().merge(admin()),
            "",
            &["/", "/events", "/stats/"],
        ),
    ];
    block_on(async {
        for (app, prefix, paths) in apps {
            for path in paths {
                let answer = at(&app, &format!("{prefix}{path}")).await;
                assert_eq!(
                    answer.status.as_u16(),
                    200,
                    "{prefix}{path}: {}",
                    answer.body
                );
            }
        }
    });
}

#[test]
fn the_links_of_the_page_lead_to_its_endpoints_wherever_it_is_mounted() {
    block_on(async {
        for (app, page) in [
            (
                Router::new().nest("/debug/probes", router(Admin::new())),
                "/debug/probes?match=x",
            ),
            (
                Router::new().nest("/debug/probes/", router(Admin::new())),
                "/debug/probes/",
            ),
            (Router::new().nest_service("/x", router(Admin::new())), "/x"),
            (
                Router::new().nest_service("/x", router(Admin::new())),
                "/x/",
            ),
            (Router::new().merge(router(Admin::new())), "/"),
        ] {
            let answer = at(&app, page).await;
            let base = between(&answer.body, "<base href=\"", "\"");
            let path = page.split('?').next().unwrap();
            // As a browser resolves it.
            let folder = &path[..=path.rfind('/').unwrap()];
            let folder = format!("{folder}{}", base.strip_prefix("./").unwrap());
            let events = at(&app, &format!("{folder}events")).await;
            assert_eq!(events.status.as_u16(), 200, "{folder} from {page}");
        }
    });
}

#[test]
fn another_route_of_the_server_is_not_touched() {
    block_on(async {
        let app: Router = Router::new()
            .route("/", get(|| async { "shop" }))
            .nest("/debug/probes", router(Admin::new()));
        let mut request = Request::get("/").body(axum::body::Body::empty()).unwrap();
        let far = SocketAddr::from(([192, 0, 2, 1], 1));
        request.extensions_mut().insert(ConnectInfo(far));
        let answer = read(send(&app, request).await).await;
        assert_eq!(answer.body, "shop");
        assert_eq!(answer.header("content-security-policy"), "");
    });
}

fn between<'a>(text: &'a str, begin: &str, end: &str) -> &'a str {
    text.split_once(begin).unwrap().1.split_once(end).unwrap().0
}
