//! Programs written down as text, as those in `tests/corpus`; the README there tells how.

use crate::program::{Program, V, process, remote};
use std::collections::BTreeMap;
use trackside_wire::{Kind, Kinds};

/// A program, and what is to be found in it.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) program: Program,
    /// The findings, and how often each was met, where that is told.
    pub(crate) expected: Vec<(String, Option<u64>)>,
    /// Whether the record has all that happened.
    pub(crate) complete: bool,
}

/// Reads a case.
///
/// # Errors
/// Says what is wrong with it, and in which line.
pub(crate) fn parse(text: &str) -> Result<Case, String> {
    let mut reader = Reader::new();
    for (number, line) in unrolled(text)? {
        reader.line(line).map_err(|what| format!("line {number}: {what}: {line}"))?;
    }
    reader.finish()
}

/// The lines that say something, each with its number; those to be repeated as often as they are.
fn unrolled(text: &str) -> Result<Vec<(usize, &str)>, String> {
    let mut lines = Vec::new();
    let mut repeated: Option<(usize, usize)> = None;
    for (number, line) in (1..).zip(text.lines().map(str::trim)) {
        match (line.strip_prefix("repeat "), repeated) {
            _ if line.is_empty() || line.starts_with('#') => {}
            (Some(times), None) => {
                let times = times.parse().map_err(|_| format!("line {number}: how often?"))?;
                repeated = Some((times, lines.len()));
            }
            (Some(_), Some(_)) => return Err(format!("line {number}: a repeat within another")),
            (None, Some((times, from))) if line == "end" => {
                let block: Vec<_> = lines.drain(from..).collect();
                (0..times).for_each(|_| lines.extend_from_slice(&block));
                repeated = None;
            }
            (None, _) => lines.push((number, line)),
        }
    }
    if repeated.is_some() { Err("a repeat has no end".to_owned()) } else { Ok(lines) }
}

/// What was read so far.
struct Reader {
    case: Case,
    /// Each service's number, and how many strands and workers of it were named. The first service's name is empty.
    services: BTreeMap<String, (u64, u64)>,
    strands: BTreeMap<String, u64>,
    /// Of channels and signals: the last number that was sent, and that was received.
    numbers: BTreeMap<(u64, String), (u64, u64)>,
    /// The spans of calls, by who takes them.
    spans: BTreeMap<u64, u64>,
    /// How a strand took the locks it holds.
    taken: BTreeMap<(u64, String), Vec<String>>,
    off: Kinds,
    unsampled: Vec<u64>,
    nothing: bool,
}

type Outcome = Result<(), String>;

impl Reader {
    fn new() -> Self {
        let (strands, numbers, spans, taken, unsampled) = Default::default();
        let case = Case { program: Program::new(), expected: Vec::new(), complete: true };
        let services = [(String::new(), (0, 0))].into();
        Self { case, services, strands, numbers, spans, taken, off: Kinds::NONE, unsampled, nothing: false }
    }

    fn line(&mut self, line: &str) -> Outcome {
        let (who, what) = line.split_once(':').ok_or("who does it?")?;
        let mut words: Vec<&str> = what.split_whitespace().collect();
        match who {
            "expect" => return self.expect(what.trim()),
            // For people.
            "stock" => return Ok(()),
            "off" => return words.into_iter().try_for_each(|kind| self.switch_off(kind)),
            "unsampled" => {
                let strands: Vec<u64> = words.into_iter().map(|name| self.strand(name)).collect();
                self.unsampled.extend(strands);
                return Ok(());
            }
            _ => {}
        }
        let lost = words.pop_if(|word| ["(lost)", "(gone)"].contains(word));
        if let Some(place) = words.pop_if(|word| word.starts_with('@')) {
            self.case.program.at(place[1..].parse().map_err(|_| "which line is that?")?);
        }
        let strand = self.strand(who);
        self.step(strand, &words)?;
        match lost {
            Some("(lost)") => drop(self.case.program.lost()),
            Some(_) => drop(self.case.program.gone()),
            None => {}
        }
        Ok(())
    }

