//! Conditions on the values of [`hotprobe`]'s events: `status >= 500 && route != "/health"`.
//!
//! A condition is parsed from a text, bound to an event's parameters before anything is attached,
//! and then evaluated on each firing, without allocating. `Recorder` of `hotprobe-record`, and
//! `Counts`, `Stacks` and `Latency` of `hotprobe-profile`, accept a condition; use this crate by
//! itself in probes of your own.
//!
//! # Quick start
//!
//! ```
//! use hotprobe::{AnyEvent, fire};
//! use hotprobe_filter::Condition;
//!
//! hotprobe::event! { static REQUEST_DONE: fn(route: &str, status: u16, body: &[u8]); }
//!
//! let event: &'static dyn AnyEvent = &REQUEST_DONE;
//! let condition = Condition::parse(r#"status >= 500 && route != "/health""#)?;
//! let bound = condition.bind(event.metadata())?; // a mistake is an error here, not later
//! let probe = event.attach(move |_, values| {
//!     if bound.matches(values) {
//!         println!("{values:?}");
//!     }
//! });
//! fire!(REQUEST_DONE, "/orders", 503, b"busy"); // is printed
//! fire!(REQUEST_DONE, "/orders", 200, b"[]"); // is not
//! # drop(probe);
//! # Ok::<(), hotprobe_filter::FilterError>(())
//! ```
//!
//! # What do you want to do?
//!
//! | task | use |
//! |---|---|
//! | parse a condition | [`Condition::parse`] |
//! | use it for one event | [`Condition::bind`], [`Bound::matches`] |
//! | use it for the events that match a pattern | [`Condition::select`] |
//! | use it where the time of a span is known | [`Condition::bind_with_elapsed`], [`Bound::matches_elapsed`] |
//! | count what it rejects | [`Filter`] |
//!
//! # Grammar
//!
//! | condition | is met if |
//! |---|---|
//! | `status >= 500` | the value is at least 500; also `==`, `!=`, `<`, `<=`, `>` |
//! | `route == "/orders"` | the text is this one; texts are ordered by their bytes |
//! | `symbol in ("A", "B")` | the value is one of these |
//! | `path matches "/orders/*"` | the whole text matches; `*` matches any text |
//! | `error contains "timeout"` | the value's text contains this one |
//! | `len(body) > 1k` | the length in bytes, of a text or of bytes |
//! | `cached` | the boolean is true; the same as `cached == true` |
//! | `sample(1/100 by id)` | the value of `id` is in the sample: one of a hundred values |
//! | `elapsed > 250ms` | the span took longer; for sessions that see its begin and its end |
//! | `!a`, `a && b`, `a \|\| b`, `(a)` | not `a`; both; one or both; `!` binds before `&&`, and `&&` before `\|\|` |
//!
//! ```text
//! condition = all { "||" all }
//! all       = factor { "&&" factor }
//! factor    = "!" factor | "(" condition ")" | test
//! test      = operand ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) literal
//!           | operand "in" "(" literal { "," literal } ")"
//!           | name ( "matches" | "contains" ) text
//!           | name
//!           | "sample" "(" integer "/" integer "by" name ")"
//! operand   = name | "len" "(" name ")" | "elapsed"
//! literal   = number | duration | text | "true" | "false"
//! number    = [ "-" ] digits [ "." digits ] [ "k" | "M" | "G" | exponent ]
//! duration  = digits [ "." digits ] ( "ns" | "us" | "ms" | "s" )
//! ```
//!
//! * `!` applies to the whole test after it: `!status == 500` is `!(status == 500)`.
//! * `k`, `M` and `G` are 1,000, a million and a billion. `1.5k` is 1500. Digits may be grouped:
//!   `1_000_000`.
//! * A text is in double or single quotes, with the escapes of Rust: `\n`, `\r`, `\t`, `\0`, `\\`,
//!   `\'`, `\"`, `\x7F`, `\u{1F980}`.
//! * A name is that of a parameter, and may have dots. A name with other characters, and a
//!   parameter called `elapsed`, are written in backquotes: `` `elapsed` ``.
//! * A text has at most [`MAX_CONDITION_BYTES`], and `!` and parentheses are nested at most
//!   [`MAX_DEPTH`] deep.
//!
//! # Meaning
//!
//! * **Integers are compared by value**, whatever their types, and exactly with floats. With a
//!   32-bit float, a number that has a decimal point is rounded to 32 bits, as in Rust.
//! * **A value that is missing makes its comparison false**, whatever the operator: `status != 200`
//!   is not met by a firing without `status`, and neither is `status == 200`. A value is missing if
//!   it is [`Absent`](hotprobe::Value::Absent) (the `None` of an `Option`), NaN, or of another kind
//!   than the condition asks for. `!` inverts what is inside: `!(status == 200)` is met.
//! * **Texts** are texts, characters, bytes, and what a type's `Display` or `Debug` writes, up to
//!   [`MAX_TEXT_BYTES`]: a longer one is missing, as is one whose implementation fails or panics.
//!   (An enum's `Debug` is its variant's name: `method == "Get"`.) `len` needs a text, bytes, or a
//!   `Display`.
//! * **A duration** is compared with `elapsed`, or with a parameter that is a number of
//!   nanoseconds. A parameter whose name ends with `_us`, `_ms`, `_s` or the like is refused: it
//!   has another unit.
//! * **A sample** is chosen by the value: the same values are selected in every process, on every
//!   machine, and for every event. So `sample(1/100 by request)` selects whole requests. The
//!   value's text is hashed by 64-bit FNV-1a, and `k/n` selects it if the hash modulo `n` is less
//!   than `k`.
//! * **A parameter marked `#[redact]`** cannot be used.
//!
//! # Mistakes
//!
//! ```text
//! `shop::DONE` has no parameter `statsu`; did you mean `status`? it has `id: u64`, `status: u16`
//!     statsu >= 500 && id != 7
//!     ^^^^^^
//! ```
//!
//! Binding finds names that are wrong, and comparisons that no value can meet: of a number with a
//! text, for example. For parameters of types that are not built in, any comparison is accepted.
//!
//! # Features
//!
//! | feature | adds |
//! |---|---|
//! | `serde` | `Serialize` and `Deserialize` for [`Condition`], as its text |
//!
//! The crate reads no environment variables.
//!
//! # Cost
//!
//! A condition stops at the first part that decides. `status >= 500 && route != "/health"` adds
//! 16 ns to a firing that it rejects by the status, 21 ns by the route, counting included: the
//! best slices of `cargo benches --bench filter`, on two shared virtual cores of an Intel Xeon
//! (model 207). Beside other load on the same cores, typical times were four times as high.
//!
//! # The code, in reading order
//!
//! 1. `condition.rs`: [`Condition`], and [`Selection`].
//! 2. `parser.rs`: the grammar. `expression.rs`: the tree that it returns, and its text.
//! 3. `bind.rs`: from names to indexes, and the check of types.
//! 4. `bound.rs`: [`Bound`], what is evaluated. `number.rs` and `text.rs`: comparisons.
//! 5. `filter.rs`: [`Filter`], conditions with counts. `error.rs`: the errors, with their carets.

mod bind;
mod bound;
mod condition;
mod error;
mod expression;
mod filter;
mod number;
mod parser;
mod text;

pub use bound::Bound;
pub use condition::{Condition, Selection};
pub use error::{BindError, FilterError, ParseError};
pub use filter::Filter;

/// The longest condition, in bytes; also of the text that its `Display` writes.
pub const MAX_CONDITION_BYTES: usize = 4096;

/// How deeply `!` and parentheses of a condition can be nested.
pub const MAX_DEPTH: usize = 64;

/// How much is read of what a `Display` or `Debug` writes, in bytes. A value that writes more is
/// missing.
pub const MAX_TEXT_BYTES: usize = 65_536;
