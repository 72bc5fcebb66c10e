//! Here the crate has another name.

#![deny(warnings, missing_docs)]

use probes::{Batch, fire};

probes::event! {
    /// About to greet `who`.
    pub static HELLO: fn(who: &str, #[redact] token: &str);
    /// Only this crate fires it.
    pub static STORED: pub(crate) for<'a> fn(id: &'a u64);
}

/// Greets.
pub fn greet(who: &str) {
    fire!(HELLO, who, "secret");
    probes::fire!(STORED, &1);
}

/// Probes both.
pub fn probe() -> probes::ProbeGroup {
    let mut batch = Batch::new();
    HELLO.attach_in(&mut batch, |_, _| ());
    STORED.attach_in(&mut batch, |_| ());
    batch.commit()
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_in_cargo_toml_is_free() {
        let group = super::probe();
        super::greet("JP");
        assert_eq!(group.len(), 2);
        assert_eq!(super::HELLO.name(), "renamed::HELLO");
    }
}
