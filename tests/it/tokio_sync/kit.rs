//! What the tests of tokio's counterparts need.

use crate::mutex::{in_default_client, with_default_client};
use crate::support::order::findings;
use crate::support::{Seen, events};
use std::fmt::{Debug, Display};
use std::task::{Context, Poll, Waker};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use trackside::{Client, InContext, MemoryTransport};

pub(super) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(3).build().unwrap()
}

/// Runs `work` in a context of the client that records locks.
pub(super) fn recorded<F: Future<Output = ()>>(work: impl FnOnce(Client) -> F) -> Vec<Seen> {
    in_default_client(|client| runtime().block_on(work(client.clone()).in_context(client.context())))
}

pub(super) fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Has the task, which must have been spawned, resume on another worker.
pub(super) async fn migrate() {
    let here = std::thread::current().id();
    while here == std::thread::current().id() {
        let (tell, told) = oneshot::channel();
        std::thread::spawn(move || tell.send(()));
        told.await.unwrap();
    }
}

pub(super) fn shown<G: std::ops::Deref<Target: Debug>, E: Debug + Display>(result: Result<G, E>) -> String {
    match result {
        Ok(guard) => format!("Ok {:?}", &*guard),
        Err(error) => format!("Err {error:?} {error}"),
    }
}

/// The findings in what `work` does, in a context of the client that records locks.
pub(super) fn found<F: Future<Output = ()>>(work: impl FnOnce(Client) -> F) -> Vec<String> {
    let memory = MemoryTransport::new();
    let stats = with_default_client(&memory, |client| {
        runtime().block_on(work(client.clone()).in_context(client.context()));
    });
    assert_eq!(stats.lost.total(), 0, "{stats}");
    assert!(!events(&memory).is_empty());
    findings(&memory).into_iter().collect()
}

/// What `$steps`, written once, says with tokio's types and with ours.
macro_rules! on_both {
    ($steps:block) => {{
        let theirs: Vec<String> = {
            use tokio::sync::*;
            $steps
        };
        let ours: Vec<String> = {
            use trackside::tokio::sync::*;
            $steps
        };
        assert_eq!(theirs, ours);
        assert!(ours.len() > 3, "{ours:?}");
    }};
}
pub(crate) use on_both;
