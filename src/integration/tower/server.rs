//! The side that is called.

use super::rules::{Recorded, Rules};
use crate::client::Client;
use crate::context::WithContext;
use crate::recorder::Recorder;
use crate::value::{Name, Value};
use http::header::{HeaderMap, HeaderName};
use http::{Method, Request, Response, Uri};
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;
use tower_layer::Layer;
use tower_service::Service;
use trackside_wire::Kind;

/// Gives each request that a service gets a context, and records request and response.
///
/// The context is made from the request's headers; the handler runs in it, wherever it is polled. Recorded are the method,
/// the path, the headers that are allowed, the response's status, and the time from the call to the response's head.
/// Bodies are not touched; what a body does while it is streamed, after the response's head, is not in the context.
///
/// Each request that is traced has an end: its response, or an error. A handler that panics is recorded as `panic`, and the
/// panic goes on; a request that is dropped before its response, because the caller is gone or somebody has waited long
/// enough, as `cancelled`; a service that fails without a response as `service error`.
///
/// Where several layers of one client are around a handler, a request has the context of the outermost that traces it.
///
/// See the [module](super) for how to use it.
#[derive(Debug, Clone)]
pub struct ServerLayer {
    shared: Arc<Shared>,
}

#[derive(Debug, Clone)]
struct Shared {
    client: Client,
    rules: Rules,
    /// Where the layer was made: what is recorded by it is recorded there.
    site: &'static Location<'static>,
}

impl ServerLayer {
    /// A layer that traces every request.
    #[track_caller]
    pub fn new(client: &Client) -> Self {
        let shared = Shared { client: client.clone(), rules: Rules::default(), site: Location::caller() };
        Self { shared: Arc::new(shared) }
    }

    /// Requests for these paths are not traced. They are compared without their queries.
    #[must_use]
    pub fn skip_paths<P: Into<Cow<'static, str>>>(self, paths: impl IntoIterator<Item = P>) -> Self {
        self.change(|rules| rules.skipped_paths.extend(paths.into_iter().map(Into::into)))
    }

    /// Requests for paths that begin like this are not traced.
    #[must_use]
    pub fn skip_prefix(self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.change(|rules| rules.skipped_prefixes.push(prefix.into()))
    }

    /// Requests are not traced if their user agent has "bot" in its name.
    #[must_use]
    pub fn skip_bots(self) -> Self {
        self.change(|rules| rules.skip_bots = true)
    }

    /// Only requests for which this is true are traced, in addition to all other rules.
    #[must_use]
    pub fn filter(self, filter: impl Fn(&Method, &Uri, &HeaderMap) -> bool + Send + Sync + 'static) -> Self {
        self.change(|rules| rules.filters.push(Arc::new(filter)))
    }

    /// Records this header too. Defaults to host, user-agent, accept, content-type and content-length. Headers that hold
    /// credentials, cookies or tokens are never recorded: asking for one has no effect.
    #[must_use]
    pub fn record_header(self, name: HeaderName) -> Self {
        self.change(|rules| rules.record_header(name))
    }

    /// Records queries with the paths. Defaults to false: they may hold secrets.
    #[must_use]
    pub fn record_query(self, record: bool) -> Self {
        self.change(|rules| rules.query = record)
    }

    fn change(mut self, change: impl FnOnce(&mut Rules)) -> Self {
        change(&mut Arc::make_mut(&mut self.shared).rules);
        self
    }
}

impl<S> Layer<S> for ServerLayer {
    type Service = ServerService<S>;

    fn layer(&self, inner: S) -> ServerService<S> {
        ServerService { inner, shared: self.shared.clone() }
    }
}

/// A service whose requests have contexts. Made by [`ServerLayer`].
#[derive(Debug, Clone)]
pub struct ServerService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S, B, C> Service<Request<B>> for ServerService<S>
where
    S: Service<Request<B>, Response = Response<C>>,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = ServerFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> ServerFuture<S::Future> {
        let Shared { client, rules, .. } = &*self.shared;
        if !rules.trace(&request) || Traced::mark(&mut request, client) {
            return ServerFuture { inner: Inner::Untraced { future: self.inner.call(request) } };
        }
        let name = format!("{} {}", request.method(), request.uri().path());
        let context = client.extract(request.headers()).named(name);
        let mut report = Report { shared: self.shared.clone(), started: Instant::now(), done: false };
        let future = WithContext::begin(context, || {
            report.begin(&request);
            let future = report.watch(|| self.inner.call(request));
            Handling { future, report }
        });
        ServerFuture { inner: Inner::Traced { future } }
    }
}

