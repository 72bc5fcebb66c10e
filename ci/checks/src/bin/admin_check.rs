//! A server with `/debug/probes`, and something to see: `admin_check [TOKEN]` prints its address,
//! and serves until its standard input ends.

use hotprobe::fire;
use hotprobe_admin::{Admin, router};
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

mod shop {
    hotprobe::event! {
        /// An order has been placed, for <b>ever</b>.
        pub static PLACED: fn(order: u64, symbol: &str, #[redact] card: &str);
        /// It has been filled.
        pub static FILLED: fn(order: u64);
        pub static CANCELLED: fn(order: u64, reason: Option<&'static str>);
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut admin = Admin::new();
    if let Some(token) = std::env::args().nth(1) {
        admin = admin.token(token)?;
    }
    let shutdown = admin.shutdown();
    // One that answers both with and without the slash, and one that does not.
    let app = axum::Router::<()>::new()
        .route("/", axum::routing::get(|| async { "the shop" }))
        .nest_service("/debug/probes", router(admin))
        .nest("/nested/probes", router(Admin::new()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}", listener.local_addr()?);
    tokio::spawn(async {
        for order in 0.. {
            fire!(shop::PLACED, order, "ACME", "4711-secret");
            tokio::time::sleep(Duration::from_millis(5)).await;
            fire!(shop::FILLED, order);
        }
    });
    let end = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    let begin = shutdown.clone();
    let server = axum::serve(
        listener,
        app.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .with_graceful_shutdown(async move {
        let _ = end.await;
        begin.begin();
    });
    let result = shutdown.serve(server, Duration::from_secs(10)).await;
    Ok(result.unwrap_or(Ok(()))?)
}
