use crate::record::ObjectType;
use crate::sync::object::{Milestone, Object, Site, begin};
use std::fmt;
use std::panic::Location;
use std::pin::pin;
use std::task::{Context, Waker};
use tokio::sync::SetError;
use tokio::task::unconstrained;

/// [`tokio::sync::OnceCell`], which also records what it orders: who finds the value comes after who put it there.
///
/// # Examples
///
/// ```
/// use trackside::tokio::sync::OnceCell;
///
/// static LIMIT: OnceCell<u32> = OnceCell::const_named("limit");
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
/// # runtime.block_on(async {
/// assert_eq!(LIMIT.get_or_init(|| async { 7 }).await, &7);
/// assert_eq!(LIMIT.get(), Some(&7));
/// # });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct OnceCell<T> {
    done: Milestone,
    inner: tokio::sync::OnceCell<T>,
}

impl<T> OnceCell<T> {
    /// A cell without a value, called after the place in the source where it is made.
    #[track_caller]
    pub fn new() -> Self {
        Self::const_new()
    }

    /// As [`OnceCell::new`], in a `const` or a `static`.
    #[track_caller]
    pub const fn const_new() -> Self {
        Self { done: Milestone::new(Object::here(ObjectType::OnceCell)), inner: tokio::sync::OnceCell::const_new() }
    }

    /// A cell without a value, with a name of its own.
    pub fn named(name: &'static str) -> Self {
        Self::const_named(name)
    }

    /// As [`OnceCell::named`], in a `const` or a `static`.
    pub const fn const_named(name: &'static str) -> Self {
        let done = Milestone::new(Object::named(ObjectType::OnceCell, name));
        Self { done, inner: tokio::sync::OnceCell::const_new() }
    }

    /// A cell with this value, if it is some.
    #[track_caller]
    pub fn new_with(value: Option<T>) -> Self {
        let done = Milestone::new(Object::here(ObjectType::OnceCell));
        Self { done, inner: tokio::sync::OnceCell::new_with(value) }
    }

    /// A cell with this value, in a `const` or a `static`.
    #[track_caller]
    pub const fn const_new_with(value: T) -> Self {
        let done = Milestone::new(Object::here(ObjectType::OnceCell));
        Self { done, inner: tokio::sync::OnceCell::const_new_with(value) }
    }

    /// Whether there is a value.
    #[track_caller]
    pub fn initialized(&self) -> bool {
        let initialized = self.inner.initialized();
        if initialized {
            self.done.acquire(Location::caller());
        }
        initialized
    }

    /// The value, if there is one.
    #[track_caller]
    pub fn get(&self) -> Option<&T> {
        let value = self.inner.get();
        if value.is_some() {
            self.done.acquire(Location::caller());
        }
        value
    }

    /// The value, which nobody else can reach while it is borrowed mutably. Records nothing.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.inner.get_mut()
    }

    /// Puts the value there, unless there is one, or one is on its way.
    ///
    /// # Errors
    /// If there is, which gives the value back.
    #[track_caller]
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        let (site, mut value) = (Location::caller(), Some(value));
        let polled = {
            // As an initialisation that has but one poll, so that nobody else can have one in the meantime.
            let put = self.inner.get_or_try_init(|| async {
                let _beginning = begin(&self.done, site);
                value.take().ok_or(())
            });
            // Whatever the task has done before, it does not have to give way in there.
            let put = pin!(unconstrained(put));
            put.poll(&mut Context::from_waker(Waker::noop())).is_ready()
        };
        match value {
            None => Ok(()),
            Some(value) if polled => Err(SetError::AlreadyInitializedError(value)),
            Some(value) => Err(SetError::InitializingError(value)),
        }
    }

    /// As [`tokio::sync::OnceCell::get_or_init`]: the value, which is that of `f` if there was none. If others are about to
    /// put one there, waits for it.
    #[track_caller]
    pub fn get_or_init<F, Fut>(&self, f: F) -> impl Future<Output = &T>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        let site = Location::caller();
        async move {
            let mut mine = false;
            let value = self.inner.get_or_init(|| self.initialise(f, &mut mine, site)).await;
            self.found(mine, site);
            value
        }
    }

    /// As [`tokio::sync::OnceCell::get_or_try_init`]: as [`OnceCell::get_or_init`], for an `f` that may fail. Then it is the
    /// turn of the next one to ask.
    ///
    /// # Errors
    /// If `f` does.
    #[track_caller]
    pub fn get_or_try_init<E, F, Fut>(&self, f: F) -> impl Future<Output = Result<&T, E>>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let site = Location::caller();
        async move {
            let mut mine = false;
            let value = self.inner.get_or_try_init(|| self.initialise(f, &mut mine, site)).await;
            self.found(mine, site);
            value
        }
    }

    /// An attempt at it, however it ends, comes after the one before, and happens before the next one.
    async fn initialise<Fut: Future>(&self, f: impl FnOnce() -> Fut, mine: &mut bool, site: Site) -> Fut::Output {
        *mine = true;
        let _beginning = begin(&self.done, site);
        f().await
    }

    fn found(&self, mine: bool, site: Site) {
        if !mine {
            self.done.acquire(site);
        }
    }

    /// Takes the value out, if there is one.
    pub fn into_inner(self) -> Option<T> {
        self.inner.into_inner()
    }

    /// Takes the value out, if there is one, and leaves the cell as new.
    pub fn take(&mut self) -> Option<T> {
        self.inner.take()
    }
}

impl<T> Default for OnceCell<T> {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl<T> From<T> for OnceCell<T> {
    #[track_caller]
    fn from(value: T) -> Self {
        Self::new_with(Some(value))
    }
}

impl<T: Clone> Clone for OnceCell<T> {
    #[track_caller]
    fn clone(&self) -> Self {
        Self::new_with(self.get().cloned())
    }
}

impl<T: PartialEq> PartialEq for OnceCell<T> {
    #[track_caller]
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl<T: Eq> Eq for OnceCell<T> {}

impl<T: fmt::Debug> fmt::Debug for OnceCell<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
