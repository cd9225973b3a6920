//! `/account/export`: everything that is a person's own, as a zip file: posts as
//! Markdown with front matter, the rest as JSON.
//!
//! The file is made while it is sent, one post at a time, so its length costs no
//! memory, and a client that stops reading stops the work.
//!
//! `byline export` writes the same files into a folder, for every author ([`folder`]), or
//! the pages of the site ([`static_site`]).

pub mod folder;
pub mod static_site;

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, StatusCode, header::CONTENT_DISPOSITION},
    response::Response,
};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::{
    accounts::domain::{
        account::{self, AccountFacts},
        api_keys,
        audit::{self, AuditEvent, AuditKind},
        logins::{self, LoginKind},
    },
    credentials::{Caller, User},
    database::internal,
    error::AppError,
    http::{
        calls::see_other,
        headers::{refusal, uncached},
        source::source,
    },
    media::{
        address::FOLDER,
        domain::{served, service as media},
    },
    posts::{
        DraftPost, Language, PageRequest, Post, PostId, Revision, address,
        domain::{
            DraftText, draft_lists,
            revisions::{self, RevisionText},
            service,
            trash::{self, TrashedPost},
        },
    },
    site::Site,
    timestamp::Timestamp,
    ui::{confirm_first, log_in_first},
};

/// Where the page and its form are.
pub const PATH: &str = "/account/export";

/// Pieces that wait until the client reads them.
const AHEAD: usize = 4;

/// `POST /account/export`: the file, for a person who has just shown that it is them.
pub async fn download(State(site): State<Site>, request: Request) -> Response {
    let (mut head, _) = request.into_parts();
    let caller = match Caller::from_request_parts(&mut head, &site).await {
        Ok(caller) => caller,
        Err(refused) => return refused,
    };
    let user = match caller.confirmed_user() {
        Ok(user) => user.clone(),
        Err(AppError::NotSignedIn) => return see_other(&log_in_first(PATH)),
        Err(AppError::ConfirmIdentity) => return see_other(&confirm_first(PATH)),
        Err(error) => return refusal(&error, true),
    };
    let credential = caller.credential_kind();
    let noted = site
        .database
        .write((user.clone(), source(&head)), move |db, (user, source)| {
            Box::pin(async move {
                audit::record(db, AuditEvent::of(AuditKind::Exported, &user, credential), &source).await
            })
        })
        .await;
    if let Err(error) = noted {
        return refusal(&error, true);
    }
    let name = format!("attachment; filename=\"byline-{}.zip\"", user.username);
    let (pieces, sent) = mpsc::channel::<Result<Bytes, AppError>>(AHEAD);
    tokio::spawn(async move {
        if let Err(error) = write_all(&site, &caller, &user, &pieces).await {
            // The connection breaks off, so nobody takes half a file for a whole one.
            let _ = pieces.send(Err(error)).await;
        }
    });
    let stream = futures::stream::unfold(sent, |mut sent| async { Some((sent.recv().await?, sent)) });
    let mut response = uncached(StatusCode::OK, "application/zip", Body::from_stream(stream));
    if let Ok(name) = HeaderValue::try_from(name) {
        response.headers_mut().insert(CONTENT_DISPOSITION, name);
    }
    response
}

type Pieces = mpsc::Sender<Result<Bytes, AppError>>;

async fn write_all(site: &Site, caller: &Caller, user: &User, pieces: &Pieces) -> Result<(), AppError> {
    let mut file = File::new(pieces);
    write_profile(site, caller, user, &mut file).await?;
    let logins: Vec<Value> = logins::list(site, caller)
        .await?
        .into_iter()
        .map(|login| {
            json!({
                "kind": match login.kind { LoginKind::Browser => "browser", LoginKind::Program => "program" },
                "device": login.device,
                "address": login.address,
                "since": login.began_at.rfc3339(),
                "lastUsed": login.last_used_at.rfc3339(),
            })
        })
        .collect();
    file.add_json("sessions.json", &json!(logins))?;
    file.add_json("api-keys.json", &json!(api_keys::list(site, &caller.actor).await?))?;
    let activity: Vec<Value> = account::activity(site, caller)
        .await?
        .iter()
        .map(|row| {
            json!({
                "at": row.at().rfc3339(), "what": row.kind, "credential": row.credential,
                "address": row.address, "userAgent": row.user_agent, "detail": row.detail,
            })
        })
        .collect();
    file.add_json("activity.json", &json!(activity))?;

    write_texts(site, caller, &mut file).await?;
    write_pictures(site, caller, &mut file).await?;
    file.finish().await
}

