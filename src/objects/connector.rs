//! HTTP for the object store: hyper and rustls, as everywhere in Byline.

use std::{io, time::Duration};

use async_trait::async_trait;
use axum::http::{HeaderValue, Method, header::IF_NONE_MATCH};
use http_body_util::BodyExt;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector as Tcp},
    rt::{TokioExecutor, TokioTimer},
};
use object_store::{
    ClientConfigKey, ClientOptions,
    client::{
        HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody, HttpResponse,
        HttpResponseBody, HttpService,
    },
};
use tokio_rustls::rustls::crypto::ring;

/// The longest time until a server takes a connection.
const CONNECT_TIME: Duration = Duration::from_secs(2);
/// How long a connection without a request is kept.
const IDLE_TIME: Duration = Duration::from_secs(30);
/// Connections without a request that are kept for each server.
const IDLE_CONNECTIONS: usize = 16;

/// What the end of an upload of several parts does with an object that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Completion {
    Replaces,
    /// The upload fails (`If-None-Match: *`). S3 does this, and not every server does. The
    /// crate `object_store` asks for it at the end of copies alone, so it is done here.
    NeverReplaces,
}

/// Makes clients of an object store.
#[derive(Debug)]
pub(super) struct Connector(pub(super) Completion);

impl HttpConnector for Connector {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        if options.get_config_value(&ClientConfigKey::ProxyUrl).is_some() {
            return Err(not_supported("Byline does not support AWS_PROXY_URL".to_owned()));
        }
        if is_on(options, ClientConfigKey::AllowInvalidCertificates)? {
            return Err(not_supported("Byline does not support AWS_ALLOW_INVALID_CERTIFICATES".to_owned()));
        }
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT_TIME));
        let tls = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(ring::default_provider())
            .map_err(|error: io::Error| not_supported(format!("the certificates of this system: {error}")))?;
        // The metadata of a machine, with keys for it, are on plain HTTP.
        let tls =
            if is_on(options, ClientConfigKey::AllowHttp)? { tls.https_or_http() } else { tls.https_only() };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .build(tls.enable_http1().wrap_connector(tcp));
        Ok(HttpClient::new(Hyper { client, completion: self.0 }))
    }
}

/// Whether an option is on, in the words that `object_store` reads.
fn is_on(options: &ClientOptions, key: ClientConfigKey) -> object_store::Result<bool> {
    let value = options.get_config_value(&key).unwrap_or_default().to_ascii_lowercase();
    match value.as_str() {
        "1" | "true" | "on" | "yes" | "y" => Ok(true),
        "" | "0" | "false" | "off" | "no" | "n" => Ok(false),
        _ => Err(not_supported(format!("{} is neither true nor false", key.as_ref()))),
    }
}

fn not_supported(problem: String) -> object_store::Error {
    object_store::Error::NotSupported { source: problem.into() }
}

#[derive(Debug)]
struct Hyper {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
    completion: Completion,
}

#[async_trait]
impl HttpService for Hyper {
    async fn call(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if self.completion == Completion::NeverReplaces && completes_an_upload(&request) {
            // Signatures cover the headers that they name, so one may be added.
            request.headers_mut().insert(IF_NONE_MATCH, HeaderValue::from_static("*"));
        }
        let answer = self.client.request(request).await.map_err(|error| {
            // Both are sent again: what Byline asks of a store may be asked twice, because no
            // two uploads write the same object.
            let kind = if error.is_connect() { HttpErrorKind::Connect } else { HttpErrorKind::Request };
            HttpError::new(kind, error)
        })?;
        let (head, body) = answer.into_parts();
        let body = body.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error));
        Ok(HttpResponse::from_parts(head, HttpResponseBody::new(body)))
    }
}

/// `POST /key?uploadId=…`; an upload begins with `POST /key?uploads`.
fn completes_an_upload(request: &HttpRequest) -> bool {
    let query = request.uri().query().unwrap_or_default();
    request.method() == Method::POST && query.split('&').any(|field| field.starts_with("uploadId="))
}
