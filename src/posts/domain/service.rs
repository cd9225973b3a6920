//! The use cases of posts. Every way in (page, form, script, GraphQL, command
//! line) ends here with an [`Actor`]. What readers have been shown is out of date as
//! soon as a change is on the disk, whether or not its author still listens.

use std::sync::Arc;

use futures::future::BoxFuture;

use super::{
    Change, Guard, NewPost, PostText, approval, conflict, draft_store, filing, fold,
    folded::Folded,
    limits,
    lists::{self, PostsOf},
    policy,
    rendered::{RenderedPost, Stored},
    rendering::Renderer,
    revisions,
    select::{self, Listing, Selection},
    slugs,
    store::{self, ChangesSince, Edit, Insertion},
};
use crate::{
    accounts::{
        domain::{Login, account, contact::may_write, service::matches_login, store as accounts},
        profile::Profile,
    },
    clock,
    config::AuthorLimits,
    credentials::{Actor, User, UserId},
    database::{
        Db,
        idempotency::{self, IdempotencyKey, IdempotentOperation},
    },
    error::{AppError, Field, Parsed},
    http::turns::{Client, ReadCost},
    posts::{
        Content, Cursor, Language, Page, PageRequest, Post, PostId, PostOrDraft, Slug, Summary, Tag,
        domain::{Changed, DeletedPost},
        events::{Event, EventKind, store as events},
    },
    site::Site,
    username::Username,
};

/// One page of all posts. Everyone may.
pub async fn list(site: &Site, actor: &Actor, request: PageRequest) -> Result<Page, AppError> {
    lists::page(&mut site.reader_for(actor).await?, PostsOf::Everyone, request).await
}

/// One page of the posts with a tag. Everyone may.
pub async fn list_of_tag(
    site: &Site,
    actor: &Actor,
    tag: &Tag,
    request: PageRequest,
) -> Result<Page, AppError> {
    lists::page(&mut site.reader_for(actor).await?, PostsOf::Tag(tag), request).await
}

/// What everyone may know of an author.
#[derive(Clone, Debug)]
pub struct Author {
    pub username: Username,
    pub profile: Profile,
}

/// An author, with one page of their posts. Everyone may.
///
/// # Errors
/// [`AppError::NotFound`] where nobody has that name.
pub async fn list_of_author(
    site: &Site,
    actor: &Actor,
    username: Username,
    request: PageRequest,
) -> Result<(Author, Page), AppError> {
    let db = &mut site.reader_for(actor).await?;
    let (id, profile) = account::author(db, &username).await?.ok_or(AppError::NotFound)?;
    let page = lists::page(db, PostsOf::Owner(&id), request).await?;
    Ok((Author { username, profile }, page))
}

/// One page of the actor's own posts.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list_own(site: &Site, actor: &Actor, request: Parsed<PageRequest>) -> Result<Page, AppError> {
    let owner = &actor.user()?.id;
    lists::page(&mut site.reader_for(actor).await?, PostsOf::Owner(owner), request?).await
}

/// The newest posts of all. Everyone may.
pub async fn newest(site: &Site, actor: &Actor, most: usize) -> Result<Vec<Summary>, AppError> {
    lists::newest(&mut site.reader_for(actor).await?, PostsOf::Everyone, most).await
}

/// The newest posts of one author, with the id of their account and what they tell about
/// themselves. Everyone may.
///
/// # Errors
/// [`AppError::NotFound`] when there is no such author.
pub async fn newest_of_author(
    site: &Site,
    actor: &Actor,
    author: &Username,
    most: usize,
) -> Result<(UserId, Profile, Vec<Summary>), AppError> {
    let db = &mut site.reader_for(actor).await?;
    let (author, profile) = account::author(db, author).await?.ok_or(AppError::NotFound)?;
    let posts = lists::newest(db, PostsOf::Owner(&author), most).await?;
    Ok((author, profile, posts))
}

/// The newest posts with a tag. Everyone may.
pub async fn newest_of_tag(
    site: &Site,
    actor: &Actor,
    tag: &Tag,
    most: usize,
) -> Result<Vec<Summary>, AppError> {
    lists::newest(&mut site.reader_for(actor).await?, PostsOf::Tag(tag), most).await
}

/// Where each piece of `size` posts begins in the list of all, oldest first. Everyone may.
pub async fn pieces(
    site: &Site,
    actor: &Actor,
    client: &Client,
    size: usize,
) -> Result<Vec<Cursor>, AppError> {
    let mut turn = site.turn_for(actor, client, ReadCost::Many).await?;
    turn.db.in_time(async |db| lists::pieces(db, size).await).await
}

