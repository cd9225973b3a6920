//! `byline serve --demo`: fills an empty site with a few authors and posts.

use crate::{
    accounts::domain::{Email, NewAccount, NewPassword, service, store},
    credentials::{Actor, RequestSource},
    database::internal,
    error::AppError,
    posts::domain::{PostText, service as posts},
    site::Site,
    username::Username,
};

const AUTHORS: [&str; 3] = ["maren", "tobias", "yusra"];

/// Author, title, text: what a small site of three people might hold.
const POSTS: &[(&str, &str, &str)] = &[
    ("tobias", "A kitchen timer is a project plan", include_str!("demo/timer.md")),
    ("maren", "What the tide table does not say", include_str!("demo/tide.md")),
    ("yusra", "ملاحظات عن الخط", include_str!("demo/script.md")),
    ("maren", "Bread for people who forget", include_str!("demo/bread.md")),
    ("tobias", "Notes on naming things", include_str!("demo/naming.md")),
    ("yusra", "Reading aloud", include_str!("demo/aloud.md")),
];

/// Adds authors and posts if there are no accounts yet, and returns how to log
/// in. The password is random, so no public site has a password that everybody
/// knows. It is a plain text, because it is shown.
pub async fn fill(site: &Site) -> Result<Option<String>, AppError> {
    if !store::list(&mut site.database.read().await?).await?.is_empty() {
        return Ok(None);
    }
    let secret = uuid::Uuid::new_v4().simple().to_string();
    let mut authors = Vec::new();
    for name in AUTHORS {
        let account = NewAccount {
            username: Username::parse(name).map_err(internal)?,
            email: Email::parse(&format!("{name}@example.com")).map_err(internal)?,
            password: NewPassword::parse(&secret, &[]).map_err(internal)?,
        };
        authors.push(service::sign_up(site, account, None, &RequestSource::command_line()).await?);
    }
    for (name, title, content) in POSTS {
        let author = authors
            .iter()
            .find(|author| author.username.as_str() == *name)
            .ok_or_else(|| internal("a demo post without its author"))?;
        let post_text = PostText::parse(title, content)?;
        posts::create::<AppError>(site, &Actor::User(author.clone()), Ok(post_text.into()), Ok(None)).await?;
    }
    Ok(Some(format!("Demo authors: {}. Password of each: {secret}", AUTHORS.join(", "))))
}
