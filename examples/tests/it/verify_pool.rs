//! The `verify_pool` example, as its user runs it.

use crate::hello::example;
use std::process::Command;

#[test]
fn the_lost_wake_up_is_found_and_the_fixed_pool_passes() {
    let output = Command::new(example("verify_pool"))
        .env("NO_COLOR", "1")
        .output()
        .expect("it runs");
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "",
        "no panic is printed"
    );
    for expected in [
        "== the planted bug, held at two points:\ndeadlock: nothing came on stream \"b\" for 700 ms\n",
        "   awaited Taken\n",
        "== the planted bug, explored:\ndeadlock: a joined thread has not ended, and nothing happened for 700 ms\n",
        "== fixed:\nverify: 6 runs of 5 events pass\nheld at two points: passes\nexplore: 100 runs pass, ",
    ] {
        assert!(printed.contains(expected), "no {expected:?} in:\n{printed}");
    }
    assert!(
        printed.lines().all(|line| line.chars().count() <= 100),
        "{printed}"
    );
}
