//! An operation: what a client sends, made ready and run, whichever way it came.

use std::sync::Arc;

use async_graphql::{
    Name, Request, Response, ServerError, Value as ConstValue, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType},
};
use futures::{StreamExt, stream::BoxStream};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Notify;

use super::{
    document::{self, Unreadable},
    errors::ApiError,
    limits, omitted, order,
};
use crate::{credentials::Actor, server::Site};

/// The parameters of a request (GraphQL over HTTP, 5.1).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameters {
    /// The document.
    pub query: String,
    #[serde(default)]
    variables: Variables,
    #[serde(default)]
    operation_name: Option<String>,
    #[serde(default)]
    #[expect(dead_code, reason = "the specification names it and gives it no meaning")]
    extensions: Option<serde_json::Map<String, Value>>,
}

/// Why an operation is not run.
pub enum Unready {
    /// The document is none; the answer says where it goes wrong.
    Mistake(Box<Response>),
    /// It asks for what is not given.
    Refused(ApiError),
    /// It is of a kind that goes another way.
    WrongKind(OperationType),
}

impl From<ApiError> for Unready {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<ServerError> for Unready {
    fn from(mistake: ServerError) -> Self {
        Self::Mistake(Box::new(Response::from_errors(vec![mistake])))
    }
}

impl From<Unreadable> for Unready {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Mistake(mistake) => mistake.into(),
            Unreadable::Refused(error) => error.into(),
        }
    }
}

/// An operation within the limits, ready to be run.
pub struct Operation {
    site: Site,
    request: Request,
    /// The names of its fields in the answer, as the document has them.
    order: Vec<Name>,
    is_subscription: bool,
}

impl Operation {
    /// What `actor` asks for, if it is of one of the `kinds`.
    ///
    /// # Errors
    /// [`Unready`].
    pub fn prepare(
        site: &Site,
        actor: &Actor,
        parameters: Parameters,
        kinds: &[OperationType],
    ) -> Result<Self, Unready> {
        let Parameters { query, variables, operation_name, .. } = parameters;
        if query.len() > limits::QUERY_BYTES {
            let words = format!(
                "A document can have {} bytes at most; send texts as variables.",
                limits::QUERY_BYTES
            );
            return Err(ApiError::too_much(words).into());
        }
        let mut document = document::read(&query)?;
        limits::check(&document, &variables)?;
        document::check_types(&site.api.schema, &document)?;
        let operation_name = operation_name.filter(|name| !name.is_empty());
        let wrong_kind = |operation: &OperationDefinition| {
            let kind = operation.ty;
            (!kinds.contains(&kind)).then_some(Unready::WrongKind(kind))
        };
        // Where it is not clear which of several is meant, async-graphql says so
        // and runs none.
        let wrong = match chosen(&document, operation_name.as_deref()) {
            Some(operation) => wrong_kind(operation),
            None => document.operations.iter().find_map(|(_, operation)| wrong_kind(&operation.node)),
        };
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let mut is_subscription = false;
        let mut order = Vec::new();
        if let Some(operation) = chosen(&document, operation_name.as_deref()) {
            is_subscription = operation.ty == OperationType::Subscription;
            order = order::of(&document, operation);
            let omitted = omitted::variables(operation, &variables);
            omitted::remove(&mut document, &omitted);
        }
        let mut request = Request::new(query).variables(variables).data(site.clone()).data(actor.clone());
        if let Some(name) = operation_name {
            request = request.operation_name(name);
        }
        request.set_parsed_query(document);
        Ok(Self { site: site.clone(), request, order, is_subscription })
    }

    /// Whether it goes on until somebody ends it.
    pub const fn is_subscription(&self) -> bool {
        self.is_subscription
    }

    /// Runs a query or a mutation.
    ///
    /// # Errors
    /// [`ApiError::timeout`].
    pub async fn answer(self) -> Result<Response, ApiError> {
        let work = self.site.api.schema.execute(self.request);
        let mut response = tokio::time::timeout(limits::TIME, work).await.map_err(|_| ApiError::timeout())?;
        order::restore(&mut response.data, &self.order);
        shorten(&mut response);
        Ok(response)
    }

    /// Begins a subscription as soon as the stream is asked. Before it first
    /// answers, [`Listening`] tells that nothing is missed any more.
    pub fn subscribe(self) -> (BoxStream<'static, Response>, Listening) {
        let listening = Listening::default();
        let order = self.order;
        let responses = self.site.api.schema.execute_stream(self.request.data(listening.clone()));
        let responses = responses.map(move |mut response| {
            order::restore(&mut response.data, &order);
            shorten(&mut response);
            response
        });
        (responses.boxed(), listening)
    }
}

/// A subscription listens from now on.
#[derive(Clone, Default)]
pub struct Listening(Arc<Notify>);

impl Listening {
    /// Said by the resolver.
    pub fn begin(&self) {
        self.0.notify_one();
    }

    /// Waits until it does.
    pub async fn begun(&self) {
        self.0.notified().await;
    }
}

/// The operation of that name; without a name, the only one (GraphQL 6.1).
fn chosen<'a>(document: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let mut named = document.operations.iter().filter(|(other, _)| match name {
        Some(name) => other.is_none_or(|other| other == name),
        None => true,
    });
    let (_, operation) = named.next()?;
    named.next().is_none().then_some(&operation.node)
}

/// Of the mistakes in a document the first are told: there can be one for each
/// of its places, and each may repeat a name.
fn shorten(response: &mut Response) {
    if is_nothing(response) {
        response.errors.truncate(limits::MISTAKES);
    }
}

/// Whether nothing came of it but errors.
pub fn is_nothing(response: &Response) -> bool {
    response.data == ConstValue::Null
}
