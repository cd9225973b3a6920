//! `POST /graphql`, and the credentials for it.

use axum::{
    body::Body,
    http::{
        Method, Request,
        header::{CONTENT_TYPE, HOST},
        request::Builder,
    },
};
use serde_json::{Map, Value, json};

use super::{Answer, Client, Running, client::exchange};

/// The headers by which a request proves who asks, and what else a browser adds.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Its name in the message of a failing test.
    pub name: String,
    headers: Vec<(&'static str, String)>,
}

impl Credential {
    pub fn none() -> Self {
        Self { name: "nothing".to_owned(), headers: Vec::new() }
    }

    /// An access token, as clients of AWS send it.
    pub fn token(token: &str) -> Self {
        Self::none().with("authorization", token).named("a token")
    }

    pub fn api_key(key: &str) -> Self {
        Self::none().with("x-api-key", key).named("an API key")
    }

    /// The session of a browser, on a page of the site itself.
    pub fn session(client: &Client) -> Self {
        Self::cookie(client)
            .with("origin", &format!("http://{}", client.address()))
            .with("sec-fetch-site", "same-origin")
            .named("a session")
    }

    /// A session cookie alone.
    pub fn cookie(client: &Client) -> Self {
        Self::none().with("cookie", &client.sid_pair().expect("somebody is signed in")).named("a cookie")
    }

    /// The same with one more header.
    pub fn with(mut self, header: &'static str, value: &str) -> Self {
        self.headers.push((header, value.to_owned()));
        self
    }

    /// Both credentials together.
    pub fn beside(mut self, other: &Self) -> Self {
        self.name = format!("{} beside {}", self.name, other.name);
        self.headers.extend(other.headers.iter().cloned());
        self
    }

    /// The same with another name.
    pub fn named(mut self, name: &str) -> Self {
        name.clone_into(&mut self.name);
        self
    }

    /// As headers of a request.
    pub fn headers(&self) -> Vec<(&'static str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    /// Whether it was sent on purpose, and not by a browser alone.
    pub fn is_explicit(&self) -> bool {
        let asked_by_a_proxy = |value: &str| value.starts_with("Basic ");
        self.headers.iter().any(|(name, value)| is_explicit(name) && !asked_by_a_proxy(value))
    }

    /// As clients of AppSync write it into a message.
    pub fn as_appsync(&self) -> Value {
        let explicit = self.headers.iter().filter(|(name, _)| is_explicit(name));
        let mut all: Map<_, _> =
            explicit.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        all.insert("host".to_owned(), "byline.example".into());
        all.into()
    }

    /// The headers that a browser adds.
    pub fn added_by_browser(&self) -> Vec<(&'static str, &str)> {
        self.headers().into_iter().filter(|(name, _)| !is_explicit(name)).collect()
    }

    /// A request to the site.
    pub fn request(&self, site: &Running, method: Method, path: &str) -> Builder {
        let request = Request::builder().method(method).uri(path).header(HOST, site.address.to_string());
        self.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }
}

fn is_explicit(header: &str) -> bool {
    ["authorization", "x-api-key"].contains(&header)
}

impl Running {
    /// Sends a request that is ready.
    pub async fn exchange(&self, request: Request<Body>) -> Answer {
        exchange(self.address, request).await
    }

    pub async fn graphql(&self, by: &Credential, query: &str) -> Answer {
        self.graphql_with(by, query, json!({})).await
    }

    pub async fn graphql_with(&self, by: &Credential, query: &str, variables: Value) -> Answer {
        let body = json!({ "query": query, "variables": variables }).to_string();
        self.graphql_body(by, "application/json; charset=UTF-8", body).await
    }

    /// Sends anything to `/graphql`.
    pub async fn graphql_body(&self, by: &Credential, content_type: &str, body: impl Into<Body>) -> Answer {
        let request = by.request(self, Method::POST, "/graphql").header(CONTENT_TYPE, content_type);
        self.exchange(request.body(body.into()).expect("a request")).await
    }

    /// The access token of somebody who has an account.
    pub async fn token_of(&self, username: &str) -> Credential {
        Credential::token(&self.script().tokens(username).await.access)
    }

    /// A new API key of somebody who is signed in, and its id. That it was used is noted
    /// already, for long enough.
    pub async fn api_key_of(&self, client: &Client) -> (Credential, String) {
        let fields = [("name", "Reader"), ("days", "1")];
        let answer = client.as_script().submit("/api/create_api_key", &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        self.tamper("UPDATE api_keys SET last_used_at = expires_at").await;
        let made = answer.json();
        let text = |name: &str| made[name].as_str().expect("a text").to_owned();
        (Credential::api_key(&text("key")), text("id"))
    }
}
