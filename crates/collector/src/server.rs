//! The accept loop and the life of a connection. `axum::serve` would do for a friendly world: it has no header timeout,
//! no cap on connections, and no end for one that never reads its answer.

use crate::limiter::Peer;
use axum::Router;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// A connection this old is closed after the request it is serving, so that none is for ever.
const MAX_AGE: Duration = Duration::from_secs(600);
/// How long a request may then still take: it is what bounds a client that does not read its answer.
const LAST_REQUEST: Duration = Duration::from_secs(30);
/// How long requests under way may take when the collector stops.
const STOP_GRACE: Duration = Duration::from_secs(1);
/// The largest head of a request.
const MAX_HEAD: usize = 32 << 10;

/// A bound socket, and where it is bound.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) listener: std::net::TcpListener,
    pub(crate) address: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerLimits {
    pub(crate) connections: usize,
    pub(crate) client_timeout: Duration,
}

/// In a response's extensions: close the connection instead of sending the response.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CloseUnanswered;

/// Serves until `stop` turns true or its sender is gone; then gives what is under way a moment.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: ServerLimits, stop: watch::Receiver<bool>) {
    let slots = Arc::new(Semaphore::new(limits.connections.clamp(1, Semaphore::MAX_PERMITS)));
    let mut connections = JoinSet::new();
    let mut stopping = stop.clone();
    let accept = async {
        loop {
            // A slot first: a connection that there is no room for stays in the system's queue.
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let Ok((stream, _)) = listener.accept().await else {
                // Out of file descriptors, mostly: that passes when connections end.
                sleep(Duration::from_millis(50)).await;
                continue;
            };
            let connection = connection(stream, router.clone(), limits.client_timeout, stop.clone());
            connections.spawn(async move {
                connection.await;
                drop(slot);
            });
            while connections.try_join_next().is_some() {}
        }
    };
    tokio::select! {
        () = accept => {}
        () = stopped(&mut stopping) => {}
    }
    drop(listener);
    let _ = timeout(STOP_GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn connection(stream: TcpStream, router: Router, client_timeout: Duration, mut stop: watch::Receiver<bool>) {
    // Answers are short, so there is nothing to gain from waiting for more; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok().map(|address| Peer::new(address.ip()));
    let router = TowerToHyperService::new(router);
    let service = service_fn(|mut request: hyper::Request<hyper::body::Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        let response = router.call(request);
        async {
            let response = response.await.map_err(|never| match never {})?;
            match response.extensions().get::<CloseUnanswered>() {
                Some(_) => Err(Unanswered),
                None => Ok(response),
            }
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(client_timeout).max_buf_size(MAX_HEAD);
    let mut connection = std::pin::pin!(http.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        // It has ended, well or not; a broken connection concerns only its client.
        _ = connection.as_mut() => return,
        () = stopped(&mut stop) => {}
        () = sleep(MAX_AGE) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST_REQUEST, connection).await;
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error says that the sender is gone, which is as good as a stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Makes hyper close the connection.
#[derive(Debug)]
struct Unanswered;

impl fmt::Display for Unanswered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request is left unanswered")
    }
}

impl std::error::Error for Unanswered {}
