//! Times as packets have them: differences, which are short.

use super::proto::BOOTTIME;

/// A time in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timestamp {
    /// Nanoseconds since the last packet that has such a time.
    Since(u64),
    /// Nanoseconds since the recording started, for what is earlier than that: clocks step back,
    /// and some slices are written late.
    At(u64),
}

impl Timestamp {
    pub(crate) const fn number(self) -> u64 {
        match self {
            Self::Since(time) | Self::At(time) => time,
        }
    }

    /// Returns the number of its clock, if that is not the default.
    pub(crate) const fn clock(self) -> Option<u32> {
        match self {
            Self::Since(_) => None,
            Self::At(_) => Some(BOOTTIME),
        }
    }
}

/// The time from which the next difference counts.
#[derive(Debug, Default)]
pub(crate) struct PacketClock {
    last: u64,
}

impl PacketClock {
    /// Returns the time for a packet that is about to be written.
    pub(crate) fn stamp(&mut self, time: u64) -> Timestamp {
        let stamp = self.peek(time);
        self.written(time);
        stamp
    }

    /// Returns the time for a packet that may not be written, and changes nothing.
    pub(crate) const fn peek(&self, time: u64) -> Timestamp {
        match time.checked_sub(self.last) {
            Some(since) => Timestamp::Since(since),
            None => Timestamp::At(time),
        }
    }

    /// Notes that a packet with the time that [`peek`](Self::peek) returned is written.
    pub(crate) fn written(&mut self, time: u64) {
        self.last = self.last.max(time);
    }
}
