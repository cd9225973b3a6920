//! Who may do what: every operation of every entry point, with every credential
//! (security rows A1, A2, C1, C3, J1, J2, K1). The tables contain the expected
//! results; one test for each runs it and checks the database after every cell.
//!
//! Ada has the post `adas`, bob the post `bobs`; no post is `missing`. Ada's post `waits` waits
//! for approval, and `let out` says that she may publish it now, because she has another one.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    body::Body,
    http::{Method, header::CONTENT_TYPE},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use byline::{config::ConflictDetection, posts::Content};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::support::{Answer, Client, Credential, Heard, Running, Socket, tokens::forged};

/// `POST /graphql`. A cell is the posts that are seen, `null`, what has become
/// of a post, the `errorType` of the field, or the status of a refused request.
const GRAPHQL: &str = "
| operation             | nobody | ada           | bob           | API key      | no good | foreign |
| --------------------- | ------ | ------------- | ------------- | ------------ | ------- | ------- |
| __typename            | 401    | Query         | Query         | Query        | 401     | 403     |
| me                    | 401    | ada           | bob           | null         | 401     | 403     |
| getPost adas          | 401    | adas          | Unauthorized  | adas         | 401     | 403     |
| getPost bobs          | 401    | Unauthorized  | bobs          | bobs         | 401     | 403     |
| getPost missing       | 401    | null          | null          | null         | 401     | 403     |
| getPost waits         | 401    | null          | null          | null         | 401     | 403     |
| listPosts             | 401    | adas          | bobs          | adas bobs    | 401     | 403     |
| listPosts of bob      | 401    | none          | bobs          | bobs         | 401     | 403     |
| listPosts not of bob  | 401    | adas          | none          | adas         | 401     | 403     |
| syncPosts             | 401    | adas          | bobs          | adas bobs    | 401     | 403     |
| syncPosts of bob      | 401    | none          | bobs          | bobs         | 401     | 403     |
| syncPosts since 1970  | 401    | adas          | bobs          | adas bobs    | 401     | 403     |
| allPosts              | 401    | adas bobs     | adas bobs     | adas bobs    | 401     | 403     |
| allPosts of bob       | 401    | bobs          | bobs          | bobs         | 401     | 403     |
| myPosts               | 401    | adas          | bobs          | Unauthorized | 401     | 403     |
| myPosts of bob        | 401    | none          | bobs          | Unauthorized | 401     | 403     |
| createPost            | 401    | made by ada   | made by bob   | Unauthorized | 401     | 403     |
| createPost as ada     | 401    | made by ada   | Unauthorized  | Unauthorized | 401     | 403     |
| createPost as bob     | 401    | Unauthorized  | made by bob   | Unauthorized | 401     | 403     |
| createPost as missing | 401    | Unauthorized  | Unauthorized  | Unauthorized | 401     | 403     |
| createPost as null    | 401    | Unauthorized  | Unauthorized  | Unauthorized | 401     | 403     |
| createPost over adas  | 401    | taken         | taken         | Unauthorized | 401     | 403     |
| createPost over bobs  | 401    | taken         | taken         | Unauthorized | 401     | 403     |
| updatePost adas       | 401    | changed       | Unauthorized  | Unauthorized | 401     | 403     |
| updatePost bobs       | 401    | Unauthorized  | changed       | Unauthorized | 401     | 403     |
| updatePost missing    | 401    | Unauthorized  | Unauthorized  | Unauthorized | 401     | 403     |
| updatePost waits      | 401    | Unauthorized  | Unauthorized  | Unauthorized | 401     | 403     |
| updatePost adas wrong | 401    | invalid       | Unauthorized  | Unauthorized | 401     | 403     |
| give adas to ada      | 401    | changed       | Unauthorized  | Unauthorized | 401     | 403     |
| give adas to bob      | 401    | given to bob  | Unauthorized  | Unauthorized | 401     | 403     |
| give bobs to ada      | 401    | Unauthorized  | given to ada  | Unauthorized | 401     | 403     |
| give adas to missing  | 401    | invalid       | Unauthorized  | Unauthorized | 401     | 403     |
| give adas to null     | 401    | Unauthorized  | Unauthorized  | Unauthorized | 401     | 403     |
| deletePost adas       | 401    | deleted       | Unauthorized  | Unauthorized | 401     | 403     |
| deletePost bobs       | 401    | Unauthorized  | deleted       | Unauthorized | 401     | 403     |
| deletePost missing    | 401    | Unauthorized  | Unauthorized  | Unauthorized | 401     | 403     |
";

/// Over a WebSocket. A cell is the posts of which something is heard when ada
/// and bob create, change and delete theirs, or the code by which
/// `graphql-transport-ws` closes the connection. By AppSync's protocol a session
/// is nobody's, and whoever is not let in is told 401: at the connection, and
/// at every start on the connection of somebody who was let in.
const SUBSCRIPTIONS: &str = "
| operation               | nobody | ada          | bob          | API key   | no good | foreign |
| ----------------------- | ------ | ------------ | ------------ | --------- | ------- | ------- |
| onCreatePost            | 4403   | adas         | bobs         | adas bobs | 4403    | 4403    |
| onCreatePost of ada     | 4403   | adas         | Unauthorized | adas      | 4403    | 4403    |
| onCreatePost of bob     | 4403   | Unauthorized | bobs         | bobs      | 4403    | 4403    |
| onCreatePost of missing | 4403   | Unauthorized | Unauthorized | none      | 4403    | 4403    |
| onCreatePost only bob   | 4403   | none         | bobs         | bobs      | 4403    | 4403    |
| onUpdatePost            | 4403   | adas         | bobs         | adas bobs | 4403    | 4403    |
| onUpdatePost of ada     | 4403   | adas         | Unauthorized | adas      | 4403    | 4403    |
| onUpdatePost of bob     | 4403   | Unauthorized | bobs         | bobs      | 4403    | 4403    |
| onUpdatePost only bob   | 4403   | none         | bobs         | bobs      | 4403    | 4403    |
| onDeletePost            | 4403   | adas         | bobs         | adas bobs | 4403    | 4403    |
| onDeletePost of ada     | 4403   | adas         | Unauthorized | adas      | 4403    | 4403    |
| onDeletePost of bob     | 4403   | Unauthorized | bobs         | bobs      | 4403    | 4403    |
| onDeletePost only bob   | 4403   | none         | bobs         | bobs      | 4403    | 4403    |
";

