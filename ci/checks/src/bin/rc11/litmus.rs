//! Litmus tests: their text, parsed.
//!
//! A file is lines of words; `#` begins a comment. Blocks end with `end`.
//!
//! ```text
//! watch src/rcu/lane.rs               each of its orderings has to have a row
//! table src/docs/orderings.rs         which lists the rows of this file
//! const OUT = 99                      a number by name
//! row leave                           an access of the source, which tests refer to by `@leave`
//!     name `Record::leave`, `word`
//!     source src/rcu/lane.rs: self.word.store(OUT, Ordering::Release)
//!     may rel: REASON                 this one step weaker violates no test, and REASON is why
//! end
//! test NAME
//!     init x=0 y[1]=2                 all locations; memory that `use` names needs none
//!     thread NAME
//!         r = load x acq @row         also rlx, sc
//!         store y[r + 1] (2 * r) rel
//!         r = swap x 1 acqrel @row    r is what was read; also `add x 1`
//!         r = cas x 1 2 acqrel/acq    from 1 to 2; the second ordering is for failure
//!         fence sc @row               also `light`, `heavy`
//!         make M                      plain writes of memory that is no atomic,
//!         use M                       a read,
//!         free M                      and the end of it
//!         lock L                      a mutex, which is two accesses
//!         unlock L
//!         r := EXPRESSION
//!         if EXPRESSION ... else ... end
//!         repeat 2 ... end            the steps twice
//!         when late ... end           only if the bug `late` is planted
//!         unless late ... end         only if it is not
//!         assume EXPRESSION           other executions do not count: a thread waits
//!         check EXPRESSION            false is a violation
//!         stop                        ends the thread
//!     end
//!     never a.r == 1 && mem.x == 2    is a violation: registers of threads, and last values
//! end
//! family NAME                         a test with a slot `?name` in the place of some orderings
//!     ... as in a test, with `asks` for `never`
//!     forbidden (s=rel | f=rel) (l=acq)    each product of alternatives, and what is stronger
//!     thin_air                        with NO-THIN-AIR, all of it is forbidden
//! end
//! ```
//!
//! A violation is also a race: two accesses of `M` that neither happens before the other, of which
//! one is a write; and a use after the end.

use crate::order::{Kind, Order, Strength};
use std::collections::{BTreeMap, BTreeSet};

/// What is wrong, and where.
pub(crate) type Parsed<T> = Result<T, String>;

#[derive(Debug)]
pub(crate) struct File {
    /// Files whose orderings all have to have rows.
    pub(crate) watched: Vec<String>,
    /// The file that lists the rows.
    pub(crate) table: Option<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) tests: Vec<Test>,
    pub(crate) families: Vec<Family>,
}

#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) sources: Vec<Source>,
    /// Which weaker orderings are enough, and why.
    pub(crate) may: Vec<(String, String)>,
    /// Why no test has it.
    pub(crate) outside: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) pattern: String,
    pub(crate) times: usize,
}

#[derive(Debug)]
pub(crate) struct Test {
    pub(crate) name: String,
    pub(crate) locations: Vec<Location>,
    /// Memory that is not atomic.
    pub(crate) memory: Vec<String>,
    pub(crate) threads: Vec<Thread>,
    pub(crate) never: Expression,
    /// Whether `never` looks at last values.
    pub(crate) looks_at_memory: bool,
    pub(crate) rows: BTreeMap<String, (Kind, Strength)>,
    pub(crate) slots: BTreeMap<String, Kind>,
    pub(crate) bugs: BTreeSet<String>,
}

#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) test: Test,
    /// The weakest combinations that forbid what is asked for.
    pub(crate) forbidden: Vec<BTreeMap<String, Strength>>,
    /// NO-THIN-AIR forbids it whatever the orderings.
    pub(crate) is_thin_air: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Location {
    pub(crate) name: String,
    pub(crate) index: Option<i64>,
    pub(crate) init: i64,
}

#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) name: String,
    pub(crate) registers: Vec<String>,
    pub(crate) steps: Vec<Step>,
}

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) name: String,
    pub(crate) index: Option<Expression>,
}

