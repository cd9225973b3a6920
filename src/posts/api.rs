//! The server functions of posts: stable endpoints under `/api/`.
//!
//! Each parses its arguments, calls one use case and returns its result.
//! Arguments are a form (`application/x-www-form-urlencoded`), results are JSON;
//! [`crate::error::AppError`] gives the status. Reads are GET.

#![expect(clippy::too_many_arguments, reason = "the fields of a form are the arguments of its function")]

use leptos::{prelude::*, server_fn::codec::GetUrl};

use super::{DraftPost, Page, Post, PostOrDraft, Revision, found::SearchPage, sent::Sent};
use crate::error::AppError;

/// One page of all posts, of those of `author`, or of those with a `tag`, newest first.
/// `older` or `newer` is a [`Cursor`](super::Cursor) from an earlier page.
///
/// # Errors
///
/// [`AppError::BadRequest`] when the text is no cursor, and for a tag together with an
/// author; [`AppError::NotFound`] where nobody has the name of the author.
#[server(endpoint = "/list_posts", prefix = "/api", input = GetUrl)]
pub async fn list_posts(
    older: Option<String>,
    newer: Option<String>,
    #[server(default)] author: Option<String>,
    #[server(default)] tag: Option<String>,
) -> Result<Page, AppError> {
    server::list(older, newer, author, tag).await
}

/// One page of the signed-in author's own posts, newest first: those with the `status`
/// `published`, which is usual, or `draft`, of which there is one page.
///
/// # Errors
///
/// [`AppError::NotSignedIn`]; [`AppError::BadRequest`] when the text is no
/// cursor, and for another status.
#[server(endpoint = "/my_posts", prefix = "/api", input = GetUrl)]
pub async fn my_posts(
    older: Option<String>,
    newer: Option<String>,
    #[server(default)] status: Option<String>,
) -> Result<Page, AppError> {
    server::mine(older, newer, status).await
}

/// One page of the posts that have all words of `q` in title or text, whoever wrote them.
/// Posts with all words in the title come first, and then all others; both newest first.
/// `after` is `more` of an earlier page.
///
/// # Errors
/// [`AppError::Invalid`] without a word, or with more than 100 characters;
/// [`AppError::BadRequest`] when `after` is no place; [`AppError::Busy`].
#[server(endpoint = "/search_posts", prefix = "/api", input = GetUrl)]
pub async fn search_posts(
    #[server(default)] q: String,
    #[server(default)] after: Option<String>,
) -> Result<SearchPage, AppError> {
    server::search(q, after).await
}

/// One post.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/get_post", prefix = "/api", input = GetUrl)]
pub async fn get_post(id: String) -> Result<Post, AppError> {
    server::get(id).await
}

/// Publishes a post of the person who is signed in, at once, or at `publish_at` (see
/// [`publish_post`]) as a draft until then. Where the first posts of new authors wait for
/// approval, the answer is a draft with `waits_since`. `tags` are separated by commas;
/// `address` is the last part of its address, which is made from the title otherwise;
/// `language` is a tag of BCP 47, or empty to find it from the text. The same `idempotency_key`
/// (any text up to 64 characters) from the same author makes one post, however
/// often it is sent.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] with every broken rule;
/// [`AppError::KeyReused`] when the key came before with another text.
#[server(endpoint = "/create_post", prefix = "/api")]
pub async fn create_post(
    title: String,
    #[server(default)] content: String,
    #[server(default)] tags: Sent,
    #[server(default)] address: Option<String>,
    #[server(default)] language: Sent,
    #[server(default)] publish_at: Sent,
    #[server(default)] utc_offset: Option<String>,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<PostOrDraft, AppError> {
    let new = server::New { title, content, tags, address, language, publish_at, utc_offset };
    server::create(new, idempotency_key).await
}

