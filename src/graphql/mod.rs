//! The GraphQL API for front ends of AWS Amplify, with Byline's own operations.
//! Adapters only: they parse, call one use case of [`crate::posts`], and format
//! the answer.
//!
//! | module | what |
//! | --- | --- |
//! | [`schema`] | `schema.graphql`, with a resolver for every field |
//! | `queries`, `mutations`, `subscriptions` | the resolvers of root fields |
//! | `call` | what every resolver needs: who asks, and the arguments |
//! | `filter_input`, `page_token`, `nodes` | arguments and results |
//! | `operation` | prepares and runs an operation |
//! | `answer_cache` | answers that are the same for every API key |
//! | `reads` | the data that such an answer depends on |
//! | `document` | the text of a document, before it is parsed |
//! | `escapes` | escapes that the parser does not know |
//! | `documents` | valid documents, by their text |
//! | `roots` | the root fields of an operation |
//! | `omitted` | variables that were not sent |
//! | `emptied` | objects of which nothing is selected |
//! | [`http`] | `POST /graphql` |
//! | [`realtime`] | subscriptions over WebSockets, with two protocols |
//! | [`graphiql`] | a page to try the API |
//! | `limits` | what a document may ask for |
//! | `order` | the order of an answer's fields |
//! | `errors` | errors in AppSync's format |

mod answer_cache;
mod call;
mod document;
mod documents;
mod emptied;
mod errors;
mod escapes;
mod filter_input;
mod get;
mod limits;
mod mutations;
mod nodes;
mod omitted;
mod operation;
mod order;
mod page_token;
mod payload;
mod queries;
mod reads;
mod roots;
mod subscriptions;

pub mod graphiql;
pub mod http;
pub mod realtime;
pub mod schema;

pub use schema::Api;
