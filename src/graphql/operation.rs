//! An operation that a client sends: prepared and run, for every transport.

use std::sync::Arc;

use async_graphql::{
    Name, Request, Response, ServerError, Value as ConstValue, Variables,
    dynamic::Schema,
    parser::types::{ExecutableDocument, OperationDefinition, OperationType},
};
use futures::StreamExt;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    document::{self, Unreadable},
    documents::{self, Fingerprint, Layout, ValidDocument},
    emptied,
    errors::ApiError,
    limits, omitted, order,
    reads::Reads,
    roots,
    subscriptions::{Opening, Subscription},
};
use crate::{credentials::Actor, http::turns::Client, posts::events::broadcast::ShapeKey, site::Site};

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
pub enum PrepareError {
    /// The document is invalid; the answer says where.
    Mistake(Box<Response>),
    /// It is over a limit, or cannot be run now.
    Refused(ApiError),
    /// Operations of its kind have to be sent in another way.
    WrongKind(OperationType),
}

impl From<ApiError> for PrepareError {
    fn from(error: ApiError) -> Self {
        Self::Refused(error)
    }
}

impl From<ServerError> for PrepareError {
    fn from(mistake: ServerError) -> Self {
        Self::Mistake(Box::new(Response::from_errors(vec![mistake])))
    }
}

impl From<Unreadable> for PrepareError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Mistake(mistake) => mistake.into(),
            Unreadable::Refused(error) => error.into(),
        }
    }
}

/// A document that was parsed just now, or found valid before.
enum Document {
    New(ExecutableDocument),
    Valid(Arc<ValidDocument>),
}

impl Document {
    fn written(&self) -> &ExecutableDocument {
        match self {
            Self::New(document) => document,
            Self::Valid(document) => &document.written,
        }
    }
}

/// A document that is stored if it is valid.
type NewDocument = (Fingerprint, Arc<ValidDocument>);

/// Prepares a document that was just parsed: what is run, the layout of its answer,
/// and what is stored if it is valid.
fn prepare(
    query: &str,
    written: ExecutableDocument,
    operation_name: Option<&str>,
    variables: &Variables,
    fingerprint: Option<Fingerprint>,
) -> (ExecutableDocument, Layout, Option<NewDocument>) {
    let Some(operation) = chosen(&written, operation_name) else {
        return (written, Layout::default(), None);
    };
    let order: Arc<[Name]> = order::of(&written, operation).into();
    let omitted = omitted::variables(operation, variables);
    let unchanged = fingerprint.is_some().then(|| written.clone());
    let mut run = written;
    omitted::remove(&mut run, &omitted);
    let is_lifted = roots::lift(&mut run);
    let is_marked = emptied::mark(&mut run);
    let layout = Layout { order, is_marked };
    let new = fingerprint.zip(unchanged).map(|(fingerprint, written)| {
        let is_other = !omitted.is_empty() || is_lifted || is_marked;
        let adapted = is_other.then(|| run.clone());
        (fingerprint, Arc::new(ValidDocument::new(query, written, adapted, layout.clone())))
    });
    (run, layout, new)
}

/// An operation within the limits, ready to be run.
pub struct Operation {
    site: Site,
    schema: Schema,
    request: Request,
    layout: Layout,
    is_subscription: bool,
    /// The data that a query by API key reads, if all keys get the same answer.
    reads: Option<Reads>,
    /// Its document, which is stored if it is valid.
    new: Option<NewDocument>,
    /// Identifies what a subscription selects and for whom. Equal ones get the same
    /// answers.
    shape: ShapeKey,
}

