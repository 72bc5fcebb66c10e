//! What can be observed of a queue.

hotprobe::event! {
    /// An item has been appended; `len` items were there then.
    pub static PUSHED: pub(crate) fn(len: usize, capacity: usize);
    /// The first item has been taken; `left` were left.
    pub static POPPED: pub(crate) fn(left: usize);
    /// An item has been refused.
    pub static FULL: pub(crate) fn(capacity: usize);
}

macro_rules! step {
    ($event:ident, $($argument:expr),*) => { hotprobe::fire!($crate::events::$event, $($argument),*) };
}