    fn expect(&mut self, what: &str) -> Outcome {
        match (what, what.strip_suffix(" times)").and_then(|what| what.rsplit_once(" ("))) {
            ("nothing", _) => self.nothing = true,
            ("holes", _) => self.case.complete = false,
            (_, Some((what, times))) => {
                let times = times.parse().map_err(|_| "how often?")?;
                self.case.expected.push((what.to_owned(), Some(times)));
            }
            _ => self.case.expected.push((what.to_owned(), None)),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Case, String> {
        if self.nothing != self.case.expected.is_empty() {
            return Err("either findings are expected, or nothing is".to_owned());
        }
        self.case.program.unsample(&self.unsampled);
        if !self.off.is_empty() {
            let all = 0..self.case.program.events.len();
            self.case.program.switch_off(0, self.off, all);
        }
        Ok(self.case)
    }

    fn switch_off(&mut self, kind: &str) -> Outcome {
        let kind = Kind::ALL.iter().find(|known| format!("{known:?}") == kind).ok_or("which kind is that?")?;
        self.off = self.off.with(*kind);
        Ok(())
    }

    /// The strand of this name, and its thread.
    fn strand(&mut self, name: &str) -> u64 {
        if let Some(strand) = self.strands.get(name) {
            return *strand;
        }
        let (service, thread) = name.split_once('/').unwrap_or(("", name));
        let strand = self.number(service);
        self.strands.insert(name.to_owned(), strand);
        self.case.program.threads.insert((process(strand).0, process(strand).1 as u16), thread.to_owned());
        strand
    }

    /// The next number of a strand or a worker.
    fn number(&mut self, service: &str) -> u64 {
        let next = self.services.len() as u64;
        let (number, count) = self.services.entry(service.to_owned()).or_insert((next, 0));
        *count += 1;
        if !service.is_empty() {
            self.case.program.services.insert(*number, service.to_owned());
        }
        remote(*number, *count)
    }

    fn step(&mut self, strand: u64, words: &[&str]) -> Outcome {
        let p = &mut self.case.program;
        match *words {
            ["read", name] => drop(p.access(strand, Kind::Read, name)),
            ["read", name, value] => drop(p.read(strand, name, v(value))),
            ["atomic-read", name] => drop(p.access(strand, Kind::AtomicRead, name)),
            ["write", name, ref values @ ..] => self.write(strand, Kind::Write, name, values)?,
            ["atomic-write", name, ref values @ ..] => self.write(strand, Kind::AtomicWrite, name, values)?,
            ["atomic-update", name, ref values @ ..] => self.write(strand, Kind::AtomicRmw, name, values)?,
            ["load", name, ordering] => drop(p.load(strand, name, known_ordering(ordering)?)),
            ["load", name, ordering, write] => {
                p.load_old(strand, name, known_ordering(ordering)?, numbered(write)?);
            }
            ["store", name, ordering, value] => drop(p.store(strand, name, known_ordering(ordering)?, v(value))),
            ["update", name, ordering, value] => drop(p.update(strand, name, known_ordering(ordering)?, v(value))),
            ["fence", ordering] => drop(p.fence(strand, known_ordering(ordering)?)),
            ["lock", name] => self.lock(strand, name, "Mutex"),
            ["lock", name, kind] => self.lock(strand, name, kind),
            ["unlock", name] => self.unlock(strand, name)?,
            ["lock-by-name", name] => drop(p.plain_lock(strand, name, "Mutex")),
            ["unlock-by-name", name] => drop(p.plain_unlock(strand, name, "Mutex")),
            ["suspend"] => drop(p.suspend(strand)),
            [verb @ ("send" | "recv" | "signal" | "notice"), name] => self.pass(strand, verb, name, None),
            [verb @ ("send" | "recv" | "signal" | "notice"), name, number] => {
                self.pass(strand, verb, name, Some(numbered(number)?));
            }
            ["answer"] => drop(p.respond(strand)),
            ["in", "trace", trace] => {
                p.context(strand).trace = trace.parse().map_err(|_| "which trace is that?")?;
            }
            ["on", worker] => self.run_on(strand, worker),
            ["call", ref others @ ..] if !others.is_empty() => self.call(strand, others),
            ["hand", lock, other] => self.hand(strand, lock, other),
            [verb, other] => self.with(strand, verb, other)?,
            _ => return Err("what is that?".to_owned()),
        }
        Ok(())
    }

    /// What a strand does with another one.
    fn with(&mut self, strand: u64, verb: &str, other: &str) -> Outcome {
        let other = self.strand(other);
        let p = &mut self.case.program;
        match verb {
            "spawn" => {
                let task = V::Int(process(other).1 as i64);
                p.event(strand, Kind::AsyncSpawn, "thread", task, V::Nil).follow(other, strand);
                if let Some(parent) = p.contexts.get(&strand).cloned() {
                    *p.context(other) = crate::program::Context { entry: false, ..parent };
                }
            }
            "join" => drop(p.join_strand(strand, other)),
            "start" => drop(p.spawn(strand, other)),
            "await" => drop(p.join(strand, other)),
            "after" => drop(p.follow(strand, other)),
            "return" => {
                let span = *self.spans.get(&other).ok_or("who called that?")?;
                p.returned(strand, span, other);
            }
            _ => return Err("what is that?".to_owned()),
        }
        Ok(())
    }

    fn write(&mut self, strand: u64, kind: Kind, name: &str, values: &[&str]) -> Outcome {
        let (old, new) = match *values {
            [] => (V::Nil, V::Nil),
            [new] => (V::Nil, v(new)),
            [old, "->", new] => (v(old), v(new)),
            _ => return Err("which values are those?".to_owned()),
        };
        self.case.program.event(strand, kind, name, old, new);
        Ok(())
    }

    fn lock(&mut self, strand: u64, name: &str, kind: &str) {
        self.taken.entry((strand, name.to_owned())).or_default().push(kind.to_owned());
        self.case.program.counted(strand, name, kind);
    }

    fn unlock(&mut self, strand: u64, name: &str) -> Outcome {
        let taken = self.taken.get_mut(&(strand, name.to_owned())).and_then(Vec::pop);
        let kind = taken.ok_or("the strand does not hold the lock")?;
        self.case.program.uncount(strand, name, &kind);
        Ok(())
    }

    fn hand(&mut self, from: u64, lock: &str, to: &str) {
        let to = self.strand(to);
        let taken = self.taken.remove(&(from, lock.to_owned())).unwrap_or_default();
        self.taken.insert((to, lock.to_owned()), taken);
        self.case.program.hand_over(from, to, lock);
    }

    /// A message or a signal: one more than the last, unless its number is told; who notices a signal notices the last one.
    fn pass(&mut self, strand: u64, verb: &str, name: &str, number: Option<u64>) {
        let (told, noticed) = self.numbers.entry((process(strand).0, name.to_owned())).or_default();
        let p = &mut self.case.program;
        match verb {
            "send" | "signal" => {
                *told = number.unwrap_or(*told + 1);
                if verb == "send" {
                    p.send(strand, name, *told)
                } else {
                    p.release(strand, name, *told)
                };
            }
            "recv" => {
                *noticed = number.unwrap_or(*noticed + 1);
                p.receive(strand, name, *noticed);
            }
            _ => drop(p.acquire(strand, name, number.unwrap_or(*told))),
        }
    }

    /// From now on the strand is a task that goes on on this worker.
    fn run_on(&mut self, strand: u64, worker: &str) {
        let own = process(strand).0;
        let p = &mut self.case.program;
        if p.context(strand).name.is_none() {
            p.context(strand).name = p.threads.get(&(own, process(strand).1 as u16)).cloned();
        }
        let known = p.threads.iter().find(|((of, ring), name)| *of == own && *ring >= WORKERS && *name == worker);
        let next = WORKERS + p.threads.keys().filter(|(of, ring)| *of == own && *ring >= WORKERS).count() as u16;
        let ring = known.map_or(next, |((_, ring), _)| *ring);
        p.threads.insert((own, ring), worker.to_owned());
        p.on(strand, ring);
    }

    fn call(&mut self, strand: u64, others: &[&str]) {
        let takers: Vec<u64> = others.iter().map(|name| self.strand(name)).collect();
        let span = 1 + self.spans.len() as u64;
        self.spans.extend(takers.iter().map(|taker| (*taker, span)));
        self.case.program.call(strand, span, &takers);
    }
}

/// The rings of workers, from this one on; before it each strand has one.
const WORKERS: u16 = 1000;

fn v(word: &str) -> V {
    word.parse().map_or_else(|_| V::from(word), V::Int)
}

fn numbered(word: &str) -> Result<u64, String> {
    let number = word.strip_prefix('#').and_then(|number| number.parse().ok());
    number.ok_or_else(|| format!("{word} is no number such as #1"))
}

fn known_ordering(word: &str) -> Result<&str, String> {
    let known = ["Relaxed", "Acquire", "Release", "AcqRel", "SeqCst"].contains(&word);
    known.then_some(word).ok_or_else(|| format!("{word} is no ordering"))
}

#[test]
fn what_makes_no_sense_is_refused_and_its_line_told() {
    let wrong = [
        ("1: read x\n", "either findings are expected, or nothing is"),
        ("expect: nothing\nexpect: race x 1 2 Confirmed", "either findings are expected, or nothing is"),
        ("# a case\n1 read x", "line 2: who does it?: 1 read x"),
        ("1: raed x 5", "line 1: what is that?: 1: raed x 5"),
        ("1: load x acquire", "line 1: acquire is no ordering: 1: load x acquire"),
        ("1: unlock m", "line 1: the strand does not hold the lock: 1: unlock m"),
        ("1: write x 1 2", "line 1: which values are those?: 1: write x 1 2"),
        ("off: Raed", "line 1: which kind is that?: off: Raed"),
        ("repeat 2\n1: read x", "a repeat has no end"),
        ("repeat 2\nrepeat 3\n1: read x\nend", "line 2: a repeat within another"),
        ("1: return 2", "line 1: who called that?: 1: return 2"),
    ];
    for (text, expect) in wrong {
        assert_eq!(parse(text).unwrap_err(), expect);
    }
}