impl Operation {
    /// Prepares the operation of `actor`, if it is one of the `kinds`. It takes its
    /// turns as `client`.
    pub async fn prepare(
        site: &Site,
        actor: &Actor,
        client: &Client,
        parameters: Parameters,
        kinds: &[OperationType],
    ) -> Result<Self, PrepareError> {
        let Parameters { query, mut variables, operation_name, .. } = parameters;
        if query.len() > limits::QUERY_BYTES {
            let words = format!(
                "A document can have {} bytes at most; send texts as variables.",
                limits::QUERY_BYTES
            );
            return Err(ApiError::too_much(words).into());
        }
        let operation_name = operation_name.filter(|name| !name.is_empty());
        let api = site.api();
        let fingerprint = Fingerprint::of(&query, operation_name.as_deref(), &variables);
        let known = match fingerprint {
            Some(fingerprint) => api.documents.get(fingerprint).await,
            None => None,
        };
        let document = match known {
            Some(known) => Document::Valid(known),
            None => Document::New(document::read(&query)?),
        };
        let written = document.written();
        limits::check(written, &variables)?;
        if let Document::New(document) = &document {
            document::check_types(&api.schema, document)?;
            roots::check(document)?;
        }
        let wrong_kind = |operation: &OperationDefinition| {
            let kind = operation.ty;
            (!kinds.contains(&kind)).then_some(PrepareError::WrongKind(kind))
        };
        let chosen = chosen(written, operation_name.as_deref());
        // If it is not clear which of several operations is meant, async-graphql
        // reports this and runs none.
        let wrong = match chosen {
            Some(operation) => wrong_kind(operation),
            None => written.operations.iter().find_map(|(_, operation)| wrong_kind(&operation.node)),
        };
        if let Some(wrong) = wrong {
            return Err(wrong);
        }
        let kind = chosen.map(|operation| operation.ty);
        let is_subscription = kind == Some(OperationType::Subscription);
        let reads = chosen
            .filter(|_| kind == Some(OperationType::Query) && *actor == Actor::ApiKey)
            .and_then(|operation| Reads::of(written, operation, &variables));
        let shape = match is_subscription {
            true => shape(actor, &query, operation_name.as_deref(), &variables),
            false => ShapeKey::default(),
        };
        let flags = chosen.map(|operation| omitted::flags(operation, &variables)).unwrap_or_default();
        // A new document is validated, and one whose values may have wrong types.
        let fits = chosen.is_some_and(|operation| documents::fit(&api.schema, operation, &variables));
        let (schema, document, layout, new) = match document {
            Document::Valid(known) => {
                let schema = if fits { &api.schema_of_valid } else { &api.schema };
                (schema, known.run().clone(), known.layout.clone(), None)
            }
            Document::New(written) => {
                let name = operation_name.as_deref();
                let (document, layout, new) = prepare(&query, written, name, &variables, fingerprint);
                (&api.schema, document, layout, new)
            }
        };
        let schema = schema.clone();
        variables.extend(flags);
        let request = Request::new(query).variables(variables);
        let mut request = request.data(site.clone()).data(actor.clone()).data(client.clone());
        if let Some(name) = operation_name {
            request = request.operation_name(name);
        }
        request.set_parsed_query(document);
        Ok(Self { site: site.clone(), schema, request, layout, is_subscription, reads, new, shape })
    }

    pub const fn is_subscription(&self) -> bool {
        self.is_subscription
    }

    /// The data that a query by API key reads, if all keys get the same answer.
    pub const fn reads(&self) -> Option<&Reads> {
        self.reads.as_ref()
    }

    /// Runs a query or a mutation.
    pub async fn answer(self) -> Result<Response, ApiError> {
        let work = self.schema.execute(self.request);
        let mut response = tokio::time::timeout(limits::TIME, work).await.map_err(|_| ApiError::timeout())?;
        // An invalid document has no data.
        if let Some((fingerprint, document)) = self.new.filter(|_| !is_nothing(&response)) {
            self.site.api().documents.keep(fingerprint, document).await;
        }
        self.layout.apply(&mut response.data);
        shorten(&mut response);
        Ok(response)
    }

    /// Begins a subscription.
    ///
    /// # Errors
    ///
    /// The response, if the operation failed before it began;
    /// [`ApiError::timeout`].
    pub async fn subscribe(self) -> Result<Subscription, PrepareError> {
        let Self { site, schema, request, layout, new, shape, .. } = self;
        let opening = Opening::default();
        let mut responses = schema
            .execute_stream(request.data(opening.clone()))
            .map(move |mut response| {
                layout.apply(&mut response.data);
                shorten(&mut response);
                response
            })
            .boxed();
        let begin = async {
            tokio::select! {
                biased;
                first = responses.next() => Err(first),
                opened = opening.opened() => Ok(opened),
            }
        };
        match tokio::time::timeout(limits::TIME, begin).await {
            Ok(Ok(opened)) => {
                if let Some((fingerprint, document)) = new {
                    site.api().documents.keep(fingerprint, document).await;
                }
                Ok(Subscription::new(shape, opened, responses))
            }
            Ok(Err(Some(response))) => Err(PrepareError::Mistake(Box::new(response))),
            Ok(Err(None)) => Err(PrepareError::Refused(ApiError::ended())),
            Err(_) => Err(PrepareError::Refused(ApiError::timeout())),
        }
    }
}

fn shape(actor: &Actor, query: &str, name: Option<&str>, variables: &Variables) -> ShapeKey {
    let who = actor.user().ok().map(|user| &user.id);
    // JSON separates the parts. If serialisation fails, a random value makes the
    // key unique.
    let text = serde_json::to_vec(&(who, query, name, variables));
    Sha256::digest(text.unwrap_or_else(|_| uuid::Uuid::new_v4().as_bytes().to_vec())).into()
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

/// Keeps only the first errors of an invalid document. It can have an error at each
/// place, and each error may repeat a name.
fn shorten(response: &mut Response) {
    if is_nothing(response) {
        response.errors.truncate(limits::MISTAKES);
    }
}

/// Whether the response has errors and no data.
pub fn is_nothing(response: &Response) -> bool {
    response.data == ConstValue::Null
}
