//! What one thread may do: its events, for each choice of the values that its reads may find.

use crate::litmus::{Change, Expression, How, Location, Place, Step, Test, Touch};
use crate::order::{Order, Strength};
use std::collections::{BTreeMap, BTreeSet};

/// A change of a test: none, or one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variant {
    /// A row whose accesses have another ordering.
    pub(crate) weakened: Option<(String, Strength)>,
    /// A bug.
    pub(crate) planted: Option<String>,
    /// What the slots of a family have.
    pub(crate) slots: BTreeMap<String, Strength>,
}

impl Variant {
    fn strength(&self, how: &How) -> Strength {
        if let Some(slot) = &how.slot {
            return self.slots.get(slot).copied().unwrap_or(how.strength);
        }
        match (&self.weakened, &how.row) {
            (Some((row, weaker)), Some(this)) if row == this => *weaker,
            _ => how.strength,
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum What {
    Access {
        location: usize,
        order: Order,
        read: Option<i64>,
        write: Option<i64>,
    },
    Fence(Strength),
    Touch(Touch, usize),
}

impl What {
    pub(crate) fn location(&self) -> Option<usize> {
        match self {
            Self::Access { location, .. } => Some(*location),
            _ => None,
        }
    }

    pub(crate) fn read(&self) -> Option<i64> {
        match self {
            Self::Access { read, .. } => *read,
            _ => None,
        }
    }

    pub(crate) fn write(&self) -> Option<i64> {
        match self {
            Self::Access { write, .. } => *write,
            _ => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Trace {
    pub(crate) events: Vec<What>,
    pub(crate) registers: Vec<i64>,
    /// A `check` failed.
    pub(crate) failed: bool,
}

/// Values that each location may have.
pub(crate) type Values = Vec<BTreeSet<i64>>;

enum Flow {
    Continue,
    Stop,
    /// An assumption does not hold.
    Discard,
    /// A value is needed for a read of this location.
    Read(usize),
    Error(String),
}

struct Run<'a> {
    locations: &'a [Location],
    variant: &'a Variant,
    given: &'a [i64],
    events: Vec<What>,
    registers: Vec<i64>,
    failed: bool,
}

impl Run<'_> {
    fn eval(&self, expression: &Expression) -> i64 {
        expression.eval(&|leaf| match leaf {
            Expression::Register(register) => self.registers[*register],
            _ => 0,
        })
    }

    fn locate(&self, place: &Place) -> Result<usize, Flow> {
        let index = place.index.as_ref().map(|index| self.eval(index));
        let is_it = |one: &Location| one.name == place.name && one.index == index;
        let found = self.locations.iter().position(is_it);
        found.ok_or_else(|| Flow::Error(format!("no location `{}`[{index:?}]", place.name)))
    }

    fn read(&mut self, location: usize) -> Result<i64, Flow> {
        let (value, rest) = self.given.split_first().ok_or(Flow::Read(location))?;
        self.given = rest;
        Ok(*value)
    }

    fn access(&mut self, location: usize, order: Order, read: Option<i64>, write: Option<i64>) {
        self.events.push(What::Access {
            location,
            order,
            read,
            write,
        });
    }

    fn step(&mut self, step: &Step) -> Result<(), Flow> {
        match step {
            Step::Load(to, place, how) => {
                let location = self.locate(place)?;
                let value = self.read(location)?;
                let order = self.variant.strength(how).order();
                self.access(location, order, Some(value), None);
                self.registers[*to] = value;
            }
            Step::Store(place, value, how) => {
                let (location, value) = (self.locate(place)?, self.eval(value));
                let order = self.variant.strength(how).order();
                self.access(location, order, None, Some(value));
            }
            Step::Update(to, place, change, how) => {
                let location = self.locate(place)?;
                let before = self.read(location)?;
                let strength = self.variant.strength(how);
                let after = match change {
                    Change::Swap(new) => Some(self.eval(new)),
                    Change::Add(more) => Some(before + self.eval(more)),
                    Change::Exchange(old, new) => {
                        (self.eval(old) == before).then(|| self.eval(new))
                    }
                };
                let order = match after {
                    Some(_) => strength.order(),
                    None => strength.order_on_failure(),
                };
                self.access(location, order, Some(before), after);
                self.registers[*to] = before;
            }
            Step::Barrier(how) => match self.variant.strength(how) {
                Strength::Absent => {}
                strength => self.events.push(What::Fence(strength)),
            },
            Step::Touch(touch, memory) => self.events.push(What::Touch(*touch, *memory)),
            Step::Let(to, value) => self.registers[*to] = self.eval(value),
            Step::If(condition, then, otherwise) => {
                let which = if self.eval(condition) == 0 {
                    otherwise
                } else {
                    then
                };
                self.steps(which)?;
            }
            Step::Planted(bug, has_to_be, steps) => {
                if (self.variant.planted.as_ref() == Some(bug)) == *has_to_be {
                    self.steps(steps)?;
                }
            }
            Step::Assume(condition) => {
                if self.eval(condition) == 0 {
                    return Err(Flow::Discard);
                }
            }
            Step::Check(condition) => self.failed |= self.eval(condition) == 0,
            Step::Stop => return Err(Flow::Stop),
        }
        Ok(())
    }

    fn steps(&mut self, steps: &[Step]) -> Result<(), Flow> {
        steps.iter().try_for_each(|step| self.step(step))
    }
}

/// All traces of a thread whose reads find these values.
fn traces_of(
    test: &Test,
    thread: usize,
    variant: &Variant,
    values: &Values,
) -> Result<Vec<Trace>, String> {
    let thread = &test.threads[thread];
    let mut traces = Vec::new();
    let mut unfinished = vec![Vec::new()];
    while let Some(given) = unfinished.pop() {
        let mut run = Run {
            locations: &test.locations,
            variant,
            given: &given,
            events: Vec::new(),
            registers: vec![0; thread.registers.len()],
            failed: false,
        };
        match run.steps(&thread.steps).err().unwrap_or(Flow::Continue) {
            Flow::Continue | Flow::Stop => traces.push(Trace {
                events: run.events,
                registers: run.registers,
                failed: run.failed,
            }),
            Flow::Discard => {}
            Flow::Read(location) => {
                for value in &values[location] {
                    unfinished.push([&given[..], &[*value]].concat());
                }
            }
            Flow::Error(error) => {
                return Err(format!("{}, thread {}: {error}", test.name, thread.name));
            }
        }
    }
    Ok(traces)
}

/// All traces of all threads.
///
/// A location may have its first value, and what any trace writes to it: found by iteration, one
/// round for each step of a chain of reads and writes. There are no more steps than writes in an
/// execution, so a value that takes more rounds comes out of thin air.
pub(crate) fn traces(test: &Test, variant: &Variant) -> Result<Vec<Vec<Trace>>, String> {
    let mut values: Values = test
        .locations
        .iter()
        .map(|location| BTreeSet::from([location.init]))
        .collect();
    let mut round = 0;
    loop {
        let traces = (0..test.threads.len())
            .map(|thread| traces_of(test, thread, variant, &values))
            .collect::<Result<Vec<_>, _>>()?;
        let mut longest = 0;
        let before = values.clone();
        for of_thread in &traces {
            let mut most = 0;
            for trace in of_thread {
                let writes = trace
                    .events
                    .iter()
                    .filter_map(|event| Some((event.location()?, event.write()?)));
                let mut count = 0;
                for (location, value) in writes {
                    values[location].insert(value);
                    count += 1;
                }
                most = most.max(count);
            }
            longest += most;
        }
        round += 1;
        if values == before || round > longest {
            return Ok(traces);
        }
    }
}