/// `/api/…`. A cell is as above, with the status of what is refused.
const SERVER_FUNCTIONS: &str = "
| call                      | nobody    | ada         | bob         | API key   | no good | foreign   |
| ------------------------- | --------- | ----------- | ----------- | --------- | ------- | --------- |
| get_post adas             | adas      | adas        | adas        | adas      | 401     | adas      |
| get_post missing          | 404       | 404         | 404         | 404       | 401     | 404       |
| get_post waits            | 404       | 404         | 404         | 404       | 401     | 404       |
| list_posts                | adas bobs | adas bobs   | adas bobs   | adas bobs | 401     | adas bobs |
| search_posts              | adas bobs | adas bobs   | adas bobs   | adas bobs | 401     | adas bobs |
| search_posts wrong        | 422       | 422         | 422         | 422       | 401     | 422       |
| my_posts                  | 401       | adas        | bobs        | 403       | 401     | adas      |
| my_posts wrong            | 401       | 400         | 400         | 403       | 401     | 400       |
| create_post               | 401       | made by ada | made by bob | 403       | 401     | 403       |
| create_post as bob        | 401       | made by ada | made by bob | 403       | 401     | 403       |
| create_post wrong         | 401       | 422         | 422         | 403       | 401     | 403       |
| update_post adas          | 401       | changed     | 403         | 403       | 401     | 403       |
| update_post bobs          | 401       | 403         | changed     | 403       | 401     | 403       |
| update_post missing       | 401       | 404         | 404         | 403       | 401     | 403       |
| update_post waits         | 401       | 404         | 404         | 403       | 401     | 403       |
| update_post adas wrong    | 401       | 422         | 403         | 403       | 401     | 403       |
| update_post missing wrong | 401       | 404         | 404         | 403       | 401     | 403       |
| delete_post adas          | 401       | deleted     | 403         | 403       | 401     | 403       |
| delete_post adas wrong    | 401       | 400         | 403         | 403       | 401     | 403       |
| delete_post bobs          | 401       | 403         | deleted     | 403       | 401     | 403       |
| delete_post missing       | 401       | 404         | 404         | 403       | 401     | 403       |
| delete_post waits         | 401       | discarded   | 404         | 403       | 401     | 403       |
| restore_post adas         | 401       | adas        | 404         | 403       | 401     | 403       |
| restore_post missing      | 401       | 404         | 404         | 403       | 401     | 403       |
| save_draft                | 401       | drafted     | drafted     | 403       | 401     | 403       |
| save_draft wrong          | 401       | 422         | 422         | 403       | 401     | 403       |
| save_draft adas           | 401       | 409         | 404         | 403       | 401     | 403       |
| save_draft waits          | 401       | saved       | 404         | 403       | 401     | 403       |
| save_draft missing        | 401       | 404         | 404         | 403       | 401     | 403       |
| publish_post adas         | 401       | adas        | 404         | 403       | 401     | 403       |
| publish_post adas wrong   | 401       | 404         | 404         | 403       | 401     | 403       |
| publish_post waits        | 401       | let out     | 404         | 403       | 401     | 403       |
| publish_post missing      | 401       | 404         | 404         | 403       | 401     | 403       |
| unpublish_post adas       | 401       | withdrawn   | 403         | 403       | 401     | 403       |
| unpublish_post adas wrong | 401       | 422         | 403         | 403       | 401     | 403       |
| unpublish_post waits      | 401       | saved       | 404         | 403       | 401     | 403       |
| unpublish_post missing    | 401       | 404         | 404         | 403       | 401     | 403       |
| my_drafts                 | 401       | waits       | none        | 403       | 401     | waits     |
| list_revisions adas       | 401       | adas        | 403         | 403       | 401     | adas      |
| list_revisions missing    | 401       | 404         | 404         | 403       | 401     | 404       |
| restore_revision adas     | 401       | adas        | 403         | 403       | 401     | 403       |
| restore_revision missing  | 401       | 404         | 404         | 403       | 401     | 403       |
| preview_post              | 401       | HTML        | HTML        | 403       | 401     | 403       |
| preview_post wrong        | 401       | 422         | 422         | 403       | 401     | 403       |
| my_media                  | 401       | none        | none        | 403       | 401     | none      |
| delete_media missing      | 401       | 404         | 404         | 403       | 401     | 403       |
| my_api_keys               | 401       | Reader      | none        | 403       | 401     | Reader    |
| create_api_key            | 401       | a key       | a key       | 403       | 401     | 403       |
| create_api_key wrong      | 401       | 422         | 422         | 403       | 401     | 403       |
| revoke_api_key            | 401       | revoked     | 404         | 403       | 401     | 403       |
| revoke_api_key wrong      | 401       | 404         | 404         | 403       | 401     | 403       |
| confirm_identity          | 401       | 422         | 422         | 403       | 401     | 403       |
| change_password           | 401       | 422         | 422         | 403       | 401     | 403       |
| save_profile wrong        | 401       | 422         | 422         | 403       | 401     | 403       |
| end_login                 | 401       | null        | null        | 403       | 401     | 403       |
| delete_account            | 401       | 422         | 422         | 403       | 401     | 403       |
| set_up_two_factor         | 401       | a secret    | a secret    | 403       | 401     | 403       |
| turn_on_two_factor        | 401       | 422         | 422         | 403       | 401     | 403       |
| renew_recovery_codes      | 401       | 404         | 404         | 403       | 401     | 403       |
| turn_off_two_factor       | 401       | null        | null        | 403       | 401     | 403       |
| my_passkeys               | 401       | Laptop      | none        | 403       | 401     | Laptop    |
| begin_passkey             | 401       | 400         | 400         | 403       | 401     | 403       |
| add_passkey               | 401       | 422         | 422         | 403       | 401     | 403       |
| add_passkey wrong         | 401       | 422         | 422         | 403       | 401     | 403       |
| remove_passkey adas       | 401       | removed     | null        | 403       | 401     | 403       |
| remove_passkey missing    | 401       | null        | null        | 403       | 401     | 403       |
| begin_passkey_log_in      | 400       | 400         | 400         | 400       | 401     | 403       |
| log_in_by_passkey         | 422       | 422         | 422         | 422       | 401     | 403       |
| begin_passkey_confirmation | 401       | 400         | 400         | 403       | 401     | 403       |
| confirm_by_passkey        | 401       | 422         | 422         | 403       | 401     | 403       |
| drop_password             | 401       | 422         | 422         | 403       | 401     | 403       |
| set_password              | 401       | 403         | 403         | 403       | 401     | 403       |
| log_in_code               | 401       | 401         | 401         | 401       | 401     | 403       |
| forgot_password           | 403       | 403         | 403         | 403       | 401     | 403       |
| reset_password            | 422       | 422         | 422         | 422       | 401     | 403       |
| verify_email              | 422       | 422         | 422         | 422       | 401     | 403       |
| resend_code               | 403       | 403         | 403         | 403       | 401     | 403       |
| change_email wrong        | 401       | 422         | 422         | 403       | 401     | 403       |
| admin_save_settings       | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_remove_picture      | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_lock_account        | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_unlock_account      | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_sign_out_account    | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_put_in_charge       | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_end_charge          | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_delete_account      | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_approve_post        | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_hide_post           | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_restore_post        | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_invite              | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_revoke_invitation   | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_dismiss_reports     | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_sweep               | 404       | 404         | 404         | 404       | 401     | 403       |
| admin_undo_sweep          | 404       | 404         | 404         | 404       | 401     | 403       |
| report_post waits         | 404       | 404         | 404         | 404       | 401     | 403       |
| report_post missing       | 404       | 404         | 404         | 404       | 401     | 403       |
| report_post adas wrong    | 422       | 422         | 422         | 422       | 401     | 403       |
| undo_email                | 422       | 422         | 422         | 422       | 401     | 403       |
";

