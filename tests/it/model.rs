//! Random sequences of operations against a plain `Vec`.

use hotprobe::{Batch, OnPanic, Probe, ProbeGroup, ProbeOptions};
use proptest::prelude::*;
use std::sync::{Arc, Mutex};

hotprobe::event! {
    static ZERO: fn();
    static ONE: fn();
    static TWO: fn();
}

/// The model: each event's probes, in attach order. And the probes' own account of who ran.
#[derive(Default)]
struct World {
    model: [Vec<u32>; 3],
    probes: Vec<(u32, Probe)>,
    groups: Vec<(Vec<u32>, ProbeGroup)>,
    quarantined: Vec<u32>,
    ran: Arc<Mutex<Vec<u32>>>,
    next: u32,
}

#[derive(Clone, Debug)]
enum Operation {
    Attach(usize),
    AttachFaulty(usize),
    Detach(usize),
    DropProbe(usize),
    Commit {
        attach: Vec<usize>,
        detach: Vec<usize>,
        detach_groups: usize,
    },
    Group(usize),
    DetachGroup(usize),
    DropGroup(usize),
    Abandon(Vec<usize>),
    Fire(usize),
    FirePinned(usize),
    Reclaim,
}

fn operation() -> impl Strategy<Value = Operation> {
    use Operation::*;
    let event = 0..3_usize;
    let any = 0..8_usize;
    prop_oneof![
        4 => event.clone().prop_map(Attach),
        1 => event.clone().prop_map(AttachFaulty),
        3 => any.clone().prop_map(Detach),
        1 => any.clone().prop_map(DropProbe),
        3 => (
            prop::collection::vec(event.clone(), 0..5),
            prop::collection::vec(any.clone(), 0..3),
            0..2_usize,
        )
            .prop_map(|(attach, detach, detach_groups)| Commit { attach, detach, detach_groups }),
        1 => any.clone().prop_map(Group),
        1 => any.clone().prop_map(DetachGroup),
        1 => any.clone().prop_map(DropGroup),
        1 => prop::collection::vec(event.clone(), 0..3).prop_map(Abandon),
        6 => event.clone().prop_map(Fire),
        2 => event.prop_map(FirePinned),
        1 => Just(Reclaim),
    ]
}

impl World {
    fn id(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    fn probe(&self, id: u32) -> impl Fn() + Send + Sync + 'static {
        let ran = Arc::clone(&self.ran);
        move || ran.lock().unwrap().push(id)
    }

    fn gone(&mut self, id: u32) {
        for event in &mut self.model {
            event.retain(|&other| other != id);
        }
    }

    fn attach(
        event: usize,
        options: ProbeOptions,
        probe: impl Fn() + Send + Sync + 'static,
    ) -> Probe {
        match event {
            0 => ZERO.attach_with(options, probe),
            1 => ONE.attach_with(options, probe),
            _ => TWO.attach_with(options, probe),
        }
    }

    fn attach_in(event: usize, batch: &mut Batch, probe: impl Fn() + Send + Sync + 'static) {
        match event {
            0 => ZERO.attach_in(batch, probe),
            1 => ONE.attach_in(batch, probe),
            _ => TWO.attach_in_with(batch, ProbeOptions::new().name("two"), probe),
        }
    }

    fn fire(&mut self, event: usize) -> Result<(), TestCaseError> {
        self.ran.lock().unwrap().clear();
        match event {
            0 => ZERO.fire(),
            1 => hotprobe::fire!(ONE),
            _ => TWO.fire(),
        }
        let expected: Vec<u32> = self.model[event]
            .iter()
            .copied()
            .filter(|id| !self.quarantined.contains(id))
            .collect();
        prop_assert_eq!(&*self.ran.lock().unwrap(), &expected);
        // A faulty one (their numbers are even) has run, and is quarantined.
        self.quarantined
            .extend(expected.iter().filter(|&id| id % 2 == 0));
        Ok(())
    }

