//! `/api/token`, `/api/token/revoke` and the public keys: tokens by OAuth 2 (RFC
//! 6749, 7009). Cookies are ignored.

use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, PRAGMA},
    },
    response::Response,
    routing::{get, post},
};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::{
    accounts::domain::{Login, Password, service as accounts, two_factor::SecondFactorCode},
    credentials::token::{
        ACCESS_TIME, CLIENT_ID, Client, keys,
        service::{self, Tokens},
    },
    error::AppError,
    http::{bodies, calls, headers, limits, source::source},
    site::Site,
};

pub fn routes() -> Router<Site> {
    let post_only = |request: Request| async move { headers::wrong_method(request.headers(), "POST") };
    Router::new()
        .route("/api/token", post(token).fallback(post_only))
        .route("/api/token/revoke", post(revoke).fallback(post_only))
        .route("/.well-known/jwks.json", get(jwks).fallback(headers::only_get))
        .route("/.well-known/openid-configuration", get(metadata).fallback(headers::only_get))
        .route("/.well-known/oauth-authorization-server", get(metadata).fallback(headers::only_get))
}

/// Why a request is refused (RFC 6749 5.2).
#[derive(Debug)]
enum Refusal {
    /// Something is missing, twice there, or unreadable.
    Request(String),
    Client,
    /// The password or the refresh token is wrong.
    Grant(String),
    /// The password is right, and a code has to come with it.
    SecondFactor,
    /// Neither a password nor a refresh token.
    GrantType,
    /// The use case failed.
    Error(AppError),
}

impl From<AppError> for Refusal {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Invalid { errors } => {
                Self::Grant(errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join(". "))
            }
            AppError::BadRequest { reason } => Self::Request(reason),
            AppError::SecondFactorRequired => Self::SecondFactor,
            unconfirmed @ AppError::SignUpNotConfirmed { .. } => Self::Grant(unconfirmed.to_string()),
            other => Self::Error(other),
        }
    }
}

impl Refusal {
    fn answer(self) -> Response {
        let (status, error, description) = match self {
            Self::Request(reason) => (400, "invalid_request", reason),
            Self::Client => (400, "invalid_client", format!("the client_id is {CLIENT_ID}")),
            Self::Grant(reason) => (400, "invalid_grant", reason),
            Self::SecondFactor => (
                400,
                "second_factor_required",
                "the account has a second factor: send its code as totp".to_owned(),
            ),
            Self::GrantType => {
                (400, "unsupported_grant_type", "the grant_type is password or refresh_token".to_owned())
            }
            Self::Error(error) => {
                let kind = match error.status() {
                    429 | 503 => "temporarily_unavailable",
                    500.. => "server_error",
                    _ => "invalid_request",
                };
                let mut response = answer(error.status(), &described(kind, error.to_string()));
                if let Some(seconds) = headers::retry_after(&error) {
                    response.headers_mut().insert(axum::http::header::RETRY_AFTER, seconds);
                }
                return response;
            }
        };
        answer(status, &described(error, description))
    }
}

/// A description keeps to the characters of RFC 6749 5.2; a reason may quote others.
fn described(error: &str, description: String) -> Value {
    let allowed = |c: char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\');
    let description: String = description.chars().map(|c| if allowed(c) { c } else { '\'' }).collect();
    json!({ "error": error, "error_description": description })
}

fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = headers::uncached(status, "application/json", body.to_string());
    // RFC 6749 5.1 requires it, beside the header that means the same today.
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// The parameters of a request, each there once at most (RFC 6749 3.2). Some of
/// them are secret. The body itself is not zeroed, because the HTTP server has
/// other copies of its bytes.
struct Parameters(Vec<(String, SecretString)>);

impl Parameters {
    async fn read(request: Request) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        let body = bodies::read_body(body, limits::ACCOUNT_BODY).await?;
        let form = calls::arguments(&head.headers, &body)?;
        let pairs: Vec<(String, SecretString)> = form_urlencoded::parse(form.as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
            .collect();
        for (place, (name, _)) in pairs.iter().enumerate() {
            if pairs[..place].iter().any(|(before, _)| before == name) {
                return Err(Refusal::Request("a parameter is there twice".to_owned()));
            }
        }
        Ok(Self(pairs))
    }