/// A passkey of ada, who is the only one with API keys. Nobody can use it.
const PASSKEY: &str = "INSERT INTO passkeys SELECT 'adas', user_id, 'Laptop', hash, '{}', 0, NULL, NULL
    FROM api_keys WHERE id = (SELECT MIN(id) FROM api_keys WHERE user_id IS NOT NULL)";

/// A post of ada that waits for approval.
const WAITING: &str =
    "INSERT INTO drafts (id, owner_id, version, created_at, updated_at, title, content, waits_since)
    SELECT 'waits', id, 1, 1, 1, 'Title', '', 1 FROM users WHERE username = 'ada'";

type Row = (&'static str, BTreeMap<&'static str, &'static str>);

fn rows(table: &'static str) -> Vec<Row> {
    let mut lines = table.lines().filter_map(|line| {
        let line = line.strip_prefix('|')?.strip_suffix('|')?;
        Some(line.split('|').map(str::trim).collect::<Vec<_>>())
    });
    let columns = lines.next().expect("a head");
    let rows = lines.skip(1).map(|row| {
        assert_eq!(row.len(), columns.len(), "{row:?}");
        (row[0], columns[1..].iter().copied().zip(row[1..].iter().copied()).collect())
    });
    rows.collect()
}

/// A site with ada, bob and everything that anybody could come with.
struct World {
    site: Running,
    ada: Credential,
    bob: Credential,
    in_browser: Client,
    /// The id of a key that `revoke_api_key` is about.
    key_of_ada: String,
    /// By column. What a refusal has to say, where that matters.
    columns: BTreeMap<&'static str, Vec<(Credential, Option<&'static str>)>>,
    version: &'static str,
}

impl World {
    async fn new(conflict_detection: ConflictDetection) -> Self {
        let site = Running::start_with(|config| {
            config.conflict_detection = conflict_detection;
            // On PostgreSQL there is none by itself, and so no second factor.
            Running::with_key(config);
        })
        .await;
        let (in_browser, bob_in_browser) = (site.author("ada").await, site.author("bob").await);
        let (ada, bob) = (site.token_of("ada").await, site.token_of("bob").await);
        let (session, bobs_session) =
            (Credential::session(&in_browser), Credential::session(&bob_in_browser));
        let bad = no_good(&site, &in_browser, &session).await;
        let (key, _) = site.api_key_of(&in_browser).await;
        let (_, key_of_ada) = site.api_key_of(&in_browser).await;
        site.tamper(PASSKEY).await;
        // Not noted anew while the test runs.
        site.tamper("UPDATE sessions SET last_seen_at = last_seen_at + 3600000000").await;

        let bearer = Credential::none()
            .with("authorization", &format!("Bearer {}", site.script().tokens("ada").await.access))
            .named("a token with its scheme");
        let elsewhere = |credential: &Credential| {
            let of = credential.clone().with("origin", "https://evil.example");
            of.with("sec-fetch-site", "cross-site").named(&format!("{} from elsewhere", credential.name))
        };
        let cookie = Credential::cookie(&in_browser);
        let unknown = site.browser().with_sid("AAAAAAAAAAAAAAAAAAAAAA");
        let wrong_key = Credential::api_key("byl_wrong");
        let columns = [
            (
                "nobody",
                vec![
                    Credential::none(),
                    Credential::session(&unknown).named("the session of nobody"),
                    basic(),
                ],
            ),
            (
                "ada",
                vec![
                    session.clone(),
                    ada.clone(),
                    bearer,
                    elsewhere(&ada),
                    session.clone().beside(&basic()),
                    ada.clone().beside(&bobs_session).named("her token beside his session"),
                    ada.clone().beside(&elsewhere(&Credential::cookie(&bob_in_browser))),
                    ada.clone().beside(&key).named("a token beside an API key"),
                    ada.clone().beside(&wrong_key).named("a token beside a wrong API key"),
                ],
            ),
            (
                "bob",
                vec![
                    bobs_session,
                    bob.clone(),
                    bob.clone().beside(&session).named("his token beside her session"),
                ],
            ),
            (
                "API key",
                vec![
                    key.clone(),
                    elsewhere(&key),
                    key.clone().beside(&session).named("an API key beside a session"),
                ],
            ),
            (
                "foreign",
                vec![
                    elsewhere(&cookie),
                    cookie.clone().with("origin", "null").named("a cookie and an opaque origin"),
                    cookie.clone().with("sec-fetch-site", "same-site").named("a cookie from a sibling"),
                    cookie.named("a cookie from anywhere"),
                ],
            ),
        ];
        let unsaid = |of: Vec<Credential>| of.into_iter().map(|credential| (credential, None)).collect();
        let mut columns: BTreeMap<_, _> =
            columns.into_iter().map(|(column, of)| (column, unsaid(of))).collect();
        columns.insert("no good", bad);
        let version = if conflict_detection == ConflictDetection::On { ", _version: 1" } else { "" };
        let world = Self { site, ada, bob, in_browser, key_of_ada, columns, version };
        world.set_up().await;
        // The secret of the site is made at the first use.
        world.site.graphql(&world.ada, "{ listPosts { nextToken } }").await;
        world
    }