/// The `size` posts that begin at a place, oldest first. Everyone may.
pub async fn piece(
    site: &Site,
    actor: &Actor,
    client: &Client,
    from: &Cursor,
    size: usize,
) -> Result<Vec<Summary>, AppError> {
    let mut turn = site.turn_for(actor, client, ReadCost::Many).await?;
    turn.db.in_time(async |db| lists::piece(db, from, size).await).await
}

/// One post. Everyone may.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn get(site: &Site, actor: &Actor, id: &PostId) -> Result<Post, AppError> {
    let post = site.posts().post(site, actor, id).await?.ok_or(AppError::NotFound)?;
    Ok(Arc::unwrap_or_clone(post))
}

/// One post as its page shows it. Everyone may.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Busy`] when it has to be rendered first, and too many
/// texts wait for that.
pub async fn rendered(site: &Site, actor: &Actor, id: &PostId) -> Result<RenderedPost, AppError> {
    let stored = site.posts().rendered.read(site, actor, id).await?.ok_or(AppError::NotFound)?;
    match Arc::unwrap_or_clone(stored) {
        Stored::Rendered(post) => Ok(post),
        Stored::Unrendered(post, about, content, punctuation) => {
            let rendering = site.renderer().render(&content, punctuation).await?;
            Ok(RenderedPost { post, about, html: rendering.html.clone() })
        }
    }
}

/// One post without its text. Everyone may.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn summary(site: &Site, actor: &Actor, id: &PostId) -> Result<Summary, AppError> {
    let stored = site.posts().rendered.read(site, actor, id).await?.ok_or(AppError::NotFound)?;
    Ok(match Arc::unwrap_or_clone(stored) {
        Stored::Rendered(rendered) => rendered.post,
        Stored::Unrendered(post, ..) => post,
    })
}

/// One post that the actor may change.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`].
pub async fn own(site: &Site, actor: &Actor, id: &PostId) -> Result<Post, AppError> {
    actor.user()?;
    let post = get(site, actor, id).await?;
    policy::may_change(actor, &post.owner)?;
    Ok(post)
}

/// The posts of a selection. Everyone may.
pub async fn select(
    site: &Site,
    actor: &Actor,
    client: &Client,
    selection: Selection,
) -> Result<Listing<Post>, AppError> {
    let cost = if selection.filter.is_everything() { ReadCost::Few } else { ReadCost::Many };
    select::select(&mut site.turn_for(actor, client, cost).await?.db, &selection).await
}

/// Of a selection, the actor's own posts.
///
/// # Errors
///
/// [`AppError::NotSignedIn`], [`AppError::ReadOnly`].
pub async fn select_own<E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    client: &Client,
    selection: Parsed<Selection, E>,
) -> Result<Listing<Post>, E> {
    let owner = Some(actor.user()?.id.clone());
    Ok(select(site, actor, client, Selection { owner, ..selection? }).await?)
}

/// Of a selection, what the actor sees by [`policy::visible_owner`].
///
/// # Errors
///
/// [`AppError::NotSignedIn`].
pub async fn select_visible<E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    client: &Client,
    selection: Parsed<Selection, E>,
) -> Result<Listing<Post>, E> {
    let owner = policy::visible_owner(actor)?.map(|user| user.id.clone());
    Ok(select(site, actor, client, Selection { owner, ..selection? }).await?)
}

/// What changed, of whatever the actor sees by [`policy::visible_owner`].
///
/// # Errors
///
/// [`AppError::NotSignedIn`].
pub async fn changes<E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    client: &Client,
    wanted: Parsed<ChangesSince, E>,
) -> Result<Listing<Changed>, E> {
    let owner = policy::visible_owner(actor)?.map(|user| user.id.clone());
    let wanted = ChangesSince { owner, ..wanted? };
    // No index has the changes of one person, and deleted posts are looked through as well.
    Ok(store::changes(&mut site.turn_for(actor, client, ReadCost::Many).await?.db, &wanted).await?)
}

/// One post, if the actor sees it by [`policy::visible_owner`]. Without an id
/// there is no such post: the text that was sent cannot be one.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`].
pub async fn get_visible(site: &Site, actor: &Actor, id: Option<&PostId>) -> Result<Post, AppError> {
    policy::visible_owner(actor)?;
    let post = get(site, actor, id.ok_or(AppError::NotFound)?).await?;
    policy::may_see(actor, &post.owner)?;
    Ok(post)
}

