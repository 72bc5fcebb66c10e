//! Bugs planted in the reports to the oracle, or in the order of calls: it must notice them.

use crate::oracle::Rule;
use std::str::FromStr;

/// A planted bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    /// A probe is recorded as synchronized before it is even detached.
    LateCall,
    /// Firings are recorded as waited for when nobody has waited.
    NoWait,
    /// A detach is written down before it is made.
    EarlyStamp,
    /// A probe is recorded as attached when it is not.
    LostAttach,
    /// A group of probes that were attached one by one is recorded as a batch.
    TwoInstants,
    /// The order of two probes is written down the wrong way round.
    WrongOrder,
    /// A captured value is dropped where nobody has detached its probe.
    DroppedUndetached,
    /// A captured value is dropped twice.
    DroppedTwice,
    /// A probe is leaked.
    Leak,
    /// A panic is not written down.
    UncountedPanic,
    /// Two threads write to one place without synchronization. For a race detector: this oracle
    /// cannot see it.
    Race,
}

impl Plant {
    /// Those which the oracle must find.
    pub(crate) const ALL: &[(&str, Self)] = &[
        ("late-call", Self::LateCall),
        ("no-wait", Self::NoWait),
        ("early-stamp", Self::EarlyStamp),
        ("lost-attach", Self::LostAttach),
        ("two-instants", Self::TwoInstants),
        ("wrong-order", Self::WrongOrder),
        ("dropped-undetached", Self::DroppedUndetached),
        ("dropped-twice", Self::DroppedTwice),
        ("leak", Self::Leak),
        ("uncounted-panic", Self::UncountedPanic),
    ];

    /// How long its run is to be. Most end at once, when the oracle has seen them.
    pub(crate) fn seconds(self) -> f64 {
        match self {
            // Seen at the end. (A leak ends its run.)
            Self::UncountedPanic => 0.5,
            _ => 20.0,
        }
    }

    /// The rule that is broken.
    pub(crate) fn breaks(self) -> Rule {
        match self {
            Self::LateCall => Rule::NeverAfterSynchronize,
            Self::NoWait => Rule::WaitsForFirings,
            Self::EarlyStamp => Rule::NeverAfterDetach,
            Self::LostAttach => Rule::AttachedIsCalled,
            Self::TwoInstants => Rule::OneInstant,
            Self::WrongOrder => Rule::AttachOrder,
            Self::DroppedUndetached => Rule::DroppedInPlace,
            Self::DroppedTwice => Rule::DroppedOnce,
            Self::Leak => Rule::NothingLeft,
            Self::UncountedPanic => Rule::ExactCounts,
            Self::Race => Rule::Ends,
        }
    }
}

impl FromStr for Plant {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let race = ("race", Self::Race);
        let mut all = Self::ALL.iter().chain([&race]);
        match all.find(|(known, _)| *known == name) {
            Some(&(_, plant)) => Ok(plant),
            None => Err(format!("there is no planted bug `{name}`")),
        }
    }
}