/// Where an export is written.
trait Target {
    /// A file with that name. What is packed already is not packed again.
    fn add(&mut self, name: &str, bytes: &[u8], packed: Packed) -> Result<(), AppError>;

    /// After each file: hands on what was written.
    fn hand_on(&mut self) -> impl Future<Output = Result<(), AppError>> + Send;

    fn add_text(&mut self, name: &str, text: &str) -> Result<(), AppError> {
        self.add(name, text.as_bytes(), Packed::No)
    }

    fn add_json(&mut self, name: &str, value: &Value) -> Result<(), AppError> {
        self.add_text(name, &format!("{value:#}\n"))
    }
}

/// Whether a file is as small as it can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packed {
    Yes,
    No,
}

/// What a person tells about themselves.
async fn write_profile<T: Target + Send>(
    site: &Site,
    caller: &Caller,
    user: &User,
    target: &mut T,
) -> Result<(), AppError> {
    let AccountFacts { email, profile, punctuation } = account::facts(site, caller).await?;
    let profile = json!({
        "username": user.username.as_str(),
        "email": email,
        "displayName": profile.display_name.as_str(),
        "about": profile.about.as_str(),
        "links": profile.links.iter().collect::<Vec<_>>(),
        "punctuation": punctuation.name(),
    });
    target.add_json("profile.json", &profile)
}

/// Posts, drafts, what lies in the trash, and earlier versions.
async fn write_texts<T: Target + Send>(site: &Site, caller: &Caller, target: &mut T) -> Result<(), AppError> {
    let mut next = Some(PageRequest::First);
    while let Some(request) = next {
        let page = service::list_own(site, &caller.actor, Ok(request)).await?;
        for summary in &page.posts {
            // Deleted since the list was read.
            let post = match service::get(site, &caller.actor, &summary.id).await {
                Err(AppError::NotFound) => continue,
                post => post?,
            };
            target.add_text(&format!("posts/{}.md", post.id), &markdown(&post))?;
            target.hand_on().await?;
            add_revisions(site, caller, &summary.id, target).await?;
        }
        next = page.older.map(PageRequest::OlderThan);
    }
    let owner = caller.actor.user()?;
    for draft in draft_lists::list(site, &caller.actor, i64::MAX).await? {
        target.add_text(&format!("drafts/{}.md", draft.id), &draft_markdown(&draft, owner))?;
        target.hand_on().await?;
        add_revisions(site, caller, &draft.id, target).await?;
    }
    for post in trash::list(site, &caller.actor, i64::MAX).await? {
        if let Some(text) = trash::text(site, &caller.actor, &post).await? {
            let TrashedPost { id, trashed_at, .. } = post;
            target.add_text(
                &format!("trash/{id}-{}.md", trashed_at.micros()),
                &deleted_markdown(&text, trashed_at),
            )?;
            target.hand_on().await?;
        }
    }
    Ok(())
}

/// Each picture as it is shown, and a list of them.
async fn write_pictures<T: Target + Send>(
    site: &Site,
    caller: &Caller,
    target: &mut T,
) -> Result<(), AppError> {
    let mut listed = Vec::new();
    let mut before: Option<String> = None;
    loop {
        let pictures = media::list(site, &caller.actor, before.as_deref()).await?;
        let Some(last) = pictures.last() else { break };
        before = Some(last.id.clone());
        for picture in pictures {
            let name = picture.url.trim_start_matches(FOLDER);
            // Deleted since the list was read.
            let body = match served::file(site, name).await {
                Err(AppError::NotFound) => continue,
                body => body?,
            };
            target.add(&format!("pictures/{name}"), &body, Packed::Yes)?;
            target.hand_on().await?;
            listed.push(json!({
                "file": format!("pictures/{name}"), "url": picture.url, "alt": picture.alt.as_str(),
                "uploaded": picture.created_at.rfc3339(),
            }));
        }
    }
    target.add_json("pictures.json", &json!(listed))
}

