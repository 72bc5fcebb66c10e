//! An event whose signature isn't known at compile time: [`AnyEvent`], and its probes.

use crate::batch::Batch;
use crate::dynamic::{DynamicProbe, Firing};
use crate::metadata::Metadata;
use crate::options::ProbeOptions;
use crate::place::Erased;
use crate::probe::{Probe, ProbeInfo};
use crate::value::Value;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ptr;

/// An event of whatever signature: `&'static dyn AnyEvent`. Implemented by what [`event!`](crate::event!)
/// declares; [`events`](crate::events()) lists all of the program.
///
/// A *dynamic probe* can be attached to it: a closure that gets the event's [`Metadata`] and the arguments as
/// [`Value`]s. Of parameters that are marked `#[redact]` it sees that they are there, and nothing else. For
/// the rest it is a probe like any other, among the typed ones of the event.
///
/// ```
/// use hotprobe::{AnyEvent, fire};
/// use std::sync::{Arc, Mutex};
///
/// hotprobe::event! { static LOGIN: fn(user: &str, attempt: u32, #[redact] token: &str); }
///
/// let event: &'static dyn AnyEvent = &LOGIN;
/// let seen = Arc::new(Mutex::new(String::new()));
/// let probe = event.attach({
///     let seen = Arc::clone(&seen);
///     move |metadata, values| {
///         for (parameter, value) in metadata.parameters().iter().zip(values) {
///             *seen.lock().unwrap() += &format!("{}={value:?} ", parameter.name());
///         }
///     }
/// });
/// fire!(LOGIN, "JP", 1, "secret");
/// assert_eq!(*seen.lock().unwrap(), r#"user="JP" attempt=1 token=[redacted] "#);
/// # drop(probe);
/// ```
///
/// Two are equal if they are the same event. (Compare these, not addresses: what is behind the reference has
/// no size.)
///
/// # Cost
/// Nothing for events and typed probes. A firing makes one [`Value`] for each parameter on its stack, for each
/// dynamic probe, and calls it through one more pointer than a typed one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    note = "events are declared by `hotprobe::event! {{ pub static NAME: fn(name: Type, …); }}`"
)]
pub trait AnyEvent: Send + Sync {
    /// For `event!`.
    #[doc(hidden)]
    fn erased(&self) -> Erased;
}

impl AnyEvent for Erased {
    fn erased(&self) -> Erased {
        *self
    }
}