/// Whose context a request has: another layer of the same client, further in, leaves it as it is. Otherwise two contexts
/// would take over one span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Traced {
    client: u64,
}

impl Traced {
    /// Marks a request. Returns whether it has been marked before.
    fn mark<B>(request: &mut Request<B>, client: &Client) -> bool {
        let mark = Self { client: client.recorder().pipe().key() };
        request.extensions_mut().insert(mark) == Some(mark)
    }
}

pin_project! {
    /// The response of a [`ServerService`].
    #[must_use = "futures do nothing unless you await or poll them"]
    pub struct ServerFuture<F> {
        #[pin]
        inner: Inner<F>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<F> {
        Untraced {
            #[pin]
            future: F,
        },
        Traced {
            #[pin]
            future: WithContext<Handling<F>>,
        },
    }
}

impl<F, C, E> Future for ServerFuture<F>
where
    F: Future<Output = Result<Response<C>, E>>,
{
    type Output = Result<Response<C>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().inner.project() {
            InnerProjection::Untraced { future } => future.poll(context),
            InnerProjection::Traced { future } => future.poll(context),
        }
    }
}

impl<F> fmt::Debug for ServerFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let traced = matches!(self.inner, Inner::Traced { .. });
        f.debug_struct("ServerFuture").field("traced", &traced).finish_non_exhaustive()
    }
}

pin_project! {
    /// A request being handled, in its context.
    struct Handling<F> {
        #[pin]
        future: F,
        // Dropped after the future: the last to speak.
        report: Report,
    }
}

/// How a request goes.
struct Report {
    shared: Arc<Shared>,
    started: Instant,
    /// Whether its end has been recorded.
    done: bool,
}

impl<F, C, E> Future for Handling<F>
where
    F: Future<Output = Result<Response<C>, E>>,
{
    type Output = Result<Response<C>, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.report.watch(|| this.future.poll(context)));
        this.report.end(response.as_ref().map(Response::status).ok());
        Poll::Ready(response)
    }
}

impl Report {
    fn recorder(&self) -> &Recorder {
        self.shared.client.recorder()
    }

    fn begin<B>(&self, request: &Request<B>) {
        let Shared { rules, site, .. } = &*self.shared;
        let headers = Recorded(request.headers(), &rules.headers);
        let parts = [Value::of(&headers), Value::NIL];
        let method = Name::dynamic(request.method().as_str());
        self.recorder().record_parts(Kind::HttpRequest, method, rules.target(request.uri()).into(), &parts, site);
    }

    /// Runs a piece of the handler. If it panics, that is recorded, and the panic goes on.
    fn watch<R>(&mut self, piece: impl FnOnce() -> R) -> R {
        // Nobody sees what the panic left behind who would not have seen it otherwise.
        match catch_unwind(AssertUnwindSafe(piece)) {
            Ok(result) => result,
            Err(payload) => {
                let text = payload.downcast_ref::<&str>().copied();
                let message = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
                self.fail("panic", message.unwrap_or("not a text"));
                resume_unwind(payload)
            }
        }
    }

    /// The response has come; an error, if it has no status.
    fn end(&mut self, status: Option<http::StatusCode>) {
        let Some(status) = status else { return self.fail("service error", "the service failed, without a response") };
        self.done = true;
        let nanos = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let parts = [Value::NIL, Value::NIL, nanos.into()];
        let status = status.as_u16().into();
        self.recorder().record_parts(Kind::HttpResponse, Name::NONE, status, &parts, self.shared.site);
    }

    fn fail(&mut self, kind: &'static str, message: &str) {
        self.done = true;
        self.recorder().record(Kind::Error, Name::from(kind), message.into(), Value::NIL, self.shared.site);
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        if !self.done {
            let message = format!("the request was dropped before its response, after {:?}", self.started.elapsed());
            self.fail("cancelled", &message);
        }
    }
}
