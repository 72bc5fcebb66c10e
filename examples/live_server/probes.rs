//! `/debug/probes` in the server that `--serve` runs.

use axum::Router;
use hotprobe_admin::{Admin, Shutdown, router};
use std::net::SocketAddr;

const PATH: &str = "/debug/probes";

/// The page and its endpoints, mounted.
pub(crate) struct Probes(Shutdown);

impl Probes {
    /// Mounts the page, open to clients on this machine.
    pub(crate) fn mount(routes: Router) -> (Router, Self) {
        let admin = Admin::new().version(env!("CARGO_PKG_VERSION"));
        let shutdown = admin.shutdown();
        let routes = routes.nest_service(PATH, router(admin));
        (routes, Self(shutdown))
    }

    /// Prints the page's address.
    pub(crate) fn say(address: SocketAddr) {
        println!("look into it: http://{address}{PATH}");
    }

    /// Ends open sessions, so that the server can stop.
    pub(crate) fn end(&self) {
        self.0.begin();
    }
}