/// The earlier versions of a post or a draft.
async fn add_revisions<T: Target + Send>(
    site: &Site,
    caller: &Caller,
    id: &PostId,
    target: &mut T,
) -> Result<(), AppError> {
    let revisions = match revisions::list(site, &caller.actor, id).await {
        // Deleted meanwhile.
        Err(AppError::NotFound) => return Ok(()),
        revisions => revisions?,
    };
    for Revision { version, is_current, .. } in revisions {
        if !is_current && let Some(text) = revisions::text(site, &caller.actor, id, version).await? {
            target.add_text(&format!("versions/{id}-{version}.md"), &revision_markdown(&text))?;
            target.hand_on().await?;
        }
    }
    Ok(())
}

/// Front matter in YAML, of which JSON texts are a part, and the text as it was typed.
fn markdown(post: &Post) -> String {
    let title = Value::from(post.title.as_str());
    let (address, tags) = (Value::from(post.address()), json!(post.tags));
    format!(
        "---\ntitle: {title}\naddress: {address}\ntags: {tags}\n{}id: {}\nversion: {}\ncreated: {}\nupdated: {}\n---\n\n{}\n",
        language_line(post.language),
        Value::from(post.id.as_str()),
        post.version,
        post.created_at.rfc3339(),
        post.updated_at.rfc3339(),
        post.text().as_str(),
    )
}

/// A line of front matter; none where no language was chosen.
fn language_line(language: Option<Language>) -> String {
    language.map(|language| format!("language: {}\n", language.tag())).unwrap_or_default()
}

fn deleted_markdown(text: &DraftText, deleted_at: Timestamp) -> String {
    let title = Value::from(text.title.as_str());
    format!("---\ntitle: {title}\ndeleted: {}\n---\n\n{}\n", deleted_at.rfc3339(), text.content.as_str())
}

fn draft_markdown(draft: &DraftPost, owner: &User) -> String {
    let (title, tags) = (Value::from(draft.title.as_str()), json!(draft.tags));
    // Where it will be read, if its author has chosen that.
    let address = draft.slug.as_ref().map(|slug| {
        let address = address::of_post(owner.username.as_str(), Some(slug), &draft.id);
        format!("address: {}\n", Value::from(address))
    });
    let address = address.unwrap_or_default();
    let publish_at = draft.publish_at.filter(|_| draft.is_scheduled);
    let publish_at = publish_at.map(|at| format!("publish: {}\n", at.rfc3339())).unwrap_or_default();
    format!(
        "---\ntitle: {title}\n{address}tags: {tags}\n{}id: {}\nversion: {}\nupdated: {}\n{publish_at}---\n\n{}\n",
        language_line(draft.language),
        Value::from(draft.id.as_str()),
        draft.version,
        draft.updated_at.rfc3339(),
        draft.content.as_str(),
    )
}

fn revision_markdown(text: &RevisionText) -> String {
    let (title, tags) = (Value::from(text.title.as_str()), json!(text.tags));
    format!(
        "---\ntitle: {title}\ntags: {tags}\nversion: {}\nsaved: {}\n---\n\n{}\n",
        text.version,
        text.saved_at.rfc3339(),
        text.content,
    )
}

/// A zip file that is sent in pieces while it is written.
struct File<'a> {
    zip: ZipWriter<zip::write::StreamWriter<Written>>,
    written: Written,
    pieces: &'a Pieces,
}

/// What was written and not taken yet.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Bytes {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner)).into()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client that has gone ends the work.
async fn send(pieces: &Pieces, piece: Bytes) -> Result<(), AppError> {
    pieces.send(Ok(piece)).await.map_err(|_| AppError::Timeout)
}

impl<'a> File<'a> {
    fn new(pieces: &'a Pieces) -> Self {
        let written = Written::default();
        Self { zip: ZipWriter::new_stream(written.clone()), written, pieces }
    }

    async fn finish(self) -> Result<(), AppError> {
        let Self { zip, written, pieces } = self;
        zip.finish().map_err(internal)?;
        send(pieces, written.take()).await
    }
}

impl Target for File<'_> {
    fn add(&mut self, name: &str, bytes: &[u8], packed: Packed) -> Result<(), AppError> {
        let method = match packed {
            Packed::Yes => CompressionMethod::Stored,
            Packed::No => CompressionMethod::Deflated,
        };
        let options = SimpleFileOptions::default().compression_method(method);
        self.zip.start_file(name, options).map_err(internal)?;
        self.zip.write_all(bytes).map_err(internal)
    }

    fn hand_on(&mut self) -> impl Future<Output = Result<(), AppError>> + Send {
        send(self.pieces, self.written.take())
    }
}
