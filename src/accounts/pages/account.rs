//! `/account`: everything that a person can see and change of their account.

use leptos::prelude::*;

use super::AccountNav;
use crate::{
    accounts::domain::{
        account::{self, AccountFacts},
        api_keys,
        audit::AuditRow,
        device_name::whence,
        logins, running,
    },
    http::context::{actor, caller, site},
    ui::{PageTitle, Time, load},
};

/// Deeds that are shown without asking for more.
const RECENT: usize = 20;

#[component]
pub fn AccountPage() -> impl IntoView {
    load(async move {
        let (site, caller) = (site(), caller());
        let username = caller.actor.user()?.username.to_string();
        let AccountFacts { email, profile, .. } = account::facts(&site, &caller).await?;
        let logins = logins::list(&site, &caller).await?.len();
        let keys = api_keys::list(&site, &actor()).await?.len();
        let name = match profile.display_name.as_str() {
            "" => username.clone(),
            name => name.to_owned(),
        };
        let is_in_charge = running::is_in_charge(&site, &caller.actor.user()?.id).await?;
        let activity = account::activity(&site, &caller)
            .await?
            .into_iter()
            .take(RECENT)
            .map(|row| view! { <Deed row /> })
            .collect_view();
        Ok(view! {
            <PageTitle text="Account".to_owned() />
            <AccountNav />
            <h1>"Account of "<bdi>{username}</bdi></h1>
            <div class="parts">
                {is_in_charge.then(|| view! {
                    <Part title="The site" href="/admin" link="Look after the site">
                        <p>"You are in charge of it."</p>
                    </Part>
                })}
                <Part title="Profile" href="/account/profile" link="Change profile">
                    <p>"You are called "<bdi>{name}</bdi>"."</p>
                </Part>
                <Part title="Password" href="/account/password" link="Change password">
                    <p>"A new one signs you out everywhere else."</p>
                </Part>
                <Part title="Email" href="/account/email" link="Change email address">
                    <p><bdi>{email}</bdi></p>
                </Part>
                <Part title="Passkeys" href="/account/passkeys" link="Manage passkeys">
                    <p>"Log in with your fingerprint, your face or a security key."</p>
                </Part>
                <Part title="Two-factor authentication" href="/account/two-factor" link="Manage two-factor authentication">
                    <p>"A code from an app, besides the password."</p>
                </Part>
                <Part title="Where you are signed in" href="/account/sessions" link="Show logins">
                    <p>{number(logins, "login", "logins")}</p>
                </Part>
                <Part title="API keys" href="/account/api-keys" link="Manage API keys">
                    <p>{number(keys, "key", "keys")}</p>
                </Part>
                <Part title="Pictures" href="/account/media" link="Manage pictures">
                    <p>"What you show in your posts."</p>
                </Part>
                <Part title="Export" href="/account/export" link="Export your data">
                    <p>"Your posts as Markdown, and everything else that is yours."</p>
                </Part>
                <Part title="Delete account" href="/account/delete" link="Delete this account">
                    <p>"It can be undone for seven days."</p>
                </Part>
            </div>
            <section aria-labelledby="activity">
                <h2 id="activity">"Recent activity"</h2>
                <ul class="activity">{activity}</ul>
            </section>
        })
    })
}

fn number(count: usize, one: &str, many: &str) -> String {
    match count {
        0 => format!("No {many}"),
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// A part of the account, and where it is changed.
#[component]
fn Part(title: &'static str, href: &'static str, link: &'static str, children: Children) -> impl IntoView {
    view! {
        <section class="account-part">
            <h2>{title}</h2>
            {children()}
            <p><a href=href>{link}</a></p>
        </section>
    }
}

#[component]
fn Deed(row: AuditRow) -> impl IntoView {
    view! {
        <li>
            <strong>{row.said()}</strong>
            <span class="hint"><Time at=row.at() />", "{whence(&row.user_agent, &row.address)}</span>
        </li>
    }
}