    fn apply(&mut self, operation: Operation) -> Result<(), TestCaseError> {
        match operation {
            Operation::Attach(event) => {
                let id = self.id() * 2 + 1;
                let probe = Self::attach(event, ProbeOptions::new(), self.probe(id));
                self.model[event].push(id);
                self.probes.push((id, probe));
            }
            Operation::AttachFaulty(event) => {
                let id = self.id() * 2;
                let run = self.probe(id);
                let options = ProbeOptions::new().on_panic(OnPanic::Quarantine);
                let probe = Self::attach(event, options, move || {
                    run();
                    panic!("planned: a faulty probe");
                });
                self.model[event].push(id);
                self.probes.push((id, probe));
            }
            Operation::Detach(n) => {
                if let Some((id, probe)) = self.probes.get(n) {
                    let (id, attached) =
                        (*id, self.model.iter().flatten().any(|other| other == id));
                    prop_assert_eq!(probe.is_attached(), attached);
                    prop_assert_eq!(probe.detach(), attached);
                    self.gone(id);
                }
            }
            Operation::DropProbe(n) => {
                if n < self.probes.len() {
                    let (id, _) = self.probes.remove(n);
                    self.gone(id);
                }
            }
            Operation::Commit {
                attach,
                detach,
                detach_groups,
            } => {
                let mut batch = Batch::new();
                let mut ids = Vec::new();
                for &event in &attach {
                    let id = self.id() * 2 + 1;
                    Self::attach_in(event, &mut batch, self.probe(id));
                    ids.push((event, id));
                }
                let mut detached = Vec::new();
                for n in detach {
                    if let Some((id, probe)) = self.probes.get(n) {
                        batch.detach(probe);
                        detached.push(*id);
                    }
                }
                for _ in 0..detach_groups {
                    if let Some((ids, group)) = self.groups.pop() {
                        batch.detach_group(group);
                        detached.extend(ids);
                    }
                }
                let group = batch.commit();
                prop_assert_eq!(group.len(), attach.len());
                for id in detached {
                    self.gone(id);
                }
                for &(event, id) in &ids {
                    self.model[event].push(id);
                }
                self.groups
                    .push((ids.iter().map(|(_, id)| *id).collect(), group));
            }
            Operation::Group(n) => {
                if n < self.probes.len() {
                    let (id, probe) = self.probes.remove(n);
                    if let Some((ids, group)) = self.groups.last_mut() {
                        group.add(probe);
                        ids.push(id);
                    } else {
                        self.groups.push((vec![id], ProbeGroup::from_iter([probe])));
                    }
                }
            }
            Operation::DetachGroup(n) => {
                if let Some((ids, group)) = self.groups.get_mut(n) {
                    group.detach();
                    for id in std::mem::take(ids) {
                        self.gone(id);
                    }
                }
            }
            Operation::DropGroup(n) => {
                if n < self.groups.len() {
                    let (ids, group) = self.groups.remove(n);
                    drop(group);
                    for id in ids {
                        self.gone(id);
                    }
                }
            }
            Operation::Abandon(events) => {
                let mut batch = Batch::new();
                for event in events {
                    let id = self.id();
                    Self::attach_in(event, &mut batch, self.probe(id));
                }
                if let Some((_, probe)) = self.probes.first() {
                    batch.detach(probe);
                }
                drop(batch);
            }
            Operation::Fire(event) => self.fire(event)?,
            Operation::FirePinned(event) => hotprobe::pinned(|| self.fire(event))?,
            Operation::Reclaim => hotprobe::reclaim(),
        }
        for (event, model) in self.model.iter().enumerate() {
            let (count, enabled) = match event {
                0 => (ZERO.probe_count(), ZERO.is_enabled()),
                1 => (ONE.probe_count(), ONE.is_enabled()),
                _ => (TWO.probe_count(), TWO.is_enabled()),
            };
            prop_assert_eq!(count, model.len());
            let live = model.iter().any(|id| !self.quarantined.contains(id));
            prop_assert_eq!(enabled, live);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn any_sequence_of_operations_does_what_a_vec_would(operations in prop::collection::vec(operation(), 1..60)) {
        crate::quiet_planned_panics();
        let mut world = World::default();
        for operation in operations {
            world.apply(operation)?;
        }
        drop(world);
        prop_assert!(!ZERO.is_enabled() && !ONE.is_enabled() && !TWO.is_enabled());
    }
}
