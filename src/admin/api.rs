//! The server functions of `/admin`. Each answers [`AppError::NotFound`] to whoever is not in
//! charge of the site, before it looks at what was sent.

#![expect(clippy::too_many_arguments, reason = "the controls of a form are the arguments of its function")]

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::settings::{self, Sent};
use crate::{
    accounts::{
        ApiKeyDays,
        domain::{
            Login,
            account::PostsOfDeleted,
            audit::AuditKind,
            invitations,
            running::{self, InCharge},
        },
    },
    clock,
    config::SiteValues,
    error::{AppError, Field, FieldErrors},
    http::context::{caller, site, source},
    ops::deletions,
    posts::{
        PostId,
        domain::{
            approving,
            hidden::{self, HiddenReason},
            reports,
            sweeps::{self, Wave},
        },
    },
    site_settings::{self, pictures::PictureSetting},
};

/// A link by which one person signs up. Only the answer that makes it has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewInvitation {
    pub link: String,
}

/// Stores settings of the site. What is not sent stays as it is; what is sent empty is taken
/// away, if the setting may be empty.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Invalid`] with every value that does not fit.
#[server(endpoint = "/admin_save_settings", prefix = "/api")]
pub async fn admin_save_settings(
    #[server(default)] site_name: Sent,
    #[server(default)] description: Sent,
    #[server(default)] site_language: Sent,
    #[server(default)] time_zone: Sent,
    #[server(default)] accent: Sent,
    #[server(default)] faces: Sent,
    #[server(default)] about_site: Sent,
    #[server(default)] footer_links: Sent,
    #[server(default)] css: Sent,
    #[server(default)] sign_up: Sent,
    #[server(default)] approval: Sent,
    #[server(default)] ai_crawlers: Sent,
    #[server(default)] hsts: Sent,
) -> Result<(), AppError> {
    let by = by().await?;
    let values = settings::parse(|field| match field {
        Field::SiteName => site_name.text(),
        Field::Description => description.text(),
        Field::SiteLanguage => site_language.text(),
        Field::TimeZone => time_zone.text(),
        Field::Accent => accent.text(),
        Field::Faces => faces.text(),
        Field::AboutSite => about_site.text(),
        Field::FooterLinks => footer_links.text(),
        Field::Css => css.text(),
        Field::SignUp => sign_up.text(),
        Field::Approval => approval.text(),
        Field::AiCrawlers => ai_crawlers.text(),
        Field::Hsts => hsts.text(),
        _ => None,
    })?;
    site_settings::save(&site(), &by, &values).await
}

/// Removes the logo or the icon of the site; `picture` is `logo` or `icon`.
///
/// # Errors
/// [`AppError::NotFound`], also for another name.
#[server(endpoint = "/admin_remove_picture", prefix = "/api")]
pub async fn admin_remove_picture(#[server(default)] picture: String) -> Result<(), AppError> {
    let by = by().await?;
    let picture = PictureSetting::named(&picture).ok_or(AppError::NotFound)?;
    let mut values = SiteValues::default();
    values.set(picture.setting(), "");
    site_settings::save(&site(), &by, &values).await
}

/// Locks an account.
///
/// # Errors
/// [`AppError::NotFound`]; [`AppError::Forbidden`] for one's own account.
#[server(endpoint = "/admin_lock_account", prefix = "/api")]
pub async fn admin_lock_account(#[server(default)] name: String) -> Result<(), AppError> {
    running::lock(&site(), &by().await?, &login(&name)?).await.map(drop)
}

/// Opens a locked account.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/admin_unlock_account", prefix = "/api")]
pub async fn admin_unlock_account(#[server(default)] name: String) -> Result<(), AppError> {
    running::unlock(&site(), &by().await?, &login(&name)?).await.map(drop)
}

/// Ends every login of an account.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/admin_sign_out_account", prefix = "/api")]
pub async fn admin_sign_out_account(#[server(default)] name: String) -> Result<(), AppError> {
    running::sign_out(&site(), &by().await?, &login(&name)?).await.map(drop)
}

/// Puts somebody else in charge of the site.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::ConfirmIdentity`]; [`AppError::Forbidden`] for oneself.
#[server(endpoint = "/admin_put_in_charge", prefix = "/api")]
pub async fn admin_put_in_charge(#[server(default)] name: String) -> Result<(), AppError> {
    running::set_admin(&site(), &by_for_sure().await?, &login(&name)?, true).await.map(drop)
}

/// Ends that somebody else is in charge of the site.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::ConfirmIdentity`]; [`AppError::Forbidden`] for oneself.
#[server(endpoint = "/admin_end_charge", prefix = "/api")]
pub async fn admin_end_charge(#[server(default)] name: String) -> Result<(), AppError> {
    running::set_admin(&site(), &by_for_sure().await?, &login(&name)?, false).await.map(drop)
}

/// Deletes an account at once and for ever; `posts` is `delete` or `keep`.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::ConfirmIdentity`], [`AppError::Invalid`];
/// [`AppError::Forbidden`] for one's own account.
#[server(endpoint = "/admin_delete_account", prefix = "/api")]
pub async fn admin_delete_account(
    #[server(default)] name: String,
    #[server(default)] posts: String,
) -> Result<(), AppError> {
    let (site, by) = (site(), by_for_sure().await?);
    let login = login(&name)?;
    let posts = PostsOfDeleted::parse(&posts)
        .map_err(|_| AppError::invalid(Field::Posts, "Choose what becomes of the posts"))?;
    running::close(&site, &by, &login, posts).await?;
    // Thousands of posts take longer than a request may. What is not done when the process
    // ends, housekeeping does.
    tokio::spawn(async move {
        if let Err(error) = deletions::run(&site).await {
            tracing::warn!(%error, "an account is not deleted yet; it is tried again in ten minutes");
        }
    });
    Ok(())
}

