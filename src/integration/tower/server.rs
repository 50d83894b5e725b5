//! The side that is called.

use super::rules::{Recorded, Rules};
use crate::client::Client;
use crate::context::{InContext, WithContext};
use crate::recorder::Recorder;
use crate::value::{Name, Value};
use http::header::{HeaderMap, HeaderName};
use http::{Method, Request, Response, Uri};
use pin_project_lite::pin_project;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
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
/// the path, the headers that are allowed, the response's status, and the time from the first poll to the response's head.
/// Bodies are not touched. A handler that panics, and a request that is dropped before its response, because the caller is
/// gone or has waited long enough, are recorded as errors: `panic` and `cancelled`.
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
    S: Service<Request<B>, Response = Response<C>> + Clone,
{
    type Response = Response<C>;
    type Error = S::Error;
    type Future = ServerFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> ServerFuture<S, B> {
        let Shared { client, rules, .. } = &*self.shared;
        if !rules.trace(&request) {
            return ServerFuture { inner: Inner::Untraced { future: self.inner.call(request) } };
        }
        let name = format!("{} {}", request.method(), request.uri().path());
        let context = client.extract(request.headers()).named(name);
        // The one that was polled ready is the one to be called; a clone takes its place.
        let inner = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, inner);
        let handling = Handling {
            service: Some((ready, request)),
            future: None,
            report: Report { shared: self.shared.clone(), started: None, state: State::Waiting },
        };
        ServerFuture { inner: Inner::Traced { future: handling.in_context(context) } }
    }
}

pin_project! {
    /// The response of a [`ServerService`].
    #[must_use = "futures do nothing unless you await or poll them"]
    pub struct ServerFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        inner: Inner<S, B>,
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<S, B>
    where
        S: Service<Request<B>>,
    {
        Untraced {
            #[pin]
            future: S::Future,
        },
        Traced {
            #[pin]
            future: WithContext<Handling<S, B>>,
        },
    }
}

impl<S, B, C> Future for ServerFuture<S, B>
where
    S: Service<Request<B>, Response = Response<C>>,
{
    type Output = Result<Response<C>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().inner.project() {
            InnerProjection::Untraced { future } => future.poll(context),
            InnerProjection::Traced { future } => future.poll(context),
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ServerFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let traced = matches!(self.inner, Inner::Traced { .. });
        f.debug_struct("ServerFuture").field("traced", &traced).finish_non_exhaustive()
    }
}

pin_project! {
    /// A request being handled. Everything that the inner service does is done when this is polled or dropped, and so in
    /// the request's context.
    struct Handling<S, B>
    where
        S: Service<Request<B>>,
    {
        service: Option<(S, Request<B>)>,
        #[pin]
        future: Option<S::Future>,
        // Dropped after the future: the last to speak.
        report: Report,
    }
}

/// How a request goes.
struct Report {
    shared: Arc<Shared>,
    started: Option<Instant>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Waiting,
    /// The handler runs: if it does not come back, it has panicked.
    Running,
    Done,
}

impl<S, B, C> Future for Handling<S, B>
where
    S: Service<Request<B>, Response = Response<C>>,
{
    type Output = Result<Response<C>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let report = this.report;
        if let Some((mut service, request)) = this.service.take() {
            report.begin(&request);
            report.state = State::Running;
            this.future.set(Some(service.call(request)));
        }
        let future = this.future.as_pin_mut().expect("a future is not polled after its end");
        report.state = State::Running;
        let polled = future.poll(context);
        report.state = State::Waiting;
        let response = ready!(polled);
        report.end(response.as_ref().map(Response::status).ok());
        Poll::Ready(response)
    }
}

impl Report {
    fn recorder(&self) -> &Recorder {
        self.shared.client.recorder()
    }

    fn begin<B>(&mut self, request: &Request<B>) {
        self.started = Some(Instant::now());
        let Shared { rules, site, .. } = &*self.shared;
        let headers = Recorded(request.headers(), &rules.headers);
        let parts = [Value::of(&headers), Value::NIL];
        let method = Name::dynamic(request.method().as_str());
        self.recorder().record_parts(Kind::HttpRequest, method, rules.target(request.uri()).into(), &parts, site);
    }

    /// The response has come; an error, if it has no status.
    fn end(&mut self, status: Option<http::StatusCode>) {
        self.state = State::Done;
        match status {
            Some(status) => {
                let parts = [Value::NIL, Value::NIL, self.elapsed_ns().into()];
                let status = status.as_u16().into();
                self.recorder().record_parts(Kind::HttpResponse, Name::NONE, status, &parts, self.shared.site);
            }
            None => self.error("service error", "the service failed, without a response"),
        }
    }

    fn error(&self, kind: &'static str, message: &'static str) {
        self.recorder().record(Kind::Error, Name::from(kind), message.into(), Value::NIL, self.shared.site);
    }

    fn elapsed_ns(&self) -> u64 {
        self.started.map_or(0, |started| u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        match self.state {
            State::Done => {}
            State::Running => self.error("panic", "the handler panicked"),
            State::Waiting => self.error("cancelled", "the request was dropped before its response"),
        }
    }
}
