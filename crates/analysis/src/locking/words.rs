//! What findings about locks say.

use crate::locking::report::{Discipline, LockOrder};
use crate::report::AccessInfo;

/// What a finding says beside the places.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) explanation: String,
    pub(crate) advice: &'static str,
    pub(crate) benign_if: &'static str,
}

/// Strands that hold one lock each, and ask for the next one's.
pub(crate) fn deadlock_words(orders: &[LockOrder]) -> Words {
    let explanation = format!(
        "{}. Nothing that was recorded keeps them from being there at the same moment; then each waits for the next for \
         ever. This time they were not.",
        steps(orders, "asks for")
    );
    Words {
        explanation,
        advice: ORDER,
        benign_if: "the strands cannot be there at the same moment, because of something that was not recorded, such as \
                    a channel or a barrier",
    }
}

/// What keeps strands from waiting for each other.
const ORDER: &str = "take these locks in one order everywhere, or hold one more lock, the same each time, around both, or \
                     ask for the second by try_lock and give the first back if that fails";

/// Strands that wait for each other, or one for itself.
pub(crate) fn stuck_words(orders: &[LockOrder]) -> Words {
    let (what, advice) = match orders {
        [_] => (
            "It waits for itself, and never goes on.",
            "hand the guard on to what is called with the lock held, or give it back before the lock is taken again",
        ),
        _ => ("Each waits for the next, and none of them ever goes on.", ORDER),
    };
    Words {
        explanation: format!("{}. {what}", steps(orders, "waits for")),
        advice,
        benign_if: "somebody ends it, by a panic in what is called on a deadlock, or by the end of the process",
    }
}

/// Who holds what and asks for what, one after the other.
fn steps(orders: &[LockOrder], asks: &str) -> String {
    let short: Vec<Option<&str>> = orders.iter().map(|order| short_name(&order.asked)).collect();
    let distinct = |at: usize| short[at].is_some() && !short[..at].contains(&short[at]);
    let all = (0..short.len()).all(distinct);
    let name = |order: &LockOrder| match short_name(&order.asked) {
        Some(name) if all => name.to_owned(),
        _ => order.asked.thread.clone(),
    };
    let steps = orders.iter().map(|order| format!("{} holds {} and {asks} {}", name(order), order.holds, order.asks));
    steps.collect::<Vec<_>>().join("; ")
}

/// A strand that reads a lock, and asks to read it once more.
pub(crate) fn recursive_words(lock: &str, second: &AccessInfo) -> Words {
    let name = short_name(second).unwrap_or(&second.thread);
    let explanation = format!(
        "{name} holds {lock} for reading and asks to read it once more. A writer that asks in between waits for the first \
         guard, and std's RwLock may let the second wait for that writer, or panic: then neither goes on."
    );
    Words {
        explanation,
        advice: "hand the first guard on, or give it back before the lock is read again",
        benign_if: "nobody asks to write while a guard is held, or the lock lets readers pass writers that wait",
    }
}

/// A lock of threads that a task holds across an await.
pub(crate) fn await_words(lock: &str, taken: &AccessInfo) -> Words {
    let name = short_name(taken).unwrap_or(&taken.thread);
    let explanation = format!(
        "{name} takes {lock} and holds it across an await. While it waits, its thread goes on with other tasks. One of \
         them that asks for {lock} blocks the thread, and with it the task that has to give {lock} back: then neither \
         goes on."
    );
    Words {
        explanation,
        advice: "give the guard back before the await, by a block around it or by drop; or use an async lock, such as \
                 tokio::sync::Mutex, for which tasks wait without blocking their thread",
        benign_if: "no task that may run on the thread meanwhile asks for the lock, and whoever else does can wait for as \
                    long as the await takes",
    }
}

/// A lock that was not held everywhere.
pub(crate) fn forgotten_words(discipline: &Discipline, without: &AccessInfo) -> Words {
    let Discipline { lock, held, accesses, .. } = discipline;
    let name = short_name(without).unwrap_or(&without.thread);
    let verb = without.kind.verb();
    let explanation = format!(
        "{held} of {accesses} accesses hold {lock}, and the one where {name} {verb} the variable does not. Other strands \
         access it under the lock, and nothing else that was recorded keeps them apart: if the two did not meet this \
         time, that is because of the order in which locks happened to be taken."
    );
    Words {
        explanation,
        advice: "take the lock at the places that do not, for writes exclusively",
        benign_if: "those places cannot run while other strands use the variable, because of something that was not \
                    recorded",
    }
}

fn short_name(info: &AccessInfo) -> Option<&str> {
    info.strand_name.as_deref().or(info.thread_name.as_deref())
}
