//! Measured values by name, and the lines that pass them from one process to another.

use std::collections::BTreeMap;

/// All values measured so far.
#[derive(Debug, Default)]
pub(crate) struct Values(BTreeMap<String, Vec<(f64, f64)>>);

impl Values {
    /// Adds the values that [`print`] wrote. Skips other lines.
    pub(crate) fn read(&mut self, text: &str) {
        for line in text.lines() {
            let mut words = line.split_whitespace();
            if let (Some(name), Some(Ok(best)), Some(Ok(median))) = (
                words.next(),
                words.next().map(str::parse),
                words.next().map(str::parse),
            ) {
                let each = self.0.entry(name.into()).or_default();
                each.push((best, median));
            }
        }
    }

    /// Returns the best of all processes and places.
    pub(crate) fn best(&self, name: &str) -> Option<f64> {
        let each = self.0.get(name)?.iter().map(|value| value.0);
        each.min_by(f64::total_cmp)
    }

    /// Returns the median of their medians.
    pub(crate) fn typical(&self, name: &str) -> Option<f64> {
        let mut each: Vec<f64> = self.0.get(name)?.iter().map(|value| value.1).collect();
        each.sort_by(f64::total_cmp);
        Some(each[each.len() / 2])
    }
}

/// Prints one value of this process: its best, and its median.
pub(crate) fn print(name: &str, best: f64, median: f64) {
    println!("{name} {best:.4} {median:.4}");
}

/// Prints a value that is the same each time.
pub(crate) fn print_exact(name: &str, value: f64) {
    print(name, value, value);
}
