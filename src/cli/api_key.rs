//! `byline api-key`

use std::fmt::Write;

use clap::{Args, Subcommand};

use super::{
    failure::{Failure, refused},
    output,
};
use crate::{
    accounts::{
        ApiKeyDays, ApiKeyName,
        domain::{
            Login,
            api_keys::{self, Wanted},
            store,
        },
    },
    credentials::{
        Caller, RequestSource,
        api_key::{ApiKeyId, store as api_key_store},
    },
    error::AppError,
    site::Site,
    timestamp::Timestamp,
};

#[derive(Debug, Subcommand)]
pub(super) enum ApiKey {
    /// Make a key and print it; it is never shown again
    Create(NewKey),
    /// List the keys: id, owner, first characters, created, expires, last used, name
    List,
    /// Revoke a key, which is refused from then on
    Revoke {
        /// Id of the key, from the list
        id: String,
    },
}

#[derive(Args, Debug)]
pub(super) struct NewKey {
    #[command(flatten)]
    owner: Owner,
    /// Name of the key
    #[arg(long, default_value = "Command line", value_name = "NAME")]
    name: String,
    /// Days until it expires, 1 to 365 [default: 90, with --public 365]
    #[arg(long, value_name = "DAYS")]
    days: Option<String>,
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
struct Owner {
    /// Owner of the key: a username or an e-mail address
    #[arg(long, value_name = "WHO")]
    user: Option<String>,
    /// Make a public key, which belongs to the site and is no secret
    #[arg(long)]
    public: bool,
}

pub(super) async fn run(site: &Site, command: ApiKey) -> Result<String, Failure> {
    let mut said = String::new();
    match command {
        ApiKey::Create(NewKey { owner, name, days }) => {
            let name = ApiKeyName::parse(&name).map_err(refused)?;
            let longest = owner.public.then(|| ApiKeyDays::MAX.to_string());
            let days = match days.or(longest) {
                Some(days) => ApiKeyDays::parse(&days).map_err(refused)?,
                None => ApiKeyDays::DEFAULT,
            };
            let wanted = Wanted { name, days };
            if owner.user.is_some() && output::is_discarded() {
                return Err(Failure::NowhereToShow("key"));
            }
            let made = match owner.user {
                Some(who) => {
                    let login = Login::parse(&who).map_err(refused)?;
                    let found = store::find(&mut site.database.read().await?, &login).await?;
                    let (user, _) = found.ok_or(AppError::NotFound)?;
                    api_keys::create(
                        site,
                        &Caller::operator(user),
                        Ok(wanted),
                        Ok(None),
                        &RequestSource::command_line(),
                    )
                    .await?
                }
                None => api_keys::create_public(site, wanted).await?,
            };
            // This is the only copy of the key. If it cannot be written, the key is revoked.
            if let Err(cause) = output::write(&format!("{}\n", made.key)) {
                let id = made.listed.id;
                let revoked = match ApiKeyId::parse(&id) {
                    Some(id) => api_keys::revoke_any(site, id).await,
                    None => Err(AppError::NotFound),
                };
                return Err(match revoked {
                    Ok(()) => Failure::Lost { what: "key", cause },
                    Err(_) => Failure::LostHolds { what: "key", id, cause },
                });
            }
        }
        ApiKey::List => {
            let time = |micros| Timestamp::from_micros(micros).rfc3339();
            for key in api_key_store::list_all(&mut site.database.read().await?).await? {
                let (id, hint, name) = (key.id, key.hint, key.name);
                let owner = key.username.unwrap_or_else(|| "(public)".to_owned());
                let (made, expires) = (time(key.created_at), time(key.expires_at));
                let used = key.last_used_at.map_or_else(|| "never".to_owned(), time);
                let _ = writeln!(said, "{id}\t{owner}\t{hint}\t{made}\t{expires}\t{used}\t{name}");
            }
        }
        ApiKey::Revoke { id } => {
            let revoked = match ApiKeyId::parse(&id) {
                Some(id) => api_keys::revoke_any(site, id).await,
                None => Err(AppError::NotFound),
            };
            if revoked == Err(AppError::NotFound) {
                return Err(Failure::Refused(
                    "There is no such key; `byline api-key list` shows all keys.".into(),
                ));
            }
            revoked?;
            let _ = writeln!(said, "The key is refused from now on.");
        }
    }
    Ok(said)
}
