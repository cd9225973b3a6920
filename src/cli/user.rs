//! `byline user`

use std::{fmt::Write, time::Duration};

use clap::Subcommand;
use secrecy::ExposeSecret;

use super::{
    failure::{Failure, refused},
    input::password,
    output,
};
use crate::{
    accounts::domain::{
        Email, Login, NewAccount, NewPassword,
        account::PostsOfDeleted,
        audit, invitations,
        running::{self, InCharge},
        service,
        store::{self, Listed},
    },
    clock,
    config::SignUpPolicy,
    credentials::{RequestSource, UserId},
    ops::deletions,
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
        /// Put them in charge of the site
        #[arg(long)]
        admin: bool,
    },
    /// Set a new password, read from standard input, and end all sessions and tokens of the account
    SetPassword {
        /// Username or e-mail address
        who: String,
    },
    /// Make a link by which one person signs up, where not everyone may
    Invite {
        /// For how many days it can be used, 1 to 365
        #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u32).range(1..=365))]
        days: u32,
    },
    /// Put somebody who has an account in charge of the site
    PutInCharge {
        /// Username or e-mail address
        who: String,
        /// End it instead
        #[arg(long)]
        end: bool,
    },
    /// Give somebody another username; addresses with the old one lead to the new one
    Rename {
        /// Username or e-mail address
        who: String,
        /// The new username
        to: String,
    },
    /// Show what is known of an account
    Show {
        /// Username
        who: String,
    },
    /// Lock an account: its logins end, and nobody logs in to it; its posts stay
    Lock {
        /// Username or e-mail address
        who: String,
    },
    /// Open a locked account
    Unlock {
        /// Username or e-mail address
        who: String,
    },
    /// Delete an account and its posts, at once and for ever
    Delete {
        /// Username or e-mail address
        who: String,
        /// Keep the posts, as those of "deleted-author"
        #[arg(long)]
        keep_posts: bool,
    },
    /// List the accounts
    List,
}

pub(super) async fn run(site: &Site, command: User) -> Result<String, Failure> {
    let mut said = String::new();
    let by = &InCharge::at_the_command_line();
    match command {
        User::Create { username, email, admin } => {
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
            if admin {
                running::set_admin(site, by, &login(user.username.as_str())?, true).await?;
            }
            let in_charge = if admin { ", and is in charge of the site" } else { "" };
            let _ = writeln!(said, "{} can log in{in_charge}.", user.username);
        }
        User::SetPassword { who } => {
            let login = login(&who)?;
            let password = NewPassword::parse(password()?.expose_secret(), &[&who]).map_err(refused)?;
            service::set_password(site, &login, password).await?;
            let _ = writeln!(
                said,
                "The new password is set; every session and every token of the account has ended."
            );
        }
        User::Invite { days } => invite(site, days).await?,
        User::PutInCharge { who, end } => {
            let user = running::set_admin(site, by, &login(&who)?, !end).await?;
            let state = if end { "is no longer" } else { "is" };
            let _ = writeln!(said, "{} {state} in charge of the site.", user.username);
            if end && !running::is_anybody_in_charge(site).await? {
                said += "Nobody is in charge of the site any more.\n";
            }
        }
        User::Rename { who, to } => {
            let username = Username::parse(&to).map_err(refused)?;
            let user = running::rename(site, by, &login(&who)?, username).await?;
            let _ = writeln!(
                said,
                "Their username is {} now; addresses with the old one lead there.",
                user.username
            );
        }
        User::Show { who } => {
            let username = Username::parse_known(&who).map_err(refused)?;
            let db = &mut site.database.read().await?;
            let account = store::listed(db, &username).await?;
            let rows = audit::of_user(db, &UserId::from_stored(account.id.clone()), 20).await?;
            said = line(&account);
            for row in rows {
                let _ = writeln!(
                    said,
                    "{}\t{}\t{}\t{}",
                    row.at().rfc3339(),
                    row.kind,
                    row.credential,
                    row.address
                );
            }
        }
        User::Lock { who } => {
            let user = running::lock(site, by, &login(&who)?).await?;
            let _ = writeln!(
                said,
                "{} is locked; every session and every token of the account has ended.",
                user.username
            );
        }
        User::Unlock { who } => {
            let user = running::unlock(site, by, &login(&who)?).await?;
            let _ = writeln!(said, "{} can log in again.", user.username);
        }
        User::Delete { who, keep_posts } => {
            let posts = if keep_posts { PostsOfDeleted::Keep } else { PostsOfDeleted::Delete };
            let user = running::close(site, by, &login(&who)?, posts).await?;
            deletions::run(site).await?;
            let _ = writeln!(said, "The account {} is deleted.", user.username);
        }
        User::List => {
            for account in store::list(&mut site.database.read().await?).await? {
                said += &line(&account);
            }
        }
    }
    Ok(said)
}

/// Makes an invitation and prints its link, of which there is no other copy.
async fn invite(site: &Site, days: u32) -> Result<(), Failure> {
    if output::is_discarded() {
        return Err(Failure::NowhereToShow("invitation"));
    }
    let end = clock::now().after(Duration::from_secs(u64::from(days) * 24 * 60 * 60));
    let invitation = invitations::make(site, end).await?;
    let link = site.link(&format!("/signup?invite={}", invitation.expose()));
    if let Err(cause) = output::write(&format!("{link}\n")) {
        let id = invitation.id();
        return Err(match invitations::revoke(site, &id).await {
            Ok(()) => Failure::Lost { what: "invitation", cause },
            Err(_) => Failure::LostHolds { what: "invitation", id, cause },
        });
    }
    // The link is good as soon as the setting is another one.
    if site.settings().sign_up == SignUpPolicy::Closed {
        output::print_error(
            "nobody may sign up now, not even with this invitation. To allow it, run: byline site set sign-up invite",
        );
    }
    Ok(())
}

fn line(account: &Listed) -> String {
    let Listed { username, email, created_at, posts, is_admin, is_locked, .. } = account;
    let since = Timestamp::from_micros(*created_at).rfc3339();
    let (admin, locked) = (mark(*is_admin, "admin"), mark(*is_locked, "locked"));
    format!("{username}\t{email}\t{since}{admin}{locked}\t{posts} posts\n")
}

/// A column for what is true of few.
fn mark(is_so: i64, word: &str) -> String {
    if is_so == 0 { String::new() } else { format!("\t{word}") }
}

fn login(who: &str) -> Result<Login, Failure> {
    Login::parse(who).map_err(refused)
}