/// The ordering of an access, as it is without any change; by which changes find it.
#[derive(Clone, Debug)]
pub(crate) struct How {
    pub(crate) strength: Strength,
    pub(crate) row: Option<String>,
    pub(crate) slot: Option<String>,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    Load(usize, Place, How),
    Store(Place, Expression, How),
    Update(usize, Place, Change, How),
    Barrier(How),
    Touch(Touch, usize),
    Let(usize, Expression),
    If(Expression, Vec<Step>, Vec<Step>),
    /// Of a planted bug: whether it has to be there, and the steps.
    Planted(String, bool, Vec<Step>),
    Assume(Expression),
    Check(Expression),
    Stop,
}

#[derive(Clone, Debug)]
pub(crate) enum Change {
    Swap(Expression),
    Add(Expression),
    Exchange(Expression, Expression),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Touch {
    Make,
    Use,
    Free,
}

#[derive(Clone, Debug)]
pub(crate) enum Expression {
    Number(i64),
    /// Of the thread itself.
    Register(usize),
    /// Of any thread: for `never`.
    Of(usize, usize),
    /// The last value of a location: for `never`.
    Last(usize),
    Not(Box<Expression>),
    Binary(&'static str, Box<Expression>, Box<Expression>),
}

impl Expression {
    pub(crate) fn eval(&self, leaf: &impl Fn(&Self) -> i64) -> i64 {
        match self {
            Self::Number(number) => *number,
            Self::Register(_) | Self::Of(..) | Self::Last(_) => leaf(self),
            Self::Not(inner) => i64::from(inner.eval(leaf) == 0),
            Self::Binary(operator, left, right) => {
                let (a, b) = (left.eval(leaf), right.eval(leaf));
                match *operator {
                    "||" => i64::from(a != 0 || b != 0),
                    "&&" => i64::from(a != 0 && b != 0),
                    "==" => i64::from(a == b),
                    "!=" => i64::from(a != b),
                    "<=" => i64::from(a <= b),
                    ">=" => i64::from(a >= b),
                    "<" => i64::from(a < b),
                    ">" => i64::from(a > b),
                    "+" => a + b,
                    "-" => a - b,
                    "*" => a * b,
                    "&" => a & b,
                    "|" => a | b,
                    "%" => a.rem_euclid(b),
                    _ => unreachable!("the parser makes no other"),
                }
            }
        }
    }
}

/// Operators, from the one that binds least.
const OPERATORS: [&[&str]; 7] = [
    &["||"],
    &["&&"],
    &["==", "!=", "<=", ">=", "<", ">"],
    &["|"],
    &["&"],
    &["+", "-"],
    &["*", "%"],
];

fn tokens(line: &str) -> Parsed<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let len = if first == '#' {
            break;
        } else if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if let Some(two) = ["||", "&&", "==", "!=", "<=", ">=", ":="]
            .iter()
            .find(|two| rest.starts_with(**two))
        {
            two.len()
        } else if "=<>|&+-*%()[]!.@?/".contains(first) {
            1
        } else {
            return Err(format!("what is `{first}`?"));
        };
        tokens.push(rest[..len].to_owned());
        rest = rest[len..].trim_start();
    }
    Ok(tokens)
}

/// One line's words, of which it takes one after the other.
struct Words<'a> {
    words: &'a [String],
    scope: &'a mut Scope,
}

/// What names mean.
#[derive(Default)]
struct Scope {
    constants: BTreeMap<String, i64>,
    registers: Vec<String>,
    /// Of the threads that are complete.
    threads: Vec<Thread>,
    locations: Vec<Location>,
    memory: Vec<String>,
    rows: BTreeMap<String, (Kind, Strength)>,
    slots: BTreeMap<String, Kind>,
    bugs: BTreeSet<String>,
}

impl Scope {
    fn register(&mut self, name: &str) -> usize {
        let known = self.registers.iter().position(|known| known == name);
        known.unwrap_or_else(|| {
            self.registers.push(name.to_owned());
            self.registers.len() - 1
        })
    }
}