    /// One without a value is as good as missing (RFC 6749 3.2).
    fn get(&self, name: &str) -> Option<&SecretString> {
        self.0
            .iter()
            .find(|(given, value)| given == name && !value.expose_secret().is_empty())
            .map(|(_, value)| value)
    }

    fn require(&self, name: &str) -> Result<&SecretString, Refusal> {
        self.get(name).ok_or_else(|| Refusal::Request(format!("{name} is missing")))
    }

    /// A public client need not name itself; if it does, the name has to be
    /// right.
    fn check_client(&self) -> Result<(), Refusal> {
        let is_right = self.get("client_id").is_none_or(|id| id.expose_secret() == CLIENT_ID);
        if is_right { Ok(()) } else { Err(Refusal::Client) }
    }
}

/// `POST /api/token`: RFC 6749 4.3 and 6.
async fn token(State(site): State<Site>, request: Request) -> Response {
    match granted(&site, request).await {
        // Plain texts, because an answer is copied several times until it is sent.
        Ok(Tokens { access, refresh, .. }) => answer(
            200,
            &json!({
                "access_token": access.expose_secret(),
                "token_type": "Bearer",
                "expires_in": ACCESS_TIME.as_secs(),
                "refresh_token": refresh.reveal().expose_secret(),
            }),
        ),
        Err(refusal) => refusal.answer(),
    }
}

async fn granted(site: &Site, request: Request) -> Result<Tokens, Refusal> {
    let (head, body) = request.into_parts();
    let source = source(&head);
    let parameters = Parameters::read(Request::from_parts(head, body)).await?;
    parameters.check_client()?;
    match parameters.require("grant_type")?.expose_secret() {
        "password" => {
            let wrong = |error: &dyn ToString| Refusal::Request(error.to_string());
            let login = Login::parse(parameters.require("username")?.expose_secret())
                .map_err(|error| wrong(&error))?;
            let password = Password::parse(parameters.require("password")?.expose_secret())
                .map_err(|error| wrong(&error))?;
            let code = parameters.get("totp").map(|code| {
                SecondFactorCode::parse(code.expose_secret())
                    .map_err(|error| AppError::BadRequest { reason: error.to_string() })
            });
            let log_in = accounts::log_in_program(site, Client::OAuth, login, password, code, &source);
            Ok(limits::in_time(log_in).await?)
        }
        "refresh_token" => {
            let raw = parameters.require("refresh_token")?;
            let tokens = limits::in_time(service::refresh(site, raw)).await?;
            tokens.ok_or_else(|| Refusal::Grant("the refresh token does not hold".to_owned()))
        }
        _ => Err(Refusal::GrantType),
    }
}

/// `POST /api/token/revoke`: RFC 7009. The token itself shows its kind.
async fn revoke(State(site): State<Site>, request: Request) -> Response {
    let revoked = async {
        let parameters = Parameters::read(request).await?;
        parameters.check_client()?;
        Ok::<_, Refusal>(limits::in_time(service::revoke(&site, parameters.require("token")?)).await?)
    };
    match revoked.await {
        Ok(()) => answer(200, &json!({})),
        Err(refusal) => refusal.answer(),
    }
}

/// What there is, for clients that look for it (RFC 8414, OpenID Connect Discovery 1.0).
/// There is no page by which other sites log people in, so no `authorization_endpoint`.
async fn metadata(State(site): State<Site>) -> Response {
    let url = &site.public_url;
    let metadata = json!({
        "issuer": url.to_string(),
        "token_endpoint": format!("{url}/api/token"),
        "revocation_endpoint": format!("{url}/api/token/revoke"),
        "jwks_uri": format!("{url}/.well-known/jwks.json"),
        "grant_types_supported": ["password", "refresh_token"],
        "response_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
    });
    answer(200, &metadata)
}

/// `GET /.well-known/jwks.json`.
async fn jwks(State(site): State<Site>) -> Response {
    match limits::in_time(keys::published(site.keys(), &site.database)).await {
        Ok(keys) => {
            let mut response = answer(200, &keys);
            let age = format!("public, max-age={}", keys::PUBLISHED_FOR.as_secs());
            let headers = response.headers_mut();
            headers.remove(PRAGMA);
            if let Ok(age) = HeaderValue::from_str(&age) {
                headers.insert(CACHE_CONTROL, age);
            }
            response
        }
        Err(error) => headers::refusal(&error, false),
    }
}
