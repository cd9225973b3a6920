//! `/admin/settings`: how the site presents itself, and whom it takes.

use leptos::prelude::*;

use super::{Head, by, pictures::PictureForms};
use crate::{
    config::{SiteSetting, SiteSettings},
    error::Field,
    http::context::site,
    site_settings,
    ui::{ErrorSummary, SelectField, TextArea, TextField, load},
};

/// Each setting with the value in force.
#[component]
pub fn SettingsPage() -> impl IntoView {
    load(async move {
        by().await?;
        let values = site_settings::in_force(&site()).await?;
        let value = |setting: SiteSetting| values.or_default(setting).to_owned();
        let choice = |setting: SiteSetting, choices: &[(&'static str, &str)]| {
            let value = value(setting);
            choices
                .iter()
                .map(|(sent, _)| *sent)
                .find(|sent| *sent == value)
                .unwrap_or(setting.default_value())
        };
        let [faces, sign_up, approval, ai_crawlers] = [
            (SiteSetting::Faces, FACES),
            (SiteSetting::SignUp, SIGN_UP),
            (SiteSetting::Approval, APPROVAL),
            (SiteSetting::AiCrawlers, AI_CRAWLERS),
        ]
        .map(|(setting, choices)| choice(setting, choices));
        Ok(view! {
            <Head title="Settings" />
            <div class="narrow">
                <ErrorSummary />
                <p>"They count at once, in every process that serves the site."</p>
                <form method="post" action="/admin/settings" novalidate>
                    <TextField
                        field=Field::SiteName
                        autocomplete="on"
                        hint="It stands in titles, feeds and mails: 60 characters at most"
                        value=value(SiteSetting::Name)
                    />
                    <TextField
                        field=Field::Description
                        autocomplete="on"
                        hint="One line below the name: 200 characters at most; empty for none"
                        value=value(SiteSetting::Description)
                        optional=true
                    />
                    <TextField
                        field=Field::SiteLanguage
                        autocomplete="on"
                        hint="Of the name and the texts of the site, such as en, pt-BR or zh-Hant"
                        value=value(SiteSetting::Language)
                    />
                    <TextField
                        field=Field::TimeZone
                        autocomplete="on"
                        hint="Such as UTC or Europe/Lisbon: days are shown in it"
                        value=value(SiteSetting::TimeZone)
                    />
                    <TextField
                        field=Field::Accent
                        autocomplete="on"
                        hint="Such as #1a6b4a, for links and marks; empty for Byline's own. It is made darker or lighter where it could not be read"
                        value=value(SiteSetting::Accent)
                        optional=true
                    />
                    <SelectField field=Field::Faces choices=owned(FACES) value=faces />
                    <TextArea
                        field=Field::AboutSite
                        hint="Markdown of the page /about; empty for none"
                        value=value(SiteSetting::About)
                    />
                    <TextArea
                        field=Field::FooterLinks
                        hint="One a line, ten at most: a text, a space, and an address that begins with https://, http://, mailto: or /; empty for none"
                        value=value(SiteSetting::FooterLinks)
                    />
                    <TextArea
                        field=Field::Css
                        hint="CSS, 64 KiB at most, after Byline's own on every page but those of /admin and of the login; empty for none"
                        value=value(SiteSetting::Css)
                    />
                    <SelectField field=Field::SignUp choices=owned(SIGN_UP) value=sign_up />
                    <SelectField
                        field=Field::Approval
                        hint="What waits is at Posts. When you turn this off, it goes on waiting until you approve it or its author publishes it again"
                        choices=owned(APPROVAL)
                        value=approval
                    />
                    <SelectField
                        field=Field::AiCrawlers
                        hint="What robots.txt asks of them"
                        choices=owned(AI_CRAWLERS)
                        value=ai_crawlers
                    />
                    <TextField
                        field=Field::Hsts
                        autocomplete="on"
                        hint="Such as 365: a browser that came by https once comes by nothing else so long. With with-subdomains after it, the same holds for every name below this one. 0 makes browsers forget it, off says nothing"
                        value=value(SiteSetting::Hsts)
                    />
                    <button class="button" type="submit">"Save settings"</button>
                </form>
                <PictureForms settings=SiteSettings::of_what_fits(&values) />
            </div>
        })
    })
}

const FACES: &[(&str, &str)] =
    &[("served", "The serif that the site brings along"), ("system", "What the reader's system has")];
const SIGN_UP: &[(&str, &str)] =
    &[("open", "Everyone"), ("invite", "Whoever has an invitation"), ("closed", "Nobody")];
const APPROVAL: &[(&str, &str)] =
    &[("none", "None"), ("first-posts", "Those of authors of whom nothing is published yet")];
const AI_CRAWLERS: &[(&str, &str)] = &[("allow", "They may come"), ("refuse", "They are asked to stay away")];

fn owned(choices: &'static [(&'static str, &'static str)]) -> Vec<(&'static str, String)> {
    choices.iter().map(|(sent, words)| (*sent, (*words).to_owned())).collect()
}
