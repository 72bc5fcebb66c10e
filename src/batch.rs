//! Changes of many probes at one instant: [`Batch`], [`ProbeGroup`].

use crate::error::SynchronizeError;
use crate::grace;
use crate::probe::Probe;
use crate::rcu::gate::Gate;
use crate::rcu::slot::{Handle, Pending};
use crate::rcu::snapshot::ProbeEntry;
use crate::rcu::update;
use crate::sync::MODEL;
use std::fmt;
use std::mem;
use std::sync::Arc;

/// A list of attaches and detaches that take effect together.
///
/// Queue any number of changes; none takes effect, and no lock is held, before
/// [`commit`](Batch::commit). Dropping a batch discards its changes.
///
/// The probes of a batch become visible at one instant, over any number of events: a firing that
/// happens after one of them ran finds them all. The batch's detaches take effect before its
/// attaches; a firing in between may find neither.
///
/// ```
/// use hotprobe::{Batch, ProbeGroup, fire};
///
/// hotprobe::event! {
///     static REQUEST: fn(id: u64);
///     static RESPONSE: fn(id: u64);
/// }
///
/// let mut batch = Batch::new();
/// REQUEST.attach_in(&mut batch, |id| println!("> {id}"));
/// RESPONSE.attach_in(&mut batch, |id| println!("< {id}"));
/// assert!(!REQUEST.is_enabled());
///
/// let mut group: ProbeGroup = batch.commit();
/// fire!(REQUEST, 1);
/// group.detach();
/// assert!(!REQUEST.is_enabled() && !RESPONSE.is_enabled());
/// ```
#[derive(Default)]
#[must_use = "a dropped batch has done nothing: call `.commit()`"]
pub struct Batch {
    gate: Option<Arc<Gate>>,
    attaches: Vec<Pending>,
    detaches: Vec<Handle>,
    groups: Vec<ProbeGroup>,
}

impl Batch {
    /// Creates an empty batch.
    ///
    /// ```
    /// let group = hotprobe::Batch::new().commit();
    /// assert!(group.is_empty());
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) fn gate(&mut self) -> Arc<Gate> {
        Arc::clone(self.gate.get_or_insert_with(|| Arc::new(Gate::new())))
    }

    pub(crate) fn push(&mut self, pending: Pending) {
        self.attaches.push(pending);
    }

    /// Queues the detach of a probe. The probe may also be detached in another way before the
    /// commit.
    ///
    /// ```
    /// use hotprobe::Batch;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let old = TICK.attach(|| ());
    /// let mut batch = Batch::new();
    /// batch.detach(&old);
    /// TICK.attach_in(&mut batch, || ());
    /// let new = batch.commit();
    /// assert!(!old.is_attached());
    /// assert_eq!((TICK.probe_count(), new.len()), (1, 1));
    /// ```
    pub fn detach(&mut self, probe: &Probe) {
        self.detaches.push(probe.handle().clone());
    }

    /// Queues the detach of a whole group, at one instant.
    ///
    /// The batch owns the group from then on. If the batch is dropped without a commit, the group's
    /// probes stay attached forever, as after [`ProbeGroup::leak`].
    ///
    /// ```
    /// use hotprobe::{Batch, ProbeGroup};
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let old = ProbeGroup::from_iter([TICK.attach(|| ()), TICK.attach(|| ())]);
    /// let mut batch = Batch::new();
    /// batch.detach_group(old);
    /// assert_eq!(TICK.probe_count(), 2);
    /// batch.commit();
    /// assert_eq!(TICK.probe_count(), 0);
    /// ```
    pub fn detach_group(&mut self, group: ProbeGroup) {
        self.groups.push(group);
    }

    /// Makes all queued changes, under one lock. Returns a group of the attached probes, in the
    /// order in which they were queued. Dropping the group detaches them.
    ///
    /// Works anywhere, also inside a probe. Captures of the detached probes are dropped as after
    /// [`Probe::detach`].
    ///
    /// # Cost
    /// Copies each event's vector of probes once, whatever the number of changes to it: linear in
    /// the number of probes. Does not wait for firings.
    ///
    /// # Panics
    /// Never. If memory runs out, the process ends, as for any failed allocation, before anything
    /// has changed.
    pub fn commit(mut self) -> ProbeGroup {
        let gate = self.gate.take();
        let attaches = mem::take(&mut self.attaches);
        let detaches = mem::take(&mut self.detaches);
        let mut groups = mem::take(&mut self.groups);

        let entries = by_event(&attaches);
        let members = groups.iter().flat_map(|group| &group.probes);
        let slots: Vec<_> = detaches
            .iter()
            .map(Handle::slot)
            .chain(members.map(|probe| probe.handle().slot()))
            .collect();
        let closing: Vec<Arc<Gate>> = groups.iter_mut().filter_map(|g| g.gate.take()).collect();
        let mut probes = Vec::with_capacity(attaches.len());

        update::commit(&slots, &closing, &entries);

        probes.extend(attaches.into_iter().map(|p| Probe::new(p.attached())));
        ProbeGroup { probes, gate }
    }
}

/// The entries by event, and in the order of queuing within each.
fn by_event(attaches: &[Pending]) -> Vec<ProbeEntry> {
    let address = |pending: &Pending| std::ptr::from_ref(pending.cell()).addr();
    let first = |pending: &Pending| attaches.iter().position(|p| address(p) == address(pending));
    let mut sorted: Vec<&Pending> = attaches.iter().collect();
    // Both sorts are stable.
    if MODEL {
        // In the same order in each execution, whatever the addresses.
        sorted.sort_by_key(|pending| first(pending));
    } else {
        sorted.sort_by_key(|pending| address(pending));
    }
    sorted.into_iter().map(Pending::entry).collect()
}