impl Words<'_> {
    fn peek(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    fn next(&mut self) -> Parsed<String> {
        let (first, rest) = self.words.split_first().ok_or("something is missing")?;
        self.words = rest;
        Ok(first.clone())
    }

    fn skip(&mut self, word: &str) -> bool {
        let is_next = self.peek() == word;
        if is_next {
            self.words = &self.words[1..];
        }
        is_next
    }

    fn expect(&mut self, word: &str) -> Parsed<()> {
        if self.skip(word) {
            Ok(())
        } else {
            Err(format!("`{word}` is expected before `{}`", self.peek()))
        }
    }

    fn done(&self) -> Parsed<()> {
        if self.words.is_empty() {
            Ok(())
        } else {
            Err(format!("`{}` is too much", self.words.join(" ")))
        }
    }

    fn number(&mut self) -> Parsed<i64> {
        let is_negative = self.skip("-");
        let word = self.next()?;
        let number = match self.scope.constants.get(&word) {
            Some(number) => *number,
            None => word.parse().map_err(|_| format!("`{word}` is no number"))?,
        };
        Ok(if is_negative { -number } else { number })
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.binary(0)
    }

    fn binary(&mut self, level: usize) -> Parsed<Expression> {
        let Some(operators) = OPERATORS.get(level) else {
            return self.leaf();
        };
        let mut left = self.binary(level + 1)?;
        while let Some(operator) = operators.iter().find(|one| **one == self.peek()) {
            self.next()?;
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// What an operator joins; also the operand of a `store`, which no operator may follow.
    fn leaf(&mut self) -> Parsed<Expression> {
        if self.skip("(") {
            let inner = self.expression()?;
            self.expect(")")?;
            return Ok(inner);
        }
        if self.skip("!") {
            return Ok(Expression::Not(Box::new(self.leaf()?)));
        }
        let word = self.peek().to_owned();
        if self.words.get(1).is_some_and(|next| next == ".") {
            self.next()?;
            self.expect(".")?;
            if word == "mem" {
                let place = self.place()?;
                let index = place.index.map(|index| index.eval(&|_| 0));
                let is_it = |one: &Location| one.name == place.name && one.index == index;
                let at = self.scope.locations.iter().position(is_it);
                return Ok(Expression::Last(at.ok_or("no such location")?));
            }
            let register = self.next()?;
            let of = |thread: &Thread| thread.name == word;
            let thread = self.scope.threads.iter().position(of);
            let thread = thread.ok_or_else(|| format!("no thread `{word}`"))?;
            let registers = &self.scope.threads[thread].registers;
            let register = registers
                .iter()
                .position(|known| *known == register)
                .ok_or_else(|| format!("no register `{register}`"))?;
            return Ok(Expression::Of(thread, register));
        }
        if let Some(register) = self.scope.registers.iter().position(|name| *name == word) {
            self.next()?;
            return Ok(Expression::Register(register));
        }
        Ok(Expression::Number(self.number()?))
    }

    fn place(&mut self) -> Parsed<Place> {
        let name = self.next()?;
        let is_known = |location: &Location| location.name == name;
        if !self.scope.locations.iter().any(is_known) {
            return Err(format!("`init` does not name `{name}`"));
        }
        let index = if self.skip("[") {
            let index = self.expression()?;
            self.expect("]")?;
            Some(index)
        } else {
            None
        };
        Ok(Place { name, index })
    }

    fn strength(&mut self, kind: Kind) -> Parsed<Strength> {
        let word = self.next()?;
        let strength = match (word.as_str(), kind) {
            ("none", Kind::Fence | Kind::Barrier) => Strength::Absent,
            ("light", Kind::Fence | Kind::Barrier) => Strength::Light,
            ("heavy", Kind::Fence | Kind::Barrier) => Strength::Heavy,
            _ => {
                let order = Order::parse(&word).ok_or_else(|| format!("no ordering `{word}`"))?;
                if kind == Kind::Exchange {
                    self.expect("/")?;
                    let failure = self.next()?;
                    let failure =
                        Order::parse(&failure).ok_or_else(|| format!("no ordering `{failure}`"))?;
                    Strength::Exchange(order, failure)
                } else {
                    Strength::Order(order)
                }
            }
        };
        let can_be = match kind {
            Kind::Load => !strength.order().releases() || strength.order() == Order::SeqCst,
            Kind::Store => !strength.order().acquires() || strength.order() == Order::SeqCst,
            Kind::Exchange => !strength.order_on_failure().releases(),
            Kind::Update | Kind::Fence | Kind::Barrier => true,
        };
        if can_be {
            Ok(strength)
        } else {
            Err(format!("no ordering of such an access: `{word}`"))
        }
    }

    fn how(&mut self, kind: Kind) -> Parsed<How> {
        if self.skip("?") {
            let slot = self.next()?;
            self.scope.slots.insert(slot.clone(), kind);
            return Ok(How {
                strength: Strength::Absent,
                row: None,
                slot: Some(slot),
            });
        }
        let strength = self.strength(kind)?;
        let row = if self.skip("@") {
            let row = self.next()?;
            let entry = (kind, strength);
            let before = self.scope.rows.insert(row.clone(), entry);
            if before.is_some_and(|before| before != entry) {
                return Err(format!("`{row}` is another access elsewhere in the test"));
            }
            Some(row)
        } else {
            None
        };
        Ok(How {
            strength,
            row,
            slot: None,
        })
    }

    fn access(&mut self, to: usize) -> Parsed<Step> {
        let word = self.next()?;
        let step = match word.as_str() {
            "load" => Step::Load(to, self.place()?, self.how(Kind::Load)?),
            "swap" | "add" => {
                let place = self.place()?;
                let operand = self.leaf()?;
                let change = match word.as_str() {
                    "swap" => Change::Swap(operand),
                    _ => Change::Add(operand),
                };
                Step::Update(to, place, change, self.how(Kind::Update)?)
            }
            "cas" => {
                let place = self.place()?;
                let change = Change::Exchange(self.leaf()?, self.leaf()?);
                Step::Update(to, place, change, self.how(Kind::Exchange)?)
            }
            _ => return Err(format!("no access `{word}`")),
        };
        Ok(step)
    }

    /// A step that is one line.
    fn step(&mut self) -> Parsed<Vec<Step>> {
        if self.words.get(1).is_some_and(|next| next == ":=") {
            let to = self.next()?;
            self.expect(":=")?;
            let value = self.expression()?;
            return Ok(vec![Step::Let(self.scope.register(&to), value)]);
        }
        if self.words.get(1).is_some_and(|next| next == "=") {
            let to = self.next()?;
            self.expect("=")?;
            let to = self.scope.register(&to);
            return Ok(vec![self.access(to)?]);
        }
        let word = self.next()?;
        Ok(match word.as_str() {
            "store" => vec![Step::Store(
                self.place()?,
                self.leaf()?,
                self.how(Kind::Store)?,
            )],
            "swap" | "add" | "cas" => {
                let words = [std::slice::from_ref(&word), self.words].concat();
                let to = self.scope.register("_");
                let mut whole = Words {
                    words: &words,
                    scope: self.scope,
                };
                let step = whole.access(to)?;
                whole.done()?;
                self.words = &[];
                vec![step]
            }
            "fence" => vec![Step::Barrier(self.how(Kind::Fence)?)],
            "barrier" => vec![Step::Barrier(self.how(Kind::Barrier)?)],
            "light" | "heavy" => {
                let words = [std::slice::from_ref(&word), self.words].concat();
                let mut whole = Words {
                    words: &words,
                    scope: self.scope,
                };
                let step = Step::Barrier(whole.how(Kind::Fence)?);
                whole.done()?;
                self.words = &[];
                vec![step]
            }
            "make" | "use" | "free" => {
                let name = self.next()?;
                let known = self.scope.memory.iter().position(|known| *known == name);
                let index = known.unwrap_or_else(|| {
                    self.scope.memory.push(name);
                    self.scope.memory.len() - 1
                });
                let touch = match word.as_str() {
                    "make" => Touch::Make,
                    "use" => Touch::Use,
                    _ => Touch::Free,
                };
                vec![Step::Touch(touch, index)]
            }
            "lock" => {
                let place = self.place()?;
                let to = self.scope.register("_locked");
                let how = How {
                    strength: Strength::Exchange(Order::Acquire, Order::Relaxed),
                    row: None,
                    slot: None,
                };
                let change = Change::Exchange(Expression::Number(0), Expression::Number(1));
                let was_free = Expression::Not(Box::new(Expression::Register(to)));
                vec![Step::Update(to, place, change, how), Step::Assume(was_free)]
            }
            "unlock" => {
                let how = How {
                    strength: Strength::Order(Order::Release),
                    row: None,
                    slot: None,
                };
                vec![Step::Store(self.place()?, Expression::Number(0), how)]
            }
            "assume" => vec![Step::Assume(self.expression()?)],
            "check" => vec![Step::Check(self.expression()?)],
            "stop" => vec![Step::Stop],
            _ => return Err(format!("no step `{word}`")),
        })
    }
}

struct Lines<'a> {
    file: &'a str,
    /// Their numbers, and what is in them.
    all: Vec<(usize, &'a str)>,
    at: usize,
}

impl<'a> Lines<'a> {
    fn next(&mut self) -> Option<&'a str> {
        let line = self.all.get(self.at)?.1;
        self.at += 1;
        Some(line)
    }

    /// Adds the file and line that was read last.
    fn here<T>(&self, result: Parsed<T>) -> Parsed<T> {
        let line = self
            .all
            .get(self.at.saturating_sub(1))
            .map_or(0, |line| line.0);
        result.map_err(|error| format!("{}:{line}: {error}", self.file))
    }

    fn inside(&mut self) -> Parsed<&'a str> {
        let line = self.next().ok_or_else(|| "`end` is missing".to_owned());
        self.here(line)
    }

    /// The steps up to `end` or `else`, and which it was.
    fn steps(&mut self, scope: &mut Scope) -> Parsed<(Vec<Step>, bool)> {
        let mut steps = Vec::new();
        loop {
            let line = self.inside()?;
            let words = self.here(tokens(line))?;
            match words.first().map_or("", String::as_str) {
                "end" => return Ok((steps, false)),
                "else" => return Ok((steps, true)),
                "if" => {
                    let mut words = Words {
                        words: &words[1..],
                        scope,
                    };
                    let condition = self.here(words.expression())?;
                    self.here(words.done())?;
                    let (then, has_else) = self.steps(scope)?;
                    let otherwise = if has_else {
                        self.steps(scope)?.0
                    } else {
                        Vec::new()
                    };
                    steps.push(Step::If(condition, then, otherwise));
                }
                "repeat" => {
                    let times = words.get(1).and_then(|word| word.parse().ok());
                    let times: usize = self.here(times.ok_or_else(|| "how often?".to_owned()))?;
                    let (inner, _) = self.steps(scope)?;
                    for _ in 0..times {
                        steps.extend(inner.iter().cloned());
                    }
                }
                word @ ("when" | "unless") => {
                    let bug = self.here(words.get(1).ok_or_else(|| "which bug?".to_owned()))?;
                    scope.bugs.insert(bug.clone());
                    let (inner, _) = self.steps(scope)?;
                    steps.push(Step::Planted(bug.clone(), word == "when", inner));
                }
                _ => {
                    let mut words = Words {
                        words: &words,
                        scope,
                    };
                    let step = words.step().and_then(|step| words.done().map(|()| step));
                    steps.extend(self.here(step)?);
                }
            }
        }
    }

    fn test(&mut self, name: &str, constants: &BTreeMap<String, i64>) -> Parsed<Family> {
        let mut scope = Scope {
            constants: constants.clone(),
            ..Scope::default()
        };
        let mut never = Expression::Number(0);
        let mut looks_at_memory = false;
        let mut forbidden = Vec::new();
        let mut is_thin_air = false;
        loop {
            let line = self.inside()?;
            let all = self.here(tokens(line))?;
            let Some((first, rest)) = all.split_first() else {
                continue;
            };
            if first == "end" {
                break;
            }
            if first == "thread" {
                scope.registers.clear();
                let name = self.here(rest.first().ok_or_else(|| "which thread?".to_owned()))?;
                let (steps, _) = self.steps(&mut scope)?;
                let registers = scope.registers.clone();
                scope.threads.push(Thread {
                    name: name.clone(),
                    registers,
                    steps,
                });
                continue;
            }
            scope.registers.clear();
            let mut words = Words {
                words: rest,
                scope: &mut scope,
            };
            let parsed = match first.as_str() {
                "init" => words.init(),
                "never" | "asks" => words.expression().map(|expression| {
                    never = expression;
                    looks_at_memory = rest.iter().any(|word| word == "mem");
                }),
                "forbidden" => words.product().map(|all| forbidden.extend(all)),
                "thin_air" => {
                    is_thin_air = true;
                    Ok(())
                }
                _ => Err(format!("no line of a test: `{first}`")),
            };
            let parsed = parsed.and_then(|()| words.done());
            self.here(parsed)?;
        }
        let test = Test {
            name: name.to_owned(),
            locations: scope.locations,
            memory: scope.memory,
            threads: scope.threads,
            never,
            looks_at_memory,
            rows: scope.rows,
            slots: scope.slots,
            bugs: scope.bugs,
        };
        Ok(Family {
            test,
            forbidden,
            is_thin_air,
        })
    }

    fn row(&mut self, id: &str) -> Parsed<Row> {
        let mut row = Row {
            id: id.to_owned(),
            name: String::new(),
            sources: Vec::new(),
            may: Vec::new(),
            outside: None,
        };
        loop {
            let line = self.inside()?.trim();
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            let rest = rest.trim();
            let parts = || {
                let parts = rest.split_once(": ").ok_or("`: ` is missing".to_owned());
                parts.map(|(a, b)| (a.trim().to_owned(), b.trim().to_owned()))
            };
            match word {
                "end" => return Ok(row),
                "name" => rest.clone_into(&mut row.name),
                "source" | "twice" => {
                    let (file, pattern) = self.here(parts())?;
                    row.sources.push(Source {
                        file,
                        pattern,
                        times: if word == "twice" { 2 } else { 1 },
                    });
                }
                "may" => {
                    let may = self.here(parts())?;
                    row.may.push(may);
                }
                "outside" => row.outside = Some(rest.to_owned()),
                _ => return self.here(Err(format!("no line of a row: `{word}`"))),
            }
        }
    }
}

