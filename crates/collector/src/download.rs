//! `GET /api/batches`: what is stored, or what comes, as a file of batches.

use crate::api::App;
use crate::refusal::Refusal;
use axum::body::{Body, HttpBody};
use axum::extract::State;
use axum::http::{Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use trackside_wire::{FILE_MAGIC, frame_len};

/// How many batches are read ahead of a client.
const AHEAD: usize = 2;

pub(crate) async fn download(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Refusal> {
    let (sender, receiver) = mpsc::channel(AHEAD);
    // There is room: it is the first that is sent.
    let _ = sender.try_send(Bytes::from_static(&FILE_MAGIC));
    match uri.query() {
        None | Some("") => {
            let batches = app.store.batches();
            // Reading may wait for a disk, and sending for the client.
            tokio::task::spawn_blocking(move || {
                batches.map(framed).try_for_each(|[len, batch]| {
                    sender.blocking_send(len)?;
                    sender.blocking_send(batch)
                })
            });
        }
        Some("follow") => drop(tokio::spawn(pass_on(app.store.follow(), sender))),
        Some(_) => return Err(Refusal::Query("the query may be follow")),
    }
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::new(Chunks(receiver))).into_response())
}

/// Passes on what comes, until the client goes or the collector ends. Batches that a slow client has missed are left out: it
/// can tell by their numbers.
async fn pass_on(mut stored: broadcast::Receiver<Bytes>, sender: mpsc::Sender<Bytes>) {
    loop {
        let batch = tokio::select! {
            () = sender.closed() => return,
            batch = stored.recv() => batch,
        };
        match batch {
            Ok(batch) => {
                for part in framed(batch) {
                    if sender.send(part).await.is_err() {
                        return;
                    }
                }
            }
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

/// A batch as it stands in a file. No body is as long as a length field can tell.
fn framed(batch: Bytes) -> [Bytes; 2] {
    let len = frame_len(&batch).unwrap_or_default();
    [Bytes::copy_from_slice(&len), batch]
}

/// A body of what comes through a channel.
struct Chunks(mpsc::Receiver<Bytes>);

impl HttpBody for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes))))
    }
}
