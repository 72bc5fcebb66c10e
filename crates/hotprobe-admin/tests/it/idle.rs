//! What it costs to have it mounted.

use super::{block_on, eventually, get, mounted};
use crate::alloc::live_bytes;
use hotprobe_admin::Admin;

mod probed {
    hotprobe::event! { pub static TICK: fn(); }
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(0, Iterator::count)
}

#[test]
fn mounted_and_idle_it_has_no_thread_no_task_and_hardly_any_memory() {
    test_support::isolated(
        "idle::mounted_and_idle_it_has_no_thread_no_task_and_hardly_any_memory",
        || {
            let threads_before = threads();
            let before = live_bytes();
            let (app, shutdown) = mounted(Admin::new());
            let mounted_bytes = live_bytes() - before;
            assert!(mounted_bytes < 256 << 10, "{mounted_bytes} bytes");
            assert_eq!(threads(), threads_before);
            block_on(async {
                let tasks = || {
                    tokio::runtime::Handle::current()
                        .metrics()
                        .num_alive_tasks()
                };
                let tasks_before = tasks();
                // Once, so that what is allocated once is.
                let each = async || {
                    for path in [
                        "",
                        "/events",
                        "/stats",
                        "/metrics",
                        "/tail?match=*::idle::probed::*&limit=1&seconds=0.2",
                    ] {
                        get(&app, path).await.says(200);
                    }
                    eventually("the session is over", || shutdown.open_sessions() == 0).await;
                };
                each().await;
                let used = live_bytes();
                for _ in 0..20 {
                    each().await;
                }
                // (What has been detached is reclaimed by the next call.)
                eventually("nothing is left", || {
                    hotprobe::reclaim();
                    let grown = live_bytes() - used;
                    tasks() == tasks_before && grown < 64 << 10
                })
                .await;
                assert_eq!(probed::TICK.probe_count(), 0);
            });
        },
    );
}
