//! The twins of what must not compile (`tests/ui/fail`): that they compile is all they have to do.
//! They are modules of the tests, and not programs, so that nothing has to be linked for each of
//! them.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::all,
    clippy::pedantic,
    reason = "they stand for other people's code"
)]

mod argument_mut;
mod argument_own;
mod argument_string;
mod end_await;
mod end_entered;
mod end_missing_value;
mod end_question_mark;
mod end_twice;
mod entered_across_await;
mod fire_await;
mod fire_break;
mod fire_dereferenced;
mod fire_mistyped;
mod fire_mutates;
mod fire_nothing;
mod fire_private;
mod fire_question_mark;
mod fire_return;
mod fire_semicolon;
mod fire_too_few;
mod fire_too_many;
mod generic;
mod generic_lifetime;
mod method_fire_mistyped;
mod method_fire_too_few;
mod method_fire_too_many;
mod name_lower_case;
mod not_a_function;
mod not_a_name;
mod not_a_static;
mod not_an_event;
mod not_any_event;
mod parameter_attribute;
mod parameter_pattern;
mod parameter_self;
mod parameter_unnamed_number;
mod parameter_unnamed_reference;
mod place_is_invariant;
mod probe_arity;
mod probe_borrows;
mod probe_dropped;
mod probe_fn_mut;
mod probe_keeps_argument;
mod probe_rc;
mod register_not_a_path;
mod register_not_an_event;
mod returns;
mod semicolon_between;
mod semicolon_last;
mod span_argument_string;
mod span_dropped;
mod span_end_attribute;
mod span_end_string;
mod span_end_unnamed;
mod span_fired;
mod span_generic;
mod span_not_a_name;
mod span_not_a_static;
mod span_parameter_unnamed;
mod span_private_start;
mod span_probe_without_option;
mod span_returns;
mod span_returns_generic;
mod span_self;
mod span_semicolon;
mod span_semicolon_last;
mod span_static_mut;
mod start_dereferenced;
mod start_event;
mod start_question_mark;
mod start_return;
mod start_semicolon;
mod start_too_few;
mod static_mut;
mod typed_event_outside;
