//! A histogram's buckets, as Prometheus has them.

use crate::LabelLatency;

/// In seconds.
const BOUNDS: [f64; 25] = [
    1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2,
    5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0,
];

/// Returns each bound with the number of pairs between the bound before and this one; the last is
/// infinite.
pub(super) fn buckets(label: &LabelLatency) -> Vec<(f64, u64)> {
    let mut buckets = Vec::with_capacity(BOUNDS.len() + 1);
    let mut values = label.histogram().iter_recorded().peekable();
    for bound in BOUNDS.into_iter().chain([f64::INFINITY]) {
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "beyond u64 there is nothing more"
        )]
        let nanoseconds = (bound * 1e9).round() as u64;
        let mut count = 0;
        while let Some(value) = values.peek() {
            // What cannot be told from the bound counts as below.
            let lowest = label
                .histogram()
                .lowest_equivalent(value.value_iterated_to());
            if lowest > nanoseconds {
                break;
            }
            count += value.count_at_value();
            values.next();
        }
        buckets.push((bound, count));
    }
    buckets
}