/// Changes a post of one's own. `version` is the version that the edit is based
/// on. Without `tags`, `address` or `language`, these stay; an earlier address leads to the new one.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`],
/// [`AppError::Invalid`]; [`AppError::Conflict`] with the post as it stands if
/// it was saved in between.
#[server(endpoint = "/update_post", prefix = "/api")]
pub async fn update_post(
    id: String,
    version: i64,
    title: String,
    #[server(default)] content: String,
    #[server(default)] tags: Sent,
    #[server(default)] address: Option<String>,
    #[server(default)] language: Sent,
) -> Result<Post, AppError> {
    let new = server::New::unscheduled(title, content, tags, address, language);
    server::update(id, version, new).await
}

/// Deletes a post that is one's own. Sent again with the same
/// `idempotency_key`, it says yes again.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`].
#[server(endpoint = "/delete_post", prefix = "/api")]
pub async fn delete_post(
    id: String,
    #[server(default)] idempotency_key: Option<String>,
) -> Result<(), AppError> {
    server::delete(id, idempotency_key).await
}

/// Saves a text that nobody but its author sees: without `id` as a new draft, once per
/// `idempotency_key`. `version` is the version that the save is based on; without it, it
/// replaces any. With `author`, only while that person is signed in: somebody else may have
/// logged in beside an editor that is open. Absent `tags`, `address`, `language` and `publish_at` stay as they are; the time alone
/// publishes nothing ([`publish_post`]).
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's;
/// [`AppError::Invalid`]; [`AppError::Conflict`] with the draft, or with the post if it is
/// published by now; [`AppError::KeyReused`], also when the key has published a post.
#[server(endpoint = "/save_draft", prefix = "/api")]
pub async fn save_draft(
    #[server(default)] id: Option<String>,
    #[server(default)] version: Option<i64>,
    #[server(default)] title: String,
    #[server(default)] content: String,
    #[server(default)] tags: Sent,
    #[server(default)] address: Option<String>,
    #[server(default)] language: Sent,
    #[server(default)] publish_at: Sent,
    #[server(default)] utc_offset: Option<String>,
    #[server(default)] idempotency_key: Option<String>,
    #[server(default)] author: Option<String>,
) -> Result<DraftPost, AppError> {
    server::is_still(author.as_deref())?;
    let new = server::New { title, content, tags, address, language, publish_at, utc_offset };
    server::save_draft(id, version, new, idempotency_key).await
}

/// Publishes a draft: with the text that is sent, or as it is. `publish_at` is a time to
/// come, in RFC 3339, or a local date and time with `utc_offset` such as `+01:00`; until
/// then it stays a draft, as does a post that waits for approval. Sent twice, it is done once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::NotFound`], also
/// for another's; [`AppError::Invalid`]; [`AppError::Conflict`]; [`AppError::Busy`].
#[server(endpoint = "/publish_post", prefix = "/api")]
pub async fn publish_post(
    id: String,
    #[server(default)] version: Option<i64>,
    #[server(default)] title: Sent,
    #[server(default)] content: String,
    #[server(default)] tags: Sent,
    #[server(default)] address: Option<String>,
    #[server(default)] language: Sent,
    #[server(default)] publish_at: Sent,
    #[server(default)] utc_offset: Option<String>,
) -> Result<PostOrDraft, AppError> {
    let is_sent = title.as_deref().is_some();
    let new = server::New {
        title: title.0.unwrap_or_default(),
        content,
        tags,
        address,
        language,
        publish_at,
        utc_offset,
    };
    server::publish(id, version, is_sent, new).await
}

/// Takes a post of one's own back: it is a draft from then on, with the text that is sent,
/// or as it is. Sent twice, it is done once.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`],
/// [`AppError::Invalid`]; [`AppError::Conflict`] with the post as it stands.
#[server(endpoint = "/unpublish_post", prefix = "/api")]
pub async fn unpublish_post(
    id: String,
    #[server(default)] version: Option<i64>,
    #[server(default)] title: Sent,
    #[server(default)] content: String,
    #[server(default)] tags: Sent,
    #[server(default)] address: Option<String>,
    #[server(default)] language: Sent,
) -> Result<DraftPost, AppError> {
    let written = title.0.map(|title| server::New::unscheduled(title, content, tags, address, language));
    server::unpublish(id, version, written).await
}