/// Approves a post that waits: it is published, and later posts of its author do not wait.
/// `version` is the version that was read.
///
/// # Errors
/// [`AppError::NotFound`], also where no such post waits; [`AppError::Invalid`] when its author
/// has changed it since; [`AppError::Busy`].
#[server(endpoint = "/admin_approve_post", prefix = "/api")]
pub async fn admin_approve_post(
    #[server(default)] id: String,
    #[server(default)] version: String,
) -> Result<(), AppError> {
    let by = by().await?;
    let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
    let version = version.parse().map_err(|_| AppError::NotFound)?;
    approving::approve(&site(), &by, &id, version).await.map(drop)
}

/// Hides a post that is published or waits from everyone; its author reads the reason.
///
/// # Errors
/// [`AppError::NotFound`], also where there is no such post; [`AppError::Invalid`].
#[server(endpoint = "/admin_hide_post", prefix = "/api")]
pub async fn admin_hide_post(
    #[server(default)] id: String,
    #[server(default)] reason: String,
) -> Result<(), AppError> {
    let by = by().await?;
    let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
    let reason = HiddenReason::parse(&reason).map_err(|_| AppError::invalid(Field::Reason, REASON))?;
    hidden::hide(&site(), &by, &id, reason).await
}

/// Publishes a hidden post again; one that has waited for approval waits again.
///
/// # Errors
/// [`AppError::NotFound`], also where no such post is hidden.
#[server(endpoint = "/admin_restore_post", prefix = "/api")]
pub async fn admin_restore_post(#[server(default)] id: String) -> Result<(), AppError> {
    let by = by().await?;
    let id = PostId::parse(&id).ok_or(AppError::NotFound)?;
    hidden::restore(&site(), &by, &id).await.map(drop)
}

/// Makes a link by which one person signs up within `days`, 1 to 365.
///
/// # Errors
/// [`AppError::NotFound`], [`AppError::Invalid`].
#[server(endpoint = "/admin_invite", prefix = "/api")]
pub async fn admin_invite(#[server(default)] days: String) -> Result<NewInvitation, AppError> {
    let by = by().await?;
    let days = ApiKeyDays::parse(&days).map_err(|error| AppError::invalid(Field::Days, error))?;
    let site = site();
    let invitation = invitations::make(&site, days.after(clock::now())).await?;
    running::note_own(&site, &by, AuditKind::InvitationMade, String::new()).await?;
    Ok(NewInvitation { link: site.link(&format!("/signup?invite={}", invitation.expose())) })
}

/// Ends an invitation that nobody has used.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/admin_revoke_invitation", prefix = "/api")]
pub async fn admin_revoke_invitation(#[server(default)] id: String) -> Result<(), AppError> {
    by().await?;
    invitations::revoke(&site(), &id).await
}

/// Settles the open reports of a post: there is nothing to do.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/admin_dismiss_reports", prefix = "/api")]
pub async fn admin_dismiss_reports(#[server(default)] id: String) -> Result<(), AppError> {
    by().await?;
    reports::dismiss(&site(), &PostId::parse(&id).ok_or(AppError::NotFound)?).await
}

/// Locks accounts that were made from one network in the last `minutes`, those with these
/// `names`, and hides their posts, with a `reason` that their authors read. It goes on after
/// the answer.
///
/// # Errors
/// [`AppError::NotFound`], also where the accounts are none of that network;
/// [`AppError::ConfirmIdentity`], [`AppError::Invalid`].
#[server(endpoint = "/admin_sweep", prefix = "/api")]
pub async fn admin_sweep(
    #[server(default)] network: String,
    #[server(default)] minutes: String,
    #[server(default)] reason: String,
    #[server(default)] names: Vec<String>,
) -> Result<(), AppError> {
    let by = by_for_sure().await?;
    let mut errors = FieldErrors::default();
    let network = errors.take(Field::Network, Wave::network(&network));
    let since = errors.take(Field::Minutes, Wave::since(&minutes));
    let reason = errors.take(Field::Reason, HiddenReason::parse(&reason).map_err(|_| REASON));
    if names.is_empty() {
        errors.take::<(), _>(Field::Network, Err("Choose at least one account"));
    }
    let (Some(network), Some(since), Some(reason), false) = (network, since, reason, names.is_empty()) else {
        return Err(errors.into_error());
    };
    sweeps::begin(&site(), &by, &Wave { network, since }, &names, reason).await
}

/// Undoes a sweep.
///
/// # Errors
/// [`AppError::NotFound`].
#[server(endpoint = "/admin_undo_sweep", prefix = "/api")]
pub async fn admin_undo_sweep(#[server(default)] id: String) -> Result<(), AppError> {
    let by = by().await?;
    sweeps::undo(&site(), &by, &id).await
}

const REASON: &str = "Enter the reason, one line of 500 characters at most; the author reads it";

async fn by() -> Result<InCharge, AppError> {
    running::in_charge(&site(), &caller(), &source()).await
}

async fn by_for_sure() -> Result<InCharge, AppError> {
    running::in_charge_for_sure(&site(), &caller(), &source()).await
}

fn login(name: &str) -> Result<Login, AppError> {
    Login::parse(name).map_err(|_| AppError::NotFound)
}