/// Whose posts the actor hears of by [`policy::visible_owner`], who asks for those of
/// `owner`, or of whoever there is; `None` is everyone.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Forbidden`] for another's.
pub async fn subscription_scope(
    site: &Site,
    actor: &Actor,
    owner: Option<String>,
) -> Result<Option<String>, AppError> {
    match (policy::visible_owner(actor)?, owner) {
        (None, owner) => Ok(owner),
        (Some(user), Some(owner)) if !matches_login(site, user, &owner).await? => Err(AppError::Forbidden),
        (Some(user), _) => Ok(Some(user.username.to_string())),
    }
}

/// Runs a change in a transaction. What happened is told once it is on the
/// disk, also when whoever asked is gone by then.
pub(super) async fn change<I, T, F>(site: &Site, input: I, work: F) -> Result<T, AppError>
where
    I: Clone + Send + 'static,
    T: Send + 'static,
    F: for<'c> Fn(&'c mut Db, I) -> BoxFuture<'c, Result<(T, Option<Event>), AppError>>
        + Send
        + Sync
        + 'static,
{
    let bus = Arc::clone(site.bus());
    let told = move |(_, event): &(T, Option<Event>)| bus.committed(event.as_ref());
    let (value, _) = site.database.write_in_order(input, work, told).await?;
    Ok(value)
}

/// Publishes a post, or lets it wait for approval ([`approval`]); once per key (security row
/// D5).
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Forbidden`] when it is to be
/// another's; [`AppError::ConditionNotMet`] when the id that it brings is taken;
/// [`AppError::KeyReused`] when the key has published another text, or the same
/// as a post that is gone by now;
/// [`AppError::Busy`] when too many texts wait to be rendered.
pub async fn create<E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    new: Parsed<NewPost, E>,
    key: Parsed<Option<IdempotencyKey>>,
) -> Result<PostOrDraft, E> {
    let author = policy::may_create(actor)?.clone();
    may_write(site, &author).await?;
    Ok(publish(site, author, new?, key?).await?)
}

async fn publish(
    site: &Site,
    author: User,
    new: NewPost,
    key: Option<IdempotencyKey>,
) -> Result<PostOrDraft, AppError> {
    let NewPost { id, owner, post_text, filing, date } = new;
    if let Some(owner) = owner
        && !matches_login(site, &author, &owner).await?
    {
        return Err(AppError::Forbidden);
    }
    let operation = key.map(|key| {
        let content = post_text.content.as_ref().map(Content::as_str);
        let tags = filing.tags.stored();
        let slug = filing.slug.as_ref().map(Slug::as_str);
        let content = [
            id.as_ref().map(PostId::as_str),
            Some(post_text.title.as_str()),
            content,
            slug,
            Some(&*tags),
            filing.language.map(Language::tag),
        ];
        IdempotentOperation::CreatePost.under(key, &content)
    });
    // Before the transaction: writers do not wait for a rendering.
    let rendering = Renderer::render_for(site, &author.id, post_text.text()).await?;
    let (post_text, folded) =
        fold::fold_before_write(post_text, |post_text: &PostText| Some(post_text.content.as_ref())).await?;
    let limits: AuthorLimits = *site.part();
    let rule = site.settings().approval;
    let input = (author, id, post_text, (filing, date), folded, rendering, operation);
    change(site, input, move |db, (author, id, post_text, (filing, date), folded, rendering, operation)| {
        Box::pin(async move {
            if let Some(operation) = &operation
                && let Some(made) = idempotency::remembered(db, author.id.as_str(), operation).await?
            {
                let post = approval::created(db, &author, &made).await?;
                return Ok((post.ok_or(AppError::KeyReused { made: Some(made) })?, None));
            }
            limits::refuse_too_much(db, &author, &post_text, limits).await?;
            if approval::must_wait(db, rule, &author).await? {
                let draft = approval::begin(db, &author, id, post_text, filing).await?;
                if let Some(operation) = &operation {
                    idempotency::remember(db, author.id.as_str(), operation, draft.id.as_str()).await?;
                }
                return Ok((PostOrDraft::Draft(draft), None));
            }
            let text = Folded { post_text: &post_text, rendering: Some(&rendering), content: folded };
            let insertion = Insertion::new(id, text, &filing, clock::now()).first_published(date);
            let (post, event) = store::insert(db, &author, insertion).await?;
            if let Some(operation) = &operation {
                idempotency::remember(db, author.id.as_str(), operation, post.id.as_str()).await?;
            }
            Ok((PostOrDraft::Published(post), Some(event)))
        })
    })
    .await
}

/// Saves an edit, if the post is as the guard says. An edit that changes
/// nothing, such as the same text sent twice, is done already.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`],
/// [`AppError::ConditionNotMet`], [`AppError::Conflict`] when the version is
/// another; [`AppError::Invalid`] when it is handed on to nobody;
/// [`AppError::Busy`] when too many texts wait to be rendered.
pub async fn update<E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    id: Option<PostId>,
    edit: Parsed<(Guard, Change), E>,
) -> Result<Post, E> {
    let (id, (guard, edit)) = changeable(site, actor, id, edit).await?;
    may_write(site, actor.user()?).await?;
    Ok(save(site, actor, &id, guard, edit).await?)
}