impl Words<'_> {
    fn init(&mut self) -> Parsed<()> {
        while !self.words.is_empty() {
            let name = self.next()?;
            let index = if self.skip("[") {
                let index = self.number()?;
                self.expect("]")?;
                Some(index)
            } else {
                None
            };
            self.expect("=")?;
            let init = self.number()?;
            self.scope.locations.push(Location { name, index, init });
        }
        Ok(())
    }

    /// `(a=rel b=sc | c=acq) (...)`: all products.
    fn product(&mut self) -> Parsed<Vec<BTreeMap<String, Strength>>> {
        let mut product = vec![BTreeMap::new()];
        while !self.words.is_empty() {
            self.expect("(")?;
            let mut alternatives = vec![BTreeMap::new()];
            while !self.skip(")") {
                if self.skip("|") {
                    alternatives.push(BTreeMap::new());
                    continue;
                }
                let slot = self.next()?;
                self.expect("=")?;
                let kind = self.scope.slots.get(&slot).copied();
                let kind = kind.ok_or_else(|| format!("no slot `{slot}`"))?;
                let strength = self.strength(kind)?;
                let last = alternatives.last_mut().expect("there is one");
                last.insert(slot, strength);
            }
            product = product
                .iter()
                .flat_map(|before: &BTreeMap<String, Strength>| {
                    alternatives.iter().map(move |alternative| {
                        let mut both = before.clone();
                        for (slot, strength) in alternative {
                            both.entry(slot.clone())
                                .and_modify(|known| *known = known.join(*strength))
                                .or_insert(*strength);
                        }
                        both
                    })
                })
                .collect();
        }
        Ok(product)
    }
}

