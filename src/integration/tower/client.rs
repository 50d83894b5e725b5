//! The side that calls.

use super::server::Traced;
use crate::client::Client;
use crate::propagation::SpanId;
use crate::value::{Name, Value};
use http::Request;
use pin_project_lite::pin_project;
use std::fmt;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use tower_layer::Layer;
use tower_service::Service;
use trackside_wire::Kind;

/// Sends the context of whoever makes a request along with it, in its headers.
///
/// Each request gets a span of its own. When the response's head has come, that is recorded: what the called service did up
/// to its response happens before what the caller does next. Outside of any context of this client, requests are sent as
/// they are.
///
/// Nothing is recorded of a call that fails, or is dropped before its response, but that it was sent.
///
/// For clients that are no tower services, see [`Client::propagation_headers`],
/// [`Headers::inject`](crate::propagation::Headers::inject) and [`Client::track_call_returned`].
///
/// # Examples
///
/// ```
/// use tower_layer::Layer;
/// use trackside::tower::ClientLayer;
/// # use trackside::{Client, MemoryTransport};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let client = Client::builder_to(MemoryTransport::new()).service("bank").build()?;
/// # #[derive(Clone)] struct HttpClient;
/// # let http_client = HttpClient;
/// let http_client = ClientLayer::new(&client).layer(http_client);
/// # let _ = http_client;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct ClientLayer {
    client: Client,
}

impl ClientLayer {
    /// A layer that sends along contexts of this client.
    pub fn new(client: &Client) -> Self {
        Self { client: client.clone() }
    }
}

impl<S> Layer<S> for ClientLayer {
    type Service = ClientService<S>;

    fn layer(&self, inner: S) -> ClientService<S> {
        ClientService { inner, client: self.client.clone() }
    }
}

/// A service that sends contexts along with requests. Made by [`ClientLayer`].
#[derive(Debug, Clone)]
pub struct ClientService<S> {
    inner: S,
    client: Client,
}

impl<S, B> Service<Request<B>> for ClientService<S>
where
    S: Service<Request<B>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ClientFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    #[track_caller]
    fn call(&mut self, mut request: Request<B>) -> ClientFuture<S::Future> {
        let site = Location::caller();
        let sent = self.client.propagation_headers().ok().map(|headers| {
            let span = headers.child();
            headers.inject(request.headers_mut());
            // One that is passed on is another's to trace.
            request.extensions_mut().remove::<Traced>();
            Sent { client: self.client.clone(), span, site }
        });
        ClientFuture { future: self.inner.call(request), sent }
    }
}

pin_project! {
    /// The response to a request that was sent by a [`ClientService`].
    #[must_use = "futures do nothing unless you await or poll them"]
    pub struct ClientFuture<F> {
        #[pin]
        future: F,
        // None outside of a context, and once the response has come.
        sent: Option<Sent>,
    }
}

/// A call that waits for its response.
#[derive(Debug)]
struct Sent {
    client: Client,
    span: SpanId,
    /// Where the call is made: so its return is recorded there too.
    site: &'static Location<'static>,
}

impl<F, R, E> Future for ClientFuture<F>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.future.poll(context));
        if let (Ok(_), Some(Sent { client, span, site })) = (&response, this.sent.take()) {
            client.recorder().record(Kind::CallReturned, Name::NONE, span.as_u64().into(), Value::NIL, site);
        }
        Poll::Ready(response)
    }
}

impl<F> fmt::Debug for ClientFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientFuture").field("sent", &self.sent).finish_non_exhaustive()
    }
}