/// Hands a post on to another author, for whoever runs the site: the owner may be kept
/// from writing ([`may_write`]), and so nothing of the text changes.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Forbidden`] when its owner is another by now.
pub async fn give_away(site: &Site, owner: &User, id: &PostId, to: Username) -> Result<(), AppError> {
    let edit = Change { owner: Some(to), ..Change::default() };
    save(site, &Actor::User(owner.clone()), id, Guard::NONE, edit).await.map(drop)
}

/// The parsed input of a change. Its error is for somebody who may change the
/// post. The post is read only for an error: the change itself checks the right
/// in its transaction.
async fn changeable<T, E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    id: Option<PostId>,
    input: Parsed<T, E>,
) -> Result<(PostId, T), E> {
    actor.user()?;
    let id = id.ok_or(AppError::NotFound)?;
    if input.is_err() {
        own(site, actor, &id).await?;
    }
    Ok((id, input?))
}

async fn save(site: &Site, actor: &Actor, id: &PostId, guard: Guard, edit: Change) -> Result<Post, AppError> {
    let rendering = match edit.content.text() {
        Some(content) => Some(Renderer::render_for(site, &actor.user()?.id, content).await?),
        None => None,
    };
    let (edit, folded) = fold::fold_before_write(edit, |edit: &Change| edit.content.new_content()).await?;
    let input = (actor.clone(), id.clone(), guard, edit, folded, rendering);
    let saved = change(site, input, |db, (actor, id, guard, edit, folded, rendering)| {
        Box::pin(async move {
            let editor = actor.user()?;
            let current = store::find(db, &id).await?.ok_or(AppError::NotFound)?;
            policy::may_change(&actor, &current.owner)?;
            if !guard.condition.matches((&current).into()) {
                return Err(AppError::ConditionNotMet);
            }
            let post_text = PostText {
                title: edit.title.unwrap_or_else(|| current.title.clone()),
                content: edit.content.of(current.content.as_ref()),
            };
            let new_owner = match edit.owner.filter(|new_owner| *new_owner != editor.username) {
                Some(new_owner) => Some(new_owner_named(db, new_owner).await?),
                None => None,
            };
            let tags = edit.filing.tags.unwrap_or_else(|| current.tags.clone());
            let language = edit.filing.language.unwrap_or(current.language);
            let slug = edit.filing.slug.or_else(|| current.slug.clone());
            if new_owner.is_none()
                && (&current.title, &current.content) == (&post_text.title, &post_text.content)
                && (&current.slug, &current.tags, current.language) == (&slug, &tags, language)
            {
                return Ok((current, None));
            }
            let version = guard.version.unwrap_or(current.version);
            let new_owner_id = new_owner.as_ref().map(|new_owner| &new_owner.id);
            let slug = slug_of_edit(db, editor, new_owner_id, slug, &current).await?;
            let is_other_text = (&current.title, &current.content, &current.tags)
                != (&post_text.title, &post_text.content, &tags);
            if is_other_text && version == current.version {
                revisions::keep(db, &id).await?;
            }
            let edit = Edit {
                text: Folded { post_text: &post_text, rendering: rendering.as_deref(), content: folded },
                slug: slug.as_ref(),
                tags: &tags,
                language,
                new_owner: new_owner_id,
                now: clock::now(),
            };
            let post =
                store::update(db, &id, &editor.id, version, edit).await?.ok_or_else(|| conflict(&current))?;
            if let Some(slug) = &post.slug
                && (new_owner_id.is_some() || post.slug != current.slug)
            {
                slugs::keep(db, new_owner_id.unwrap_or(&editor.id), slug, &id).await?;
            }
            if post.tags != current.tags {
                filing::replace_tags(db, &id, post.created_at, &post.tags).await?;
            }
            if let Some(new_owner) = &new_owner {
                revisions::hand_on(db, &id, &new_owner.id).await?;
            }
            let owner = new_owner.map_or_else(|| editor.username.clone(), |new_owner| new_owner.username);
            let event = events::record(db, EventKind::Changed, &id, &owner).await?;
            if owner != editor.username {
                account::tell_names_changed(db).await?;
            }
            Ok((post, Some(event)))
        })
    })
    .await?;
    // Pages of either author name it, or its neighbours, under the one or the other.
    if actor.user()?.username.as_str() != saved.owner {
        site.bus().changes.everything_changed();
    }
    Ok(saved)
}