/// The drafts of the signed-in author, the last saved first, 200 at most.
///
/// # Errors
/// [`AppError::NotSignedIn`].
#[server(endpoint = "/my_drafts", prefix = "/api", input = GetUrl)]
pub async fn my_drafts() -> Result<Vec<DraftPost>, AppError> {
    server::drafts().await
}

/// The versions of a post or draft of one's own, the newest first.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`].
#[server(endpoint = "/list_revisions", prefix = "/api", input = GetUrl)]
pub async fn list_revisions(id: String) -> Result<Vec<Revision>, AppError> {
    server::revisions(id).await
}

/// Makes an earlier version of a post or draft the present one, as a new version.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::EmailNotConfirmed`], [`AppError::Forbidden`],
/// [`AppError::NotFound`], [`AppError::Busy`].
#[server(endpoint = "/restore_revision", prefix = "/api")]
pub async fn restore_revision(id: String, version: i64) -> Result<PostOrDraft, AppError> {
    server::restore_revision(id, version).await
}

/// Publishes a post again that its author has deleted in the last 30 days. Under its
/// address, unless that has been taken since. A draft is a draft again. Sent twice, it is
/// done once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::NotFound`],
/// also for another's; [`AppError::Busy`].
#[server(endpoint = "/restore_post", prefix = "/api")]
pub async fn restore_post(id: String) -> Result<PostOrDraft, AppError> {
    server::restore(id).await
}

/// The HTML that a Markdown text becomes when it is published, with a word on
/// what is not shown; what the editor's preview shows. For signed-in people,
/// since it costs computing, and eight texts of one person at once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] for a text over the limit;
/// [`AppError::Busy`].
#[server(endpoint = "/preview_post", prefix = "/api")]
pub async fn preview_post(#[server(default)] content: String) -> Result<String, AppError> {
    server::preview(content).await
}

/// Reports a published post to whoever runs the site; `reason` is `spam`, `abuse`, `unlawful`
/// or `other`, `detail` at most 1,000 characters. Everyone may. Sent twice, it says yes again.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`]; [`AppError::TooMany`] after ten in an hour
/// from one network.
#[server(endpoint = "/report_post", prefix = "/api")]
pub async fn report_post(
    id: String,
    #[server(default)] reason: String,
    #[server(default)] detail: String,
) -> Result<(), AppError> {
    server::report(id, reason, detail).await
}

#[cfg(feature = "ssr")]
mod server {
    use super::{AppError, DraftPost, Page, Post, PostOrDraft, Revision, SearchPage, Sent};
    use crate::{
        database::idempotency::IdempotencyKey,
        error::{Field, FieldErrors},
        http::context::{actor, client, site, source},
        posts::{
            PageRequest, PostId,
            domain::{
                Change, DraftText, FilingChange, Guard, NewPost, Written, draft_lists,
                draft_posts::{self, DraftSave, Publication},
                parse_tags, preview,
                reports::{self, ReportDetail, ReportReason},
                restoring, revisions,
                schedule::PublishTime,
                search, service, trash,
            },
            found::SearchPlace,
        },
        username::Username,
    };

    fn page_request(older: Option<String>, newer: Option<String>) -> Result<PageRequest, AppError> {
        Ok(PageRequest::parse(older.as_deref(), newer.as_deref())?)
    }

    pub(super) async fn list(
        older: Option<String>,
        newer: Option<String>,
        author: Option<String>,
        tag: Option<String>,
    ) -> Result<Page, AppError> {
        let (site, actor, request) = (site(), actor(), page_request(older, newer)?);
        match (author, tag) {
            (None, None) => service::list(&site, &actor, request).await,
            (Some(author), None) => {
                let author = Username::try_from(author).map_err(|_| AppError::NotFound)?;
                Ok(service::list_of_author(&site, &actor, author, request).await?.1)
            }
            (None, Some(tag)) => {
                let tags =
                    parse_tags(&tag).map_err(|error| AppError::BadRequest { reason: error.to_string() })?;
                let tag = tags.iter().next().ok_or(AppError::NotFound)?;
                service::list_of_tag(&site, &actor, tag, request).await
            }
            (Some(_), Some(_)) => {
                Err(AppError::BadRequest { reason: "send author or tag, not both".to_owned() })
            }
        }
    }

