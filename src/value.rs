//! The arguments of dynamic probes: [`Value`], and the conversion from each type.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::num::NonZero;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

/// An argument of a firing, as a dynamic probe sees it.
///
/// It borrows from the firing, and making it allocates nothing. The kind of value depends on the
/// parameter's type; any number of references is followed:
///
/// | type | value |
/// |---|---|
/// | `bool`, `char` | [`Bool`](Self::Bool), [`Char`](Self::Char) |
/// | `u8` to `u64`, `usize`, and `NonZero` of them | [`U64`](Self::U64) |
/// | `i8` to `i64`, `isize`, and `NonZero` of them | [`I64`](Self::I64) |
/// | `u128`, `i128`, and `NonZero` of them | [`U128`](Self::U128), [`I128`](Self::I128) |
/// | `f32`, `f64` | [`F32`](Self::F32), [`F64`](Self::F64) |
/// | `&str`, `&String`, `&Cow<str>`, `&Box<str>`, … | [`Str`](Self::Str) |
/// | `&[u8]`, `[u8; N]`, `&Vec<u8>`, … | [`Bytes`](Self::Bytes) |
/// | `Option` of any of these | that value, or [`Absent`](Self::Absent) |
/// | an error: `&dyn Error`, `Box<dyn Error>`, any type that implements it | [`Display`](Self::Display) |
/// | any other type that implements `Debug` | [`Debug`](Self::Debug) |
/// | any other type that implements `Display` | [`Display`](Self::Display) |
/// | any other type | [`Opaque`](Self::Opaque) |
/// | a parameter marked `#[redact]` | [`Redacted`](Self::Redacted), whatever its type |
///
/// `Display` prints `JP` for the text JP, `Debug` prints `"JP"`. Both print bytes as a byte string,
/// `b"GET\r\n\xff"`.
///
/// ```
/// use hotprobe::Value;
///
/// assert_eq!(Value::U64(7).as_i64(), Some(7));
/// assert_eq!(Value::I64(-7).as_u64(), None, "it does not fit");
/// assert_eq!(Value::Str("JP").as_str(), Some("JP"));
/// assert_eq!(format!("{0} {0:?}", Value::Str("JP")), r#"JP "JP""#);
/// assert_eq!(Value::Redacted.to_string(), "[redacted]");
/// ```
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Value<'a> {
    /// A truth value.
    Bool(bool),
    /// A character.
    Char(char),
    /// An unsigned integer of up to 64 bits.
    U64(u64),
    /// A signed integer of up to 64 bits.
    I64(i64),
    /// An unsigned integer of 128 bits.
    U128(u128),
    /// A signed integer of 128 bits.
    I128(i128),
    /// A floating-point number of 32 bits.
    F32(f32),
    /// A floating-point number of 64 bits.
    F64(f64),
    /// Text.
    Str(&'a str),
    /// Bytes.
    Bytes(&'a [u8]),
    /// A value that is formatted by its `Debug`.
    Debug(&'a dyn fmt::Debug),
    /// A value that is formatted by its `Display`: an error, or a type without `Debug`.
    Display(&'a dyn fmt::Display),
    /// A value that cannot be formatted: the name of its type.
    Opaque(&'static str),
    /// No value: the `None` of an `Option`.
    Absent,
    /// An argument that only typed probes may see.
    Redacted,
}

impl<'a> Value<'a> {
    /// Returns the truth value, if the value is one.
    #[must_use]
    pub const fn as_bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the character, if the value is one.
    #[must_use]
    pub const fn as_char(self) -> Option<char> {
        match self {
            Self::Char(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one of any size and fits.
    #[must_use]
    pub fn as_u64(self) -> Option<u64> {
        match self {
            Self::U64(value) => Some(value),
            Self::I64(value) => value.try_into().ok(),
            Self::U128(value) => value.try_into().ok(),
            Self::I128(value) => value.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one of any size and fits.
    #[must_use]
    pub fn as_i64(self) -> Option<i64> {
        match self {
            Self::U64(value) => value.try_into().ok(),
            Self::I64(value) => Some(value),
            Self::U128(value) => value.try_into().ok(),
            Self::I128(value) => value.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one of any size and fits.
    #[must_use]
    pub fn as_u128(self) -> Option<u128> {
        match self {
            Self::U64(value) => Some(value.into()),
            Self::I64(value) => value.try_into().ok(),
            Self::U128(value) => Some(value),
            Self::I128(value) => value.try_into().ok(),
            _ => None,
        }
    }

    /// Returns the integer, if the value is one of any size and fits.
    #[must_use]
    pub fn as_i128(self) -> Option<i128> {
        match self {
            Self::U64(value) => Some(value.into()),
            Self::I64(value) => Some(value.into()),
            Self::U128(value) => value.try_into().ok(),
            Self::I128(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the floating-point number, if the value is one. (Integers are not converted: not all
    /// of them fit.)
    #[must_use]
    pub fn as_f64(self) -> Option<f64> {
        match self {
            Self::F32(value) => Some(value.into()),
            Self::F64(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the text, if the value is text.
    #[must_use]
    pub const fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Str(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the bytes, if the value is bytes. (Text is not.)
    #[must_use]
    pub const fn as_bytes(self) -> Option<&'a [u8]> {
        match self {
            Self::Bytes(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value, if it is formatted by its `Debug`.
    #[must_use]
    pub fn as_debug(self) -> Option<&'a dyn fmt::Debug> {
        match self {
            Self::Debug(value) => Some(value),
            _ => None,
        }
    }

    /// Returns the value, if it is formatted by its `Display`.
    #[must_use]
    pub fn as_display(self) -> Option<&'a dyn fmt::Display> {
        match self {
            Self::Display(value) => Some(value),
            _ => None,
        }
    }

    /// Returns whether the value is absent: the `None` of an `Option`.
    #[must_use]
    pub const fn is_absent(self) -> bool {
        matches!(self, Self::Absent)
    }

    /// Returns whether the parameter is marked `#[redact]`.
    #[must_use]
    pub const fn is_redacted(self) -> bool {
        matches!(self, Self::Redacted)
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Bool(value) => fmt::Display::fmt(&value, f),
            Self::Char(value) => fmt::Display::fmt(&value, f),
            Self::U64(value) => fmt::Display::fmt(&value, f),
            Self::I64(value) => fmt::Display::fmt(&value, f),
            Self::U128(value) => fmt::Display::fmt(&value, f),
            Self::I128(value) => fmt::Display::fmt(&value, f),
            Self::F32(value) => fmt::Display::fmt(&value, f),
            Self::F64(value) => fmt::Display::fmt(&value, f),
            Self::Str(value) => fmt::Display::fmt(value, f),
            Self::Bytes(value) => write!(f, "b\"{}\"", value.escape_ascii()),
            Self::Debug(value) => fmt::Debug::fmt(value, f),
            Self::Display(value) => fmt::Display::fmt(value, f),
            Self::Opaque(type_name) => fmt::Display::fmt(type_name, f),
            Self::Absent => f.write_str("none"),
            Self::Redacted => f.write_str("[redacted]"),
        }
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Char(value) => fmt::Debug::fmt(&value, f),
            Self::F32(value) => fmt::Debug::fmt(&value, f),
            Self::F64(value) => fmt::Debug::fmt(&value, f),
            Self::Str(value) => fmt::Debug::fmt(value, f),
            _ => fmt::Display::fmt(self, f),
        }
    }
}

/// A type whose values have a kind of their own among [`Value`]s.
#[doc(hidden)]
pub trait Kind {
    /// The value.
    fn value(&self) -> Value<'_>;
}

macro_rules! kinds {
    ($($ty:ty => $kind:ident;)*) => { $(
        impl Kind for $ty {
            #[inline]
            fn value(&self) -> Value<'_> {
                Value::$kind((*self).into())
            }
        }
    )* };
}

macro_rules! integers {
    ($($($ty:ident)* => $kind:ident as $wide:ident;)*) => { $( $(
        impl Kind for $ty {
            #[inline]
            #[allow(clippy::cast_lossless, reason = "`usize` and `isize` are at most 64 bits wide")]
            fn value(&self) -> Value<'_> {
                Value::$kind(*self as $wide)
            }
        }

        impl Kind for NonZero<$ty> {
            #[inline]
            #[allow(clippy::cast_lossless, reason = "as above")]
            fn value(&self) -> Value<'_> {
                Value::$kind(self.get() as $wide)
            }
        }
    )* )* };
}

kinds! {
    bool => Bool;
    char => Char;
    f32 => F32;
    f64 => F64;
}

integers! {
    u8 u16 u32 u64 usize => U64 as u64;
    i8 i16 i32 i64 isize => I64 as i64;
    u128 => U128 as u128;
    i128 => I128 as i128;
}

impl Kind for str {
    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Str(self)
    }
}

impl Kind for String {
    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Str(self)
    }
}

impl Kind for [u8] {
    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl<const N: usize> Kind for [u8; N] {
    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

impl Kind for Vec<u8> {
    #[inline]
    fn value(&self) -> Value<'_> {
        Value::Bytes(self)
    }
}

macro_rules! pointers {
    ($($pointer:ty),*) => { $(
        impl<T: Kind + ?Sized> Kind for $pointer {
            #[inline]
            fn value(&self) -> Value<'_> {
                T::value(self)
            }
        }
    )* };
}

pointers! { &T, Box<T>, Rc<T>, Arc<T> }

impl<T: Kind + ToOwned + ?Sized> Kind for Cow<'_, T> {
    #[inline]
    fn value(&self) -> Value<'_> {
        T::value(self)
    }
}

impl<T: Kind> Kind for Option<T> {
    #[inline]
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Absent, T::value)
    }
}

macro_rules! boxed_errors {
    ($($error:ty),*) => { $(
        // (A boxed error is no `Error` itself.)
        impl Kind for Box<$error> {
            #[inline]
            fn value(&self) -> Value<'_> {
                Value::Display(self)
            }
        }
    )* };
}

boxed_errors! { dyn Error, dyn Error + Send, dyn Error + Send + Sync }

/// The beginning of the conversion to a [`Value`]: `ByKind::new(&argument).hotprobe_value()`.
///
/// There are five methods of that name. The compiler, which knows the argument's type, chooses the
/// first one whose bound the type meets, along the dereferences from [`ByKind`] over [`ByError`],
/// [`ByDebug`] and [`ByDisplay`] to [`ByName`]. (The methods are inherent, so no trait has to be in
/// scope where `event!` is.)
#[doc(hidden)]
#[derive(Debug)]
pub struct ByKind<'a, T>(ByError<'a, T>);

/// The second choice.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByError<'a, T>(ByDebug<'a, T>);

/// The third choice.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByDebug<'a, T>(ByDisplay<'a, T>);

/// The fourth choice.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByDisplay<'a, T>(ByName<'a, T>);

/// The last choice.
#[doc(hidden)]
#[derive(Debug)]
pub struct ByName<'a, T>(&'a T);

impl<'a, T> ByKind<'a, T> {
    /// Begins the chain for one argument.
    #[inline]
    #[must_use]
    pub const fn new(argument: &'a T) -> Self {
        Self(ByError(ByDebug(ByDisplay(ByName(argument)))))
    }
}

impl<'a, T: Kind> ByKind<'a, T> {
    /// Converts a type that has a kind of its own.
    #[inline]
    #[must_use]
    pub fn hotprobe_value(&self) -> Value<'a> {
        self.0.0.0.0.0.value()
    }
}

impl<'a, T: Error> ByError<'a, T> {
    /// Converts an error by its `Display`.
    #[inline]
    #[must_use]
    pub fn hotprobe_value(&self) -> Value<'a> {
        Value::Display(self.0.0.0.0)
    }
}

impl<'a, T: fmt::Debug> ByDebug<'a, T> {
    /// Converts a value by its `Debug`.
    #[inline]
    #[must_use]
    pub fn hotprobe_value(&self) -> Value<'a> {
        Value::Debug(self.0.0.0)
    }
}

impl<'a, T: fmt::Display> ByDisplay<'a, T> {
    /// Converts a value by its `Display`.
    #[inline]
    #[must_use]
    pub fn hotprobe_value(&self) -> Value<'a> {
        Value::Display(self.0.0)
    }
}

impl<'a, T> ByName<'a, T> {
    /// Converts any other value to the name of its type.
    #[inline]
    #[must_use]
    pub fn hotprobe_value(&self) -> Value<'a> {
        Value::Opaque(type_name::<T>())
    }
}

macro_rules! choices {
    ($($choice:ident, else $next:ident;)*) => { $(
        impl<'a, T> Deref for $choice<'a, T> {
            type Target = $next<'a, T>;

            #[inline]
            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }
    )* };
}

choices! {
    ByKind, else ByError;
    ByError, else ByDebug;
    ByDebug, else ByDisplay;
    ByDisplay, else ByName;
}

/// Returns the value of an argument that is marked `#[redact]`, without reading it.
#[doc(hidden)]
#[inline]
#[must_use]
pub const fn redacted<T>(_: &T) -> Value<'static> {
    Value::Redacted
}