impl dyn AnyEvent + '_ {
    /// Returns what is known of it: name, place in the source, docs, parameters.
    #[must_use]
    pub fn metadata(&self) -> &'static Metadata {
        self.erased().metadata()
    }

    /// Returns its full name: `crate::module::NAME`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.metadata().name()
    }

    /// Returns whether firing it would call a probe: one relaxed load.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.erased().cell().is_enabled()
    }

    /// Returns how many probes are attached, those switched off after a panic included.
    #[must_use]
    pub fn probe_count(&self) -> usize {
        self.erased().cell().probe_count()
    }

    /// Returns its probes, typed and dynamic ones, in attach order: as
    /// [`Event::probes`](crate::Event::probes).
    #[must_use]
    pub fn probes(&self) -> Vec<ProbeInfo> {
        ProbeInfo::of(self.erased().cell())
    }

    /// Attaches a dynamic probe. It stays attached as long as the handle that is returned lives.
    ///
    /// It is called on the firing thread; what it is given is borrowed from the firing.
    ///
    /// ```
    /// hotprobe::event! { static STORED: fn(key: &str, bytes: usize); }
    ///
    /// let event: &dyn hotprobe::AnyEvent = &STORED;
    /// let probe = event.attach(|metadata, values| println!("{} {values:?}", metadata.name()));
    /// STORED.fire("k", 7);
    /// # drop(probe);
    /// ```
    pub fn attach(
        &self,
        probe: impl Fn(&'static Metadata, &[Value<'_>]) + Send + Sync + 'static,
    ) -> Probe {
        self.attach_with(ProbeOptions::new(), probe)
    }

    /// Attaches a dynamic probe with a name or a panic policy, as long as the handle lives.
    ///
    /// ```
    /// use hotprobe::ProbeOptions;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let event: &dyn hotprobe::AnyEvent = &TICK;
    /// let probe = event.attach_with(ProbeOptions::new().name("watch"), |_, _| ());
    /// assert_eq!(event.probes()[0].name(), Some("watch"));
    /// # drop(probe);
    /// ```
    pub fn attach_with(
        &self,
        options: ProbeOptions,
        probe: impl Fn(&'static Metadata, &[Value<'_>]) + Send + Sync + 'static,
    ) -> Probe {
        let event = self.erased();
        event.attach(DynamicProbe::new(event.metadata(), probe), options)
    }

    /// Queues a dynamic probe in a batch; it is attached when the batch is committed.
    ///
    /// ```
    /// hotprobe::event! { static OPENED: fn(id: u64); static CLOSED: fn(id: u64); }
    /// let events: [&dyn hotprobe::AnyEvent; 2] = [&OPENED, &CLOSED];
    ///
    /// let mut batch = hotprobe::Batch::new();
    /// for event in events {
    ///     event.attach_in(&mut batch, |metadata, values| println!("{} {values:?}", metadata.name()));
    /// }
    /// let group = batch.commit();
    /// assert!(OPENED.is_enabled() && CLOSED.is_enabled());
    /// # drop(group);
    /// ```
    pub fn attach_in(
        &self,
        batch: &mut Batch,
        probe: impl Fn(&'static Metadata, &[Value<'_>]) + Send + Sync + 'static,
    ) {
        self.attach_in_with(batch, ProbeOptions::new(), probe);
    }

    /// Queues a dynamic probe with a name or a panic policy in a batch.
    pub fn attach_in_with(
        &self,
        batch: &mut Batch,
        options: ProbeOptions,
        probe: impl Fn(&'static Metadata, &[Value<'_>]) + Send + Sync + 'static,
    ) {
        let event = self.erased();
        event.attach_in(batch, DynamicProbe::new(event.metadata(), probe), options);
    }

    /// Attaches a dynamic probe that gets the whole [`Firing`]: the span that begins or ends, its
    /// parent or outcome; for an event, the span that is current where it fires.
    ///
    /// ```
    /// use hotprobe::{TypedSpan, fire, start};
    /// use std::sync::{Arc, Mutex};
    ///
    /// hotprobe::event! { static STORED: fn(key: &str); }
    /// hotprobe::span! { static REQUEST: fn(route: &str); }
    ///
    /// let seen = Arc::new(Mutex::new(Vec::new()));
    /// let events: [&dyn hotprobe::AnyEvent; 2] = [REQUEST.begin_event(), &STORED];
    /// let probes = events.map(|event| {
    ///     let seen = Arc::clone(&seen);
    ///     event.attach_firing(move |firing| seen.lock().unwrap().push(firing.span()))
    /// });
    /// let request = start!(REQUEST, "/orders").entered();
    /// fire!(STORED, "k");
    /// assert_eq!(*seen.lock().unwrap(), [request.id(), request.id()]);
    /// # drop((request, probes));
    /// ```
    pub fn attach_firing(&self, probe: impl Fn(&Firing<'_>) + Send + Sync + 'static) -> Probe {
        self.attach_firing_with(ProbeOptions::new(), probe)
    }

    /// Attaches such a probe with a name or a panic policy.
    pub fn attach_firing_with(
        &self,
        options: ProbeOptions,
        probe: impl Fn(&Firing<'_>) + Send + Sync + 'static,
    ) -> Probe {
        let event = self.erased();
        event.attach(DynamicProbe::of_firings(event.metadata(), probe), options)
    }

    /// Queues such a probe in a batch.
    pub fn attach_firing_in(
        &self,
        batch: &mut Batch,
        probe: impl Fn(&Firing<'_>) + Send + Sync + 'static,
    ) {
        self.attach_firing_in_with(batch, ProbeOptions::new(), probe);
    }

    /// Queues such a probe with a name or a panic policy in a batch.
    pub fn attach_firing_in_with(
        &self,
        batch: &mut Batch,
        options: ProbeOptions,
        probe: impl Fn(&Firing<'_>) + Send + Sync + 'static,
    ) {
        let event = self.erased();
        event.attach_in(
            batch,
            DynamicProbe::of_firings(event.metadata(), probe),
            options,
        );
    }
}

impl fmt::Debug for dyn AnyEvent + '_ {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.erased().fmt(f)
    }
}

impl PartialEq for dyn AnyEvent + '_ {
    fn eq(&self, other: &Self) -> bool {
        let (this, other) = (self.erased(), other.erased());
        // (The two halves of a span have one cell.)
        ptr::eq(this.cell(), other.cell()) && ptr::eq(this.metadata(), other.metadata())
    }
}

impl Eq for dyn AnyEvent + '_ {}

impl Hash for dyn AnyEvent + '_ {
    fn hash<H: Hasher>(&self, state: &mut H) {
        ptr::from_ref(self.erased().metadata()).hash(state);
    }
}

static_assertions::assert_impl_all!(dyn AnyEvent: Send, Sync);