/// The slug of a post after an edit: below another owner it may have to be another one.
///
/// # Errors
/// [`AppError::Invalid`] if another post has the one that its author chose.
async fn slug_of_edit(
    db: &mut Db,
    editor: &User,
    new_owner: Option<&UserId>,
    slug: Option<Slug>,
    current: &Post,
) -> Result<Option<Slug>, AppError> {
    let Some(slug) = slug else { return Ok(None) };
    if let Some(new_owner) = new_owner {
        return slugs::free(db, new_owner, &slug, &current.id).await.map(Some);
    }
    if Some(&slug) != current.slug.as_ref() {
        slugs::refuse_taken(db, &editor.id, &slug, &current.id).await?;
    }
    Ok(Some(slug))
}

/// The new owner of a post that is handed on.
async fn new_owner_named(db: &mut Db, username: Username) -> Result<User, AppError> {
    let found = accounts::find(db, &Login::Username(username)).await?;
    found
        .map(|(user, _)| user)
        .ok_or_else(|| AppError::invalid(Field::Owner, "There is no account of that name"))
}

/// Deletes a post, or a draft, which lies in the trash then, if it is as the guard says; with a key, sent twice
/// is deleted once. What it was, unless it was gone already.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`], [`AppError::NotFound`],
/// [`AppError::ConditionNotMet`], [`AppError::Conflict`] when the version is
/// another; [`AppError::KeyReused`] when the key has deleted another post.
pub async fn delete<E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    id: Option<PostId>,
    input: Parsed<(Guard, Option<IdempotencyKey>), E>,
) -> Result<Option<DeletedPost>, E> {
    let (id, (guard, key)) = changeable(site, actor, id, input).await?;
    Ok(remove(site, actor, &id, guard, key).await?)
}

async fn remove(
    site: &Site,
    actor: &Actor,
    id: &PostId,
    guard: Guard,
    key: Option<IdempotencyKey>,
) -> Result<Option<DeletedPost>, AppError> {
    let operation = key.map(|key| IdempotentOperation::DeletePost.under(key, &[Some(id.as_str())]));
    change(site, (actor.clone(), id.clone(), guard, operation), |db, (actor, id, guard, operation)| {
        Box::pin(async move {
            let user = actor.user()?;
            if let Some(operation) = &operation
                && idempotency::remembered(db, user.id.as_str(), operation).await?.as_deref()
                    == Some(id.as_str())
            {
                return Ok((None, None));
            }
            let Some(post) = store::find(db, &id).await? else {
                if !draft_store::delete(db, &user.id, &id, clock::now()).await? {
                    return Err(AppError::NotFound);
                }
                if let Some(operation) = &operation {
                    idempotency::remember(db, user.id.as_str(), operation, id.as_str()).await?;
                }
                return Ok((None, None));
            };
            policy::may_change(&actor, &post.owner)?;
            if !guard.condition.matches((&post).into()) {
                return Err(AppError::ConditionNotMet);
            }
            if guard.version.is_some_and(|version| version != post.version) {
                return Err(conflict(&post));
            }
            let deleted = store::delete(db, &id, &user.id, clock::now()).await?;
            if let Some(operation) = &operation {
                idempotency::remember(db, user.id.as_str(), operation, id.as_str()).await?;
            }
            let event = events::record(db, EventKind::Deleted, &id, &user.username).await?;
            Ok((deleted, Some(event)))
        })
    })
    .await
}
