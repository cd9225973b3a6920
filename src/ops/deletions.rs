//! Accounts whose time is over: their posts are deleted or given away, then the rest.

use crate::{
    accounts::domain::{
        account::{self, DueDeletion, PostsOfDeleted},
        store,
    },
    credentials::Actor,
    error::AppError,
    media::domain::unused,
    posts::{
        PageRequest,
        domain::{Guard, service},
    },
    site::Site,
    username::Username,
};

/// Who has the posts of deleted authors. The name is reserved, and nobody can log in
/// by it.
const DELETED_AUTHOR: &str = "deleted-author";

/// Deletes every account that is due. The posts are changed one by one, as their
/// author would do it, so every cache and every subscriber hears of it. What is
/// interrupted goes on the next time.
///
/// # Errors
/// [`AppError::Busy`]
pub async fn run(site: &Site) -> Result<(), AppError> {
    let due = account::due(&mut site.database.read().await?).await?;
    for deletion in due {
        let DueDeletion { user, posts } = deletion;
        let actor = Actor::User(user.clone());
        loop {
            let page = service::list_own(site, &actor, Ok(PageRequest::First)).await?;
            if page.posts.is_empty() {
                break;
            }
            let new_owner = match posts {
                PostsOfDeleted::Delete => None,
                PostsOfDeleted::Keep => Some(deleted_author(site).await?),
            };
            for post in page.posts {
                let outcome = match new_owner.clone() {
                    None => {
                        let input = Ok::<_, AppError>((Guard::NONE, None));
                        service::delete(site, &actor, Some(post.id), input).await.map(drop)
                    }
                    Some(new_owner) => service::give_away(site, &user, &post.id, new_owner).await,
                };
                // Its author may have deleted it meanwhile.
                if let Err(error) = outcome
                    && error != AppError::NotFound
                {
                    return Err(error);
                }
            }
        }
        if posts == PostsOfDeleted::Keep {
            unused::give_away(site, &user, &deleted_author_name()?).await?;
        }
        if account::delete(site, user.clone()).await? {
            tracing::info!(user = user.id.as_str(), "an account was deleted, with what belonged to it");
            unused::forget_files(site).await?;
        }
    }
    Ok(())
}

fn deleted_author_name() -> Result<Username, AppError> {
    Username::parse_known(DELETED_AUTHOR).map_err(|error| AppError::BadRequest { reason: error.to_string() })
}

/// The account that has the posts of deleted authors; made when it is first needed.
async fn deleted_author(site: &Site) -> Result<Username, AppError> {
    let name = deleted_author_name()?;
    site.database
        .write(name.clone(), |db, name| Box::pin(async move { store::insert_nobody(db, &name).await }))
        .await?;
    Ok(name)
}
