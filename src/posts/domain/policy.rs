//! Who may do what with a post. Pure functions; beside them decides the setting
//! `accounts.unverified` alone ([`crate::accounts::domain::contact::may_write`]).
//!
//! Everyone reads. People who are signed in write; an API key never does. Only the
//! owner changes or deletes. The SQL of [`super::store`] repeats the last rule, so a
//! caller that forgets the check still changes nothing.

use crate::{
    credentials::{Actor, User},
    error::AppError,
};

/// Everybody who is signed in may publish.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub fn may_create(actor: &Actor) -> Result<&User, AppError> {
    actor.user()
}

/// Only the owner may change or delete. Posts are public, so for others this is
/// [`AppError::Forbidden`] and not 404 (security row A2).
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`].
pub fn may_change<'a>(actor: &'a Actor, owner: &str) -> Result<&'a User, AppError> {
    let user = actor.user()?;
    if user.username.as_str() == owner { Ok(user) } else { Err(AppError::Forbidden) }
}

/// Whose posts the operations that AWS Amplify generates show: all posts to an API
/// key (`None`), to a person their own. Byline's own operations show all posts to
/// everyone.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub fn visible_owner(actor: &Actor) -> Result<Option<&User>, AppError> {
    match actor {
        Actor::ApiKey => Ok(None),
        Actor::User(user) => Ok(Some(user)),
        Actor::Anonymous => Err(AppError::NotSignedIn),
    }
}

/// Checks that [`visible_owner`] includes the posts of `owner`.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::Forbidden`].
pub fn may_see(actor: &Actor, owner: &str) -> Result<(), AppError> {
    match visible_owner(actor)? {
        Some(user) if user.username.as_str() != owner => Err(AppError::Forbidden),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_may_create_or_change() {
        assert_eq!(may_create(&Actor::Anonymous), Err(AppError::NotSignedIn));
        assert_eq!(may_change(&Actor::Anonymous, "ada"), Err(AppError::NotSignedIn));
        assert_eq!(may_create(&Actor::ApiKey), Err(AppError::ReadOnly));
        assert_eq!(may_change(&Actor::ApiKey, "ada"), Err(AppError::ReadOnly));
    }

    #[test]
    fn an_author_may_change_their_own_post_and_no_other() {
        let ada = Actor::User(User::for_test("ada"));
        assert!(may_create(&ada).is_ok());
        assert!(may_change(&ada, "ada").is_ok());
        assert_eq!(may_change(&ada, "ada2"), Err(AppError::Forbidden));
        assert_eq!(may_change(&ada, ""), Err(AppError::Forbidden));
    }

    #[test]
    fn a_person_sees_their_own_by_amplifys_operations_and_an_api_key_sees_everyones() {
        let ada = User::for_test("ada");
        assert_eq!(visible_owner(&Actor::User(ada.clone())), Ok(Some(&ada)));
        assert_eq!(visible_owner(&Actor::ApiKey), Ok(None));
        assert_eq!(visible_owner(&Actor::Anonymous), Err(AppError::NotSignedIn));
        assert_eq!(may_see(&Actor::User(ada.clone()), "ada"), Ok(()));
        assert_eq!(may_see(&Actor::User(ada), "bob"), Err(AppError::Forbidden));
        assert_eq!(may_see(&Actor::ApiKey, "bob"), Ok(()));
        assert_eq!(may_see(&Actor::Anonymous, "bob"), Err(AppError::NotSignedIn));
    }
}
