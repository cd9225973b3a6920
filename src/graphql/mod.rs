//! The GraphQL API: what front ends of AWS Amplify speak, and Byline's own
//! operations beside it. Adapters only: they parse, call one use case of
//! [`crate::posts`], and shape the answer.
//!
//! | module | what |
//! | --- | --- |
//! | [`schema`] | `schema.graphql`, with a resolver for every field |
//! | `queries`, `mutations`, `subscriptions` | the resolvers of root fields |
//! | `call` | what every resolver knows: who asks, with which arguments |
//! | `filter_input`, `page_token`, `nodes` | what goes in and comes out of them |
//! | `operation` | an operation, made ready and run |
//! | `kept` | answers that are the same for every API key |
//! | `reads` | what such an answer is read from |
//! | `document` | the text of a document, before it is parsed |
//! | `documents` | documents that were found valid, by their text |
//! | `omitted` | variables that were not sent |
//! | [`http`] | `POST /graphql` |
//! | [`realtime`] | subscriptions over WebSockets, by two protocols |
//! | [`graphiql`] | a page to try it all on |
//! | `limits` | what a document may ask for |
//! | `order` | the order of an answer's fields |
//! | `errors` | errors as AppSync words them |

mod call;
mod document;
mod documents;
mod errors;
mod filter_input;
mod get;
mod kept;
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
mod subscriptions;

pub mod graphiql;
pub mod http;
pub mod realtime;
pub mod schema;

pub use schema::Api;
