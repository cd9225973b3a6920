//! Posts that are not published. Nobody but their author knows of them: whoever else asks
//! gets the answer for what does not exist (security row A2).

use super::{
    DraftText, FilingChange, PostText, Written, approval, conflict, draft_store, fold,
    folded::Folded,
    limits, policy,
    rendering::Renderer,
    revisions,
    rows::broken,
    schedule::PublishTime,
    service::{self, change},
    slugs,
    store::{self, Insertion},
};
use crate::{
    accounts::domain::{contact::may_write, running::InCharge},
    clock,
    config::AuthorLimits,
    credentials::{Actor, User},
    database::{
        Db, execute,
        idempotency::{self, IdempotencyKey, IdempotentOperation},
        internal,
    },
    error::{AppError, Field, Parsed},
    posts::{
        DraftPost, Language, PostId, PostOrDraft, Slug, Tags,
        events::{EventKind, store as events},
    },
    site::Site,
    timestamp::Timestamp,
};

/// A save of a draft.
#[derive(Clone, Debug)]
pub struct DraftSave {
    /// The version that the save started from; without one it replaces any.
    pub version: Option<i64>,
    pub text: DraftText,
    pub filing: FilingChange,
    /// The time that its author typed: absent if it is unchanged, `Some(None)` if there is
    /// none any more.
    pub time: Option<Option<PublishTime>>,
}

/// One of the actor's own drafts.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's.
pub async fn own(site: &Site, actor: &Actor, id: &PostId) -> Result<DraftPost, AppError> {
    let owner = &actor.user()?.id;
    draft_store::find(&mut site.reader_for(actor).await?, owner, id).await?.ok_or(AppError::NotFound)
}

/// What is the actor's own under that id: a post, or else a draft.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Forbidden`] for another's post;
/// [`AppError::NotFound`], also for another's draft.
pub async fn own_post_or_draft(site: &Site, actor: &Actor, id: &PostId) -> Result<PostOrDraft, AppError> {
    match service::own(site, actor, id).await {
        Err(AppError::NotFound) => own(site, actor, id).await.map(PostOrDraft::Draft),
        post => post.map(PostOrDraft::Published),
    }
}

/// The draft was saved by somebody else first; it is as `current` now.
fn draft_conflict(current: &DraftPost) -> AppError {
    serde_json::to_value(PostOrDraft::Draft(current.clone()))
        .map_or_else(internal, |current| AppError::Conflict { current: Box::new(current) })
}

/// The draft as it is now, where `error` is a conflict about one.
#[must_use]
pub fn conflicting(error: &AppError) -> Option<DraftPost> {
    use serde::Deserialize;
    match error {
        AppError::Conflict { current } => match PostOrDraft::deserialize(current.as_ref()) {
            Ok(PostOrDraft::Draft(draft)) => Some(draft),
            _ => None,
        },
        _ => None,
    }
}

/// Why there is no such draft: it is published by now, or never was one.
async fn missing(db: &mut Db, user: &User, id: &PostId) -> Result<AppError, AppError> {
    let post = store::find(db, id).await?.filter(|post| post.owner == user.username.as_str());
    Ok(post.map_or(AppError::NotFound, |post| conflict(&post)))
}

/// Saves a draft; without an id a new one, once per key. A save that changes nothing is
/// done already.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another's;
/// [`AppError::Conflict`] when the version is another, or when it is published by now;
/// [`AppError::KeyReused`] when the key has made a draft that has another text now, or a post.
pub async fn save(
    site: &Site,
    actor: &Actor,
    id: Option<PostId>,
    save: Parsed<DraftSave>,
    key: Parsed<Option<IdempotencyKey>>,
) -> Result<DraftPost, AppError> {
    let user = policy::may_create(actor)?.clone();
    let (save, key) = (save?, key?);
    let operation = key.filter(|_| id.is_none()).map(|key| {
        let tags = save.filing.tags.as_ref().map(Tags::stored);
        let time = save.time.map(|time| time.map(|time| format!("{} {}", time.at.micros(), time.utc_offset)));
        let content = [
            Some(save.text.title.as_str()),
            Some(save.text.content.as_str()),
            tags.as_deref(),
            save.filing.slug.as_ref().map(Slug::as_str),
            save.filing.language.map(|language| language.map_or("", Language::tag)),
            time.as_ref().map(|time| time.as_deref().unwrap_or_default()),
        ];
        IdempotentOperation::SaveDraft.under(key, &content)
    });
    let input = (user, id, save, operation);
    let written = site.database.write(input, |db, (user, id, save, operation)| {
        Box::pin(async move {
            let Some(id) = id else { return begin(db, &user, &save, operation.as_ref()).await };
            let Some(current) = draft_store::find(db, &user.id, &id).await? else {
                return Err(missing(db, &user, &id).await?);
            };
            let draft = after(&current, &save);
            if draft == current {
                return Ok(current);
            }
            if save.version.is_some_and(|version| version != current.version) {
                return Err(draft_conflict(&current));
            }
            draft_store::update(db, &user.id, draft).await
        })
    });
    written.await
}

