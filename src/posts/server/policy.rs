//! Who may do what with a post. Pure functions; nothing else decides.
//!
//! Everyone reads. Whoever is signed in writes. Only the owner changes or
//! deletes. The SQL of [`super::store`] repeats the last rule, so a caller
//! that forgot to ask still changes nothing.

use crate::{
    credentials::{Actor, User},
    error::AppError,
};

/// Whoever is signed in may publish.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub fn may_create(actor: &Actor) -> Result<&User, AppError> {
    actor.user()
}

/// Only the owner may change or delete; posts are public, so another's is
/// [`AppError::Forbidden`] rather than hidden (security row A2).
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`].
pub fn may_change<'a>(actor: &'a Actor, owner: &str) -> Result<&'a User, AppError> {
    let user = actor.user()?;
    if user.username.as_str() == owner { Ok(user) } else { Err(AppError::Forbidden) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_create_or_change() {
        assert_eq!(may_create(&Actor::Anonymous), Err(AppError::NotSignedIn));
        assert_eq!(may_change(&Actor::Anonymous, "ada"), Err(AppError::NotSignedIn));
    }

    #[test]
    fn an_author_may_change_their_own_post_and_no_other() {
        let ada = Actor::User(User::for_test("ada"));
        assert!(may_create(&ada).is_ok());
        assert!(may_change(&ada, "ada").is_ok());
        assert_eq!(may_change(&ada, "ada2"), Err(AppError::Forbidden));
        assert_eq!(may_change(&ada, ""), Err(AppError::Forbidden));
    }
}
