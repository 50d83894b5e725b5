//! Which context the spans of a tree run in, on whatever threads they are entered.

use crate::context::{Attached, Context, Kin};
use crate::recorder::Recorder;
use crate::ring::sync::{Arc, Mutex, lock};
use std::cell::RefCell;
use trackside_wire::ThreadId;

/// What all spans of a tree share: the context of their root.
#[derive(Debug)]
pub(super) struct Root {
    recorder: Recorder,
    name: &'static str,
    /// Whether it runs in the context that the thread has anyway, if it has one.
    joins: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Set when the context has begun.
    begun: Option<(Kin, ThreadId)>,
    /// The context, while it is attached nowhere.
    home: Option<Context>,
    /// The contexts of threads that came while the first one was taken, likewise.
    spare: Vec<Context>,
}

impl Root {
    pub(super) fn new(recorder: &Recorder, name: &'static str, joins: bool) -> Arc<Self> {
        Arc::new(Self { recorder: recorder.clone(), name, joins, state: Mutex::default() })
    }

    /// A context to run in: the root's own, or one beside it if some thread has that.
    fn take(&self) -> Context {
        let mut state = lock(&self.state);
        if let Some(context) = state.home.take().or_else(|| state.spare.pop()) {
            return context;
        }
        match &state.begun {
            Some((kin, _)) => kin.sibling().named(self.name),
            None => {
                let context = Context::begin(&self.recorder).named(self.name);
                state.begun = Some((context.kin(), context.thread_id()));
                context
            }
        }
    }

    fn give_back(&self, context: Context) {
        let mut state = lock(&self.state);
        if state.begun.as_ref().is_some_and(|(_, id)| *id == context.thread_id()) {
            state.home = Some(context);
        } else {
            state.spare.push(context);
        }
    }

    /// All spans of the tree have been closed, so all that was done in it comes before what its own context does now.
    pub(super) fn join_all(&self) {
        let mut state = lock(&self.state);
        let State { home: Some(home), spare, .. } = &mut *state else { return };
        spare.drain(..).for_each(|context| home.follow(&context));
    }
}

/// A span that the calling thread is in.
#[derive(Debug)]
struct Entry {
    span: (usize, u64),
    root: Arc<Root>,
    /// The context that the thread runs as since then. None: it is that of an entry before this one, or foreign.
    attached: Option<Attached>,
    /// Which context of the root's the span needs; None: it joined a foreign one.
    runs_as: Option<ThreadId>,
}

thread_local! {
    static ENTRIES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// `None` where the thread is so far in exiting that the list is gone, or it is being changed just now.
fn with_entries<R>(look: impl FnOnce(&mut Vec<Entry>) -> R) -> Option<R> {
    ENTRIES.try_with(|entries| entries.try_borrow_mut().ok().map(|mut entries| look(&mut entries))).ok()?
}

/// The calling thread enters a span of the tree. Spans are known by their layer and their id.
pub(super) fn enter(span: (usize, u64), root: &Arc<Root>) {
    let entered = with_entries(|entries| {
        let current = Context::current_id(&root.recorder);
        let ours = current.and_then(|id| entries.iter().rfind(|entry| entry.runs_as == Some(id)));
        let (attached, runs_as) = match (current, ours) {
            // It is in the tree already.
            (Some(id), Some(entry)) if Arc::ptr_eq(&entry.root, root) => (None, Some(id)),
            // It has a context that is none of ours.
            (Some(_), None) if root.joins => (None, None),
            _ => {
                let context = root.take();
                let id = context.thread_id();
                (Some(context.attach()), Some(id))
            }
        };
        entries.push(Entry { span, root: root.clone(), attached, runs_as });
    });
    let _ = entered;
}

/// The calling thread leaves a span, not necessarily the one that it entered last.
pub(super) fn exit(span: (usize, u64)) {
    let left = with_entries(|entries| {
        let at = entries.iter().rposition(|entry| entry.span == span)?;
        let mut left = entries.remove(at);
        let attached = left.attached.take()?;
        // Spans that were entered meanwhile, and not left, still run as it.
        match entries[at..].iter_mut().find(|entry| entry.runs_as == left.runs_as && entry.attached.is_none()) {
            Some(heir) => {
                heir.attached = Some(attached);
                None
            }
            None => Some((attached, left.root)),
        }
    });
    if let Some((attached, root)) = left.flatten()
        && let Some(context) = attached.detach()
    {
        root.give_back(context);
    }
}