/// Makes a draft that is published at a time to come, once per key.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::Invalid`] for a
/// time that is not to come, and for an address that the author has for another post;
/// [`AppError::KeyReused`].
pub async fn begin_scheduled(
    site: &Site,
    actor: &Actor,
    written: Written,
    time: PublishTime,
    key: Parsed<Option<IdempotencyKey>>,
) -> Result<DraftPost, AppError> {
    let user = policy::may_create(actor)?.clone();
    may_write(site, &user).await?;
    time.check().map_err(|error| AppError::invalid(Field::PublishAt, error))?;
    let save = DraftSave {
        version: None,
        text: written.text.clone().into(),
        filing: written.filing.clone(),
        time: Some(Some(time)),
    };
    let draft = self::save(site, actor, None, Ok(save), key).await?;
    let id = draft.id.clone();
    schedule(site, user, &id, Some(draft.version), written, time).await
}

/// A draft after a save, but for its version and time.
fn after(current: &DraftPost, save: &DraftSave) -> DraftPost {
    let time = match save.time {
        None => (current.publish_at, current.utc_offset),
        Some(None) => (None, current.utc_offset),
        Some(Some(time)) => (Some(time.at), time.utc_offset),
    };
    DraftPost {
        slug: save.filing.slug.clone().or_else(|| current.slug.clone()),
        tags: save.filing.tags.clone().unwrap_or_else(|| current.tags.clone()),
        language: save.filing.language.unwrap_or(current.language),
        title: save.text.title.clone(),
        content: save.text.content.clone(),
        publish_at: time.0,
        utc_offset: time.1,
        is_scheduled: current.is_scheduled && time.0.is_some(),
        ..current.clone()
    }
}

async fn begin(
    db: &mut Db,
    user: &User,
    save: &DraftSave,
    operation: Option<&idempotency::KeyedOperation>,
) -> Result<DraftPost, AppError> {
    if let Some(operation) = operation {
        if let Some(made) = idempotency::remembered(db, user.id.as_str(), operation).await? {
            let draft = match PostId::parse(&made) {
                Some(id) => draft_store::find(db, &user.id, &id).await?,
                None => None,
            };
            // Whoever has written on elsewhere would save the first text over the later one.
            let draft = draft.filter(|draft| after(draft, save) == *draft);
            return draft.ok_or(AppError::KeyReused { made: Some(made) });
        }
        // Whoever goes back to a form that has published a post begins no draft of it.
        let published = IdempotentOperation::CreatePost;
        idempotency::refuse_used_for(db, user.id.as_str(), operation, published).await?;
    }
    let empty = DraftPost::empty(broken(PostId::try_from(uuid::Uuid::now_v7().to_string()))?, clock::now());
    let draft = after(&empty, save);
    draft_store::insert(db, &user.id, &draft, None).await?;
    if let Some(operation) = operation {
        idempotency::remember(db, user.id.as_str(), operation, draft.id.as_str()).await?;
    }
    Ok(draft)
}

/// What is to be published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The version that the author saw.
    pub version: Option<i64>,
    /// The text from the editor; without it, the draft is published as it is.
    pub written: Option<Written>,
    /// At a time to come, or now.
    pub time: Option<PublishTime>,
}

/// Publishes a draft, now or at a time to come. Where it has to wait for approval
/// ([`approval`]), it stays a draft. Sent twice, it is done once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::NotFound`], also
/// for another's; [`AppError::Invalid`] for a draft without a title, and for an address that
/// the author has for another post; [`AppError::Conflict`]; [`AppError::Busy`].
pub async fn publish(
    site: &Site,
    actor: &Actor,
    id: &PostId,
    publication: Parsed<Publication>,
) -> Result<PostOrDraft, AppError> {
    let user = policy::may_create(actor)?.clone();
    let stored = draft_store::find(&mut site.reader_for(actor).await?, &user.id, id).await?;
    let publication = match publication {
        Ok(publication) => publication,
        // Nobody learns a rule about what is not theirs.
        Err(_) if stored.is_none() => return Err(AppError::NotFound),
        Err(error) => return Err(error),
    };
    may_write(site, &user).await?;
    let Publication { version, written, time } = publication;
    let Some(stored) = stored else { return published_already(site, actor, id, written).await };
    // What was read must be what is published.
    let version = if written.is_none() { Some(version.unwrap_or(stored.version)) } else { version };
    let written = match written {
        Some(written) => written,
        None => Written {
            text: PostText::parse(&stored.title, stored.content.as_str())?,
            filing: FilingChange::default(),
            date: None,
        },
    };
    if let Some(time) = time {
        return schedule(site, user, id, version, written, time).await.map(PostOrDraft::Draft);
    }
    let input = (user, id.clone(), version, written);
    publish_now(site, input, Occasion::Asked).await
}

