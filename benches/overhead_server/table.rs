//! The table, and what follows from it.

use crate::latencies::micros;
use crate::rounds::{Measured, Slice};
use crate::variant::Variant;

/// Ratios of all rounds, in order.
struct Ratios(Vec<f64>);

impl Ratios {
    /// Of this to that, round by round. None if a round has none.
    fn of(this: &[Slice], that: &[Slice], what: What) -> Option<Self> {
        let pairs = this.iter().zip(that);
        let ratio = |(this, that)| Some((what.of)(this)? / (what.of)(that)?);
        let mut ratios: Vec<f64> = pairs.map(ratio).collect::<Option<_>>()?;
        ratios.sort_by(f64::total_cmp);
        Some(Self(ratios))
    }

    fn quantile(&self, quantile: f64) -> f64 {
        self.0[nearest((self.0.len() - 1) as f64 * quantile, self.0.len())]
    }

    /// Where the median of such ratios lies, with a confidence of 99 %, however they are
    /// distributed: in half of the rounds, give or take, a ratio is below it (2.576 standard
    /// deviations of a coin's tosses).
    fn interval(&self) -> (f64, f64) {
        let n = self.0.len();
        let wide = 2.576 * (n as f64).sqrt() / 2.0;
        let low = nearest((n as f64 / 2.0 - wide).floor(), n);
        (self.0[low], self.0[n - 1 - low])
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an index: made one here"
)]
fn nearest(index: f64, len: usize) -> usize {
    (index.round().max(0.0) as usize).min(len - 1)
}

/// What is compared of a slice.
#[derive(Clone, Copy)]
struct What {
    name: &'static str,
    of: fn(&Slice) -> Option<f64>,
    print: fn(f64) -> String,
}

const THROUGHPUT: What = What {
    name: "requests/s",
    of: |slice| Some(slice.throughput),
    print: |each| format!("{each:.0}"),
};
const P99: What = What {
    name: "p99 µs",
    of: |slice| Some(slice.p99),
    print: in_micros,
};
const CPU: What = What {
    name: "server's CPU µs/request",
    of: |slice| slice.cpu,
    print: |nanos| format!("{:.2}", nanos / 1000.0),
};

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a time, well below 2^53 ns"
)]
fn in_micros(nanos: f64) -> String {
    micros(nanos as u64)
}

/// Prints it all, and whether it contradicts what is promised.
pub(crate) fn print(all: &[Measured; Variant::ALL.len()]) {
    let none = &all[Variant::None as usize].slices;
    println!(
        "\n{:<24} {:<8} {:>9} {:>8} {:>17} {:>17}",
        "", "", "median", "ratio", "quartiles", "99 % interval"
    );
    for what in [THROUGHPUT, P99, CPU] {
        for variant in Variant::ALL {
            let slices = &all[variant as usize].slices;
            let mut each: Vec<f64> = slices.iter().filter_map(what.of).collect();
            each.sort_by(f64::total_cmp);
            let Some(median) = each.get(each.len() / 2) else {
                continue;
            };
            print!(
                "{:<24} {:<8} {:>9}",
                what.name,
                variant.name(),
                (what.print)(*median)
            );
            match Ratios::of(slices, none, what) {
                Some(ratios) if variant != Variant::None => {
                    let (low, high) = ratios.interval();
                    println!(
                        " {:>8.3} {:>17} {:>17}",
                        ratios.quantile(0.5),
                        span(ratios.quantile(0.25), ratios.quantile(0.75)),
                        span(low, high)
                    );
                }
                _ => println!(),
            }
        }
    }
    println!(
        "\nratio: to 'none' in the same round; its median, its quartiles, and where the median lies with 99 % confidence"
    );
    for variant in Variant::ALL {
        let ratios = Ratios::of(&all[variant as usize].slices, none, THROUGHPUT);
        let Some((allowed, ratios)) = variant.allowed().zip(ratios) else {
            continue;
        };
        let (low, high) = ratios.interval();
        let verdict = if high < 1.0 - allowed {
            "CONTRADICTED: the whole interval is below that"
        } else if low >= 1.0 - allowed {
            "shown: the whole interval is"
        } else {
            "not contradicted, nor shown: it lies in the interval"
        };
        println!(
            "{:<8} keeps at least {:.0} % of the throughput: {verdict}",
            variant.name(),
            (1.0 - allowed) * 100.0
        );
        if variant == Variant::Off && (low..=high).contains(&1.0) {
            println!("off      no cost was measurable: the interval contains 1");
        }
    }
}

fn span(low: f64, high: f64) -> String {
    format!("{low:.3} to {high:.3}")
}
