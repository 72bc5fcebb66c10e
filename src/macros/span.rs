//! `span!`, `start!` and `end!`: as thin as `event!`, with two halves instead of one event.

/// Declares spans: operations with a begin and an end.
///
/// Each declaration makes a unit struct of the span's name, which is `Copy`. In `fn(…) -> (…)`, the
/// parameters are those of the begin, the names behind the arrow are the values of the end; a span
/// without `-> (…)` ends without values. [`start!`](crate::start!) begins one and returns its
/// guard, a [`Span`](crate::Span). The span ends when the guard is dropped, or by the guard's
/// `end`.
///
/// **A probe gets exactly one end for each begin**, however the code leaves the span: by a return,
/// a `?`, a panic, a future that is dropped at an `.await`, on this thread or another. It gets no
/// end without its begin: a span that began before the probe was attached stays invisible to it.
///
/// | method | |
/// |---|---|
/// | `start(args…)` | begins one; the arguments are evaluated before, so mostly [`start!`](crate::start!) is what you want |
/// | `attach(begin, end)`, `attach_with(options, begin, end)` | attaches a pair of closures, `Fn(&SpanBegin, args…)` and `Fn(&SpanEnd, Option<value>…)`, as one [`Probe`](crate::Probe) |
/// | `attach_in(&mut batch, begin, end)`, `attach_in_with(&mut batch, options, begin, end)` | queues a pair in a [`Batch`](crate::Batch) |
/// | `attach_begin(begin)`, `attach_end(end)` | attaches a closure to one half |
/// | `is_enabled()`, `probe_count()`, `probes()`, `name()` | as [`Event`](crate::Event)'s |
///
/// ```
/// use hotprobe::{InSpan, end, start};
///
/// hotprobe::span! {
///     /// A request, from its first byte to its last.
///     pub static REQUEST: fn(route: &str, bytes: usize) -> (status: u16);
///     /// Looks an item up.
///     static LOOKUP: fn(item: u64);
///     /// Anyone attaches, only this crate begins and ends it.
///     pub static LOGIN: pub(crate) fn(user: &str, #[redact] token: &str) -> (ok: bool);
/// }
///
/// let probe = REQUEST.attach(
///     |begin, route, bytes| println!("{} {route}, {bytes} bytes", begin.id()),
///     // `None`: it was not ended with values.
///     |end, status: Option<u16>| println!("{} {} {status:?}", end.id(), end.outcome()),
/// );
///
/// fn handle(bytes: &[u8]) -> Option<u16> {
///     let span = start!(REQUEST, "/orders", bytes.len());
///     let lookup = start!(LOOKUP, 7).entered();
///     let first = bytes.first()?; // both end here, too: dropped
///     lookup.exit().end();
///     end!(span, 200);
///     Some(u16::from(*first))
/// }
///
/// # assert_eq!(handle(b"a"), Some(97));
/// # assert_eq!(handle(b""), None);
/// # drop((probe, LOGIN));
/// ```
///
/// Docs, attributes, visibilities, lifetimes and `#[redact]` are as in [`event!`](crate::event!).
/// The visibility before `fn` is that of `start` and of the guard's `end`. The catalogue has a span
/// as two events, `crate::module::NAME/begin` and `/end`, for dynamic probes; a pattern without `/`
/// matches both.
///
/// [`docs::spans`](crate::docs::spans) says when to use spans and when events.
///
/// # Cost
/// Off: what two disabled events cost, and one comparison where the guard is dropped.
#[macro_export]
macro_rules! span {
    // pub static REQUEST: fn(route: &str) -> (status: u16);     static LOOKUP: pub(crate) fn(item:
    // u64);
    ($(
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:tt : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn $parameters:tt $(-> $ends:tt)? ;
    )*) => { $(
        $crate::__span_parameters! {
            [$(#[$($attribute)*])*] [$vis] [$(pub $(($($within)*))?)?] $name [$($($lifetime)*)?]
            [$name $parameters] $parameters [$($ends)?]
        }
    )* };
    ($($declarations:tt)*) => {
        $crate::__span_mistake! { $($declarations)* }
    };
}

/// The parameters and end values of one span: `(route: &str) [(status: u16)]`.
#[doc(hidden)]
#[macro_export]
macro_rules! __span_parameters {
    // static REQUEST: fn(self: &Server);
    ($attributes:tt $vis:tt $fire:tt $name:ident $lifetimes:tt $at:tt (self $($rest:tt)*) $ends:tt) => {
        $crate::__span_self! { $name }
    };
    ($attributes:tt $vis:tt $fire:tt $name:ident $lifetimes:tt $at:tt $parameters:tt [(self $($rest:tt)*)]) => {
        $crate::__span_self! { $name }
    };
    // static LOOKUP: fn(item: u64);
    ($attributes:tt $vis:tt $fire:tt $name:ident $lifetimes:tt $at:tt $parameters:tt []) => {
        $crate::__span_parameters! { $attributes $vis $fire $name $lifetimes $at $parameters [()] }
    };
    // `start` is as visible as the span.
    ($attributes:tt [$vis:vis] [] $name:ident $lifetimes:tt $at:tt $parameters:tt $ends:tt) => {
        $crate::__span_parameters! { $attributes [$vis] [$vis ()] $name $lifetimes $at $parameters $ends }
    };
    (
        [$($attributes:tt)*] [$vis:vis] [$fire:vis $(())?] $name:ident [$($lifetime:lifetime)*] $at:tt
        ( $( $(#[$($mark:tt)*])* $parameter:ident : $ty:ty ),* $(,)? )
        [( $( $(#[$($end_mark:tt)*])* $end:ident : $end_ty:ty ),* $(,)? )]
    ) => {
        $crate::__span_define! {
            [$($attributes)*] [$vis] [$fire] $name [$($lifetime)*] $at
            ( $( [$([$($mark)*])*] $parameter: $ty ),* )
            ( $( [$([$($end_mark)*])*] $end: $end_ty ),* )
        }
    };
    // static REQUEST: fn(route: &str) -> u16;
    (
        $attributes:tt $vis:tt $fire:tt $name:ident $lifetimes:tt $at:tt
        ( $( $(#[$($mark:tt)*])* $parameter:ident : $ty:ty ),* $(,)? ) [$ends:tt]
    ) => {
        ::core::compile_error!(::core::concat!(
            "each end value of span `", ::core::stringify!($name), "` needs a name and a type, in \
             parentheses: `-> (name: Type, …)`; this has `-> ", ::core::stringify!($ends), "`"
        ));
    };
    ($attributes:tt $vis:tt $fire:tt $name:ident $lifetimes:tt $at:tt $parameters:tt $ends:tt) => {
        ::core::compile_error!(::core::concat!(
            "each parameter of span `", ::core::stringify!($name), "` needs a name and a type, `name: Type`, \
             separated by commas; this has `", ::core::stringify!($parameters), "`"
        ));
    };
    // static 7: fn();
    ($attributes:tt $vis:tt $fire:tt $name:tt $lifetimes:tt $at:tt $parameters:tt $ends:tt) => {
        ::core::compile_error!(::core::concat!(
            "a span is declared as `pub static NAME: fn(name: Type, …) -> (name: Type, …);`; `",
            ::core::stringify!($name), "` is no name"
        ));
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __span_self {
    ($name:ident) => {
        ::core::compile_error!(::core::concat!(
            "span `",
            ::core::stringify!($name),
            "` has a parameter `self`: a span is no method; give the \
             parameter another name, as in `this: &Type`"
        ));
    };
}

/// One span, taken apart.
#[doc(hidden)]
#[macro_export]
macro_rules! __span_define {
    (
        [$($attributes:tt)*] [$vis:vis] [$fire:vis] $name:ident $lifetimes:tt $at:tt
        ( $( $marks:tt $parameter:ident : $ty:ty ),* )
        ( $( $end_marks:tt $end:ident : $end_ty:ty ),* )
    ) => {
        $crate::__event_struct! {
            [$($attributes)*] [$vis] $name
            ::core::concat!(
                "*Trace span:* `fn(", ::core::stringify!($($parameter: $ty),*), ") -> (",
                ::core::stringify!($($end: $end_ty),*), ")`"
            )
        }

        // (A lifetime may be named for one half, or for both and then be used once in each.)
        // (As in `__event_define!`, but a name may be a parameter's and an end value's: hence three
        // scopes.)
        #[allow(
            deprecated, single_use_lifetimes, unused_attributes, unused_doc_comments, unused_lifetimes,
            clippy::impl_trait_in_params, clippy::too_many_arguments
        )]
        const _: () = {
            $(
                #[allow(dead_code, non_snake_case)]
                fn $parameter() {}
            )*

            const _: () = {
                $(
                    #[allow(dead_code, non_snake_case)]
                    fn $end() {}
                )*

                const _: () = {
                    $($attributes)*
                    $crate::__span_impl! {
                        [$($attributes)*] [$vis] [$fire] $name $lifetimes $at
                        ( $( $marks $parameter: $ty ),* )
                        ( $( $end_marks $end: $end_ty ),* )
                    }
                };
            };
        };

        #[allow(deprecated, unused_attributes, unused_doc_comments)]
        const _: () = {
            $($attributes)*
            $crate::__event_lint! { $name }
        };
    };
}

/// The description of one half.
#[doc(hidden)]
#[macro_export]
macro_rules! __span_metadata {
    (
        $static:ident $half:ident $suffix:literal $name:ident $at:tt [$($attributes:tt)*]
        ( $( $marks:tt $parameter:ident : $ty:ty ),* )
    ) => {
        static $static: $crate::Metadata = {
            const __NAME: [
                ::core::primitive::u8;
                $crate::__private::plain_len(
                    ::core::concat!(::core::module_path!(), "::", ::core::stringify!($name), $suffix)
                )
            ] = $crate::__private::plain(
                ::core::concat!(::core::module_path!(), "::", ::core::stringify!($name), $suffix)
            );
            $crate::Metadata::new(
                &__NAME,
                $crate::__private::module(&__NAME, ::core::concat!(::core::stringify!($name), $suffix)),
                $crate::__event_at!($at $),
                $crate::__event_docs!($($attributes)*),
                &[$(
                    $crate::Parameter::new(
                        ::core::stringify!($parameter),
                        ::core::stringify!($ty),
                        $crate::__event_mark!($marks),
                    )
                ),*],
            )
            .of_half($crate::Half::$half)
        };
    };
}

/// An end value as a dynamic probe sees it.
#[doc(hidden)]
#[macro_export]
macro_rules! __span_value {
    ([] $parameter:ident) => {
        match &$parameter {
            ::core::option::Option::Some(value) => {
                $crate::__private::ByKind::new(value).hotprobe_value()
            }
            ::core::option::Option::None => $crate::Value::Absent,
        }
    };
    // Marked `#[redact]`, or wrongly.
    ($marks:tt $parameter:ident) => {
        $crate::__private::redacted(&$parameter)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __span_none {
    ($end:ident) => {
        ::core::option::Option::None
    };
}

/// What a span can do.
#[doc(hidden)]
#[macro_export]
macro_rules! __span_impl {
    (
        [$($attributes:tt)*] [$vis:vis] [$fire:vis] $name:ident [$($lifetime:lifetime)*] $at:tt
        ( $( $marks:tt $parameter:ident : $ty:ty ),* )
        ( $( $end_marks:tt $end:ident : $end_ty:ty ),* )
    ) => {
        $crate::__span_metadata! {
            __METADATA Begin "/begin" $name $at [$($attributes)*] ( $( $marks $parameter: $ty ),* )
        }
        $crate::__span_metadata! {
            __END_METADATA End "/end" $name $at [$($attributes)*] ( $( $end_marks $end: $end_ty ),* )
        }

        /// The types of this span. A private type, since they may name types that are private to
        /// the crate.
        struct __Of;

        type __BeginThunk = for<$($lifetime),*> fn($crate::__private::Slot<'_>, &$crate::SpanBegin, $($ty),*);
        type __EndThunk = for<$($lifetime),*> fn(
            $crate::__private::Slot<'_>,
            &$crate::SpanEnd,
            $(::core::option::Option<$end_ty>),*
        );

        impl $crate::__private::Signature for __Of {
            type Probe = ();
            type Thunk = &'static (__BeginThunk, __EndThunk);
        }

        impl $crate::__private::SpanSignature for __Of {
            type Begin = dyn for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                + ::core::marker::Send + ::core::marker::Sync;
            type End = dyn for<$($lifetime),*> ::core::ops::Fn(
                &$crate::SpanEnd, $(::core::option::Option<$end_ty>),*
            ) + ::core::marker::Send + ::core::marker::Sync;
        }

        $crate::__event_place! { $name __Of __METADATA }

        // What calls a pair of typed probes, or one. (Constants of a generic type: the address of
        // the pair of functions is what a snapshot holds.)
        struct __Pair<__B, __E>(::core::marker::PhantomData<(__B, __E)>);

        impl<
            __B: for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                + ::core::marker::Send + ::core::marker::Sync + 'static,
            __E: for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanEnd, $(::core::option::Option<$end_ty>),*)
                + ::core::marker::Send + ::core::marker::Sync + 'static,
        > __Pair<__B, __E>
        {
            const __THUNKS: (__BeginThunk, __EndThunk) = (
                |slot, begin, $($parameter),*| {
                    slot.run_since(begin.since(), |probe: &(__B, __E)| (probe.0)(begin, $($parameter),*));
                },
                |slot, end, $($end),*| {
                    slot.run_since(end.since(), |probe: &(__B, __E)| (probe.1)(end, $($end),*));
                },
            );
        }

        /// The thunks of a pair, by the pair's type.
        #[inline]
        fn __thunks<
            __B: for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                + ::core::marker::Send + ::core::marker::Sync + 'static,
            __E: for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanEnd, $(::core::option::Option<$end_ty>),*)
                + ::core::marker::Send + ::core::marker::Sync + 'static,
        >(
            _: ::core::option::Option<&(__B, __E)>,
        ) -> &'static (__BeginThunk, __EndThunk) {
            &__Pair::<__B, __E>::__THUNKS
        }

        // Does nothing, in place of the half that a probe does not have.
        const __NO_BEGIN: __BeginThunk = |_, _, $($parameter),*| { $( let _ = $parameter; )* };
        const __NO_END: __EndThunk = |_, _, $($end),*| { $( let _ = $end; )* };

        fn __begin_dynamic<$($lifetime),*>(
            slot: $crate::__private::Slot<'_>, begin: &$crate::SpanBegin, $($parameter: $ty),*
        ) {
            $crate::__private::DynamicProbe::run_begin(
                slot, begin, &[$( $crate::__event_value!($marks $parameter) ),*]
            );
        }

        fn __end_dynamic<$($lifetime),*>(
            slot: $crate::__private::Slot<'_>, end: &$crate::SpanEnd, $($end: ::core::option::Option<$end_ty>),*
        ) {
            $crate::__private::DynamicProbe::run_end(
                slot, end, &[$( $crate::__span_value!($end_marks $end) ),*]
            );
        }

        static __BEGIN_DYNAMIC: (__BeginThunk, __EndThunk) = (__begin_dynamic, __NO_END);
        static __END_DYNAMIC: (__BeginThunk, __EndThunk) = (__NO_BEGIN, __end_dynamic);

        $crate::__span_halves! { $name }

        // As for events: two functions, so that the choice between them needs no registers.
        #[inline(never)]
        fn __begin_outermost<$($lifetime),*>(span: $name, begin: &$crate::SpanBegin, $($parameter: $ty),*) {
            $( __argument::<$ty>(); )*
            $crate::__event_here!(span).half_outermost(move |thunks, slot| (thunks.0)(slot, begin, $($parameter),*));
        }

        #[inline(never)]
        fn __begin_inside<$($lifetime),*>(
            span: $name, begin: &$crate::SpanBegin, $($parameter: $ty),*
        ) -> ::core::primitive::bool {
            $( __argument::<$ty>(); )*
            $crate::__event_here!(span).begin_inside(move |thunks, slot| (thunks.0)(slot, begin, $($parameter),*))
        }

        #[inline(never)]
        fn __end_outermost<$($lifetime),*>(
            span: $name, end: &$crate::SpanEnd, $($end: ::core::option::Option<$end_ty>),*
        ) {
            $( __argument::<$end_ty>(); )*
            $crate::__event_here!(span).half_outermost(move |thunks, slot| (thunks.1)(slot, end, $($end),*));
        }

        #[inline(never)]
        fn __end_inside<$($lifetime),*>(
            span: $name, end: &$crate::SpanEnd, $($end: ::core::option::Option<$end_ty>),*
        ) {
            $( __argument::<$end_ty>(); )*
            $crate::__event_here!(span).end_inside(move |thunks, slot| (thunks.1)(slot, end, $($end),*));
        }

        #[inline(always)]
        fn __end<$($lifetime),*>(
            span: $name, end: &$crate::SpanEnd, $($end: ::core::option::Option<$end_ty>),*
        ) {
            if $crate::__event_here!(span).is_outermost() {
                __end_outermost(span, end, $($end),*);
            } else {
                __end_inside(span, end, $($end),*);
            }
        }

        // The guard's words by value: a reference would keep them in memory, also while it is off.
        #[inline(never)]
        fn __dropped(span: $name, raw: $crate::__private::RawSpan) {
            if let ::core::option::Option::Some(end) = raw.dropped() {
                __end(span, &end, $( $crate::__span_none!($end) ),*);
            }
        }

        /// A span that has begun; it ends when this is dropped.
        #[must_use = "a span ends when its guard is dropped (`let _ = …` drops it at once, too): \
                      bind it to a name"]
        pub struct __SpanGuard {
            raw: $crate::__private::RawSpan,
            span: $name,
        }

        impl __SpanGuard {
            /// Ends the span, with its values. (`end!` evaluates them only if a probe is attached.)
            #[inline(always)]
            $fire fn end<$($lifetime),*>(mut self, $($end: $end_ty),*) {
                let raw = $crate::__private::RawSpan::take(&mut self.raw);
                if $crate::__private::RawSpan::is_on(&raw) {
                    $crate::__private::unlikely();
                    Self::__end_enabled(self.span, raw, $($end),*);
                }
            }

            #[doc(hidden)]
            #[inline(never)]
            fn __end_enabled<$($lifetime),*>(
                span: $name, raw: $crate::__private::RawSpan, $($end: $end_ty),*
            ) {
                if let ::core::option::Option::Some(end) = raw.ended() {
                    __end(span, &end, $( ::core::option::Option::Some($end) ),*);
                }
            }

            /// Returns its id, if a probe was attached when it began.
            #[inline]
            #[must_use]
            $vis fn id(&self) -> ::core::option::Option<$crate::SpanId> {
                $crate::__private::RawSpan::id(&self.raw)
            }

            /// Makes it current on this thread: the parent of what begins here, until it is exited
            /// or dropped.
            #[inline(always)]
            $vis fn entered(self) -> $crate::Entered<Self> {
                $crate::Entered::new(self)
            }
        }

        impl ::core::ops::Drop for __SpanGuard {
            #[inline(always)]
            fn drop(&mut self) {
                if $crate::__private::RawSpan::is_on(&self.raw) {
                    $crate::__private::unlikely();
                    __dropped(self.span, $crate::__private::RawSpan::take(&mut self.raw));
                }
            }
        }

        impl ::core::fmt::Debug for __SpanGuard {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                $crate::__private::fmt_guard(&self.raw, &__METADATA, f)
            }
        }

        impl $crate::SpanGuard for __SpanGuard {
            #[inline(always)]
            fn raw(&self) -> &$crate::__private::RawSpan {
                &self.raw
            }

            #[inline(always)]
            fn raw_mut(&mut self) -> &mut $crate::__private::RawSpan {
                &mut self.raw
            }

            #[inline(always)]
            fn take(&mut self) -> Self {
                Self { raw: $crate::__private::RawSpan::take(&mut self.raw), span: self.span }
            }
        }

        impl $name {
            /// Begins the span: calls the begins of its probes, in attach order, on this thread.
            /// (`start!` evaluates the arguments only if there are any.)
            #[inline(always)]
            $fire fn start<$($lifetime),*>(self, $($parameter: $ty),*) -> $crate::Span<$name> {
                if self.is_enabled() {
                    $crate::__private::unlikely();
                    self.start_enabled($($parameter),*)
                } else {
                    self.start_off()
                }
            }

            #[doc(hidden)]
            #[inline(always)]
            $fire fn start_off(self) -> $crate::Span<$name> {
                __SpanGuard { raw: $crate::__private::RawSpan::off(), span: self }
            }

            #[doc(hidden)]
            #[inline(never)]
            $fire fn start_enabled<$($lifetime),*>(self, $($parameter: $ty),*) -> $crate::Span<$name> {
                let (raw, begin) = $crate::__private::RawSpan::begin();
                // Before the probes are called: if one of them propagates a panic, the ends follow.
                let mut guard = __SpanGuard { raw, span: self };
                if $crate::__event_here!(self).is_outermost() {
                    __begin_outermost(self, &begin, $($parameter),*);
                } else if !__begin_inside(self, &begin, $($parameter),*) {
                    // Skipped: then its end is, too.
                    let _ = $crate::__private::RawSpan::take(&mut guard.raw);
                }
                guard
            }

            /// Whether beginning it would call a probe: one relaxed load.
            #[inline(always)]
            #[must_use]
            $vis fn is_enabled(self) -> ::core::primitive::bool {
                $crate::__event_here!(self).is_enabled()
            }

            // For `start!`: on a reference to a span, a blanket trait's `is_enabled(&self)` would
            // win.
            #[doc(hidden)]
            #[inline(always)]
            #[must_use]
            $vis fn is_startable(self) -> ::core::primitive::bool {
                $crate::__event_here!(self).is_enabled()
            }

            // For `fire!`, whose error shows the type's name.
            #[doc(hidden)]
            #[inline]
            #[must_use]
            $vis fn is_enabled_now(self) -> $crate::__private::ASpanIsBegunByStart {
                $crate::__private::ASpanIsBegunByStart
            }

            /// How many probes are attached to it, or to one half, those switched off after a panic
            /// included.
            #[inline]
            #[must_use]
            $vis fn probe_count(self) -> ::core::primitive::usize {
                $crate::__event_here!(self).probe_count()
            }

            /// Its probes, in attach order, those switched off after a panic included.
            #[must_use]
            $vis fn probes(self) -> $crate::__private::Vec<$crate::ProbeInfo> {
                $crate::__event_here!(self).probes()
            }

            /// Its full name: `crate::module::NAME`.
            #[inline]
            #[must_use]
            $vis fn name(self) -> &'static ::core::primitive::str {
                $crate::Metadata::whole_name(&__METADATA)
            }

            /// Attaches a pair of probes, for the begin and the end of each span that begins from
            /// now on, until the returned handle is detached or dropped.
            ///
            /// The closures run on the thread that begins or ends the span, and are one probe: one
            /// detach, one panic policy. The end's values are `None` if the span ended without
            /// them. Attaching works on any thread, inside a probe too.
            ///
            /// # Panics
            /// Never. A panic in a closure is caught, and switches both off.
            ///
            /// ```text
            /// let probe = SPAN.attach(
            ///     |begin, route| println!("{} {route}", begin.id()),
            ///     |end, status| println!("{} {status:?}", end.id()),
            /// );
            /// probe.detach();
            /// ```
            $vis fn attach(
                self,
                begin: impl for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
                end: impl for<$($lifetime),*> ::core::ops::Fn(
                    &$crate::SpanEnd, $(::core::option::Option<$end_ty>),*
                ) + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> $crate::Probe {
                self.attach_with($crate::ProbeOptions::new(), begin, end)
            }

            /// Attaches a pair of probes as `attach` does, with a name or a panic policy. With
            /// `OnPanic::Propagate`, a panic in a closure continues through the code that begins or
            /// ends the span, after the other probes have run.
            $vis fn attach_with(
                self,
                options: $crate::ProbeOptions,
                begin: impl for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
                end: impl for<$($lifetime),*> ::core::ops::Fn(
                    &$crate::SpanEnd, $(::core::option::Option<$end_ty>),*
                ) + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> $crate::Probe {
                let pair = (begin, end);
                $crate::__event_here!(self).attach(__thunks(::core::option::Option::Some(&pair)), options, pair)
            }

            /// Queues a pair of probes in a batch; `commit` attaches it, at one instant with the
            /// others of the batch.
            $vis fn attach_in(
                self,
                batch: &mut $crate::Batch,
                begin: impl for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
                end: impl for<$($lifetime),*> ::core::ops::Fn(
                    &$crate::SpanEnd, $(::core::option::Option<$end_ty>),*
                ) + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) {
                self.attach_in_with(batch, $crate::ProbeOptions::new(), begin, end);
            }

            /// Queues a pair of probes with a name or a panic policy in a batch.
            $vis fn attach_in_with(
                self,
                batch: &mut $crate::Batch,
                options: $crate::ProbeOptions,
                begin: impl for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
                end: impl for<$($lifetime),*> ::core::ops::Fn(
                    &$crate::SpanEnd, $(::core::option::Option<$end_ty>),*
                ) + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) {
                let pair = (begin, end);
                $crate::__event_here!(self)
                    .attach_in(__thunks(::core::option::Option::Some(&pair)), batch, options, pair);
            }

            /// Attaches a probe to the begin.
            $vis fn attach_begin(
                self,
                begin: impl for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> $crate::Probe {
                self.attach(begin, |_, $($end),*| { $( let _ = $end; )* })
            }

            /// Attaches a probe to the end: it is called for spans that begin after it was
            /// attached.
            $vis fn attach_end(
                self,
                end: impl for<$($lifetime),*> ::core::ops::Fn(
                    &$crate::SpanEnd, $(::core::option::Option<$end_ty>),*
                ) + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> $crate::Probe {
                self.attach(|_, $($parameter),*| { $( let _ = $parameter; )* }, end)
            }
        }

        /// Fails to compile for what cannot be an argument. The error points at the type.
        #[inline(always)]
        fn __argument<__A: $crate::__private::Argument>() {}

        // (Generic, as `TypedEvent` is in `__event_impl!`.)
        impl<__Begin, __End> $crate::TypedSpan for $name
        where
            __Of: $crate::__private::SpanSignature<Begin = __Begin, End = __End>,
            __Begin: ?::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
            __End: ?::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            type Begin = __Begin;
            type End = __End;
            type Guard = __SpanGuard;

            #[inline]
            fn begin_event(&'static self) -> &'static dyn $crate::AnyEvent {
                __begin_event(*self)
            }

            #[inline]
            fn end_event(&'static self) -> &'static dyn $crate::AnyEvent {
                __end_event(*self)
            }

            #[inline]
            fn typed_halves(&'static self) -> $crate::__private::TypedHalves<Self::Begin, Self::End> {
                $crate::__event_here!(*self).typed_span(__thunks::<
                    $crate::__private::Box<dyn for<$($lifetime),*> ::core::ops::Fn(&$crate::SpanBegin, $($ty),*)
                        + ::core::marker::Send + ::core::marker::Sync>,
                    $crate::__private::Box<dyn for<$($lifetime),*> ::core::ops::Fn(
                        &$crate::SpanEnd, $(::core::option::Option<$end_ty>),*
                    ) + ::core::marker::Send + ::core::marker::Sync>,
                >(::core::option::Option::None))
            }
        }

        impl $crate::__private::Sealed for $name {}

        #[automatically_derived]
        impl ::core::clone::Clone for $name {
            #[inline]
            fn clone(&self) -> Self {
                *self
            }
        }

        impl ::core::marker::Copy for $name {}

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt($crate::__event_here!(*self), f)
            }
        }
    };
}

/// Not a list of spans: says which of the usual slips it was, and declares the others.
#[doc(hidden)]
#[macro_export]
macro_rules! __span_mistake {
    () => {};
    // What is right up to here.
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn ( $($parameters:tt)* ) $(-> ($($ends:tt)*))? ; $($rest:tt)*
    ) => {
        $crate::span! {
            $(#[$($attribute)*])*
            $vis static $name: $(pub $(($($within)*))?)? $(for<$($lifetime),*>)? fn($($parameters)*) $(-> ($($ends)*))?;
        }
        $crate::__span_mistake! { $($rest)* }
    };
    // static REQUEST: fn(route: &str) -> (status: u16)
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn ( $($parameters:tt)* ) -> ( $($ends:tt)* ) $($rest:tt)*
    ) => {
        ::core::compile_error!(::core::concat!(
            "a `;` is missing after span `", ::core::stringify!($name), "`"
        ));
        $crate::__span_mistake! {
            $(#[$($attribute)*])*
            $vis static $name: $(pub $(($($within)*))?)? $(for<$($lifetime),*>)? fn($($parameters)*) -> ($($ends)*);
            $($rest)*
        }
    };
    // static REQUEST: fn(route: &str) -> Result<u16, Error>;
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn ( $($parameters:tt)* ) -> $($rest:tt)*
    ) => {
        ::core::compile_error!(::core::concat!(
            "span `", ::core::stringify!($name), "` returns nothing: behind the arrow are the values of its end, \
             with names and in parentheses, `-> (name: Type, …)`"
        ));
    };
    // static LOOKUP: fn(item: u64)
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn ( $($parameters:tt)* ) $($rest:tt)*
    ) => {
        ::core::compile_error!(::core::concat!(
            "a `;` is missing after span `", ::core::stringify!($name), "`"
        ));
        $crate::__span_mistake! {
            $(#[$($attribute)*])*
            $vis static $name: $(pub $(($($within)*))?)? $(for<$($lifetime),*>)? fn($($parameters)*);
            $($rest)*
        }
    };
    // static LOOKUP: fn<T>(item: T);
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? fn < $($rest:tt)*
    ) => {
        ::core::compile_error!(::core::concat!(
            "span `", ::core::stringify!($name), "` is generic: a span has one list of probes, so its \
             parameters have one type each; declare a span for each type, or write `for<'a> fn(…)` if it \
             is a lifetime"
        ));
    };
    // static mut LOOKUP: fn();
    ($(#[$($attribute:tt)*])* $vis:vis static mut $($rest:tt)*) => {
        ::core::compile_error!("a span is not `mut`: write `static NAME: fn(name: Type, …);`");
    };
    // fn lookup(item: u64);
    ($(#[$($attribute:tt)*])* $vis:vis fn $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "a span is declared as a static: write `static ", ::core::stringify!($name),
            ": fn(name: Type, …);`"
        ));
    };
    ($(#[$($attribute:tt)*])* $vis:vis static $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "span `", ::core::stringify!($name), "` is not declared as a span is: write `static ",
            ::core::stringify!($name), ": fn(name: Type, …) -> (name: Type, …);`"
        ));
    };
    ($($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "a span is declared as `pub static NAME: fn(name: Type, …) -> (name: Type, …);`; this is `",
            ::core::stringify!($($rest)*), "`"
        ));
    };
}

/// Begins a span: `start!(SPAN, arguments…)`. Returns its guard, a [`Span`](crate::Span).
///
/// The arguments are evaluated once, and only if a probe is attached: off, this costs one load, one
/// test and one branch. As in [`fire!`](crate::fire!), they cannot change control flow: `?`,
/// `.await`, `break` and `return` in them do not compile.
///
/// The span begins here, and its parent is the span that is current on this thread here
/// ([`SpanId::current`](crate::SpanId::current)). It ends when the guard is dropped, so bind the
/// guard to a name: `let _ = start!(…)` ends the span at once.
///
/// ```
/// use hotprobe::start;
/// hotprobe::span! { static LOOKUP: fn(key: &str); }
///
/// fn expensive_key() -> String { unreachable!("it has no probe") }
///
/// let span = start!(LOOKUP, &expensive_key());
/// span.end();
/// ```
#[macro_export]
macro_rules! start {
    (* $($rest:tt)*) => {
        ::core::compile_error!("`start!` takes the span itself: write `start!(span, …)`, without the `*`")
    };
    // start!(REQUEST, route(), bytes)
    ($span:expr $(, $argument:expr)* $(,)?) => {{
        let span = $span;
        if span.is_startable() {
            $crate::__private::unlikely();
            // (As in `fire!`.)
            let arguments_must_not_change_variables = || {
                let guard = span.start_enabled($($argument),*);
                ($crate::__private::ArgumentsMustNotReturn, guard)
            };
            arguments_must_not_change_variables().1
        } else {
            span.start_off()
        }
    }};
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`start!` takes the span and its arguments, separated by commas: write `start!(SPAN, argument, …)`"
        )
    };
}

/// Ends a span with values: `end!(span, values…)`, where `span` is the guard.
///
/// As the guard's `end`, but the values are evaluated only if the span is on, that is, if a probe
/// was attached when it began. As in [`fire!`](crate::fire!), they cannot change control flow.
///
/// ```
/// use hotprobe::{end, start};
/// hotprobe::span! { static LOOKUP: fn(key: &str) -> (found: usize); }
///
/// fn expensive_count() -> usize { unreachable!("it has no probe") }
///
/// let span = start!(LOOKUP, "k");
/// end!(span, expensive_count());
/// ```
#[macro_export]
macro_rules! end {
    // end!(span, response.status())
    ($span:expr $(, $value:expr)* $(,)?) => {{
        let span = $span;
        if $crate::__private::is_on(&span) {
            $crate::__private::unlikely();
            // Not `move`: the values are borrowed as they stand.
            $crate::__private::ending(span, |span| -> $crate::__private::ArgumentsMustNotReturn {
                span.end($($value),*);
                $crate::__private::ArgumentsMustNotReturn
            });
        }
    }};
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`end!` takes the span's guard and the values of its end, separated by commas: write \
             `end!(span, value, …)`"
        )
    };
}