    pub(super) async fn mine(
        older: Option<String>,
        newer: Option<String>,
        status: Option<String>,
    ) -> Result<Page, AppError> {
        let (site, actor, request) = (site(), actor(), page_request(older, newer));
        match status.as_deref() {
            None | Some("published") => service::list_own(&site, &actor, request).await,
            Some("draft") => draft_lists::page(&site, &actor).await,
            Some(_) => {
                actor.user()?;
                Err(AppError::BadRequest { reason: "status is published or draft".to_owned() })
            }
        }
    }

    pub(super) async fn search(q: String, after: Option<String>) -> Result<SearchPage, AppError> {
        let after = after.as_deref().map(str::parse::<SearchPlace>).transpose();
        let words = search::SearchWords::parse(&q).map_err(AppError::from);
        search::search(&site(), &actor(), &client(), words, after.map_err(AppError::from)).await
    }

    pub(super) async fn get(id: String) -> Result<Post, AppError> {
        // An id that cannot be one is the id of no post.
        service::get(&site(), &actor(), &PostId::parse(&id).ok_or(AppError::NotFound)?).await
    }

    pub(super) async fn report(id: String, reason: String, detail: String) -> Result<(), AppError> {
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        let mut errors = FieldErrors::default();
        let reason = errors.take(Field::Reason, ReportReason::parse(&reason));
        let detail = errors.take(Field::Detail, ReportDetail::parse(&detail));
        let (Some(reason), Some(detail)) = (reason, detail) else { return Err(errors.into_error()) };
        reports::report(&site(), &id, reason, detail, &source()).await
    }

    /// Refuses a save of an editor whose author is not the one who is signed in now.
    pub(super) fn is_still(author: Option<&str>) -> Result<(), AppError> {
        let user = actor();
        let user = user.user()?;
        if author.is_none_or(|author| author == user.username.as_str()) {
            Ok(())
        } else {
            Err(AppError::NotSignedIn)
        }
    }

    /// The fields of a text that is published or saved.
    pub(super) struct New {
        pub(super) title: String,
        pub(super) content: String,
        pub(super) tags: Sent,
        pub(super) address: Option<String>,
        pub(super) language: Sent,
        pub(super) publish_at: Sent,
        pub(super) utc_offset: Option<String>,
    }

    impl New {
        /// Of a form that has no time.
        pub(super) fn unscheduled(
            title: String,
            content: String,
            tags: Sent,
            address: Option<String>,
            language: Sent,
        ) -> Self {
            Self { title, content, tags, address, language, publish_at: Sent::default(), utc_offset: None }
        }

        fn written(&self) -> Result<Written, FieldErrors> {
            Written::parse(
                &self.title,
                &self.content,
                self.tags.as_deref(),
                self.address.as_deref(),
                self.language.as_deref(),
            )
        }

        fn time(&self) -> Result<Option<PublishTime>, FieldErrors> {
            let raw = self.publish_at.as_deref().unwrap_or_default();
            let mut errors = FieldErrors::default();
            errors.take(Field::PublishAt, PublishTime::parse(raw, self.utc_offset.as_deref())).ok_or(errors)
        }

        /// Both, or every broken rule.
        fn timed(&self) -> Result<(Written, Option<PublishTime>), AppError> {
            let mut errors = FieldErrors::default();
            let (written, time) = (errors.take_all(self.written()), errors.take_all(self.time()));
            Ok(written.zip(time).ok_or(errors)?)
        }
    }

