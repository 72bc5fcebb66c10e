//! Orderings, and which is weaker than which.

use std::fmt;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Relaxed,
    Acquire,
    Release,
    AcqRel,
    SeqCst,
}

impl Order {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "rlx" => Self::Relaxed,
            "acq" => Self::Acquire,
            "rel" => Self::Release,
            "acqrel" => Self::AcqRel,
            "sc" => Self::SeqCst,
            _ => return None,
        })
    }

    /// The name in Rust.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Relaxed => "Relaxed",
            Self::Acquire => "Acquire",
            Self::Release => "Release",
            Self::AcqRel => "AcqRel",
            Self::SeqCst => "SeqCst",
        }
    }

    pub(crate) fn acquires(self) -> bool {
        matches!(self, Self::Acquire | Self::AcqRel | Self::SeqCst)
    }

    pub(crate) fn releases(self) -> bool {
        matches!(self, Self::Release | Self::AcqRel | Self::SeqCst)
    }

    pub(crate) fn is_at_least(self, other: Self) -> bool {
        (self.acquires() || !other.acquires())
            && (self.releases() || !other.releases())
            && (self == Self::SeqCst || other != Self::SeqCst)
    }

    /// The weakest that is at least both.
    fn join(self, other: Self) -> Self {
        if self.is_at_least(other) {
            self
        } else if other.is_at_least(self) {
            other
        } else {
            Self::AcqRel
        }
    }
}

/// What an access is: that decides which orderings it can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Load,
    Store,
    /// A read-modify-write.
    Update,
    /// A compare-exchange, with an ordering for the case that it fails.
    Exchange,
    /// A fence, or one side of a pair of light and heavy barriers.
    Fence,
    /// The same, as a slot that has no weak fences.
    Barrier,
}

impl Kind {
    /// All that a slot can have.
    pub(crate) fn strengths(self) -> Vec<Strength> {
        use Order::{AcqRel, Acquire, Relaxed, Release, SeqCst};
        let orders = match self {
            Self::Load => vec![Relaxed, Acquire, SeqCst],
            Self::Store => vec![Relaxed, Release, SeqCst],
            Self::Update | Self::Exchange => vec![Relaxed, Acquire, Release, AcqRel, SeqCst],
            Self::Fence => vec![Acquire, Release, AcqRel, SeqCst],
            Self::Barrier => vec![SeqCst],
        };
        let others = match self {
            Self::Fence => vec![Strength::Absent],
            Self::Barrier => vec![Strength::Absent, Strength::Light, Strength::Heavy],
            _ => vec![],
        };
        let orders = orders.into_iter().map(|order| match self {
            Self::Exchange => Strength::Exchange(order, Relaxed),
            _ => Strength::Order(order),
        });
        others.into_iter().chain(orders).collect()
    }
}

/// The ordering of an access or a barrier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strength {
    /// No fence.
    Absent,
    Order(Order),
    /// Of a compare-exchange: if it succeeds, and if it fails.
    Exchange(Order, Order),
    Light,
    Heavy,
}

impl Strength {
    /// The ordering of a read or write that succeeds.
    pub(crate) fn order(self) -> Order {
        match self {
            Self::Order(order) | Self::Exchange(order, _) => order,
            Self::Absent | Self::Light | Self::Heavy => Order::Relaxed,
        }
    }

    pub(crate) fn order_on_failure(self) -> Order {
        match self {
            Self::Exchange(_, order) => order,
            _ => Order::Relaxed,
        }
    }

    /// All that are weaker by one step.
    pub(crate) fn weaker(self, kind: Kind) -> Vec<Self> {
        use Order::{AcqRel, Acquire, Relaxed, Release, SeqCst};
        let of = |order: Order| match (kind, order) {
            (Kind::Load, SeqCst) => vec![Acquire],
            (Kind::Store, SeqCst) => vec![Release],
            (_, SeqCst) => vec![AcqRel],
            (_, AcqRel) => vec![Acquire, Release],
            (_, Acquire | Release) => vec![Relaxed],
            (_, Relaxed) => vec![],
        };
        match (self, kind) {
            (Self::Order(Acquire | Release | Relaxed) | Self::Light, Kind::Fence) => {
                vec![Self::Absent]
            }
            (Self::Heavy, _) => vec![Self::Order(SeqCst)],
            (Self::Absent | Self::Light, _) => vec![],
            (Self::Order(order), _) => of(order).into_iter().map(Self::Order).collect(),
            (Self::Exchange(order, failure), _) => {
                let successes = of(order).into_iter();
                let failures = match failure {
                    SeqCst => Some(Acquire),
                    Acquire => Some(Relaxed),
                    _ => None,
                };
                successes
                    .map(|order| Self::Exchange(order, failure))
                    .chain(failures.map(|failure| Self::Exchange(order, failure)))
                    .collect()
            }
        }
    }

    pub(crate) fn is_at_least(self, other: Self) -> bool {
        match (self, other) {
            (Self::Order(a), Self::Order(b)) => a.is_at_least(b),
            (Self::Exchange(a, b), Self::Exchange(c, d)) => a.is_at_least(c) && b.is_at_least(d),
            (_, Self::Absent) | (Self::Heavy, _) | (Self::Light, Self::Light) => true,
            _ => false,
        }
    }

    pub(crate) fn join(self, other: Self) -> Self {
        match (self, other) {
            (Self::Order(a), Self::Order(b)) => Self::Order(a.join(b)),
            _ if self.is_at_least(other) => self,
            _ if other.is_at_least(self) => other,
            _ => Self::Heavy,
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("none"),
            Self::Order(order) | Self::Exchange(order, Order::Relaxed) => {
                write!(f, "`{}`", order.name())
            }
            Self::Exchange(order, failure) => {
                write!(f, "`{}`, on failure `{}`", order.name(), failure.name())
            }
            Self::Light => f.write_str("light barrier"),
            Self::Heavy => f.write_str("heavy barrier"),
        }
    }
}
