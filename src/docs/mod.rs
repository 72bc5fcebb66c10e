//! Why it is built so, what it guarantees, where its limits are: pages with running code.

pub mod performance {
    //! Where each nanosecond goes.
}
