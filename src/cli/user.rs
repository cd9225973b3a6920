//! `byline user`

use std::fmt::Write;

use clap::Subcommand;
use secrecy::ExposeSecret;

use super::{
    failure::{Failure, refused},
    input::password,
};
use crate::{
    accounts::domain::{Email, Login, NewAccount, NewPassword, service, store},
    credentials::RequestSource,
    site::Site,
    timestamp::Timestamp,
    username::Username,
};

#[derive(Debug, Subcommand)]
pub(super) enum User {
    /// Make an account; the password is read from standard input
    Create {
        /// Name that is shown with the posts
        username: String,
        /// E-mail address for logging in
        email: String,
    },
    /// Set a new password, read from standard input, and end all sessions and tokens of the account
    SetPassword {
        /// Username or e-mail address
        who: String,
    },
    /// List the accounts
    List,
}

pub(super) async fn run(site: &Site, command: User) -> Result<String, Failure> {
    let mut said = String::new();
    match command {
        User::Create { username, email } => {
            let password =
                NewPassword::parse(password()?.expose_secret(), &[&username, &email]).map_err(refused)?;
            let username = Username::parse(&username).map_err(refused)?;
            let email = Email::parse(&email).map_err(refused)?;
            let user = service::sign_up(
                site,
                NewAccount { username, email, password },
                None,
                &RequestSource::command_line(),
            )
            .await?;
            let _ = writeln!(said, "{} can log in.", user.username);
        }
        User::SetPassword { who } => {
            let login = Login::parse(&who).map_err(refused)?;
            let password = NewPassword::parse(password()?.expose_secret(), &[&who]).map_err(refused)?;
            service::set_password(site, &login, password).await?;
            let _ = writeln!(
                said,
                "The new password is set; every session and every token of the account has ended."
            );
        }
        User::List => {
            for user in store::list(&mut site.database.read().await?).await? {
                let since = Timestamp::from_micros(user.created_at).rfc3339();
                let _ = writeln!(said, "{}\t{}\t{since}\t{} posts", user.username, user.email, user.posts);
            }
        }
    }
    Ok(said)
}
