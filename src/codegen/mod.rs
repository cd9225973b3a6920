//! The files that `amplify push` and `amplify codegen` wrote for a front end:
//! where the API is, its schema, its statements and their types. They are made
//! from the schema and the settings that the server itself uses, so they always
//! agree with it.
//!
//! | module | what |
//! | --- | --- |
//! | `exports` | `aws-exports.js` and `amplify_outputs.json` |
//! | `statements` | `graphql/*.js` and `graphql/*.ts` |
//! | `types` | `API.ts` |
//! | `schema` | the schema, parsed for these |
//! | [`http`], [`page`] | the same files as downloads, and the page that offers them |

mod backend;
mod exports;
mod schema;
mod statements;
mod types;

pub mod http;
pub mod page;

use crate::{
    accounts::domain::srp,
    cognito,
    credentials::{Actor, api_key},
    database::internal,
    error::{AppError, Parsed},
    graphql,
    site::Site,
};
pub use backend::{Backend, DefaultAuth};
use schema::{Root, Schema};
use statements::Language;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum File {
    /// For `Amplify.configure`, of every version.
    AwsExports,
    /// The same as JSON, which front ends for phones and some for browsers import.
    AmplifyConfiguration,
    /// The same for projects of Amplify Gen 2.
    AmplifyOutputs,
    Schema,
    Types,
    Statements(Root, Language),
}

#[derive(Debug)]
pub struct Codegen {
    backend: Backend,
    schema: Schema,
}

impl Backend {
    pub const MAKE_PUBLIC_KEY: &str = "byline api-key create --public";

    /// What a front end needs to know about this site.
    ///
    /// # Errors
    ///
    /// [`AppError::NoPublicUrl`] where the site does not know an address that
    /// front ends can reach.
    pub async fn of(site: &Site, default_auth: DefaultAuth) -> Result<Self, AppError> {
        if !site.public_url.can_be_reached() {
            return Err(AppError::NoPublicUrl { known: site.public_url.to_string() });
        }
        Ok(Self {
            default_auth,
            has_srp: srp::is_on(site),
            public_url: site.public_url.clone(),
            public_key: api_key::public_key(site).await?,
            conflict_detection: site.api().conflict_detection,
        })
    }

    #[must_use]
    pub fn graphql_url(&self) -> String {
        format!("{}{}", self.public_url, graphql::http::PATH)
    }

    fn cognito_url(&self) -> String {
        format!("{}{}", self.public_url, cognito::PATH)
    }
}

impl File {
    /// Every file, in the order in which people look for them.
    pub const ALL: [Self; 11] = [
        Self::AwsExports,
        Self::AmplifyConfiguration,
        Self::AmplifyOutputs,
        Self::Schema,
        Self::Types,
        Self::Statements(Root::Query, Language::JavaScript),
        Self::Statements(Root::Mutation, Language::JavaScript),
        Self::Statements(Root::Subscription, Language::JavaScript),
        Self::Statements(Root::Query, Language::TypeScript),
        Self::Statements(Root::Mutation, Language::TypeScript),
        Self::Statements(Root::Subscription, Language::TypeScript),
    ];

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.name() == name)
    }

    /// Its path below the folder of the project's sources, as Amplify has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        use {Language::*, Root::*};
        match self {
            Self::AwsExports => "aws-exports.js",
            Self::AmplifyConfiguration => "amplifyconfiguration.json",
            Self::AmplifyOutputs => "amplify_outputs.json",
            Self::Schema => "schema.graphql",
            Self::Types => "API.ts",
            Self::Statements(Query, JavaScript) => "graphql/queries.js",
            Self::Statements(Mutation, JavaScript) => "graphql/mutations.js",
            Self::Statements(Subscription, JavaScript) => "graphql/subscriptions.js",
            Self::Statements(Query, TypeScript) => "graphql/queries.ts",
            Self::Statements(Mutation, TypeScript) => "graphql/mutations.ts",
            Self::Statements(Subscription, TypeScript) => "graphql/subscriptions.ts",
        }
    }

    /// Whether it says what calls prove that name no mode.
    #[must_use]
    pub const fn has_default_auth(self) -> bool {
        matches!(self, Self::AwsExports | Self::AmplifyConfiguration | Self::AmplifyOutputs)
    }

    #[must_use]
    pub const fn purpose(self) -> &'static str {
        match self {
            Self::AwsExports => "what Amplify.configure takes, in aws-amplify 3 to 6",
            Self::AmplifyConfiguration => "the same as JSON, also for Swift, Android and Flutter",
            Self::AmplifyOutputs => "the same for projects of Amplify Gen 2",
            Self::Schema => "the schema of the API",
            Self::Types => "types for TypeScript",
            Self::Statements(Root::Query, Language::JavaScript) => "statements that read",
            Self::Statements(Root::Mutation, Language::JavaScript) => "statements that write",
            Self::Statements(Root::Subscription, Language::JavaScript) => "statements that listen",
            Self::Statements(_, Language::TypeScript) => "the same with the types of API.ts",
        }
    }

    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::AwsExports | Self::Statements(_, Language::JavaScript) => "text/javascript; charset=utf-8",
            Self::AmplifyConfiguration | Self::AmplifyOutputs => "application/json",
            Self::Schema | Self::Types | Self::Statements(_, Language::TypeScript) => {
                "text/plain; charset=utf-8"
            }
        }
    }
}

/// A file for the person who is signed in. Without a file, the name that was
/// sent is the name of none.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::NotFound`], [`AppError::NoPublicUrl`].
pub async fn contents(
    site: &Site,
    actor: &Actor,
    file: Option<File>,
    default_auth: Parsed<DefaultAuth>,
) -> Result<(File, String), AppError> {
    actor.user()?;
    let file = file.ok_or(AppError::NotFound)?;
    let codegen = Codegen::new(Backend::of(site, default_auth?).await?)?;
    Ok((file, codegen.contents(file)))
}

impl Codegen {
    /// For front ends of this backend.
    pub fn new(backend: Backend) -> Result<Self, AppError> {
        let schema = Schema::new(backend.conflict_detection).map_err(internal)?;
        Ok(Self { backend, schema })
    }

    #[must_use]
    pub fn contents(&self, file: File) -> String {
        match file {
            File::AwsExports => exports::aws_exports(&self.backend),
            File::AmplifyConfiguration => exports::amplify_configuration(&self.backend),
            File::AmplifyOutputs => exports::amplify_outputs(&self.backend, &self.schema),
            File::Schema => self.schema.text().to_owned(),
            File::Types => types::types(&self.schema),
            File::Statements(root, language) => statements::statements(&self.schema, root, language),
        }
    }
}
