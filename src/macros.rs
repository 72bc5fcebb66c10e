//! `event!`, `fire!` and `register!`: a thin door. What they expand to names only `::core` and `$crate::__private`.

mod span;

/// Declares events.
///
/// Each declaration makes a unit struct of the event's name, which is `Copy` and can be passed around;
/// the event itself is a static behind it. It dereferences to [`Event`](crate::Event), and has these
/// methods, in the event's own signature:
///
/// | method | |
/// |---|---|
/// | `fire(args…)` | passes through the event; the arguments are evaluated before, so mostly [`fire!`](crate::fire!) is what you want |
/// | `is_enabled()` | whether firing would call a probe |
/// | `probe_count()`, `probes()`, `name()`, `metadata()` | as [`Event`](crate::Event)'s |
/// | `attach(probe)`, `attach_with(options, probe)` | attaches a closure, `Fn(args…) + Send + Sync + 'static`; returns its [`Probe`](crate::Probe) |
/// | `attach_in(&mut batch, probe)`, `attach_in_with(&mut batch, options, probe)` | queues one in a [`Batch`](crate::Batch) |
///
/// ```
/// hotprobe::event! {
///     /// About to greet `who`.
///     pub static HELLO: fn(who: &str);
///     pub(crate) static REQUEST_DONE: fn(id: u64, path: &str, status: u16);
///     /// Typed probes see the token; nothing that looks at events without knowing their types does.
///     pub static LOGIN: fn(user: &str, #[redact] token: &str);
///     /// Anyone attaches, only this crate fires.
///     pub static STORED: pub(crate) fn(id: u64);
///     static SPLIT: for<'a> fn(whole: &'a str, parts: &'a [&'a str]);
///     static TICK: fn();
/// }
///
/// let probe = HELLO.attach(|who| println!("{who}"));
/// HELLO.fire("JP");
/// # drop(probe);
/// # REQUEST_DONE.fire(1, "/", 200); STORED.fire(1); SPLIT.fire("a b", &["a", "b"]); TICK.fire();
/// ```
///
/// Docs, visibility and attributes (`#[cfg]`, `#[deprecated]`, …) are kept; they are the struct's. The
/// visibility before `fn` is that of `fire`; without one it is the event's.
///
/// A macro that declares events for its callers passes their attributes on as tokens or as `$meta:meta`: docs
/// and `#[redact]` are found in both.
///
/// # Arguments
/// Any `Copy` type, since each probe gets it: references, `Option<&T>`, numbers, own `Copy` types. Not
/// `String`, `Box` or `&mut T`. Lifetimes may be elided, or named by `for<'a>`. Events are not generic.
///
/// A parameter that is marked `#[redact]` is for typed probes; what looks at the event without knowing its
/// type ([`AnyEvent`](crate::AnyEvent)) learns its name and type, never a value.
///
/// # Cost
/// Off: one relaxed load, one test, one branch (see [`docs::performance`](crate::docs::performance)). A static of at most 64 bytes.
#[macro_export]
macro_rules! event {
    // pub static HELLO: fn(who: &str);     static SPLIT: pub(crate) for<'a> fn(parts: &'a [&'a str]);
    ($(
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:tt : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn $parameters:tt ;
    )*) => { $(
        $crate::__event_parameters! {
            [$(#[$($attribute)*])*] [$vis] [$(pub $(($($within)*))?)?] $name [$($($lifetime)*)?]
            [$name $parameters] $parameters
        }
    )* };
    ($($declarations:tt)*) => {
        $crate::__event_mistake! { $($declarations)* }
    };
}

/// The parameters of one event: `who: &str, #[redact] token: &str`.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_parameters {
    // static HELLO: fn(self: &Greeter);
    ([$($attributes:tt)*] $vis:tt $fire:tt $name:ident $lifetimes:tt $at:tt (self $($rest:tt)*)) => {
        ::core::compile_error!(::core::concat!(
            "event `", ::core::stringify!($name), "` has a parameter `self`: an event is no method; give the \
             parameter another name, as in `this: &Type`"
        ));
    };
    // `fire` is as visible as the event.
    (
        [$($attributes:tt)*] [$vis:vis] [] $name:ident [$($lifetime:lifetime)*] $at:tt
        ( $( $(#[$($mark:tt)*])* $parameter:ident : $ty:ty ),* $(,)? )
    ) => {
        $crate::__event_define! {
            [$($attributes)*] [$vis] [$vis] $name [$($lifetime)*] $at ( $( [$([$($mark)*])*] $parameter: $ty ),* )
        }
    };
    // `fire` has a visibility of its own.
    (
        [$($attributes:tt)*] [$vis:vis] [$fire:vis] $name:ident [$($lifetime:lifetime)*] $at:tt
        ( $( $(#[$($mark:tt)*])* $parameter:ident : $ty:ty ),* $(,)? )
    ) => {
        $crate::__event_define! {
            [$($attributes)*] [$vis] [$fire] $name [$($lifetime)*] $at ( $( [$([$($mark)*])*] $parameter: $ty ),* )
        }
    };
    ([$($attributes:tt)*] $vis:tt $fire:tt $name:ident $lifetimes:tt $at:tt $parameters:tt) => {
        ::core::compile_error!(::core::concat!(
            "each parameter of event `", ::core::stringify!($name), "` needs a name and a type, `name: Type`, \
             separated by commas; this has `", ::core::stringify!($parameters), "`"
        ));
    };
    // static 7: fn();
    ([$($attributes:tt)*] $vis:tt $fire:tt $name:tt $lifetimes:tt $at:tt $parameters:tt) => {
        ::core::compile_error!(::core::concat!(
            "an event is declared as `pub static NAME: fn(name: Type, …);`; `", ::core::stringify!($name),
            "` is no name"
        ));
    };
}

/// One event, taken apart.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_define {
    (
        [$($attributes:tt)*] [$vis:vis] [$fire:vis] $name:ident [$($lifetime:lifetime)*] $at:tt
        ( $( $marks:tt $parameter:ident : $ty:ty ),* )
    ) => {
        $crate::__event_struct! {
            [$($attributes)*] [$vis] $name
            ::core::concat!("*Trace event:* `fn(", ::core::stringify!($($parameter: $ty),*), ")`")
        }

        // On a macro call only `#[cfg]` has an effect, which is what is wanted: the other attributes are for
        // the struct (`#[deprecated]` would spread to each method, `#[expect]` would be unfulfilled).
        #[allow(
            deprecated, unused_attributes, unused_doc_comments,
            clippy::impl_trait_in_params, clippy::too_many_arguments
        )]
        const _: () = {
            // A parameter's name is that of a variable, also where a constant, a static or another event has
            // that name: those would be patterns, but a function in a nearer scope hides them.
            $(
                #[allow(dead_code, non_snake_case)]
                fn $parameter() {}
            )*

            const _: () = {
                $($attributes)*
                $crate::__event_impl! {
                    [$($attributes)*] [$vis] [$fire] $name [$($lifetime)*] $at ( $( $marks $parameter: $ty ),* )
                }
            };
        };

        // Apart from the above, where a parameter may have the event's name.
        #[allow(deprecated, unused_attributes, unused_doc_comments)]
        const _: () = {
            $($attributes)*
            $crate::__event_in_catalog! { $name }
            $($attributes)*
            $crate::__event_lint! { $name }
        };
    };
}

/// The lint of a static's name, which is an event's, too. (In a scope of its own: nobody else sees the static.)
#[doc(hidden)]
#[macro_export]
macro_rules! __event_lint {
    ($name:ident) => {
        const _: () = {
            #[allow(dead_code)]
            static $name: () = ();
        };
    };
}

/// What an event can do.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_impl {
    (
        [$($attributes:tt)*] [$vis:vis] [$fire:vis] $name:ident [$($lifetime:lifetime)*] $at:tt
        ( $( $marks:tt $parameter:ident : $ty:ty ),* )
    ) => {
        const __NAME: [
            ::core::primitive::u8;
            $crate::__private::plain_len(::core::concat!(::core::module_path!(), "::", ::core::stringify!($name)))
        ] = $crate::__private::plain(::core::concat!(::core::module_path!(), "::", ::core::stringify!($name)));

        static __METADATA: $crate::Metadata = $crate::Metadata::new(
            &__NAME,
            $crate::__private::module(&__NAME, ::core::stringify!($name)),
            $crate::__event_at!($at $),
            $crate::__event_docs!($($attributes)*),
            &[$(
                $crate::Parameter::new(
                    ::core::stringify!($parameter),
                    ::core::stringify!($ty),
                    $crate::__event_mark!($marks),
                )
            ),*],
        );

        /// The types of this event. A private type, since they may name types that are private to
        /// the crate.
        struct __Of;

        impl $crate::__private::Signature for __Of {
            type Probe = dyn for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                + ::core::marker::Send + ::core::marker::Sync;
            type Thunk = for<$($lifetime),*> fn($crate::__private::Slot<'_>, $($ty),*);
        }

        $crate::__event_place! { $name __Of __METADATA }

        /// Returns what calls a typed probe of this type. (A closure: a function with the
        /// lifetimes' names could not have them in the bound of `__P` as well.)
        #[inline]
        fn __thunk<
            __P: for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                + ::core::marker::Send + ::core::marker::Sync + 'static,
        >(
            _: ::core::option::Option<&__P>,
        ) -> <__Of as $crate::__private::Signature>::Thunk {
            |slot, $($parameter),*| slot.run(|probe: &__P| probe($($parameter),*))
        }

        // Two functions, so that what tells which of them it is needs no registers of its own: a mere jump.
        #[inline(never)]
        fn __fire_outermost<$($lifetime),*>(event: $name, $($parameter: $ty),*) {
            $( __argument::<$ty>(); )*
            $crate::__event_here!(event).fire_outermost(move |thunk, slot| thunk(slot, $($parameter),*));
        }

        #[inline(never)]
        fn __fire_inside<$($lifetime),*>(event: $name, $($parameter: $ty),*) {
            $( __argument::<$ty>(); )*
            $crate::__event_here!(event).fire_inside(move |thunk, slot| thunk(slot, $($parameter),*));
        }

        /// Calls a probe that sees values. (Apart from `fire`: this is compiled for each event.)
        fn __dynamic<$($lifetime),*>(slot: $crate::__private::Slot<'_>, $($parameter: $ty),*) {
            $crate::__private::DynamicProbe::run(slot, &[$( $crate::__event_value!($marks $parameter) ),*]);
        }

        impl $crate::AnyEvent for $name {
            fn erased(&self) -> $crate::__private::Erased {
                $crate::__event_here!(*self).erased(__dynamic)
            }
        }

        impl $name {
            /// Passes through the event: calls its probes, in attach order, on this thread.
            #[inline(always)]
            $fire fn fire<$($lifetime),*>(self, $($parameter: $ty),*) {
                if self.is_enabled() {
                    $crate::__private::unlikely();
                    self.fire_enabled($($parameter),*);
                }
            }

            // Not `#[cold]`: it would be compiled for size. The branch to it is what is unlikely.
            #[doc(hidden)]
            #[inline(never)]
            $fire fn fire_enabled<$($lifetime),*>(self, $($parameter: $ty),*) {
                if $crate::__event_here!(self).is_outermost() {
                    __fire_outermost(self, $($parameter),*);
                } else {
                    __fire_inside(self, $($parameter),*);
                }
            }

            /// Whether firing it would call a probe: one relaxed load.
            #[inline(always)]
            #[must_use]
            $vis fn is_enabled(self) -> ::core::primitive::bool {
                $crate::__event_here!(self).is_enabled()
            }

            // For `fire!`: on a reference to an event, a blanket trait's `is_enabled(&self)` would win.
            #[doc(hidden)]
            #[inline(always)]
            #[must_use]
            $vis fn is_enabled_now(self) -> ::core::primitive::bool {
                $crate::__event_here!(self).is_enabled()
            }

            /// How many probes are attached, those switched off after a panic included.
            #[inline]
            #[must_use]
            $vis fn probe_count(self) -> ::core::primitive::usize {
                $crate::__event_here!(self).probe_count()
            }

            /// Its full name: `crate::module::NAME`.
            #[inline]
            #[must_use]
            $vis fn name(self) -> &'static ::core::primitive::str {
                __METADATA.name()
            }

            /// What is known of it: where it is declared, its docs and parameters.
            #[inline]
            #[must_use]
            $vis fn metadata(self) -> &'static $crate::Metadata {
                &__METADATA
            }

            /// Attaches a probe: firings call the closure until the returned handle is detached or
            /// dropped.
            ///
            /// The closure runs on the firing thread, before `fire` returns, after the probes
            /// attached earlier. Attaching works on any thread, inside a probe too. It takes the
            /// process-wide lock for a copy of the event's list of probes, and never waits for a
            /// firing.
            ///
            /// # Panics
            /// Never. A panic in the closure is caught, and switches this probe off.
            ///
            /// ```text
            /// let probe = EVENT.attach(|id, path| println!("{id} {path}"));
            /// probe.detach();
            /// ```
            $vis fn attach(
                self,
                probe: impl for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> $crate::Probe {
                $crate::__event_here!(self).attach(__thunk(::core::option::Option::Some(&probe)), $crate::ProbeOptions::new(), probe)
            }

            /// Attaches a probe as `attach` does, with a name or a panic policy. With
            /// `OnPanic::Propagate`, a panic in the closure continues through `fire`.
            $vis fn attach_with(
                self,
                options: $crate::ProbeOptions,
                probe: impl for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) -> $crate::Probe {
                $crate::__event_here!(self).attach(__thunk(::core::option::Option::Some(&probe)), options, probe)
            }

            /// Queues a probe in a batch; `commit` attaches it, at one instant with the others of
            /// the batch.
            $vis fn attach_in(
                self,
                batch: &mut $crate::Batch,
                probe: impl for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) {
                $crate::__event_here!(self).attach_in(__thunk(::core::option::Option::Some(&probe)), batch, $crate::ProbeOptions::new(), probe);
            }

            /// Queues a probe with a name or a panic policy in a batch.
            $vis fn attach_in_with(
                self,
                batch: &mut $crate::Batch,
                options: $crate::ProbeOptions,
                probe: impl for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                    + ::core::marker::Send + ::core::marker::Sync + 'static,
            ) {
                $crate::__event_here!(self).attach_in(__thunk(::core::option::Option::Some(&probe)), batch, options, probe);
            }
        }

        /// Fails to compile for what cannot be an argument. The error points at the type.
        #[inline(always)]
        fn __argument<__A: $crate::__private::Argument>() {}

        // An event may be `pub` in a private module, and its parameters' types private to the crate. The
        // associated type below must not name those types (E0446), so the implementation is generic
        // over it.
        impl<__Probe> $crate::TypedEvent for $name
        where
            __Of: $crate::__private::Signature<Probe = __Probe>,
            __Probe: ?::core::marker::Sized + ::core::marker::Send + ::core::marker::Sync + 'static,
        {
            type Probe = __Probe;

            // `#[inline]`: compiled where it is called, and not for each event.
            #[inline]
            fn typed(&'static self) -> $crate::__private::Typed<Self::Probe> {
                $crate::__event_here!(*self).typed(
                    __thunk::<$crate::__private::Box<
                        dyn for<$($lifetime),*> ::core::ops::Fn($($ty),*)
                            + ::core::marker::Send + ::core::marker::Sync,
                    >>(::core::option::Option::None),
                )
            }

            #[inline]
            fn as_any_event(&'static self) -> &'static dyn $crate::AnyEvent {
                self
            }
        }

        impl $crate::__private::Sealed for $name {}

        impl ::core::ops::Deref for $name {
            type Target = $crate::Event<<$name as $crate::TypedEvent>::Probe>;

            #[inline(always)]
            fn deref(&self) -> &Self::Target {
                $crate::__event_here!(*self).event()
            }
        }

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

/// The type: a unit struct. (Under loom, whose primitives cannot be made in a static, it refers to an
/// event that the model made by `NAME::new()`.)
#[cfg(not(crossbeam_loom))]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_struct {
    ([$($attributes:tt)*] [$vis:vis] $name:ident $signature:expr) => {
        $($attributes)*
        #[doc = ""]
        #[doc = $signature]
        #[allow(non_camel_case_types, clippy::exhaustive_structs, clippy::upper_case_acronyms)]
        $vis struct $name;
    };
}

/// The static behind it.
#[cfg(not(crossbeam_loom))]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_place {
    ($name:ident $of:ident $metadata:ident) => {
        static __PLACE: $crate::__private::Place<$of> = $crate::__private::Place::new(&$metadata);
    };
}

/// The event's place. (A macro: a function would be one more for each event to check. A reference:
/// on a value, a blanket trait's method that takes `self` would win over the place's own, which
/// takes `&self`.)
#[cfg(not(crossbeam_loom))]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_here {
    ($event:expr) => {
        (&__PLACE)
    };
}

/// Its entry in the catalogue. (None under loom: there are no statics of events.)
#[cfg(not(crossbeam_loom))]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_in_catalog {
    ($event:path) => {
        $crate::__catalog_entry! { $event }
    };
}

#[cfg(crossbeam_loom)]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_in_catalog {
    ($event:path) => {};
}

#[cfg(crossbeam_loom)]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_struct {
    ([$($attributes:tt)*] [$vis:vis] $name:ident $signature:expr) => {
        $($attributes)*
        #[doc = ""]
        #[doc = $signature]
        #[allow(non_camel_case_types, clippy::exhaustive_structs, clippy::upper_case_acronyms)]
        $vis struct $name {
            /// A `Place` of this event.
            place: &'static (dyn ::core::any::Any + ::core::marker::Send + ::core::marker::Sync),
        }
    };
}

