//! The method: all subjects of a group in turn, in slices of 0.1 ms, for many rounds. Other load
//! then affects all of them, and slices are so short that some are not disturbed.

use crate::Subject;
use std::time::{Duration, Instant};

/// The duration of one slice.
const SLICE: Duration = Duration::from_micros(100);

/// Nanoseconds of one operation.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The 5th percentile of the slices: undisturbed.
    pub best: f64,
    /// The median of the slices.
    pub median: f64,
}

/// Measures `subjects` in turn, `rounds` times.
#[must_use]
pub fn interleave(subjects: &[Subject], rounds: usize) -> Vec<Figures> {
    let iterations: Vec<u64> = subjects.iter().map(calibrate).collect();
    let mut slices: Vec<Vec<f64>> = vec![Vec::with_capacity(rounds); subjects.len()];
    for round in 0..rounds {
        // Not always after the same neighbour.
        for turn in 0..subjects.len() {
            let n = (turn * (1 + 2 * (round % 3)) + round) % subjects.len();
            let operations = iterations[n] as f64 * f64::from(subjects[n].per_iteration);
            slices[n].push(time(&subjects[n], iterations[n]).as_nanos() as f64 / operations);
        }
    }
    slices.into_iter().map(figures).collect()
}

/// Returns the figures of slices.
///
/// # Panics
/// If there is none.
#[must_use]
pub fn figures(mut slices: Vec<f64>) -> Figures {
    slices.sort_by(f64::total_cmp);
    Figures {
        best: slices[slices.len() / 20],
        median: slices[slices.len() / 2],
    }
}

fn time(subject: &Subject, iterations: u64) -> Duration {
    let start = Instant::now();
    (subject.run)(iterations);
    start.elapsed()
}

/// How many iterations a slice takes.
fn calibrate(subject: &Subject) -> u64 {
    let mut iterations = 16;
    loop {
        let time = (0..3)
            .map(|_| time(subject, iterations))
            .min()
            .unwrap_or_default();
        if time >= SLICE / 4 {
            let exact = iterations as f64 * SLICE.as_secs_f64() / time.as_secs_f64();
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a positive number of iterations"
            )]
            return (exact as u64).max(1);
        }
        iterations *= 2;
    }
}
