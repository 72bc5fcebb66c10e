//! Nothing: built without `probes`.

macro_rules! step {
    ($event:ident, $($argument:expr),*) => {{ $(let _ = $argument;)* }};
}