#[cfg(crossbeam_loom)]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_place {
    ($name:ident $of:ident $metadata:ident) => {
        impl $name {
            /// A new event, for this execution of a model.
            pub fn new() -> Self {
                Self {
                    place: $crate::__private::Box::leak($crate::__private::Box::new(
                        $crate::__private::Place::<$of>::new(&$metadata),
                    )),
                }
            }
        }

        fn __place(event: $name) -> &'static $crate::__private::Place<$of> {
            event.place.downcast_ref().expect("made by `new`")
        }
    };
}

#[cfg(crossbeam_loom)]
#[doc(hidden)]
#[macro_export]
macro_rules! __event_here {
    ($event:expr) => {
        __place($event)
    };
}

/// The two halves of a span in the catalogue. (Under loom there are no statics of spans: each call
/// makes one.)
#[cfg(not(crossbeam_loom))]
#[doc(hidden)]
#[macro_export]
macro_rules! __span_halves {
    ($name:ident) => {
        static __BEGIN: $crate::__private::Erased = __PLACE.half(&__METADATA, &__BEGIN_DYNAMIC);
        static __END: $crate::__private::Erased = __PLACE.half(&__END_METADATA, &__END_DYNAMIC);

        const _: () = {
            $crate::__catalog_entry! { __BEGIN }
        };
        const _: () = {
            $crate::__catalog_entry! { __END }
        };

        #[inline]
        fn __begin_event(_: $name) -> &'static dyn $crate::AnyEvent {
            &__BEGIN
        }

        #[inline]
        fn __end_event(_: $name) -> &'static dyn $crate::AnyEvent {
            &__END
        }
    };
}

