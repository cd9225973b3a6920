//! API keys: what programs read with (security row K1).

use byline::{
    accounts::{
        ApiKeyDays, ApiKeyName, Username,
        server::{Login, api_keys, store},
    },
    credentials::{
        Actor,
        api_key::{Refused, public_key, still_holds, verify},
    },
    error::AppError,
};
use futures::future::join_all;

use crate::support::{Running, until};

fn wanted(name: &str, days: &str) -> api_keys::Wanted {
    api_keys::Wanted {
        name: ApiKeyName::parse(name).expect("a name"),
        days: ApiKeyDays::parse(days).expect("days"),
    }
}

async fn actor(site: &Running, username: &str) -> Actor {
    let login = Login::Username(Username::parse(username).expect("a username"));
    let db = &mut site.site.database.read().await.expect("a connection");
    Actor::User(store::find(db, &login).await.expect("an answer").expect("an account").0)
}

/// A new key of a new author.
async fn key_of(site: &Running, username: &str) -> byline::accounts::NewApiKey {
    site.author(username).await;
    let actor = actor(site, username).await;
    api_keys::create(&site.site, &actor, wanted("Reader", "1"), None).await.expect("a key")
}

#[tokio::test]
async fn a_key_holds_until_it_is_revoked_and_is_refused_at_once() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    let verified = verify(&site.site, &made.key).await.expect("it holds");
    assert_eq!((&verified.id, verified.expires_at), (&made.listed.id, made.listed.expires_at));
    assert_eq!(still_holds(&site.site, &verified.id).await, Ok(true));

    let ada = actor(&site, "ada").await;
    api_keys::revoke(&site.site, &ada, &verified.id, None).await.expect("it is revoked");
    assert_eq!(verify(&site.site, &made.key).await, Err(Refused::Unknown));
    assert_eq!(still_holds(&site.site, &verified.id).await, Ok(false));
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 0);
}

#[tokio::test]
async fn an_expired_key_is_refused_at_once_and_stays_in_the_list() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    site.tamper("UPDATE api_keys SET expires_at = created_at").await;
    assert_eq!(verify(&site.site, &made.key).await, Err(Refused::Unknown));
    assert_eq!(still_holds(&site.site, &made.listed.id).await, Ok(false));
    let listed = api_keys::list(&site.site, &actor(&site, "ada").await).await.expect("a list");
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn what_has_not_the_form_of_a_key_is_refused_without_asking_the_database() {
    let site = Running::start().await;
    let key = key_of(&site, "ada").await.key;
    site.site.database.close().await;
    let misspelt = format!("{}{}", &key[..41], if key.ends_with('x') { "y" } else { "x" });
    for text in [misspelt.as_str(), "", "byl_", "da2-abcdefghijklmnopqrstuvwxyz", &key[..41]] {
        assert_eq!(verify(&site.site, text).await, Err(Refused::Unknown), "{text:?}");
    }
    let asked = verify(&site.site, &key).await;
    assert!(matches!(asked, Err(Refused::Error(_))), "a well-formed one is looked up: {asked:?}");
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_once_a_minute() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    let last_used = async || site.count("SELECT COALESCE(MAX(last_used_at), 0) FROM api_keys").await;
    assert_eq!(last_used().await, 0);
    verify(&site.site, &made.key).await.expect("it holds");
    until("the first use to be noted", async || last_used().await > 0).await;
    let first = last_used().await;
    for _ in 0..5 {
        verify(&site.site, &made.key).await.expect("it holds");
    }
    // Writes come one after the other, or each at its time: this one is behind whatever they noted.
    site.author("bob").await;
    assert_eq!(last_used().await, first, "within the minute nothing is written");
    site.tamper("UPDATE api_keys SET last_used_at = last_used_at - 61000000").await;
    verify(&site.site, &made.key).await.expect("it holds");
    until("a later use to be noted", async || last_used().await >= first).await;
}

#[tokio::test]
async fn a_person_has_twenty_keys_at_most_however_fast_they_ask() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = actor(&site, "ada").await;
    let all = (0..30).map(|number| {
        let (site, ada) = (site.site.clone(), ada.clone());
        async move {
            loop {
                match api_keys::create(&site, &ada, wanted(&format!("Key {number}"), "1"), None).await {
                    Err(AppError::Overtaken) => {}
                    answer => return answer,
                }
            }
        }
    });
    let answers = join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 20, "{answers:?}");
    for answer in answers {
        if let Err(error) = answer {
            assert!(error.status() == 422, "{error:?}");
        }
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 20);

    site.tamper("UPDATE api_keys SET expires_at = 0 WHERE name = (SELECT MIN(name) FROM api_keys)").await;
    api_keys::create(&site.site, &ada, wanted("One more", "1"), None).await.expect("only living ones count");
}

#[tokio::test]
async fn anothers_key_is_neither_seen_nor_revoked() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    site.author("bob").await;
    let bob = actor(&site, "bob").await;
    assert_eq!(api_keys::list(&site.site, &bob).await, Ok(Vec::new()));
    for id in [made.listed.id.as_str(), "nothing", ""] {
        assert_eq!(api_keys::revoke(&site.site, &bob, id, None).await, Err(AppError::NotFound), "{id:?}");
    }
    for (actor, error) in [(Actor::Anonymous, AppError::NotSignedIn), (Actor::ApiKey, AppError::ReadOnly)] {
        let create = api_keys::create(&site.site, &actor, wanted("x", "1"), None).await;
        assert_eq!(create, Err(error.clone()));
        assert_eq!(api_keys::list(&site.site, &actor).await, Err(error.clone()));
        assert_eq!(api_keys::revoke(&site.site, &actor, &made.listed.id, None).await, Err(error));
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 1);
    verify(&site.site, &made.key).await.expect("it still holds");
}

#[tokio::test]
async fn the_newest_public_key_that_holds_can_be_written_again() {
    let site = Running::start().await;
    assert_eq!(public_key(&site.site).await, Ok(None));
    key_of(&site, "ada").await;
    assert_eq!(public_key(&site.site).await, Ok(None), "a person's key is not public");
    let older = api_keys::create_public(&site.site, wanted("Older", "1")).await.expect("a key");
    let newer = api_keys::create_public(&site.site, wanted("Newer", "1")).await.expect("a key");
    assert_eq!(public_key(&site.site).await, Ok(Some(newer.key.clone())));
    verify(&site.site, &newer.key).await.expect("it holds");
    api_keys::revoke_any(&site.site, newer.listed.id).await.expect("it is revoked");
    assert_eq!(public_key(&site.site).await, Ok(Some(older.key)));
    site.tamper("UPDATE api_keys SET expires_at = 0 WHERE name = 'Older'").await;
    assert_eq!(public_key(&site.site).await, Ok(None));
}