impl Drop for Batch {
    fn drop(&mut self) {
        for group in self.groups.drain(..) {
            group.leak();
        }
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("attaches", &self.attaches.len())
            .field("detaches", &self.detaches.len())
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// Probes that are detached together.
///
/// Dropping the group detaches its probes. The group that [`Batch::commit`] returned detaches them
/// at one instant: after a firing has found one of them detached by the group, its thread starts
/// none of the others. (Probes that were added later are detached with the others, but not at the
/// same instant.)
///
/// ```
/// use hotprobe::ProbeGroup;
/// hotprobe::event! { static TICK: fn(); static TOCK: fn(); }
///
/// let mut group = ProbeGroup::new();
/// group.add(TICK.attach(|| ()));
/// group.add(TOCK.attach(|| ()));
/// assert_eq!(group.len(), 2);
/// drop(group);
/// assert!(!TICK.is_enabled() && !TOCK.is_enabled());
/// ```
#[derive(Default)]
#[must_use = "a dropped `ProbeGroup` is detached at once (`let _ = …` drops it at once, too): \
              bind it to a name, keep it in a struct, or call `.leak()`"]
pub struct ProbeGroup {
    probes: Vec<Probe>,
    gate: Option<Arc<Gate>>,
}

impl ProbeGroup {
    /// Creates an empty group.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a probe.
    pub fn add(&mut self, probe: Probe) {
        self.probes.push(probe);
    }

    /// Returns the number of probes in it, attached or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.probes.len()
    }

    /// Returns whether it has no probes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.probes.is_empty()
    }

    /// Returns its probes, in the order in which they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Probe> {
        self.probes.iter()
    }

    /// Detaches all probes of the group, under one lock, and empties the group, which can be used
    /// again. On an empty group, does nothing.
    ///
    /// Each probe is detached as by [`Probe::detach`]. Copies each event's vector of probes once.
    ///
    /// ```
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let mut group: hotprobe::ProbeGroup = (0..100).map(|_| TICK.attach(|| ())).collect();
    /// group.detach();
    /// group.detach();
    /// assert_eq!(TICK.probe_count(), 0);
    /// ```
    pub fn detach(&mut self) {
        if self.probes.is_empty() {
            return;
        }
        let gate = self.gate.take();
        update::detach(
            self.probes.iter().map(|probe| probe.handle().slot()),
            gate.as_slice(),
        );
        // Each handle finds its probe detached.
        self.probes.clear();
    }

    /// Detaches all probes of the group, and waits until no firing runs them and all captures have
    /// been dropped.
    ///
    /// Blocks the thread; see [`Probe::detach_and_wait`].
    ///
    /// # Errors
    /// [`SynchronizeError::InProbe`] inside a probe, a `pinned` scope or a captured `Drop`. All
    /// probes have been detached nevertheless; only the wait was not possible.
    ///
    /// ```
    /// use std::sync::Arc;
    /// hotprobe::event! { static TICK: fn(); }
    ///
    /// let state = Arc::new(());
    /// let captured = Arc::clone(&state);
    /// let mut group = hotprobe::ProbeGroup::new();
    /// group.add(TICK.attach(move || drop(Arc::clone(&captured))));
    /// group.detach_and_wait()?;
    /// assert_eq!(Arc::strong_count(&state), 1);
    /// # Ok::<(), hotprobe::SynchronizeError>(())
    /// ```
    pub fn detach_and_wait(&mut self) -> Result<(), SynchronizeError> {
        self.detach();
        grace::synchronize()
    }

    /// Leaves all its probes attached forever.
    pub fn leak(mut self) {
        for probe in self.probes.drain(..) {
            probe.leak();
        }
    }
}

impl Drop for ProbeGroup {
    fn drop(&mut self) {
        self.detach();
    }
}

impl Extend<Probe> for ProbeGroup {
    fn extend<I: IntoIterator<Item = Probe>>(&mut self, probes: I) {
        self.probes.extend(probes);
    }
}

impl FromIterator<Probe> for ProbeGroup {
    fn from_iter<I: IntoIterator<Item = Probe>>(probes: I) -> Self {
        Self {
            probes: Vec::from_iter(probes),
            gate: None,
        }
    }
}

/// Takes the probes out of the group, in the order in which they were added, all of them still
/// attached.
///
/// From then on, each probe is detached when its own handle is dropped. Dropping the iterator
/// detaches the remaining probes one after the other, not at one instant.
///
/// ```
/// use hotprobe::{Batch, Probe};
/// hotprobe::event! { static OPENED: fn(); static CLOSED: fn(); }
///
/// let mut batch = Batch::new();
/// OPENED.attach_in(&mut batch, || ());
/// CLOSED.attach_in(&mut batch, || ());
/// let probes: Vec<Probe> = batch.commit().into_iter().collect();
/// assert!(probes[0].detach());
/// assert!(!OPENED.is_enabled() && CLOSED.is_enabled());
/// ```
impl IntoIterator for ProbeGroup {
    type Item = Probe;
    type IntoIter = std::vec::IntoIter<Probe>;

    fn into_iter(mut self) -> Self::IntoIter {
        mem::take(&mut self.probes).into_iter()
    }
}

impl<'a> IntoIterator for &'a ProbeGroup {
    type Item = &'a Probe;
    type IntoIter = std::slice::Iter<'a, Probe>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Debug for ProbeGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.probes).finish()
    }
}

static_assertions::assert_impl_all!(Batch: Send);
static_assertions::assert_impl_all!(ProbeGroup: Send, Sync, std::panic::UnwindSafe, std::panic::RefUnwindSafe);