#[cfg(crossbeam_loom)]
#[doc(hidden)]
#[macro_export]
macro_rules! __span_halves {
    ($name:ident) => {
        fn __begin_event(span: $name) -> &'static dyn $crate::AnyEvent {
            $crate::__private::Box::leak($crate::__private::Box::new(
                $crate::__event_here!(span).half(&__METADATA, &__BEGIN_DYNAMIC),
            ))
        }

        fn __end_event(span: $name) -> &'static dyn $crate::AnyEvent {
            $crate::__private::Box::leak($crate::__private::Box::new(
                $crate::__event_here!(span).half(&__END_METADATA, &__END_DYNAMIC),
            ))
        }
    };
}

/// The doc comments among the attributes, as one string.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_docs {
    // /// About to greet `who`.
    ($( #[doc = $line:expr] )*) => {
        ::core::concat!($($line, "\n"),*)
    };
    // Others among them, or attributes that a macro has captured as `$meta:meta`.
    ($( #[$($attribute:tt)*] )*) => {{
        const __ATTRIBUTES: &[$crate::__private::Attribute] = &[$($crate::__event_attribute!($($attribute)*)),*];
        const __DOCS: [::core::primitive::u8; $crate::__private::docs_len(__ATTRIBUTES)] =
            $crate::__private::docs(__ATTRIBUTES);
        $crate::__private::text(&__DOCS)
    }};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __event_attribute {
    // doc = "About to greet `who`."
    (doc = $line:expr) => {
        $crate::__private::Attribute::Doc($line)
    };
    // deprecated
    ($name:ident) => {
        $crate::__private::Attribute::Other
    };
    // One token, and no name: what a macro has captured as `$meta:meta`.
    ($opaque:tt) => {
        $crate::__private::Attribute::Opaque(::core::stringify!($opaque))
    };
    // cfg(unix)
    ($($other:tt)*) => {
        $crate::__private::Attribute::Other
    };
}

/// The marks on a parameter: none, or `#[redact]`.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_mark {
    ([]) => {
        false
    };
    ([[redact]]) => {
        true
    };
    // One token, and no name: what a macro has captured as `$meta:meta`.
    ([[$name:ident]]) => {
        $crate::__event_mark_mistake!([$name])
    };
    ([[$opaque:tt]]) => {
        $crate::__private::is_redact(::core::stringify!($opaque))
    };
    ([$([$($other:tt)*])*]) => {
        $crate::__event_mark_mistake!($([$($other)*])*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __event_mark_mistake {
    ($([$($other:tt)*])*) => {
        ::core::compile_error!(::core::concat!(
            "a parameter of an event can be marked `#[redact]`, and nothing else; this has `",
            $("#[", ::core::stringify!($($other)*), "]",)*
            "`"
        ))
    };
}

/// An argument as a dynamic probe sees it.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_value {
    ([] $parameter:ident) => {
        $crate::__private::ByKind::new(&$parameter).hotprobe_value()
    };
    // Marked `#[redact]`, or wrongly.
    ($marks:tt $parameter:ident) => {
        $crate::__private::redacted(&$parameter)
    };
}

/// Where an event is declared. `line!` is that of the outermost macro call, which is `event!` for all of a
/// block; so another macro is called, by tokens that are the event's own: `NAME!(who: &str)`. (`$dollar` is a
/// `$`, for the macro that is declared inside of this one.)
#[doc(hidden)]
#[macro_export]
macro_rules! __event_at {
    ([$name:tt $parameters:tt] $dollar:tt) => {{
        macro_rules! $name {
            ($dollar($dollar anything:tt)*) => {
                (::core::file!(), ::core::line!(), ::core::column!())
            };
        }
        $name! $parameters
    }};
}

/// Not a list of events: says which of the usual slips it was, and declares the others, so that there is
/// one error and not one for each use.
#[doc(hidden)]
#[macro_export]
macro_rules! __event_mistake {
    () => {};
    // What is right up to here.
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn ( $($parameters:tt)* ) ; $($rest:tt)*
    ) => {
        $crate::event! {
            $(#[$($attribute)*])*
            $vis static $name: $(pub $(($($within)*))?)? $(for<$($lifetime),*>)? fn($($parameters)*);
        }
        $crate::__event_mistake! { $($rest)* }
    };
    // static READY: fn() -> bool;
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn ( $($parameters:tt)* ) -> $($rest:tt)*
    ) => {
        ::core::compile_error!(::core::concat!(
            "event `", ::core::stringify!($name), "` returns something: an event has any number of probes, or \
             none, so there is nothing that it could return; remove the `-> …`"
        ));
    };
    // static HELLO: fn(who: &str)
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? $(for<$($lifetime:lifetime),* $(,)?>)?
            fn ( $($parameters:tt)* ) $($rest:tt)*
    ) => {
        ::core::compile_error!(::core::concat!(
            "a `;` is missing after event `", ::core::stringify!($name), "`"
        ));
        $crate::__event_mistake! {
            $(#[$($attribute)*])*
            $vis static $name: $(pub $(($($within)*))?)? $(for<$($lifetime),*>)? fn($($parameters)*);
            $($rest)*
        }
    };
    // static HELLO: fn<T>(value: T);
    (
        $(#[$($attribute:tt)*])*
        $vis:vis static $name:ident : $(pub $(($($within:tt)*))?)? fn < $($rest:tt)*
    ) => {
        ::core::compile_error!(::core::concat!(
            "event `", ::core::stringify!($name), "` is generic: an event has one list of probes, so its \
             parameters have one type each; declare an event for each type, or write `for<'a> fn(…)` if it \
             is a lifetime"
        ));
    };
    // static mut HELLO: fn();
    ($(#[$($attribute:tt)*])* $vis:vis static mut $($rest:tt)*) => {
        ::core::compile_error!("an event is not `mut`: write `static NAME: fn(name: Type, …);`");
    };
    // fn hello(who: &str);
    ($(#[$($attribute:tt)*])* $vis:vis fn $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "an event is declared as a static: write `static ", ::core::stringify!($name),
            ": fn(name: Type, …);`"
        ));
    };
    ($(#[$($attribute:tt)*])* $vis:vis static $name:ident $($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "event `", ::core::stringify!($name), "` is not declared as an event is: write `static ",
            ::core::stringify!($name), ": fn(name: Type, …);`"
        ));
    };
    ($($rest:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "an event is declared as `pub static NAME: fn(name: Type, …);`; this is `",
            ::core::stringify!($($rest)*), "`"
        ));
    };
}

