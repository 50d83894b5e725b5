use super::park::Token;
use super::{JoinHandle, Scope, ScopedJoinHandle, UNNAMED};
use crate::context::Branch;
use std::borrow::Cow;
use std::io;
use std::panic::Location;

/// As [`std::thread::Builder`]. The thread's name is that of its context as well.
#[derive(Debug)]
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    threads: std::thread::Builder,
    name: Cow<'static, str>,
}

impl Builder {
    /// A thread of default size, without a name.
    #[expect(clippy::new_without_default, reason = "std's has none either")]
    pub fn new() -> Self {
        Self { threads: std::thread::Builder::new(), name: UNNAMED.into() }
    }

    /// Names the thread. The name must not contain null bytes.
    pub fn name(self, name: String) -> Self {
        Self { threads: self.threads.name(name.clone()), name: name.into() }
    }

    /// Sets the size of its stack, in bytes.
    pub fn stack_size(self, size: usize) -> Self {
        Self { threads: self.threads.stack_size(size), ..self }
    }

    /// As [`std::thread::Builder::spawn`].
    ///
    /// # Errors
    /// If the system does not create a thread.
    ///
    /// # Panics
    /// If the name contains null bytes.
    #[track_caller]
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (branch, awaited) = Branch::here(self.name, Location::caller());
        let token = Token::of_new_thread();
        let thread = self.threads.spawn(token.clone().around(move || branch.run_thread(f)))?;
        Ok(JoinHandle { handle: token.of(thread.thread()), thread, awaited })
    }

    /// As [`std::thread::Builder::spawn_scoped`].
    ///
    /// # Errors
    /// If the system does not create a thread.
    ///
    /// # Panics
    /// If the name contains null bytes.
    #[track_caller]
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let site = Location::caller();
        let (branch, awaited) = Branch::here(self.name, site);
        let token = Token::of_new_thread();
        let work = token.clone().around(move || branch.run_thread(f));
        let thread = self.threads.spawn_scoped(scope.threads(), work)?;
        Ok(ScopedJoinHandle::new(scope, token.of(thread.thread()), thread, awaited))
    }
}
