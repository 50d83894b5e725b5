//! A file system in memory, which fails and crashes when it is told to.

use super::super::disk::{Disk, DiskFile};
use crate::sync::lock;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::ops::Range;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails with an error of this kind and has no effect.
    Error(ErrorKind),
    /// An append writes at most so many bytes, and fails the next time with this error.
    Short(usize, ErrorKind),
    /// The machine, or the process, stops in the middle of it.
    Crash,
}

/// What a crash leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crash {
    /// All that was written: the process was killed, the operating system goes on.
    Kill,
    /// What was synced, and anything of the rest.
    PowerLoss,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// By their place here.
    files: Vec<File>,
    /// The directory, as the operating system has it.
    names: BTreeMap<String, usize>,
    /// The directory, as it is on the disk.
    durable_names: BTreeMap<String, usize>,
    /// How many operations there have been.
    operations: u64,
    /// What happens to operations, by their number.
    faults: BTreeMap<u64, Fault>,
    has_crashed: bool,
    random: u64,
    hanging: Option<Hanging>,
}

/// An operation that does not come back, until somebody drops the other end of `until`.
#[derive(Debug)]
struct Hanging {
    operation: u64,
    begun: Sender<()>,
    until: Receiver<()>,
}

#[derive(Debug, Clone, Default)]
struct File {
    bytes: Vec<u8>,
    durable: Vec<u8>,
    /// What could not be written when it was synced, and is not tried again: so do Linux's file systems.
    given_up: Vec<Range<usize>>,
}

impl File {
    fn sync(&mut self) {
        self.durable.clone_from(&self.bytes);
        self.given_up.iter().for_each(|range| self.durable[range.clone()].fill(0));
    }

    fn fail_to_sync(&mut self) {
        self.given_up.push(self.durable.len().min(self.bytes.len())..self.bytes.len());
    }

    fn cut(&mut self, len: u64) {
        self.bytes.truncate(len as usize);
        let len = self.bytes.len();
        self.given_up.iter_mut().for_each(|range| *range = range.start.min(len)..range.end.min(len));
    }
}

impl Model {
    /// `seed` decides what is random: how much of a write is done before a crash, and what a loss of power leaves.
    pub(crate) fn new(seed: u64) -> Self {
        let model = Self::default();
        lock(&model.0).random = seed | 1;
        model
    }

    /// From now on, the operation with this number, from 0, fails in this way.
    pub(crate) fn fail(&self, operation: u64, fault: Fault) {
        let mut state = lock(&self.0);
        let at = state.operations + operation;
        state.faults.insert(at, fault);
    }

    /// From now on, the operation with this number, from 0, hangs: what is returned hears when it does, and ends it when
    /// it is dropped.
    pub(crate) fn hang(&self, operation: u64) -> (Receiver<()>, Sender<()>) {
        let mut state = lock(&self.0);
        let ((begun, hears), (ends, until)) = (channel(), channel());
        state.hanging = Some(Hanging { operation: state.operations + operation, begun, until });
        (hears, ends)
    }

    pub(crate) fn fail_not(&self) {
        lock(&self.0).faults.clear();
    }

    pub(crate) fn operations(&self) -> u64 {
        lock(&self.0).operations
    }

    pub(crate) fn has_crashed(&self) -> bool {
        lock(&self.0).has_crashed
    }

    /// Starts anew after a crash, without further faults.
    pub(crate) fn restart(&self, crash: Crash) {
        let mut state = lock(&self.0);
        state.faults.clear();
        state.has_crashed = false;
        if crash == Crash::PowerLoss {
            state.lose_power();
        }
    }

    /// A file's bytes, to be looked at and changed.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let mut state = lock(&self.0);
        let at = state.names[name];
        change(&mut state.files[at].bytes);
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        let mut state = lock(&self.0);
        let file = state.names.remove(from).unwrap();
        state.names.insert(to.into(), file);
    }

    pub(crate) fn copy(&self, from: &str, to: &str) {
        let mut state = lock(&self.0);
        let file = state.files[state.names[from]].clone();
        state.files.push(file);
        let at = state.files.len() - 1;
        state.names.insert(to.into(), at);
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let mut state = lock(&self.0);
        state.files.push(File { bytes: bytes.into(), ..File::default() });
        let at = state.files.len() - 1;
        state.names.insert(name.into(), at);
    }

    /// Deletes everything, as somebody else might.
    pub(crate) fn wipe(&self) {
        lock(&self.0).names.clear();
    }

    pub(crate) fn names(&self) -> Vec<String> {
        lock(&self.0).names.keys().cloned().collect()
    }

    /// Counts an operation; an error if it is to fail.
    fn operate<T>(&self, operation: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        let mut state = lock(&self.0);
        match state.next_fault()? {
            None => operation(&mut state),
            Some(Fault::Error(kind) | Fault::Short(_, kind)) => Err(kind.into()),
            Some(Fault::Crash) => {
                // It may have been done, or not.
                let _ = if state.draw(2) == 0 { operation(&mut state).err() } else { None };
                state.has_crashed = true;
                Err(crashed())
            }
        }
    }

    fn file(&self, at: usize) -> Box<dyn DiskFile> {
        Box::new(Handle { model: self.clone(), at })
    }
}