    pub(super) async fn create(new: New, key: Option<String>) -> Result<PostOrDraft, AppError> {
        let (site, actor, key) = (site(), actor(), IdempotencyKey::optional(key));
        match new.timed() {
            Ok((written, Some(time))) => {
                let draft = draft_posts::begin_scheduled(&site, &actor, written, time, key).await?;
                Ok(PostOrDraft::Draft(draft))
            }
            timed => {
                let new = timed.map(|(written, _)| NewPost::from(written));
                service::create(&site, &actor, new, key).await
            }
        }
    }

    pub(super) async fn save_draft(
        id: Option<String>,
        version: Option<i64>,
        new: New,
        key: Option<String>,
    ) -> Result<DraftPost, AppError> {
        let parse = || {
            let mut errors = FieldErrors::default();
            let text = errors.take_all(DraftText::parse(&new.title, &new.content));
            let filing =
                FilingChange::parse(new.address.as_deref(), new.tags.as_deref(), new.language.as_deref());
            let filing = errors.take_all(filing);
            let time = errors.take_all(new.publish_at.as_deref().map(|_| new.time()).transpose());
            match (text, filing, time) {
                (Some(text), Some(filing), Some(time)) => Ok(DraftSave { version, text, filing, time }),
                _ => Err(errors.into()),
            }
        };
        let id = id.filter(|id| !id.is_empty());
        let id = id.map(|id| PostId::parse(&id).ok_or(AppError::NotFound)).transpose()?;
        draft_posts::save(&site(), &actor(), id, parse(), IdempotencyKey::optional(key)).await
    }

    pub(super) async fn publish(
        id: String,
        version: Option<i64>,
        is_sent: bool,
        new: New,
    ) -> Result<PostOrDraft, AppError> {
        let publication = match is_sent {
            true => new.timed().map(|(written, time)| (Some(written), time)),
            false => new.time().map(|time| (None, time)).map_err(AppError::from),
        };
        let publication = publication.map(|(written, time)| Publication { version, written, time });
        let id = PostId::parse(&id).ok_or(AppError::NotFound);
        let (site, actor) = (site(), actor());
        actor.user()?;
        draft_posts::publish(&site, &actor, &id?, publication).await
    }

    pub(super) async fn unpublish(
        id: String,
        version: Option<i64>,
        written: Option<New>,
    ) -> Result<DraftPost, AppError> {
        let written = written.map(|new| new.written());
        let input = written.transpose().map(|written| (version, written)).map_err(AppError::from);
        draft_posts::unpublish(&site(), &actor(), PostId::parse(&id), input).await
    }

    pub(super) async fn drafts() -> Result<Vec<DraftPost>, AppError> {
        draft_lists::list(&site(), &actor(), draft_lists::LISTED).await
    }

    pub(super) async fn revisions(id: String) -> Result<Vec<Revision>, AppError> {
        let (site, actor) = (site(), actor());
        actor.user()?;
        revisions::list(&site, &actor, &PostId::parse(&id).ok_or(AppError::NotFound)?).await
    }

    pub(super) async fn restore_revision(id: String, version: i64) -> Result<PostOrDraft, AppError> {
        let (site, actor) = (site(), actor());
        actor.user()?;
        let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
        restoring::restore(&site, &actor, &id, version).await
    }

    pub(super) async fn update(id: String, version: i64, new: New) -> Result<Post, AppError> {
        let change = new.written().map(Change::from).map_err(AppError::from);
        let edit = change.map(|change| (Guard::version(version), change));
        service::update(&site(), &actor(), PostId::parse(&id), edit).await
    }

    pub(super) async fn delete(id: String, key: Option<String>) -> Result<(), AppError> {
        let input = IdempotencyKey::optional(key).map(|key| (Guard::NONE, key));
        service::delete(&site(), &actor(), PostId::parse(&id), input).await.map(drop)
    }

    pub(super) async fn restore(id: String) -> Result<PostOrDraft, AppError> {
        let (site, actor) = (site(), actor());
        actor.user()?;
        trash::restore(&site, &actor, &PostId::parse(&id).ok_or(AppError::NotFound)?).await
    }

    pub(super) async fn preview(content: String) -> Result<String, AppError> {
        preview::preview(&site(), &actor(), &content).await
    }
}
