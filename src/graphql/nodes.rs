//! The objects of the schema that contain data: each resolves its fields by name.

use std::sync::Arc;

use async_graphql::{
    Name, Value,
    dynamic::{FieldFuture, FieldValue, ResolverContext},
};

use crate::{
    credentials,
    posts::{
        Cursor, Post,
        domain::{Changed, PostSnapshot},
    },
    timestamp::Timestamp,
};

/// An object whose fields need no more than the object itself.
pub trait Node: Send + Sync {
    /// The value of a field; `None` is null.
    fn field(&self, name: &str) -> Option<FieldValue<'_>>;
}

/// A [`Node`], as async-graphql carries it.
pub type AnyNode = Box<dyn Node>;

/// Wraps a node as a resolver's result.
pub fn value(node: impl Node + 'static) -> FieldValue<'static> {
    FieldValue::owned_any::<AnyNode>(Box::new(node))
}

/// The resolver of every field of a [`Node`].
pub fn resolve<'a>(ctx: ResolverContext<'a>) -> FieldFuture<'a> {
    let node: Option<&'a AnyNode> = ctx.parent_value.downcast_ref();
    FieldFuture::Value(node.and_then(|node| node.field(ctx.ctx.item.node.name.node.as_str())))
}

fn list(nodes: &[AnyNode]) -> FieldValue<'_> {
    FieldValue::list(nodes.iter().map(|node| FieldValue::borrowed_any(node)))
}

fn boxed<T>(items: Vec<T>, node: impl Fn(T) -> AnyNode) -> Vec<AnyNode> {
    items.into_iter().map(node).collect()
}

/// How a field of `Post` is read.
type PostField = (&'static str, fn(&PostSnapshot<'_>) -> Value);

/// The fields of `Post`, also of the post in a conflict.
const POST_FIELDS: [PostField; 9] = [
    ("id", |post| post.id.as_str().into()),
    ("title", |post| post.title.into()),
    ("content", |post| post.content.into()),
    ("owner", |post| post.owner.into()),
    ("createdAt", |post| post.created_at.rfc3339_millis().into()),
    ("updatedAt", |post| post.changed_at.rfc3339_millis().into()),
    ("_version", |post| post.version.into()),
    ("_lastChangedAt", |post| post.changed_at.millis().into()),
    ("_deleted", |post| if post.deleted { true.into() } else { Value::Null }),
];

/// `Post`, as it is or was.
impl Node for Changed {
    fn field(&self, name: &str) -> Option<FieldValue<'_>> {
        let (_, read) = POST_FIELDS.iter().find(|(field, _)| *field == name)?;
        Some(FieldValue::value(read(&self.into())))
    }
}

/// A post with all its fields.
pub fn whole_post(post: &Post) -> Value {
    let post = PostSnapshot::from(post);
    Value::Object(POST_FIELDS.iter().map(|(name, read)| (Name::new(name), read(&post))).collect())
}

/// `Post`, shared by all who subscribed to it.
impl Node for Arc<Changed> {
    fn field(&self, name: &str) -> Option<FieldValue<'_>> {
        self.as_ref().field(name)
    }
}

pub fn post(post: Post) -> FieldValue<'static> {
    value(Changed::Post(post))
}

pub struct ModelPostConnection {
    items: Vec<AnyNode>,
    next_token: Option<String>,
    started_at: Option<Timestamp>,
}

impl ModelPostConnection {
    pub fn new(posts: Vec<Post>, next_token: Option<String>) -> Self {
        Self { items: boxed(posts, |post| Box::new(Changed::Post(post))), next_token, started_at: None }
    }

    pub fn of_changes(changed: Vec<Changed>, next_token: Option<String>, started_at: Timestamp) -> Self {
        Self { items: boxed(changed, |post| Box::new(post)), next_token, started_at: Some(started_at) }
    }
}

impl Node for ModelPostConnection {
    fn field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "items" => Some(list(&self.items)),
            "nextToken" => self.next_token.as_deref().map(FieldValue::value),
            "startedAt" => self.started_at.map(|time| FieldValue::value(time.millis())),
            _ => None,
        }
    }
}

pub struct PostConnection {
    edges: Vec<AnyNode>,
    nodes: Vec<AnyNode>,
    page_info: AnyNode,
}

impl PostConnection {
    pub fn new(posts: Vec<Post>, has_next: bool, has_previous: bool) -> Self {
        let cursor = |post: &Post| Cursor { created_at: post.created_at, id: post.id.clone() }.to_string();
        let page_info = PageInfo {
            has_next,
            has_previous,
            start: posts.first().map(cursor),
            end: posts.last().map(cursor),
        };
        let cursors: Vec<_> = posts.iter().map(cursor).collect();
        let posts: Vec<_> = posts.into_iter().map(|post| Arc::new(Changed::Post(post))).collect();
        let edge = |(post, cursor): (&Arc<Changed>, String)| -> AnyNode {
            Box::new(PostEdge { cursor, node: Box::new(Arc::clone(post)) })
        };
        Self {
            edges: posts.iter().zip(cursors).map(edge).collect(),
            nodes: boxed(posts, |post| Box::new(post)),
            page_info: Box::new(page_info),
        }
    }
}

impl Node for PostConnection {
    fn field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "edges" => Some(list(&self.edges)),
            "nodes" => Some(list(&self.nodes)),
            "pageInfo" => Some(FieldValue::borrowed_any(&self.page_info)),
            _ => None,
        }
    }
}

struct PostEdge {
    cursor: String,
    node: AnyNode,
}

impl Node for PostEdge {
    fn field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "cursor" => Some(FieldValue::value(self.cursor.as_str())),
            "node" => Some(FieldValue::borrowed_any(&self.node)),
            _ => None,
        }
    }
}

struct PageInfo {
    has_next: bool,
    has_previous: bool,
    start: Option<String>,
    end: Option<String>,
}

impl Node for PageInfo {
    fn field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "hasNextPage" => Some(FieldValue::value(self.has_next)),
            "hasPreviousPage" => Some(FieldValue::value(self.has_previous)),
            "startCursor" => self.start.as_deref().map(FieldValue::value),
            "endCursor" => self.end.as_deref().map(FieldValue::value),
            _ => None,
        }
    }
}

impl Node for credentials::User {
    fn field(&self, name: &str) -> Option<FieldValue<'_>> {
        match name {
            "id" => Some(FieldValue::value(self.id.as_str())),
            "username" => Some(FieldValue::value(self.username.as_str())),
            _ => None,
        }
    }
}
