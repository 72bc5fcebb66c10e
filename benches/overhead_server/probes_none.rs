//! In place of `probes.rs`, where a feature that it needs is not there.

use std::time::Duration;

/// How many would be compared.
pub(crate) const VARIANTS: usize = 3;

pub(crate) fn run(_: usize, _: Duration, _: usize) -> Result<bool, String> {
    Err(
        "--probes: this program was built without what it measures; build one with it: \
         cargo run --release --features axum,record --example overhead_server -- --probes"
            .to_owned(),
    )
}