/// Fires an event: `fire!(EVENT, arguments…)`.
///
/// The arguments are evaluated once, and only if the event is enabled: off, this costs one load, one test
/// and one branch.
///
/// **Probing never changes control flow.** The arguments are evaluated in a closure that changes no variable, so `?`,
/// `.await`, `break` and `return` in them do not compile, and neither does `fire!(E, iter.next().unwrap())`,
/// which would advance `iter` only while a probe is attached. A variable may be moved into an argument; it is
/// gone afterwards, enabled or not. An argument that panics does so only while the event is enabled, so write
/// none that can.
///
/// ```
/// use hotprobe::fire;
/// hotprobe::event! { static REQUEST_DONE: fn(id: u64, path: &str); }
///
/// fn expensive_path() -> String { unreachable!("it has no probe") }
///
/// fire!(REQUEST_DONE, 1, &expensive_path());
/// ```
#[macro_export]
macro_rules! fire {
    (* $($rest:tt)*) => {
        ::core::compile_error!("`fire!` takes the event itself: write `fire!(event, …)`, without the `*`")
    };
    // fire!(HELLO, expensive_name())
    ($event:expr $(, $argument:expr)* $(,)?) => {{
        let event = $event;
        if event.is_enabled_now() {
            $crate::__private::unlikely();
            // The names are for the compiler's messages: not `mut`, so no argument can change a variable.
            let arguments_must_not_change_variables = || -> $crate::__private::ArgumentsMustNotReturn {
                event.fire_enabled($($argument),*);
                $crate::__private::ArgumentsMustNotReturn
            };
            arguments_must_not_change_variables();
        }
    }};
    ($($other:tt)*) => {
        ::core::compile_error!(
            "`fire!` takes the event and its arguments, separated by commas: write `fire!(EVENT, argument, …)`"
        )
    };
}

