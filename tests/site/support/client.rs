//! Clients of the site. They follow no redirect and repeat no request, so a test sees
//! every answer as it comes.

use std::{collections::BTreeMap, convert::Infallible, net::SocketAddr, sync::Arc};

use axum::{
    body::{Body, Bytes, to_bytes},
    http::{
        HeaderMap, Method, Request, Response,
        header::{ACCEPT, CONTENT_TYPE, COOKIE, EXPECT, HOST, LOCATION, ORIGIN, SET_COOKIE},
        request::Builder,
        response::Parts,
    },
};
use futures::channel::mpsc;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::{net::TcpStream, sync::Notify};
use url::form_urlencoded;

use super::{PASSWORD, Page, in_time, picture};

/// A browser or a program, with the cookies it was given.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    host: String,
    origin: String,
    accept: &'static str,
    cookies: BTreeMap<String, String>,
    /// Where a proxy says that it comes from.
    forwarded_for: Option<String>,
}

/// A request of which the body is still to come; the site waits for it.
pub async fn slow_request(address: SocketAddr, request: Builder) -> Slow {
    let (body, chunks) = mpsc::unbounded::<Result<Bytes, Infallible>>();
    let request = request.header(EXPECT, "100-continue").body(Body::from_stream(chunks));
    let mut request = request.expect("a request");
    let reads = Arc::new(Notify::new());
    let told = reads.clone();
    hyper::ext::on_informational(&mut request, move |_| told.notify_one());
    let answer = tokio::spawn(exchange(address, request));
    in_time("the site to ask for the body", reads.notified()).await;
    Slow { body, answer }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    pub fn browser(address: SocketAddr, https: bool) -> Self {
        let (host, origin) = if https {
            ("byline.example".to_owned(), "https://byline.example".to_owned())
        } else {
            (address.to_string(), format!("http://{address}"))
        };
        Self {
            address,
            host,
            origin,
            accept: "text/html,application/xhtml+xml",
            cookies: BTreeMap::new(),
            forwarded_for: None,
        }
    }

    /// The same from that address, behind a proxy that the site trusts
    /// ([`super::Running::start_behind_a_proxy`]).
    pub fn coming_from(mut self, address: &str) -> Self {
        self.forwarded_for = Some(address.to_owned());
        self
    }

    /// A script that runs in the same browser, with the same cookies.
    pub fn as_script(&self) -> Self {
        Self { accept: "application/json", ..self.clone() }
    }

    /// The same person at another process of the same site.
    pub fn at(&self, address: SocketAddr) -> Self {
        Self { address, ..self.clone() }
    }

    /// The same browser, which has gone to where `other` is; on one host, ports share their cookies.
    pub fn gone_to(&self, other: &Self) -> Self {
        Self { cookies: self.cookies.clone(), ..other.clone() }
    }

    /// The same browser, where the site is reached by another address than the site's own.
    pub fn by_address(self, origin: &str) -> Self {
        let (_, host) = origin.split_once("://").expect("an origin");
        Self { host: host.to_owned(), origin: origin.to_owned(), ..self }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same client without cookies.
    pub fn without_cookies(&self) -> Self {
        Self { cookies: BTreeMap::new(), ..self.clone() }
    }

    /// The name of the session cookie: the port stands in it where it is not the scheme's own.
    pub fn session_cookie(&self) -> String {
        let name = if self.origin.starts_with("https:") { "__Host-sid" } else { "sid" };
        let port = self.origin.rsplit(':').next().filter(|port| port.parse::<u16>().is_ok());
        port.map_or_else(|| name.to_owned(), |port| format!("{name}-{port}"))
    }

    pub fn sid(&self) -> Option<&str> {
        self.cookie(&self.session_cookie())
    }

    /// The session cookie as a request sends it, name and value.
    pub fn sid_pair(&self) -> Option<String> {
        self.sid().map(|sid| format!("{}={sid}", self.session_cookie()))
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    /// The same client with another session cookie.
    pub fn with_sid(self, sid: &str) -> Self {
        let name = self.session_cookie();
        self.with_cookie(&name, sid)
    }

    /// The same with a cookie that somebody else has set.
    pub fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same, having forgotten every cookie but the session's.
    pub fn with_session_only(mut self) -> Self {
        let session = self.session_cookie();
        self.cookies.retain(|name, _| *name == session);
        self
    }

    /// A request as this client makes it. Unsafe methods name their origin, as
    /// browsers do.
    pub fn request(&self, method: Method, path: &str) -> Builder {
        let request = self.request_of_unknown_origin(method.clone(), path);
        if method.is_safe() {
            request
        } else {
            request.header(ORIGIN, &self.origin).header("sec-fetch-site", "same-origin")
        }
    }

    /// A request that does not say where it comes from.
    pub fn request_of_unknown_origin(&self, method: Method, path: &str) -> Builder {
        let mut request =
            Request::builder().method(method).uri(path).header(HOST, &self.host).header(ACCEPT, self.accept);
        if let Some(address) = &self.forwarded_for {
            request = request.header("x-forwarded-for", address);
        }
        if !self.cookies.is_empty() {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header(COOKIE, cookies.join("; "));
        }
        request
    }

    /// Sends a request and keeps the cookies of the answer.
    pub async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = exchange(self.address, request).await;
        self.keep_cookies(&answer);
        answer
    }

    /// As [`Self::send`]; `None` where the connection breaks before the answer is whole.
    pub async fn try_send(&mut self, request: Request<Body>) -> Option<Answer> {
        let shown = format!("{} {}", request.method(), request.uri());
        let answer = in_time(&shown, try_exchange(self.address, request)).await.ok()?;
        self.keep_cookies(&answer);
        Some(answer)
    }

    /// `GET`. Follows a redirect that holds for ever, as every browser does: `/posts/{id}` is a name
    /// of a post's page.
    pub async fn get(&mut self, path: &str) -> Answer {
        let answer = self.get_once(path).await;
        match answer.status {
            308 => self.get_once(answer.location()).await,
            _ => answer,
        }
    }

    /// [`Self::get`], without following anything.
    pub async fn get_once(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path).body(Body::empty()).expect("a request")).await
    }

    /// Gets a page, which must exist.
    pub async fn page(&mut self, path: &str) -> Page {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text());
        answer.page()
    }

    /// `POST` of a form.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.send(self.form(path, fields)).await
    }

    /// The request of [`Self::submit`].
    pub fn form(&self, path: &str, fields: &[(&str, &str)]) -> Request<Body> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, path);
        request
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .expect("a request")
    }

    /// `POST` of JSON.
    pub async fn submit_json(&mut self, path: &str, value: &Value) -> Answer {
        self.post(path, "application/json", value.to_string()).await
    }

    /// `POST` of anything.
    pub async fn post(&mut self, path: &str, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = self.request(Method::POST, path).header(CONTENT_TYPE, content_type);
        self.send(request.body(body.into()).expect("a request")).await
    }

    /// `POST` of a picture, as a form with a file.
    pub async fn upload(&mut self, path: &str, file: &[u8], alt: &str) -> Answer {
        let (content_type, body) = picture::form(file, alt);
        self.post(path, content_type, body).await
    }

    /// Sends the head of a form now and its body as the test pleases. Returns
    /// once the site has begun to read the body.
    pub async fn submit_slowly(&self, path: &str) -> Slow {
        let request = self.request(Method::POST, path);
        slow_request(self.address, request.header(CONTENT_TYPE, "application/x-www-form-urlencoded")).await
    }

    /// Fills in the page of sign-up.
    pub async fn sign_up(&mut self, username: &str) -> Answer {
        let email = format!("{username}@example.org");
        self.submit("/signup", &[("username", username), ("email", &email), ("password", PASSWORD)]).await
    }

    /// Fills in the page of login, with the password that everyone has here.
    pub async fn log_in(&mut self, identifier: &str) -> Answer {
        self.submit("/login", &[("identifier", identifier), ("password", PASSWORD)]).await
    }

    /// Where a browser goes by the answer to a login or a sign-up; on the way it
    /// shows that it keeps the cookie.
    pub async fn goes_on_to(&mut self, answer: &Answer) -> String {
        assert_eq!(answer.status, 303, "{}", answer.text());
        let path = answer.location();
        assert!(path == "/login/done" || path.starts_with("/login/done?next="), "{path}");
        let answer = self.get(path).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.text());
        answer.location().to_owned()
    }

    /// Publishes a post with the editor; returns its id.
    pub async fn publish(&mut self, title: &str, content: &str) -> String {
        let answer = self.submit("/my-posts/new", &[("title", title), ("content", content)]).await;
        assert_eq!(answer.status, 303, "publishing {title:?}: {}", answer.text());
        answer.location().strip_prefix("/posts/").expect("on to the post").to_owned()
    }

    /// The name in the header of the pages, if one is signed in.
    pub async fn signed_in_as(&mut self) -> Option<String> {
        self.page("/").await.signed_in_as()
    }

    fn keep_cookies(&mut self, answer: &Answer) {
        for cookie in answer.cookies() {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie is name=value");
            if attributes.split(';').any(|attribute| attribute.trim().eq_ignore_ascii_case("Max-Age=0")) {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// A form whose body is still arriving.
pub struct Slow {
    body: mpsc::UnboundedSender<Result<Bytes, Infallible>>,
    answer: tokio::task::JoinHandle<Answer>,
}

impl Slow {
    /// Sends a part of the body.
    pub fn write(&self, part: &str) {
        self.body.unbounded_send(Ok(Bytes::from(part.to_owned()))).expect("the site still reads");
    }

    /// Ends the body and waits for the answer.
    pub async fn finish(self) -> Answer {
        drop(self.body);
        self.answer.await.expect("an answer")
    }

    /// Closes the connection in the middle of the body.
    pub async fn hang_up(self) {
        self.answer.abort();
        assert!(self.answer.await.is_err_and(|error| error.is_cancelled()), "the answer came too early");
    }
}

impl Answer {
    pub async fn read(head: Parts, body: Incoming) -> Result<Self, axum::Error> {
        let body = to_bytes(Body::new(body), usize::MAX).await?;
        Ok(Self { status: head.status.as_u16(), headers: head.headers, body })
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// The `code` of an error in JSON.
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The body as a browser reads it.
    pub fn page(&self) -> Page {
        Page::parse(self.text())
    }

    /// A header, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("visible ASCII"))
    }

    /// The target of a redirect.
    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// Every cookie that is set.
    pub fn cookies(&self) -> impl Iterator<Item = &str> {
        self.headers.get_all(SET_COOKIE).iter().map(|value| value.to_str().expect("visible ASCII"))
    }
}

/// One request on a connection of its own.
pub async fn exchange(address: SocketAddr, request: Request<Body>) -> Answer {
    let shown = format!("{} {}", request.method(), request.uri());
    let answer = in_time(&shown, try_exchange(address, request)).await;
    answer.unwrap_or_else(|error| panic!("{shown}: {error:?}"))
}

/// As [`exchange`], for a connection that may fail.
pub async fn try_exchange(address: SocketAddr, request: Request<Body>) -> Result<Answer, Broken> {
    let (head, body) = try_open(address, request).await?.into_parts();
    Ok(Answer::read(head, body).await?)
}

/// Why there is no answer.
pub type Broken = Box<dyn std::error::Error + Send + Sync>;

/// The head of an answer whose body is still on its way.
pub async fn try_open(address: SocketAddr, request: Request<Body>) -> Result<Response<Incoming>, Broken> {
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}
