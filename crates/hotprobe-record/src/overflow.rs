//! What happens when a buffer is full.

/// What happens when a thread's buffer is full.
///
/// ```
/// use hotprobe_record::Overflow;
/// assert_eq!(Overflow::default(), Overflow::DropNewest);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Overflow {
    /// The new record is lost, and counted.
    #[default]
    DropNewest,
    /// The oldest records are overwritten, and counted as lost: a flight recorder, which keeps the
    /// last seconds.
    OverwriteOldest,
}
