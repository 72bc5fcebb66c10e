//! A function that was found.

/// A function at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::stacks) struct FoundFunction {
    /// The demangled name, without the compiler's hash.
    pub(in crate::stacks) name: String,
    /// The name that the linker uses.
    pub(in crate::stacks) system_name: String,
    /// The source file; empty if it is not known.
    pub(in crate::stacks) file: String,
    /// The line, from 1; 0 if it is not known.
    pub(in crate::stacks) line: u32,
}