/// The answer to a request that came twice: the post, if it has all of that.
async fn published_already(
    site: &Site,
    actor: &Actor,
    id: &PostId,
    written: Option<Written>,
) -> Result<PostOrDraft, AppError> {
    let user = actor.user()?;
    let post = store::find(&mut site.reader_for(actor).await?, id).await?;
    let post = post.filter(|post| post.owner == user.username.as_str()).ok_or(AppError::NotFound)?;
    let is_done = written.is_none_or(|Written { text, filing, .. }| {
        (&text.title, text.text()) == (&post.title, post.text()) && filing.is_of(&post)
    });
    if is_done { Ok(PostOrDraft::Published(post)) } else { Err(conflict(&post)) }
}

async fn schedule(
    site: &Site,
    user: User,
    id: &PostId,
    version: Option<i64>,
    written: Written,
    time: PublishTime,
) -> Result<DraftPost, AppError> {
    let time = time.check().map_err(|error| AppError::invalid(Field::PublishAt, error))?;
    let input = (user, id.clone(), version, written, time);
    let scheduled = site.database.write(input, |db, (user, id, version, written, time)| {
        Box::pin(async move {
            let Some(current) = draft_store::find(db, &user.id, &id).await? else {
                return Err(missing(db, &user, &id).await?);
            };
            if let Some(slug) = &written.filing.slug {
                slugs::refuse_taken(db, &user.id, slug, &id).await?;
            }
            let save = DraftSave {
                version,
                text: written.text.into(),
                filing: written.filing,
                time: Some(Some(time)),
            };
            // It waits when its time has come.
            let draft = DraftPost { is_scheduled: true, waits_since: None, ..after(&current, &save) };
            if draft == current {
                return Ok(current);
            }
            if version.is_some_and(|version| version != current.version) {
                return Err(draft_conflict(&current));
            }
            draft_store::update(db, &user.id, draft).await
        })
    });
    let scheduled = scheduled.await?;
    site.publisher().wake();
    Ok(scheduled)
}

/// On what occasion a draft is published.
#[derive(Clone, Debug)]
pub(super) enum Occasion {
    /// Its author asks for it.
    Asked,
    /// Its time has come, if it is due by then.
    Due(Timestamp),
    /// Whoever runs the site has approved it.
    Approved(InCharge),
}

/// Publishes a draft that is there, or lets it wait for approval.
pub(super) async fn publish_now(
    site: &Site,
    input: (User, PostId, Option<i64>, Written),
    occasion: Occasion,
) -> Result<PostOrDraft, AppError> {
    let (user, id, version, written) = input;
    // Before the transaction: writers do not wait for a rendering.
    let rendering = Renderer::render_for(site, &user.id, written.text.text()).await?;
    let (written, folded) =
        fold::fold_before_write(written, |written: &Written| Some(written.text.content.as_ref())).await?;
    let limits: AuthorLimits = *site.part();
    let rule = site.settings().approval;
    let input = (user, id, version, written, folded, rendering, occasion);
    let published =
        change(site, input, move |db, (user, id, version, written, folded, rendering, occasion)| {
            Box::pin(async move {
                let Some(row) = draft_store::find_row(db, &user.id, &id).await? else {
                    return Err(missing(db, &user, &id).await?);
                };
                let published_at = row.published_at.or(written.date.map(Timestamp::micros));
                let was_published = row.published_at.is_some();
                let draft = DraftPost::try_from(row)?;
                if version.is_some_and(|version| version != draft.version) {
                    return Err(draft_conflict(&draft));
                }
                let fits = match &occasion {
                    Occasion::Asked => true,
                    Occasion::Due(due) => draft.is_scheduled && draft.publish_at.is_some_and(|at| at <= *due),
                    Occasion::Approved(_) => draft.waits_since.is_some(),
                };
                if !fits {
                    return Err(AppError::NotFound);
                }
                limits::refuse_too_much(db, &user, &written.text, limits).await?;
                let is_approved = matches!(occasion, Occasion::Approved(_));
                if !is_approved && approval::must_wait(db, rule, &user).await? {
                    let waiting = wait(db, &user, draft, written).await?;
                    return Ok((PostOrDraft::Draft(waiting), None));
                }
                execute!(db => sqlx::query("DELETE FROM drafts WHERE id = $1 AND owner_id = $2")
                .bind(id.as_str())
                .bind(user.id.as_str()))?;
                let mut filing = super::Filing {
                    slug: written.filing.slug.or(draft.slug),
                    tags: written.filing.tags.unwrap_or(draft.tags),
                    language: written.filing.language.unwrap_or(draft.language),
                };
                if !matches!(occasion, Occasion::Asked) {
                    // Nobody is there to choose another one.
                    let wanted =
                        filing.slug.unwrap_or_else(|| slugs::from_title(written.text.title.as_str()));
                    filing.slug = Some(slugs::free(db, &user.id, &wanted, &id).await?);
                }
                let now = clock::now();
                // Programs may still know the version at which it was withdrawn.
                let last = store::find_deleted(db, &id).await?.map_or(0, |deleted| deleted.version);
                let insertion = Insertion {
                    id: Some(id),
                    text: Folded { post_text: &written.text, rendering: Some(&rendering), content: folded },
                    filing: &filing,
                    version: if was_published { draft.version.max(last) + 1 } else { 1 },
                    created_at: published_at.map_or(now, Timestamp::from_micros),
                    now,
                };
                let (post, event) = store::insert(db, &user, insertion).await?;
                if let Occasion::Approved(by) = &occasion {
                    approval::note(db, by, &user, &post.id).await?;
                }
                Ok((PostOrDraft::Published(post), Some(event)))
            })
        });
    published.await
}

