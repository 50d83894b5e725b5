use super::{AbortHandle, BLOCKING, Id, JoinError, TASK};
use crate::context::{Awaited, Branch};
use std::collections::HashMap;
use std::panic::Location;
use std::task::{Context, Poll, ready};
use tokio::runtime::Handle;

/// As [`tokio::task::JoinSet`]: tasks that are awaited in the order in which they end, and aborted when it is dropped.
///
/// Once a task has been joined, all that it did happens before what is done next in the context that joined it, which is
/// recorded as a task awaited.
///
/// # Examples
///
/// ```
/// use trackside::tokio::task::JoinSet;
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// let mut set: JoinSet<u64> = (0..10).map(|n| async move { n * n }).collect();
/// let mut sum = 0;
/// while let Some(square) = set.join_next().await {
///     sum += square.expect("it does not panic");
/// }
/// assert_eq!(sum, 285);
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct JoinSet<T> {
    set: tokio::task::JoinSet<T>,
    /// By the ids of the tasks in the set.
    awaited: HashMap<Id, Awaited>,
}

impl<T> JoinSet<T> {
    /// A set without tasks.
    pub fn new() -> Self {
        Self { set: tokio::task::JoinSet::new(), awaited: HashMap::new() }
    }

    /// How many tasks are in it, ended ones included.
    pub fn len(&self) -> usize {
        self.set.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }
}

impl<T: 'static> JoinSet<T> {
    /// As [`spawn`](super::spawn), into the set.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn spawn<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let (branch, awaited) = Branch::here(TASK, Location::caller());
        let handle = self.set.spawn(branch.run_future(task));
        self.keep(handle, awaited)
    }

    /// As [`JoinSet::spawn`], on another runtime.
    #[track_caller]
    pub fn spawn_on<F>(&mut self, task: F, handle: &Handle) -> AbortHandle
    where
        F: Future<Output = T> + Send + 'static,
        T: Send,
    {
        let (branch, awaited) = Branch::here(TASK, Location::caller());
        let handle = self.set.spawn_on(branch.run_future(task), handle);
        self.keep(handle, awaited)
    }

    /// As [`spawn_local`](super::spawn_local), into the set.
    ///
    /// # Panics
    /// Outside of a [`LocalSet`](super::LocalSet) or a local runtime.
    #[track_caller]
    pub fn spawn_local<F>(&mut self, task: F) -> AbortHandle
    where
        F: Future<Output = T> + 'static,
    {
        let (branch, awaited) = Branch::here(TASK, Location::caller());
        let handle = self.set.spawn_local(branch.run_future(task));
        self.keep(handle, awaited)
    }

    /// As [`spawn_blocking`](super::spawn_blocking), into the set.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[track_caller]
    pub fn spawn_blocking<F>(&mut self, f: F) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let (branch, awaited) = Branch::here(BLOCKING, Location::caller());
        let handle = self.set.spawn_blocking(move || branch.run_job(f));
        self.keep(handle, awaited)
    }

    /// As [`JoinSet::spawn_blocking`], on another runtime.
    #[track_caller]
    pub fn spawn_blocking_on<F>(&mut self, f: F, handle: &Handle) -> AbortHandle
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send,
    {
        let (branch, awaited) = Branch::here(BLOCKING, Location::caller());
        let handle = self.set.spawn_blocking_on(move || branch.run_job(f), handle);
        self.keep(handle, awaited)
    }

    fn keep(&mut self, handle: AbortHandle, awaited: Awaited) -> AbortHandle {
        self.awaited.insert(handle.id(), awaited);
        handle
    }

    /// Waits until one of the tasks ends; `None` if there are none. Nothing is lost if it is dropped before it is ready.
    #[track_caller]
    pub fn join_next(&mut self) -> impl Future<Output = Option<Result<T, JoinError>>> {
        let site = Location::caller();
        std::future::poll_fn(move |context| self.poll_with_id(context, site).map(without_id))
    }

    /// As [`JoinSet::join_next`], with the task's id.
    #[track_caller]
    pub fn join_next_with_id(&mut self) -> impl Future<Output = Option<Result<(Id, T), JoinError>>> {
        let site = Location::caller();
        std::future::poll_fn(move |context| self.poll_with_id(context, site))
    }

    /// One of the tasks that have ended; `None` if there is none.
    #[track_caller]
    pub fn try_join_next(&mut self) -> Option<Result<T, JoinError>> {
        without_id(self.try_join_next_with_id())
    }

    /// As [`JoinSet::try_join_next`], with the task's id.
    #[track_caller]
    pub fn try_join_next_with_id(&mut self) -> Option<Result<(Id, T), JoinError>> {
        let result = self.set.try_join_next_with_id()?;
        Some(self.join(result, Location::caller()))
    }

    /// As [`JoinSet::join_next`], for futures written by hand.
    #[track_caller]
    pub fn poll_join_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<T, JoinError>>> {
        self.poll_with_id(context, Location::caller()).map(without_id)
    }

    /// As [`JoinSet::join_next_with_id`], for futures written by hand.
    #[track_caller]
    pub fn poll_join_next_with_id(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(Id, T), JoinError>>> {
        self.poll_with_id(context, Location::caller())
    }

    fn poll_with_id(&mut self, context: &mut Context<'_>, site: Site) -> Poll<Option<Result<(Id, T), JoinError>>> {
        let result = ready!(self.set.poll_join_next_with_id(context));
        Poll::Ready(result.map(|result| self.join(result, site)))
    }

    fn join(&mut self, result: Result<(Id, T), JoinError>, site: Site) -> Result<(Id, T), JoinError> {
        let id = result.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        if let Some(awaited) = self.awaited.remove(&id) {
            awaited.join(site);
        }
        result
    }

    /// Aborts all tasks, and waits until they have ended.
    #[track_caller]
    pub fn shutdown(&mut self) -> impl Future<Output = ()> {
        let site = Location::caller();
        async move {
            self.abort_all();
            while std::future::poll_fn(|context| self.poll_with_id(context, site)).await.is_some() {}
        }
    }

    /// Waits for all tasks; what they returned, in the order in which they ended.
    ///
    /// # Panics
    /// If a task panicked, with the same, or was aborted.
    #[track_caller]
    pub fn join_all(mut self) -> impl Future<Output = Vec<T>> {
        let site = Location::caller();
        async move {
            let mut outputs = Vec::with_capacity(self.len());
            while let Some(result) = std::future::poll_fn(|context| self.poll_with_id(context, site)).await {
                match result {
                    Ok((_, output)) => outputs.push(output),
                    Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    Err(error) => panic!("{error}"),
                }
            }
            outputs
        }
    }

    /// Aborts all tasks. They stay in the set until they are joined.
    pub fn abort_all(&mut self) {
        self.set.abort_all();
    }

    /// Lets go of all tasks, which go on.
    pub fn detach_all(&mut self) {
        self.awaited.clear();
        self.set.detach_all();
    }
}

type Site = &'static Location<'static>;

fn without_id<T>(joined: Option<Result<(Id, T), JoinError>>) -> Option<Result<T, JoinError>> {
    joined.map(|result| result.map(|(_, output)| output))
}

impl<T> Default for JoinSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, F> FromIterator<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn from_iter<I: IntoIterator<Item = F>>(tasks: I) -> Self {
        let mut set = Self::new();
        set.extend(tasks);
        set
    }
}

impl<T, F> Extend<F> for JoinSet<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    fn extend<I: IntoIterator<Item = F>>(&mut self, tasks: I) {
        for task in tasks {
            self.spawn(task);
        }
    }
}