impl File {
    pub(crate) fn parse(name: &str, text: &str) -> Parsed<Self> {
        let mut lines = Lines {
            file: name,
            all: text
                .lines()
                .enumerate()
                .map(|(at, line)| (at + 1, line.trim()))
                .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
                .collect(),
            at: 0,
        };
        let mut file = Self {
            watched: Vec::new(),
            table: None,
            rows: Vec::new(),
            tests: Vec::new(),
            families: Vec::new(),
        };
        let mut constants = BTreeMap::new();
        while let Some(line) = lines.next() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "const" => {
                    let parts = rest.split_once('=').and_then(|(name, number)| {
                        Some((name.trim().to_owned(), number.trim().parse().ok()?))
                    });
                    let (name, number) =
                        lines.here(parts.ok_or_else(|| "const NAME = NUMBER".to_owned()))?;
                    constants.insert(name, number);
                }
                "watch" => file.watched.push(rest.to_owned()),
                "table" => file.table = Some(rest.to_owned()),
                "row" => file.rows.push(lines.row(rest)?),
                "test" => file.tests.push(lines.test(rest, &constants)?.test),
                "family" => file.families.push(lines.test(rest, &constants)?),
                _ => return lines.here(Err(format!("`{word}` begins nothing"))),
            }
        }
        Ok(file)
    }
}
