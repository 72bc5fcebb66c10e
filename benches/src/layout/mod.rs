//! Floors and ours, in one place of the program's memory.

pub mod floors;
pub mod ours;