/// Stores what its author has asked to publish, and lets it wait for approval.
async fn wait(db: &mut Db, user: &User, current: DraftPost, written: Written) -> Result<DraftPost, AppError> {
    if let Some(slug) = &written.filing.slug {
        slugs::refuse_taken(db, &user.id, slug, &current.id).await?;
    }
    let save =
        DraftSave { version: None, text: written.text.into(), filing: written.filing, time: Some(None) };
    let waits_since = Some(current.waits_since.unwrap_or_else(clock::now));
    let waiting = DraftPost { waits_since, ..after(&current, &save) };
    if waiting == current { Ok(current) } else { draft_store::update(db, &user.id, waiting).await }
}

/// Takes a post back: it is a draft from then on, with its address, its tags and its
/// versions. Readers see a deletion. A post that waits for approval waits no more. Sent twice, it is done once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Forbidden`], [`AppError::NotFound`];
/// [`AppError::Conflict`] when the version is another.
pub async fn unpublish(
    site: &Site,
    actor: &Actor,
    id: Option<PostId>,
    input: Parsed<(Option<i64>, Option<Written>)>,
) -> Result<DraftPost, AppError> {
    let user = actor.user()?.clone();
    let id = id.ok_or(AppError::NotFound)?;
    let (version, written) = match input {
        Ok(input) => input,
        Err(error) => {
            service::own(site, actor, &id).await?;
            return Err(error);
        }
    };
    let input = (actor.clone(), user, id, version, written);
    change(site, input, |db, (actor, user, id, version, written)| {
        Box::pin(async move {
            let Some(post) = store::find(db, &id).await? else {
                let draft = draft_store::find(db, &user.id, &id).await?.ok_or(AppError::NotFound)?;
                return not_waiting(db, &user, draft, version, written).await.map(|draft| (draft, None));
            };
            policy::may_change(&actor, &post.owner)?;
            if version.is_some_and(|version| version != post.version) {
                return Err(conflict(&post));
            }
            let now = clock::now();
            revisions::keep(db, &id).await?;
            store::remove(db, &id, &user.id, now).await?;
            let as_it_was = DraftPost {
                id: id.clone(),
                slug: post.slug.clone(),
                tags: post.tags.clone(),
                language: post.language,
                title: post.title.to_string(),
                content: post.text().clone(),
                version: post.version + 1,
                created_at: post.created_at,
                updated_at: now,
                publish_at: None,
                utc_offset: 0,
                is_scheduled: false,
                waits_since: None,
            };
            let draft = match written {
                Some(Written { text, filing, .. }) => {
                    let save = DraftSave { version: None, text: text.into(), filing, time: None };
                    after(&as_it_was, &save)
                }
                None => as_it_was,
            };
            draft_store::insert(db, &user.id, &draft, Some(post.created_at)).await?;
            let event = events::record(db, EventKind::Deleted, &id, &user.username).await?;
            Ok((draft, Some(event)))
        })
    })
    .await
}

/// A draft whose author does not ask to publish it any more, with the text that is sent.
async fn not_waiting(
    db: &mut Db,
    user: &User,
    draft: DraftPost,
    version: Option<i64>,
    written: Option<Written>,
) -> Result<DraftPost, AppError> {
    if draft.waits_since.is_none() {
        return Ok(draft);
    }
    if version.is_some_and(|version| version != draft.version) {
        return Err(draft_conflict(&draft));
    }
    let draft = match written {
        Some(Written { text, filing, .. }) => {
            after(&draft, &DraftSave { version: None, text: text.into(), filing, time: None })
        }
        None => draft,
    };
    draft_store::update(db, &user.id, DraftPost { waits_since: None, ..draft }).await
}
