//! The data that an answer depends on, if it is the same for every API key.

use async_graphql::{
    Variables,
    parser::types::{ExecutableDocument, Field, OperationDefinition},
};
use async_graphql_value::Value as Written;

use super::{call, roots};
use crate::posts::{PostId, events::changes::Changes};

/// The root fields whose answers to API keys depend only on their arguments and on
/// posts, not on the key, the time or random numbers. Only answers with these
/// fields alone are cached.
const SAME_FOR_EVERY_KEY: [&str; 4] = ["__typename", "getPost", "listPosts", "allPosts"];
/// The bytes of an entry for a request, besides the id of a post.
const REQUEST_BYTES: usize = 128;

/// The data that an answer depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// One post, or an id that no post has.
    Post(PostId),
    Posts,
}

impl Reads {
    /// The data that a query reads, if all keys get the same answer; `None` for all
    /// other queries.
    #[must_use]
    pub fn of(
        document: &ExecutableDocument,
        operation: &OperationDefinition,
        variables: &Variables,
    ) -> Option<Self> {
        let fields: Vec<_> = roots::fields(document, operation).collect();
        if !fields.iter().all(|field| SAME_FOR_EVERY_KEY.contains(&field.name.node.as_str())) {
            return None;
        }
        let one_post = match fields[..] {
            [field] => id_of(field, variables),
            _ => None,
        };
        Some(one_post.map_or(Self::Posts, Self::Post))
    }

    /// The counter that rises when the answer becomes stale; `None` while changes
    /// may be missed.
    #[must_use]
    pub fn generation(&self, changes: &Changes) -> Option<u64> {
        match self {
            Self::Post(id) => changes.post(id),
            Self::Posts => changes.lists(),
        }
    }

    /// The memory of this value, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Post(id) => REQUEST_BYTES + id.as_str().len(),
            Self::Posts => REQUEST_BYTES,
        }
    }
}

/// The id of the one post that a field reads, where it is plain to see.
fn id_of(field: &Field, variables: &Variables) -> Option<PostId> {
    match (field.name.node.as_str(), &field.get_argument("id")?.node) {
        ("getPost", Written::Variable(name)) => call::id(variables.get(name)),
        ("getPost", Written::String(id)) => PostId::parse(id),
        _ => None,
    }
}