impl State {
    fn next_fault(&mut self) -> io::Result<Option<Fault>> {
        if self.has_crashed {
            return Err(crashed());
        }
        if let Some(hanging) = self.hanging.take_if(|hanging| hanging.operation == self.operations) {
            let _ = hanging.begun.send(());
            let _ = hanging.until.recv();
        }
        let fault = self.faults.remove(&self.operations);
        self.operations += 1;
        Ok(fault)
    }

    /// A number below `below`, by xorshift.
    fn draw(&mut self, below: u64) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random % below.max(1)
    }

    fn lose_power(&mut self) {
        for at in 0..self.files.len() {
            let File { bytes, durable, .. } = self.files[at].clone();
            let unsynced = bytes.len().saturating_sub(durable.len());
            let kept = durable.len().min(bytes.len()) + self.draw(unsynced as u64 + 1) as usize;
            let mut left = bytes[..kept].to_vec();
            let synced = durable.len().min(kept);
            left[..synced].copy_from_slice(&durable[..synced]);
            // The length may have arrived before what it is the length of.
            let zeros = synced + self.draw((kept - synced) as u64 + 1) as usize;
            if self.draw(2) == 0 {
                left[zeros..].fill(0);
            }
            self.files[at] = File { bytes: left.clone(), durable: left, given_up: Vec::new() };
        }
        let (names, durable) = (self.names.clone(), self.durable_names.clone());
        for (name, file) in names.iter().chain(&durable) {
            let is_durable = durable.get(name) == Some(file) && names.get(name) == Some(file);
            if is_durable || self.draw(2) == 0 {
                self.names.insert(name.clone(), *file);
            } else {
                self.names.remove(name);
            }
        }
        self.durable_names = self.names.clone();
    }
}

fn crashed() -> io::Error {
    io::Error::other("crashed")
}

impl Disk for Model {
    fn claim(&self) -> io::Result<()> {
        self.operate(|_| Ok(()))
    }

    fn release(&self) {}

    fn list(&self) -> io::Result<Vec<String>> {
        self.operate(|state| Ok(state.names.keys().cloned().collect()))
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let at = self.operate(|state| {
            if state.names.contains_key(name) {
                return Err(ErrorKind::AlreadyExists.into());
            }
            state.files.push(File::default());
            state.names.insert(name.into(), state.files.len() - 1);
            Ok(state.files.len() - 1)
        })?;
        Ok(self.file(at))
    }

    fn open(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let at = self.operate(|state| state.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into()))?;
        Ok(self.file(at))
    }

    fn exists(&self, name: &str) -> io::Result<bool> {
        self.operate(|state| Ok(state.names.contains_key(name)))
    }

    fn cut(&self, name: &str, len: u64) -> io::Result<()> {
        self.operate(|state| {
            let at = *state.names.get(name).ok_or(ErrorKind::NotFound)?;
            state.files[at].cut(len);
            state.files[at].sync();
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.operate(|state| state.names.remove(name).map(drop).ok_or_else(|| ErrorKind::NotFound.into()))
    }

    fn sync(&self) -> io::Result<()> {
        self.operate(|state| {
            state.durable_names = state.names.clone();
            Ok(())
        })
    }
}

#[derive(Debug)]
struct Handle {
    model: Model,
    at: usize,
}

impl DiskFile for Handle {
    fn len(&self) -> io::Result<u64> {
        self.model.operate(|state| Ok(state.files[self.at].bytes.len() as u64))
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.model.operate(|state| {
            let rest = state.files[self.at].bytes.get(offset as usize..).unwrap_or(&[]);
            // In small steps, as any file system may.
            let len = rest.len().min(buffer.len()).min(1000);
            buffer[..len].copy_from_slice(&rest[..len]);
            Ok(len)
        })
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = lock(&self.model.0);
        let (fault, now) = (state.next_fault()?, state.operations);
        let len = match fault {
            None => bytes.len(),
            Some(Fault::Error(kind)) => return Err(kind.into()),
            Some(Fault::Short(len, kind)) => {
                state.faults.insert(now, Fault::Error(kind));
                len.clamp(1, bytes.len())
            }
            Some(Fault::Crash) => state.draw(bytes.len() as u64 + 1) as usize,
        };
        state.files[self.at].bytes.extend_from_slice(&bytes[..len]);
        if fault == Some(Fault::Crash) {
            state.has_crashed = true;
            return Err(crashed());
        }
        Ok(len)
    }

    fn cut(&mut self, len: u64) -> io::Result<()> {
        self.model.operate(|state| {
            state.files[self.at].cut(len);
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        let synced = self.model.operate(|state| {
            state.files[self.at].sync();
            Ok(())
        });
        if synced.is_err() {
            lock(&self.model.0).files[self.at].fail_to_sync();
        }
        synced
    }
}