/// Makes sure that [`events`](crate::events()) knows an event of a dependency: `register!(dependency::EVENT)`.
///
/// The catalogue is put together by the linker, out of the crates that it is given. The compiler gives it those
/// that the program uses, directly or through others. A crate that stands in `Cargo.toml`, but of which no line
/// of code says the name, is left out, and its events with it. Naming one event is enough to bring all of that
/// crate in; so is `use dependency as _;`.
///
/// It is an item: it stands beside functions, or inside one with a `;` after it, wherever the crate that it
/// stands in is itself part of the program. There is nothing to be called, and no code runs before `main`. An
/// event that is in the catalogue anyway, or registered twice, is listed once.
///
/// ```
/// # mod dependency { hotprobe::event! { pub static PLACED: fn(); pub static CANCELLED: fn(); } }
/// hotprobe::register!(dependency::PLACED);
///
/// fn main() {
///     hotprobe::register!(dependency::PLACED, dependency::CANCELLED);
///     assert_eq!(hotprobe::matching("*::dependency::*").len(), 2);
/// }
/// ```
#[macro_export]
macro_rules! register {
    ($($event:path),+ $(,)?) => { $(
        const _: () = {
            $crate::__event_in_catalog! { $event }
        };
    )+ };
    ($($other:tt)*) => {
        ::core::compile_error!(::core::concat!(
            "`register!` takes events by their paths: write `register!(dependency::EVENT, …);`; this has `",
            ::core::stringify!($($other)*), "`"
        ));
    };
}