    /// Leaves exactly the two posts, both new, and the one that waits.
    async fn set_up(&self) {
        let probe = &mut self.site.probe().await;
        for table in ["posts", "deleted_posts", "trashed_posts", "drafts", "revisions", "post_addresses"] {
            probe.execute(&format!("DELETE FROM {table}")).await;
        }
        for (by, id) in [(&self.ada, "adas"), (&self.bob, "bobs")] {
            let made =
                format!(r#"mutation {{ createPost(input: {{ id: "{id}", title: "Title" }}) {{ id }} }}"#);
            let answer = self.site.graphql(by, &made).await.json();
            assert_eq!(answer["data"]["createPost"]["id"], id, "{answer}");
        }
        probe.execute(WAITING).await;
    }

    /// A document for a row of the table.
    fn document(&self, row: &str) -> String {
        let version = self.version;
        let words: Vec<_> = row.split(' ').collect();
        let update = |id: &str, rest: &str| {
            format!(r#"mutation {{ updatePost(input: {{ id: "{id}"{rest}{version} }}) {{ id owner }} }}"#)
        };
        let create = |rest: &str| {
            format!(r#"mutation {{ createPost(input: {{ title: "New"{rest} }}) {{ id owner }} }}"#)
        };
        match words[..] {
            ["__typename"] => "{ __typename }".to_owned(),
            ["me"] => "{ me { username } }".to_owned(),
            ["getPost", id] => format!(r#"{{ getPost(id: "{id}") {{ id owner content }} }}"#),
            ["listPosts"] => "{ listPosts { items { id } nextToken } }".to_owned(),
            ["listPosts", "of", name] => {
                format!(r#"{{ listPosts(filter: {{ owner: {{ eq: "{name}" }} }}) {{ items {{ id }} }} }}"#)
            }
            ["listPosts", "not", "of", name] => format!(
                r#"{{ listPosts(filter: {{ not: {{ owner: {{ eq: "{name}" }} }} }}) {{ items {{ id }} }} }}"#
            ),
            ["syncPosts"] => "{ syncPosts { items { id } } }".to_owned(),
            ["syncPosts", "since", "1970"] => "{ syncPosts(lastSync: 1) { items { id } } }".to_owned(),
            ["syncPosts", "of", name] => {
                format!(r#"{{ syncPosts(filter: {{ owner: {{ eq: "{name}" }} }}) {{ items {{ id }} }} }}"#)
            }
            ["allPosts"] => "{ allPosts { nodes { id } } }".to_owned(),
            ["allPosts", "of", name] => format!(r#"{{ allPosts(owner: "{name}") {{ nodes {{ id }} }} }}"#),
            ["myPosts"] => "{ myPosts { nodes { id } } }".to_owned(),
            ["myPosts", "of", name] => {
                format!(r#"{{ myPosts(filter: {{ owner: {{ eq: "{name}" }} }}) {{ nodes {{ id }} }} }}"#)
            }
            ["createPost"] => create(""),
            ["createPost", "as", "null"] => create(", owner: null"),
            ["createPost", "as", owner] => create(&format!(r#", owner: "{owner}""#)),
            ["createPost", "over", id] => create(&format!(r#", id: "{id}""#)),
            ["updatePost", id] => update(id, r#", title: "New""#),
            ["updatePost", id, "wrong"] => update(id, r#", title: """#),
            ["give", id, "to", "null"] => update(id, ", owner: null"),
            ["give", id, "to", owner] => update(id, &format!(r#", title: "New", owner: "{owner}""#)),
            ["deletePost", id] => {
                format!(r#"mutation {{ deletePost(input: {{ id: "{id}"{version} }}) {{ id owner }} }}"#)
            }
            _ => panic!("{row} means nothing"),
        }
    }

    /// Calls the server function of a row of the table.
    async fn call(&self, by: &Credential, row: &str) -> Answer {
        let words: Vec<_> = row.split(' ').collect();
        let too_long = "x".repeat(Content::MAX_CHARS + 1);
        let (method, fields): (_, &[(&str, &str)]) = match words[..] {
            ["get_post", id] => (Method::GET, &[("id", id)]),
            ["search_posts"] => (Method::GET, &[("q", "title")]),
            ["search_posts", "wrong"] => (Method::GET, &[("q", "")]),
            ["list_posts" | "my_posts" | "my_api_keys" | "my_media"] => (Method::GET, &[]),
            ["my_posts", "wrong"] => (Method::GET, &[("older", "none")]),
            ["create_post"] => (Method::POST, &[("title", "New")]),
            ["create_post", "as", owner] => {
                (Method::POST, &[("title", "New"), ("owner", owner), ("owner_id", owner), ("id", "adas")])
            }
            ["create_post", "wrong"] => (Method::POST, &[("title", "")]),
            ["update_post", id] => (Method::POST, &[("id", id), ("version", "1"), ("title", "New")]),
            ["update_post", id, "wrong"] => (Method::POST, &[("id", id), ("version", "1"), ("title", "")]),
            ["delete_post" | "restore_post" | "publish_post" | "unpublish_post" | "delete_media", id] => {
                (Method::POST, &[("id", id)])
            }
            ["publish_post" | "unpublish_post", id, "wrong"] => (Method::POST, &[("id", id), ("title", " ")]),
            ["save_draft"] => (Method::POST, &[("title", "New")]),
            ["save_draft", "wrong"] => (Method::POST, &[("content", &too_long)]),
            ["save_draft", id] => (Method::POST, &[("id", id), ("title", "New")]),
            ["my_drafts"] => (Method::GET, &[]),
            ["list_revisions", id] => (Method::GET, &[("id", id)]),
            ["restore_revision", id] => (Method::POST, &[("id", id), ("version", "1")]),
            ["delete_post", id, "wrong"] => (Method::POST, &[("id", id), ("idempotency_key", "two words")]),
            ["preview_post"] => (Method::POST, &[("content", "x")]),
            ["preview_post", "wrong"] => (Method::POST, &[("content", &too_long)]),
            ["create_api_key"] => (Method::POST, &[("name", "New"), ("days", "1")]),
            ["create_api_key", "wrong"] => (Method::POST, &[("name", ""), ("days", "0")]),
            ["revoke_api_key"] => (Method::POST, &[("id", &self.key_of_ada)]),
            ["revoke_api_key", "wrong"] => (Method::POST, &[("id", "none")]),
            ["forgot_password"] => (Method::POST, &[("identifier", "ada")]),
            ["reset_password"] => (Method::POST, &[("token", "x"), ("new_password", "x")]),
            ["verify_email" | "undo_email"] => (Method::POST, &[("token", "x")]),
            ["report_post", id] => (Method::POST, &[("id", id), ("reason", "spam")]),
            ["report_post", id, "wrong"] => (Method::POST, &[("id", id), ("reason", "none")]),
            // Nobody here is in charge of the site (`admin.rs`).
            [name] if name.starts_with("admin_") => (
                Method::POST,
                &[
                    ("id", "adas"),
                    ("name", "bob"),
                    ("posts", "delete"),
                    ("reason", "x"),
                    ("days", "1"),
                    ("network", "127.0.0.1"),
                    ("minutes", "60"),
                    ("names[]", "bob"),
                    ("site_name", "Taken"),
                ],
            ),
            ["change_email", "wrong"] => (Method::POST, &[("email", "ada")]),
            ["confirm_identity" | "delete_account"] => (Method::POST, &[("password", "")]),
            ["change_password"] => (Method::POST, &[("current_password", ""), ("new_password", "")]),
            ["save_profile", "wrong"] => (Method::POST, &[("links", "none")]),
            ["end_login"] => (Method::POST, &[("id", "none")]),
            ["my_passkeys"] => (Method::GET, &[]),
            ["turn_on_two_factor" | "log_in_code"] => (Method::POST, &[("code", "123456")]),
            ["set_password"] => (Method::POST, &[("new_password", "another battery staple horse")]),
            ["add_passkey"] => (Method::POST, &[("name", "New"), ("ceremony", "x"), ("credential", "{}")]),
            ["add_passkey", "wrong"] => (Method::POST, &[("name", "")]),
            ["remove_passkey", id] => (Method::POST, &[("id", id)]),
            [
                "set_up_two_factor"
                | "renew_recovery_codes"
                | "turn_off_two_factor"
                | "begin_passkey"
                | "begin_passkey_log_in"
                | "log_in_by_passkey"
                | "begin_passkey_confirmation"
                | "confirm_by_passkey"
                | "drop_password"
                | "resend_code",
            ] => (Method::POST, &[]),
            _ => panic!("{row} means nothing"),
        };
        let arguments = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let path = format!("/api/{}", words[0]);
        let request = if method == Method::GET {
            by.request(&self.site, method, &format!("{path}?{arguments}")).body(Body::empty())
        } else {
            let request = by.request(&self.site, method, &path);
            request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(arguments))
        };
        self.site.exchange(request.expect("a request")).await
    }

    /// What everyone in a column is answered, many of them at once, and that
    /// none of them changed anything.
    async fn visit(&self, column: &str, ask: impl AsyncFn(&Credential) -> Answer) -> Vec<Visit> {
        const AT_ONCE: usize = 16;
        let before = self.site.dump().await;
        let ask = &ask;
        let visits = stream::iter(&self.columns[column]).map(|(credential, says)| async move {
            Visit { by: credential.name.clone(), says: *says, answer: ask(credential).await }
        });
        let visits = visits.buffered(AT_ONCE).collect().await;
        assert_eq!(changes(&before, &self.site.dump().await), "", "{column}");
        visits
    }

    /// What has become of the post that an answer is about, if the cell says
    /// that something has.
    async fn assert_stored(&self, cell: &str, id: &str, before: &str, about: &str) {
        let changes = changes(before, &self.site.dump().await);
        let stored = self.site.stored_post(id).await;
        let stored = stored.as_ref().map(|post| (post.owner.as_str(), post.title.as_str(), post.version));
        let (first, last) = (cell.split(' ').next(), cell.split(' ').next_back().expect("a word"));
        let owner = if id == "adas" { "ada" } else { "bob" };
        let expected = match first {
            Some("made") => {
                ("events +1, post_addresses +1, posts +1, rendered_posts +1", Some((last, "New", 1)))
            }
            Some("changed") => ("events +1, posts -1 +1, revisions +1", Some((owner, "New", 2))),
            Some("given") => {
                ("events +1, post_addresses +1, posts -1 +1, revisions +1", Some((last, "New", 2)))
            }
            Some("drafted") => ("drafts +1", None),
            Some("saved") => ("drafts -1 +1", None),
            Some("discarded") => ("drafts -1, trashed_posts +1", None),
            Some("let") => (
                "drafts -1, events +1, post_addresses +1, posts +1, rendered_posts +1",
                Some(("ada", "Title", 1)),
            ),
            Some("withdrawn") => {
                ("deleted_posts +1, drafts +1, events +1, posts -1, rendered_posts -1, revisions +1", None)
            }
            Some("deleted") => {
                ("deleted_posts +1, events +1, posts -1, rendered_posts -1, trashed_posts +1", None)
            }
            _ => ("", stored),
        };
        assert_eq!((changes.as_str(), stored), expected, "{about}");
    }
}

/// Whether a cell says that something is stored that was not before.
fn changes_something(cell: &str) -> bool {
    let first = cell.split(' ').next().unwrap_or_default();
    [
        "made",
        "changed",
        "given",
        "drafted",
        "saved",
        "discarded",
        "let",
        "withdrawn",
        "deleted",
        "a",
        "revoked",
        "removed",
    ]
    .contains(&first)
}

struct Visit {
    by: String,
    /// What the refusal has to contain, if that matters.
    says: Option<&'static str>,
    answer: Answer,
}

/// What a proxy in front of the site asked for, which is no credential of ours.
fn basic() -> Credential {
    Credential::none().with("authorization", "Basic eA==").named("a proxy's password")
}

/// What holds no longer, or never did. Each is an answer in itself: beside it,
/// nothing else counts.
async fn no_good(
    site: &Running,
    in_browser: &Client,
    session: &Credential,
) -> Vec<(Credential, Option<&'static str>)> {
    const WRONG_KEY: Option<&str> = Some("You are not authorized to make this call.");
    const EXPIRED: Option<&str> = Some("Token has expired.");
    let (expired, expired_id) = site.api_key_of(in_browser).await;
    site.tamper(&format!("UPDATE api_keys SET expires_at = created_at WHERE id = '{expired_id}'")).await;
    let (revoked, revoked_id) = site.api_key_of(in_browser).await;
    in_browser.as_script().submit("/api/revoke_api_key", &[("id", &revoked_id)]).await;
    let ended = site.script().tokens("ada").await;
    let family = [("token", ended.refresh.as_str())];
    assert_eq!(site.script().submit("/api/token/revoke", &family).await.status, 200);

    let mut all = vec![
        (expired.clone().named("an expired API key"), WRONG_KEY),
        (expired.beside(session), WRONG_KEY),
        (revoked.named("a revoked API key"), WRONG_KEY),
        (Credential::api_key("").named("an empty API key"), WRONG_KEY),
        (Credential::api_key("da2-abcdefghijklmnopqrstuvwxyz"), WRONG_KEY),
        (Credential::token(&ended.access).named("a revoked token"), EXPIRED),
        (Credential::token(&ended.access).beside(session), EXPIRED),
        (
            basic().with("authorization", &ended.access).named("a revoked token after a proxy's password"),
            EXPIRED,
        ),
        (basic().with("authorization", &format!("Bearer {}", ended.access)).beside(session), EXPIRED),
        (Credential::token("").beside(session).named("an empty token beside a session"), None),
    ];
    let valid = site.script().tokens("ada").await;
    let tokens = forged(site, &valid.access).await;
    all.extend(
        tokens
            .into_iter()
            .map(|forged| (Credential::token(&forged.token).named(&forged.name), Some(forged.says))),
    );
    all
}

/// What is different between two dumps: `posts -1 +1` where a row is another.
fn changes(before: &str, after: &str) -> String {
    let rows = |dump: &str| {
        let mut table = String::new();
        let mut rows = BTreeSet::new();
        for line in dump.lines() {
            match line.strip_prefix("  ") {
                Some(row) => drop(rows.insert((table.clone(), row.to_owned()))),
                None => line.trim_end_matches(':').clone_into(&mut table),
            }
        }
        rows.retain(|(_, row)| !row.is_empty());
        rows
    };
    let (before, after) = (rows(before), rows(after));
    let mut tables = BTreeMap::<_, (usize, usize)>::new();
    before.difference(&after).for_each(|(table, _)| tables.entry(table).or_default().0 += 1);
    after.difference(&before).for_each(|(table, _)| tables.entry(table).or_default().1 += 1);
    let written = tables.into_iter().map(|(table, (gone, new))| {
        let gone = if gone > 0 { format!(" -{gone}") } else { String::new() };
        let new = if new > 0 { format!(" +{new}") } else { String::new() };
        format!("{table}{gone}{new}")
    });
    written.collect::<Vec<_>>().join(", ")
}

fn ids(posts: &Value) -> String {
    let posts = posts.as_array().expect("posts");
    let mut ids: Vec<_> = posts.iter().map(|post| post["id"].as_str().expect("an id")).collect();
    ids.sort_unstable();
    if ids.is_empty() { "none".to_owned() } else { ids.join(" ") }
}

/// What an answer of the API says, in the words of the table; and the post.
fn seen(row: &str, answer: &Answer) -> (String, String) {
    let field = match row.split(' ').next().expect("a word") {
        "give" => "updatePost",
        field => field,
    };
    if answer.status != 200 {
        return (answer.status.to_string(), String::new());
    }
    let body = answer.json();
    let value = &body["data"][field];
    if let Some(errors) = body["errors"].as_array() {
        assert!(errors.len() == 1 && value.is_null(), "{row}: {body}");
        let object = if field.ends_with('s') || field.starts_with("get") { "Query" } else { "Mutation" };
        let said = match errors[0]["errorType"].as_str() {
            Some("Unauthorized") => {
                let message = format!("Not Authorized to access {field} on type {object}");
                assert_eq!(errors[0]["message"], message);
                "Unauthorized"
            }
            Some("DynamoDB:ConditionalCheckFailedException") => "taken",
            Some("ValidationException") => "invalid",
            _ => panic!("{row}: {body}"),
        };
        return (said.to_owned(), String::new());
    }
    let text = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let said = match row.split(' ').collect::<Vec<_>>()[..] {
        _ if value.is_null() => "null".to_owned(),
        ["__typename"] => value.as_str().expect("a name").to_owned(),
        ["me"] => text("username"),
        ["getPost", _] => text("id"),
        ["listPosts" | "syncPosts", ..] => ids(&value["items"]),
        ["allPosts" | "myPosts", ..] => ids(&value["nodes"]),
        ["createPost", ..] => format!("made by {}", text("owner")),
        ["give", _, "to", owner] if !text("id").starts_with(owner) => format!("given to {}", text("owner")),
        ["updatePost" | "give", ..] => "changed".to_owned(),
        ["deletePost", _] => "deleted".to_owned(),
        _ => panic!("{row} means nothing"),
    };
    (said, text("id"))
}

/// What a server function answers, in the words of the table; and the post.
fn answered(row: &str, answer: &Answer) -> (String, String) {
    if answer.status != 200 {
        return (answer.status.to_string(), String::new());
    }
    let body = answer.json();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let said = match row.split(' ').collect::<Vec<_>>()[..] {
        ["save_draft" | "unpublish_post", "waits"] => "saved".to_owned(),
        ["publish_post", "waits"] => "let out".to_owned(),
        ["delete_post", "waits"] => "discarded".to_owned(),
        ["get_post" | "restore_post" | "publish_post" | "restore_revision", _] => text("id"),
        ["save_draft"] => "drafted".to_owned(),
        ["unpublish_post", _] => "withdrawn".to_owned(),
        ["my_drafts"] => ids(&body),
        ["list_revisions", _] => body[0]["post"].as_str().expect("an id").to_owned(),
        ["list_posts" | "my_posts" | "search_posts"] => ids(&body["posts"]),
        ["create_post", ..] => format!("made by {}", text("owner")),
        ["update_post", _] => "changed".to_owned(),
        ["delete_post", id] => return ("deleted".to_owned(), id.to_owned()),
        ["preview_post"] => {
            assert_eq!(
                body,
                "<p dir=\"auto\">x</p>
"
            );
            "HTML".to_owned()
        }
        ["my_api_keys" | "my_media"] if body == Value::Array(Vec::new()) => "none".to_owned(),
        ["my_api_keys"] => body[0]["name"].as_str().expect("a name").to_owned(),
        ["my_passkeys"] if body["passkeys"] == Value::Array(Vec::new()) => "none".to_owned(),
        ["my_passkeys"] => body["passkeys"][0]["name"].as_str().expect("a name").to_owned(),
        ["set_up_two_factor"] if body["state"] == "pending" => "a secret".to_owned(),
        ["turn_off_two_factor" | "end_login"] | ["remove_passkey", _] if body.is_null() => "null".to_owned(),
        ["create_api_key"] => "a key".to_owned(),
        ["revoke_api_key"] => "revoked".to_owned(),
        _ => panic!("{row} means nothing"),
    };
    (said, text("id"))
}

/// A request that was refused before any field says so as AppSync does.
fn assert_refused(answer: &Answer, says: Option<&str>, about: &str) {
    if answer.status != 401 {
        return;
    }
    assert_eq!(answer.header("x-amzn-errortype"), "UnauthorizedException", "{about}");
    let body = answer.json();
    assert_eq!(body.as_object().map(|body| body.len()), Some(1), "{about}: {body}");
    assert_eq!(body["errors"][0]["errorType"], "UnauthorizedException", "{about}");
    if let Some(says) = says {
        assert_eq!(body["errors"][0]["message"], says, "{about}");
    }
}

async fn run_graphql(conflict_detection: ConflictDetection, rows: Vec<Row>) {
    let world = World::new(conflict_detection).await;
    for (row, cells) in rows {
        let document = world.document(row);
        for (column, cell) in cells {
            if !changes_something(cell) {
                let ask = async |by: &Credential| world.site.graphql(by, &document).await;
                for Visit { by, says, answer } in world.visit(column, ask).await {
                    let about = format!("{row} | {column} ({by})");
                    assert_eq!(seen(row, &answer).0, cell, "{about}: {}", answer.text());
                    assert_refused(&answer, says, &about);
                }
                continue;
            }
            for (credential, _) in &world.columns[column] {
                let about = format!("{row} | {column} ({})", credential.name);
                let before = world.site.dump().await;
                let answer = world.site.graphql(credential, &document).await;
                let (said, id) = seen(row, &answer);
                assert_eq!(said, cell, "{about}: {}", answer.text());
                world.assert_stored(cell, &id, &before, &about).await;
                world.set_up().await;
            }
        }
    }
}

#[tokio::test]
async fn the_table_of_graphql_holds_for_every_credential() {
    let rows = rows(GRAPHQL).into_iter().filter(|(row, _)| !row.starts_with("syncPosts"));
    run_graphql(ConflictDetection::Off, rows.collect()).await;
}

#[tokio::test]
async fn the_table_of_graphql_holds_with_conflict_detection() {
    let versioned = ["syncPosts", "createPost", "updatePost", "give", "deletePost"];
    let rows = rows(GRAPHQL).into_iter();
    let rows = rows.filter(|(row, _)| versioned.iter().any(|field| row.starts_with(field)));
    run_graphql(ConflictDetection::On, rows.collect()).await;
}

/// The document of a row.
fn subscription(row: &str) -> String {
    match row.split(' ').collect::<Vec<_>>()[..] {
        [field] => format!("subscription {{ {field} {{ id }} }}"),
        [field, "of", owner] => format!(r#"subscription {{ {field}(owner: "{owner}") {{ id }} }}"#),
        [field, "only", owner] => {
            format!(r#"subscription {{ {field}(filter: {{ owner: {{ eq: "{owner}" }} }}) {{ id }} }}"#)
        }
        _ => panic!("{row} means nothing"),
    }
}

impl World {
    /// What ada and bob do while somebody listens. The posts at the end are of
    /// no row.
    async fn do_everything(&self, [end_of_ada, end_of_bob]: &[String; 2]) {
        self.set_up().await;
        let end =
            |id: &str| format!(r#"mutation {{ createPost(input: {{ id: "{id}", title: "x" }}) {{ id }} }}"#);
        for (by, document) in [
            (&self.ada, self.document("updatePost adas")),
            (&self.bob, self.document("updatePost bobs")),
            (&self.ada, self.document("deletePost adas")),
            (&self.bob, self.document("deletePost bobs")),
            (&self.ada, end(end_of_ada)),
            (&self.bob, end(end_of_bob)),
        ] {
            let answer = self.site.graphql(by, &document).await.json();
            assert!(answer["errors"].is_null(), "{answer}");
        }
    }

    /// What somebody is told who subscribes to every row at once.
    async fn heard(
        &self,
        protocol: Protocol,
        by: &Credential,
        visit: usize,
        column: &str,
        rows: &[Row],
    ) -> BTreeMap<String, String> {
        let all = |cell: String| rows.iter().map(|(row, _)| ((*row).to_owned(), cell.clone())).collect();
        let mut socket = match protocol.open(&self.site, by).await {
            Ok(socket) => socket,
            Err(refused) => {
                if protocol == Protocol::AppSync {
                    self.assert_no_start_by(by, rows).await;
                }
                return all(refused);
            }
        };
        for (row, _) in rows {
            socket.say(protocol.start(row, by)).await;
        }
        // Each start is answered by AppSync's protocol. By the other, when a
        // ping is, the site has taken in what was said before.
        let mut awaited = match protocol {
            Protocol::AppSync => rows.len(),
            Protocol::TransportWs => {
                socket.say(json!({ "type": "ping" })).await;
                1
            }
        };
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        let mut refused = BTreeMap::new();
        while awaited > 0 {
            let said = socket.said().await;
            match said["type"].as_str() {
                Some("pong" | "start_ack") => awaited -= 1,
                Some("error") => {
                    let (id, kind) = protocol.refusal(&said);
                    refused.insert(id, kind);
                    awaited -= usize::from(protocol == Protocol::AppSync);
                }
                // What the one before did last may be told to this one still.
                Some("next" | "data") => assert!(said.to_string().contains("end-of-"), "{}: {said}", by.name),
                _ => panic!("{}: {said}", by.name),
            }
        }
        let ends = ["ada", "bob"]
            .map(|name| format!("end-of-{name}-{protocol:?}-{}-{visit}", column.replace(' ', "-")));
        self.do_everything(&ends).await;
        let end = if column == "ada" { &ends[0] } else { &ends[1] };
        // Subscriptions of a connection take turns: whoever hears of the end
        // has let the others hear of what was before.
        loop {
            let said = socket.said().await;
            assert!(said["type"] == "next" || said["type"] == "data", "{}: {said}", by.name);
            let row = said["id"].as_str().expect("an id").to_owned();
            let post = said["payload"]["data"].as_object().and_then(|data| data.values().next());
            let post = post.and_then(|post| post["id"].as_str()).unwrap_or_else(|| panic!("{said}"));
            if row == rows[0].0 && post == end.as_str() {
                break;
            }
            if !post.starts_with("end-of") {
                told.entry(row).or_default().push(post.to_owned());
            }
        }
        let mut heard: BTreeMap<String, String> = all("none".to_owned());
        heard.extend(told.into_iter().map(|(row, posts)| (row, posts.join(" "))));
        heard.extend(refused);
        heard
    }

    /// That the connection of somebody who was let in lends nothing to a start
    /// that brings no credential that holds.
    async fn assert_no_start_by(&self, by: &Credential, rows: &[Row]) {
        let lender = Protocol::AppSync.open(&self.site, &self.ada).await;
        let mut socket = lender.unwrap_or_else(|refused| panic!("ada: {refused}"));
        for (row, _) in rows {
            socket.say(Protocol::AppSync.start(row, by)).await;
        }
        for (row, _) in rows {
            let said = socket.said().await;
            assert_eq!(said["type"], "error", "{}: {said}", by.name);
            let refusal = ((*row).to_owned(), "UnauthorizedException".to_owned());
            assert_eq!(Protocol::AppSync.refusal(&said), refusal, "{}", by.name);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    AppSync,
    TransportWs,
}

impl Protocol {
    /// Begins a connection. Where that is refused, the code of the refusal.
    async fn open(self, site: &Running, by: &Credential) -> Result<Socket, String> {
        let client = site.script();
        let opened = match self {
            Self::AppSync => {
                let header = BASE64_URL_SAFE_NO_PAD.encode(by.as_appsync().to_string());
                let protocols = format!("graphql-ws, header-{header}");
                Socket::try_open(&client, "/graphql/realtime", &protocols, &by.added_by_browser()).await
            }
            Self::TransportWs => {
                Socket::try_open(&client, "/graphql", "graphql-transport-ws", &by.headers()).await
            }
        };
        let mut socket = opened.unwrap_or_else(|status| panic!("{}: {status}", by.name));
        socket.say(json!({ "type": "connection_init" })).await;
        match (self, socket.hear().await) {
            (Self::TransportWs, Heard::Closed(code)) => Err(code.expect("a code").to_string()),
            (Self::AppSync, Heard::Said(said)) if said["type"] == "connection_error" => {
                Err(said["payload"]["errors"][0]["errorCode"].to_string())
            }
            (_, Heard::Said(said)) => {
                assert_eq!(said["type"], "connection_ack", "{}", by.name);
                if self == Self::AppSync {
                    assert_eq!(socket.hear_anything().await, Heard::Said(json!({ "type": "ka" })));
                }
                Ok(socket)
            }
            (Self::AppSync, closed @ Heard::Closed(_)) => panic!("{}: {closed:?}", by.name),
        }
    }

    /// The message that subscribes to a row.
    fn start(self, row: &str, by: &Credential) -> Value {
        let query = subscription(row);
        match self {
            Self::AppSync => {
                let data = json!({ "query": query, "variables": {} }).to_string();
                let extensions = json!({ "authorization": by.as_appsync() });
                json!({ "type": "start", "id": row, "payload": { "data": data, "extensions": extensions } })
            }
            Self::TransportWs => json!({ "type": "subscribe", "id": row, "payload": { "query": query } }),
        }
    }

    /// Which start was refused, and the type of the error.
    fn refusal(self, said: &Value) -> (String, String) {
        let kind = match self {
            Self::AppSync => &said["payload"]["errors"][0]["errorType"],
            Self::TransportWs => &said["payload"][0]["extensions"]["errorType"],
        };
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{said}")).to_owned();
        (text(&said["id"]), text(kind))
    }
}

async fn run_subscriptions(protocol: Protocol) {
    let world = World::new(ConflictDetection::Off).await;
    let rows = rows(SUBSCRIPTIONS);
    for (column, credentials) in &world.columns {
        let before = world.site.dump().await;
        for (visit, (credential, _)) in credentials.iter().enumerate() {
            let expected = |cell: &str| match protocol {
                Protocol::AppSync if !credential.is_explicit() || cell == "4403" => "401".to_owned(),
                _ => cell.to_owned(),
            };
            let expected: BTreeMap<_, _> =
                rows.iter().map(|(row, cells)| ((*row).to_owned(), expected(cells[column]))).collect();
            let heard = world.heard(protocol, credential, visit, column, &rows).await;
            assert_eq!(heard, expected, "{column} ({})", credential.name);
        }
        if ["nobody", "no good", "foreign"].contains(column) {
            assert_eq!(changes(&before, &world.site.dump().await), "", "{column}");
        }
    }
}

#[tokio::test]
async fn the_table_of_subscriptions_holds_for_every_credential() {
    run_subscriptions(Protocol::TransportWs).await;
}

#[tokio::test]
async fn the_table_of_subscriptions_holds_by_the_protocol_of_appsync() {
    run_subscriptions(Protocol::AppSync).await;
}

#[tokio::test]
async fn the_table_of_server_functions_holds_for_every_credential() {
    let mut world = World::new(ConflictDetection::Off).await;
    for (row, cells) in rows(SERVER_FUNCTIONS) {
        for (column, cell) in cells {
            if !changes_something(cell) {
                let ask = async |by: &Credential| {
                    let mut answer = world.call(by, row).await;
                    // A crowd may be told to come again, which says nothing of rights.
                    for _ in 0..10 {
                        if answer.status == 503 {
                            answer = world.call(by, row).await;
                        }
                    }
                    answer
                };
                for Visit { by, answer, .. } in world.visit(column, ask).await {
                    let said = answered(row, &answer).0;
                    assert_eq!(said, cell, "{row} | {column} ({by}): {}", answer.text());
                }
                continue;
            }
            for (credential, _) in world.columns[column].clone() {
                let about = format!("{row} | {column} ({})", credential.name);
                let before = world.site.dump().await;
                let answer = world.call(&credential, row).await;
                let (said, id) = answered(row, &answer);
                // The answer is the same for everybody; what was removed is asked below.
                let cell_says = if cell == "removed" { "null" } else { cell };
                assert_eq!(said, cell_says, "{about}: {}", answer.text());
                match cell {
                    "a key" => {
                        let changed = changes(&before, &world.site.dump().await);
                        assert_eq!(changed, "api_keys +1, idempotency_keys +1", "{about}");
                        world.site.tamper("DELETE FROM api_keys WHERE name = 'New'").await;
                    }
                    "a secret" => {
                        let changed = changes(&before, &world.site.dump().await);
                        assert_eq!(changed, "two_factor +1", "{about}");
                        world.site.tamper("DELETE FROM two_factor").await;
                    }
                    "removed" => {
                        let changed = changes(&before, &world.site.dump().await);
                        assert_eq!(changed, "passkeys -1", "{about}");
                        world.site.tamper(PASSKEY).await;
                    }
                    "revoked" => {
                        let changed = changes(&before, &world.site.dump().await);
                        assert_eq!(changed, "api_keys -1", "{about}");
                        world.key_of_ada = world.site.api_key_of(&world.in_browser).await.1;
                    }
                    _ => {
                        world.assert_stored(cell, &id, &before, &about).await;
                        world.set_up().await;
                    }
                }
            }
        }
    }
}
