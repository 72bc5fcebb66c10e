//! The trait for code that is generic over events, [`TypedEvent`].

use crate::any::AnyEvent;
use crate::batch::Batch;
use crate::event::Event;
use crate::options::ProbeOptions;
use crate::place::Typed;
use crate::probe::Probe;

/// An event of any signature, for code that is generic over events.
///
/// Every event that [`event!`](crate::event!) declares implements it, and nothing else can. The trait is
/// dyn-compatible: `&'static dyn TypedEvent<Probe = dyn Fn(&str) + Send + Sync>` is any event with this
/// signature. For events of different signatures, use [`AnyEvent`].
///
/// A boxed probe costs one more pointer per call than the closure that an event's own `attach` takes.
///
/// ```
/// use hotprobe::{Batch, ProbeOptions, TypedEvent, fire};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicU64, Ordering};
///
/// hotprobe::event! {
///     static OPENED: fn(path: &str);
///     static CLOSED: fn(path: &str);
/// }
///
/// /// Attaches a probe to each event, all at one instant.
/// fn attach_to_all<P: ?Sized>(
///     events: &[&'static dyn TypedEvent<Probe = P>],
///     probe: impl Fn() -> Box<P>,
/// ) -> hotprobe::ProbeGroup {
///     let mut batch = Batch::new();
///     for event in events {
///         let name = format!("count {}", event.event().name());
///         event.attach_boxed_in(&mut batch, ProbeOptions::new().name(name), probe());
///     }
///     batch.commit()
/// }
///
/// let count = Arc::new(AtomicU64::new(0));
/// let group = attach_to_all::<dyn Fn(&str) + Send + Sync>(&[&OPENED, &CLOSED], || {
///     let count = Arc::clone(&count);
///     Box::new(move |_path| {
///         count.fetch_add(1, Ordering::Relaxed);
///     })
/// });
/// fire!(OPENED, "/tmp/x");
/// fire!(CLOSED, "/tmp/x");
/// assert_eq!(count.load(Ordering::Relaxed), 2);
/// # drop(group);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    note = "events are declared by `hotprobe::event! {{ pub static NAME: fn(name: Type, …); }}`"
)]
pub trait TypedEvent: Sealed {
    /// The type of its probes: `dyn Fn(…) + Send + Sync`.
    type Probe: ?Sized;

    /// Attaches a boxed probe, as the event's `attach` attaches a closure.
    ///
    /// ```
    /// use hotprobe::{Probe, TypedEvent};
    /// hotprobe::event! { static HELLO: fn(who: &str); }
    ///
    /// fn attach_logged<E: TypedEvent>(event: &'static E, probe: Box<E::Probe>) -> Probe {
    ///     println!("attaching to {}", event.event().name());
    ///     event.attach_boxed(probe)
    /// }
    ///
    /// let probe = attach_logged(&HELLO, Box::new(|who| println!("{who}")));
    /// HELLO.fire("JP");
    /// # drop(probe);
    /// ```
    fn attach_boxed(&'static self, probe: Box<Self::Probe>) -> Probe {
        self.typed().attach(ProbeOptions::new(), probe)
    }

    /// Queues a boxed probe in a batch, with its options, as the event's `attach_in_with` queues a closure.
    /// [`Batch::commit`] attaches it.
    ///
    /// To attach one probe with options and no other, commit a batch of one.
    fn attach_boxed_in(
        &'static self,
        batch: &mut Batch,
        options: ProbeOptions,
        probe: Box<Self::Probe>,
    ) {
        self.typed().attach_in(batch, options, probe);
    }

    /// Returns the event itself.
    fn event(&'static self) -> &'static Event<Self::Probe> {
        self.typed().event()
    }

    /// Returns the event without its signature, for dynamic probes.
    ///
    /// ```
    /// use hotprobe::TypedEvent;
    /// hotprobe::event! { static HELLO: fn(who: &str); }
    ///
    /// let event = HELLO.as_any_event();
    /// let probe = event.attach(|metadata, values| println!("{} {values:?}", metadata.name()));
    /// HELLO.fire("JP");
    /// # drop(probe);
    /// ```
    fn as_any_event(&'static self) -> &'static dyn AnyEvent;

    /// Returns the parts that the provided methods use. `event!` implements only this one, so each
    /// event has one function to compile instead of three.
    #[doc(hidden)]
    fn typed(&'static self) -> Typed<Self::Probe> {
        unreachable!("only `event!` implements this trait, with this method")
    }
}

/// Closes [`TypedEvent`]: methods can be added to it, since only `event!` implements it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot implement `TypedEvent`: only what `hotprobe::event!` declares implements it",
    label = "not declared by `hotprobe::event!`",
    note = "declare an event, `hotprobe::event! {{ pub static NAME: fn(name: Type, …); }}`, and keep it in a field"
)]
pub trait Sealed {}
