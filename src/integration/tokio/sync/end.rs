//! An end of a channel, which tells when it goes.

use crate::ring::sync::Arc;
use crate::sync::object::Site;
use crate::sync::signal::Signal;
use std::ops::Deref;

/// What one end of a channel has of what both ends share. To be dropped before that end is.
#[derive(Debug)]
pub(super) struct End<S> {
    shared: Arc<S>,
    /// What to tell when it goes.
    goes: fn(&S) -> &Signal,
    /// Where the end was made.
    site: Site,
    /// Whether there is somebody to be told.
    tells: bool,
}

impl<S> End<S> {
    pub(super) fn new(shared: Arc<S>, goes: fn(&S) -> &Signal, site: Site) -> Self {
        Self { shared, goes, site, tells: true }
    }

    /// Another one of the same sort.
    pub(super) fn another(&self, site: Site) -> Self {
        Self::new(self.shared.clone(), self.goes, site)
    }

    /// What is shared, to be held beyond this end.
    pub(super) fn shared(&self) -> &Arc<S> {
        &self.shared
    }

    /// Where this end was made.
    pub(super) fn site(&self) -> Site {
        self.site
    }

    /// The channel has served its purpose: nobody will notice.
    pub(super) fn hush(&mut self) {
        self.tells = false;
    }
}

impl<S> Deref for End<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.shared
    }
}

impl<S> Drop for End<S> {
    fn drop(&mut self) {
        if self.tells {
            (self.goes)(&self.shared).give(self.site);
        }
    }
}