/// The functions that a firing leaves on the stack between a probe and the function that fired, by their names.
///
/// `hotprobe-profile` takes them out of the stacks that it shows. A rename there needs one here: the test
/// `symbols` compares this list with real stacks.
pub mod symbols {
    /// The first segment of the paths of this crate's functions. All of them are taken out.
    pub const CRATE: &str = "hotprobe";

    /// Functions that fire. A stack has one of them for each firing, or [`FIRES_IN_CRATE`] where this one was a mere jump.
    pub const FIRES: &[&str] = &["__fire_outermost", "__fire_inside"];

    /// The same in this crate itself: the methods of `Place` that are not inlined.
    pub const FIRES_IN_CRATE: &[&str] = &["fire_first"];

    /// Methods of an event that fire, outside of [`FIRES`]. (Not always there: it may have been a jump, too.)
    pub const FIRES_BY_METHOD: &[&str] = &["fire_enabled"];

    /// The method that is inlined into the function that fires.
    pub const FIRE: &str = "fire";

    /// Functions that call one probe.
    pub const CALLS_PROBE: &[&str] = &["__thunk", "__dynamic"];

    /// The path of a method of an event has this before the event's name, where the compiler writes an `impl` block as a
    /// segment of the path.
    pub const IMPL: &str = "_::<impl ";

    /// Returns this file, as the compiler was given it. Debug information has the same file, or its full path, for what
    /// the macros expand to, and for this function.
    #[inline(never)]
    #[must_use]
    pub const fn source_file() -> &'static str {
        ::core::file!()
    }
}
