//! Requests of front ends to the API, and how their answers are checked.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use byline::timestamp::Timestamp;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    clients::{Author, PAGE, PASSWORD, SamePage},
    external::Script,
    http::{self, Answer},
    load::{Asking, Client},
    post,
};

// The fields are those of the statements that Amplify generates, in lists
// those that a front end shows.
const LIST: &str = "query ListPosts($limit: Int) { listPosts(limit: $limit) { items { id title owner createdAt } nextToken } }";
/// The same query without variables.
const LIST_ALONE: &str = "{ listPosts(limit: 20) { items { id title owner createdAt } nextToken } }";
const GET: &str =
    "query GetPost($id: ID!) { getPost(id: $id) { id title content owner createdAt updatedAt } }";
const CREATE: &str = "mutation CreatePost($input: CreatePostInput!) { createPost(input: $input) { id title content owner createdAt updatedAt } }";
/// Tells of posts with the fields that [`TokenAuthor`] is answered with.
pub(crate) const ON_CREATE: &str =
    "subscription OnCreatePost { onCreatePost { id title content owner createdAt updatedAt } }";

/// What an operation without mistakes results in (GraphQL 7.1): with `errors`
/// beside the data it is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Response<T> {
    pub(crate) data: T,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Post {
    pub(crate) id: String,
    title: String,
    content: String,
    owner: String,
    created_at: String,
    updated_at: String,
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Listed {
    id: String,
    title: String,
    owner: String,
    created_at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct ListPosts {
    list_posts: Page,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Page {
    items: Vec<Listed>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GetPost {
    get_post: Post,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreatePost {
    create_post: Post,
}

impl Post {
    /// The post of that number.
    fn numbered(number: u64) -> Self {
        Self {
            id: post::id(number),
            title: post::title(number),
            content: post::content(number),
            owner: post::owner(number),
            created_at: created_at(number),
            updated_at: created_at(number),
        }
    }
}

impl Listed {
    fn numbered(number: u64) -> Self {
        Self {
            id: post::id(number),
            title: post::title(number),
            owner: post::owner(number),
            created_at: created_at(number),
        }
    }
}

fn created_at(number: u64) -> String {
    Timestamp::from_micros(post::created_at(number)).rfc3339_millis()
}

/// The data of an answer with status 200 and no errors.
fn data<T: DeserializeOwned>(answer: &Answer<'_>) -> Result<T> {
    let text = answer.text()?;
    let response: Response<T> =
        serde_json::from_str(text).with_context(|| format!("the API answered {text}"))?;
    Ok(response.data)
}

fn by_key(key: &str) -> String {
    format!("X-Api-Key: {key}\r\n")
}

/// How a query is sent.
#[derive(Clone, Copy)]
pub(crate) enum Method {
    /// In the body, as front ends of Amplify send it.
    Post,
    /// In the address.
    Get,
}

/// Asks for the newest posts by an API key: by POST with the length of the
/// list as a variable, by GET with nothing but the document.
pub(crate) fn list(method: Method, key: &str) -> Vec<u8> {
    match method {
        Method::Post => http::graphql(&by_key(key), LIST, &json!({ "limit": PAGE })),
        Method::Get => http::graphql_get(&by_key(key), LIST_ALONE, None),
    }
}

/// Reads the newest of `count` posts, which have to be the right ones.
pub(crate) async fn newest(method: Method, server: SocketAddr, key: &str, count: u64) -> Result<SamePage> {
    SamePage::answer(server, list(method, key), |answer| are_newest(answer, count)).await
}

/// Whether these are the newest of the posts that were there from the start.
pub(crate) fn are_newest(answer: &Answer<'_>, count: u64) -> Result<()> {
    let page = data::<ListPosts>(answer)?.list_posts;
    let length = PAGE as u64;
    let expected: Vec<_> = (count.saturating_sub(length)..count).rev().map(Listed::numbered).collect();
    ensure!(page.items == expected, "other posts are the newest: {:?}", page.items);
    ensure!(page.next_token.is_some() == (count > length), "the list does not go on as it should");
    Ok(())
}

/// Whether this is a list of the requested number of posts, newest first,
/// whatever has been published meanwhile.
pub(crate) fn is_list(answer: &Answer<'_>) -> Result<()> {
    let page = data::<ListPosts>(answer)?.list_posts;
    ensure!(page.items.len() == PAGE, "the list has {} posts", page.items.len());
    ensure!(
        page.items.is_sorted_by(|newer, older| newer.created_at >= older.created_at),
        "the order is another"
    );
    ensure!(page.next_token.is_some(), "the list does not go on as it should");
    Ok(())
}

/// Reads one post and checks that it is the right one.
pub(crate) async fn one_post(method: Method, server: SocketAddr, key: &str) -> Result<SamePage> {
    SamePage::answer(server, get(method, key, 0), |answer| is_post(answer, 0)).await
}

/// Asks for a post by an API key: always the same document, with the id as a variable.
pub(crate) fn get(method: Method, key: &str, number: u64) -> Vec<u8> {
    let variables = json!({ "id": post::id(number) });
    match method {
        Method::Post => http::graphql(&by_key(key), GET, &variables),
        Method::Get => http::graphql_get(&by_key(key), GET, Some(&variables)),
    }
}

pub(crate) fn is_post(answer: &Answer<'_>, number: u64) -> Result<()> {
    let found = data::<GetPost>(answer)?.get_post;
    ensure!(found == Post::numbered(number), "another post: {found:?}");
    Ok(())
}

/// An author who publishes by an access token, each time another post.
pub(crate) struct TokenAuthor {
    /// The header with the credential.
    token: String,
    username: String,
    number: u64,
    request: Vec<u8>,
    /// The ids that Byline answered with.
    pub(crate) acknowledged: Vec<String>,
    pub(crate) last: Option<Post>,
}

impl TokenAuthor {
    /// Makes so many accounts, each with a connection and a token.
    pub(crate) async fn sign_up(count: u64, servers: &[SocketAddr]) -> Result<Vec<Asking<Self>>> {
        let mut authors = Vec::new();
        let signed_up = Author::sign_up(count, servers).await?;
        for (author, Asking { client, mut connection }) in (1..=count).zip(signed_up) {
            let username = client.username;
            let form = format!("grant_type=password&username={username}&password={PASSWORD}");
            let answer = connection.exchange(&http::post("/api/token", "", &form)).await?;
            let granted: Value = serde_json::from_str(answer.text()?)?;
            let token = granted["access_token"].as_str().context("no token was granted")?;
            let client = Self {
                token: format!("Authorization: {token}\r\n"),
                username,
                number: author << 32,
                request: Vec::new(),
                acknowledged: Vec::new(),
                last: None,
            };
            authors.push(Asking { client, connection });
        }
        Ok(authors)
    }

    /// The post of the answer, if it is the one that was sent.
    fn published(&self, answer: &Answer<'_>) -> Result<Post> {
        let made = data::<CreatePost>(answer)?.create_post;
        let is_sent = made.title == post::title(self.number)
            && made.content == post::content(self.number)
            && made.owner == self.username;
        ensure!(is_sent && !made.id.is_empty(), "another post: {made:?}");
        Ok(made)
    }
}

impl Client for TokenAuthor {
    fn request(&mut self) -> &[u8] {
        self.number += 1;
        let input = json!({ "title": post::title(self.number), "content": post::content(self.number) });
        self.request = http::graphql(&self.token, CREATE, &json!({ "input": input }));
        &self.request
    }

    fn is_right(&mut self, answer: &Answer<'_>) -> bool {
        self.last = self.published(answer).ok();
        self.acknowledged.extend(self.last.iter().map(|post| post.id.clone()));
        self.last.is_some()
    }

    fn script(clients: &mut [Asking<Self>]) -> Option<Script> {
        Some(Asking::one_of_each(clients))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: &str = "HTTP/1.1 200 OK\r\n\r\n";

    /// Checks the data of an answer with such a body.
    fn answered<T>(head: &str, body: &Value, check: impl FnOnce(&Answer<'_>) -> T) -> T {
        check(&Answer { head, body: body.to_string().as_bytes() })
    }

    fn json_of(number: u64) -> Value {
        json!({
            "id": post::id(number), "title": post::title(number), "content": post::content(number),
            "owner": post::owner(number), "createdAt": created_at(number), "updatedAt": created_at(number),
        })
    }

    #[test]
    fn an_error_is_no_answer_whatever_stands_beside_it() {
        let errors = json!([{ "message": "Not Authorized", "errorType": "Unauthorized" }]);
        let right = json!({ "data": { "getPost": json_of(7) } });
        let check = |answer: &Answer<'_>| is_post(answer, 7);
        assert!(answered(OK, &right, check).is_ok());
        for head in ["HTTP/1.1 401 Unauthorized\r\n\r\n", "HTTP/1.1 503 Service Unavailable\r\n\r\n"] {
            assert!(answered(head, &right, check).is_err(), "{head}");
        }
        for wrong in [
            json!({ "data": { "getPost": json_of(7) }, "errors": errors }),
            json!({ "data": { "getPost": null }, "errors": errors }),
            json!({ "data": { "getPost": null } }),
            json!({ "data": null, "errors": errors }),
            json!({ "errors": errors }),
            json!({ "data": {} }),
            json!({ "getPost": json_of(7) }),
            json!([]),
        ] {
            assert!(answered(OK, &wrong, check).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_post_is_another_if_anything_of_it_is() {
        let check = |answer: &Answer<'_>| is_post(answer, 7);
        assert!(answered(OK, &json!({ "data": { "getPost": json_of(8) } }), check).is_err());
        for field in ["id", "title", "content", "owner", "createdAt", "updatedAt"] {
            for value in [json!("other"), Value::Null] {
                let mut post = json_of(7);
                post[field] = value;
                let body = json!({ "data": { "getPost": post } });
                assert!(answered(OK, &body, check).is_err(), "{body}");
            }
        }
    }

    #[test]
    fn a_list_is_right_if_it_has_the_newest_posts_in_order_and_goes_on() {
        let listed = |number| {
            let mut post = json_of(number);
            for field in ["content", "updatedAt"] {
                post.as_object_mut().unwrap().remove(field);
            }
            post
        };
        let list = |numbers: &[u64], next: Option<&str>| {
            let items: Vec<_> = numbers.iter().copied().map(listed).collect();
            json!({ "data": { "listPosts": { "items": items, "nextToken": next } } })
        };
        let newest: Vec<u64> = (80..100).rev().collect();
        let check = |answer: &Answer<'_>| are_newest(answer, 100);
        assert!(answered(OK, &list(&newest, Some("on")), check).is_ok());
        assert!(answered(OK, &list(&newest, None), check).is_err(), "it ends too early");
        assert!(answered(OK, &list(&newest[..19], Some("on")), check).is_err(), "one is missing");
        let mut turned = newest.clone();
        turned.swap(0, 1);
        assert!(answered(OK, &list(&turned, Some("on")), check).is_err(), "the order is another");
        let few = |answer: &Answer<'_>| are_newest(answer, 3);
        assert!(answered(OK, &list(&[2, 1, 0], None), few).is_ok());
        assert!(answered(OK, &list(&[], None), few).is_err(), "nothing is in it");
    }

    #[test]
    fn what_was_published_counts_if_it_is_what_was_sent() {
        let author = || TokenAuthor {
            token: String::new(),
            username: "bench1".to_owned(),
            number: 6,
            request: Vec::new(),
            acknowledged: Vec::new(),
            last: None,
        };
        let mut made = json_of(7);
        made["owner"] = "bench1".into();
        made["id"] = "made-here".into();

        let mut right = author();
        let sent = String::from_utf8(right.request().to_vec()).unwrap();
        assert!(sent.contains(&post::title(7)), "{sent}");
        let body = json!({ "data": { "createPost": made } });
        assert!(answered(OK, &body, |answer| right.is_right(answer)));
        assert_eq!(right.acknowledged, ["made-here"]);
        assert_eq!(right.last.unwrap().id, "made-here");

        for (field, value) in [("content", "cut"), ("owner", "ada"), ("title", "other"), ("id", "")] {
            let mut other = made.clone();
            other[field] = value.into();
            let mut wrong = author();
            wrong.request();
            let body = json!({ "data": { "createPost": other } });
            assert!(!answered(OK, &body, |answer| wrong.is_right(answer)), "{body}");
            assert!(wrong.acknowledged.is_empty() && wrong.last.is_none());
        }
    }
}
