//! The forms for the logo and the icon of the site, on `/admin/settings`, and
//! `/admin/settings/{picture}/remove`.

use leptos::prelude::*;

use super::{Deed, by, parameter};
use crate::{
    admin::{forms::SETTINGS, pictures::page},
    config::SiteSettings,
    error::AppError,
    site_settings::{
        logo::{LogoImage, ShownLogo},
        pictures::{LARGE_ICON, PictureSetting, icon_address},
    },
    ui::{FileField, load},
};

/// A form for each picture. They are apart from the other settings, because a browser forgets
/// a chosen file when a page comes back.
#[component]
pub(super) fn PictureForms(settings: SiteSettings) -> impl IntoView {
    let name = settings.identity.name.to_string();
    let logo = settings.logo.as_ref().map(|logo| {
        view! { <LogoImage logo=ShownLogo::at_the_head(logo) alt=format!("Logo of {name}") /> }
    });
    let icon = settings.icon.as_ref().map(|icon| {
        view! { <img src=icon_address(icon, LARGE_ICON) width=64 height=64 alt=format!("Icon of {name}") /> }
    });
    view! {
        <section aria-labelledby="pictures">
            <h2 id="pictures">"Logo and icon"</h2>
            <p>"Each counts at once. Save other settings first."</p>
            <PictureForm
                setting=PictureSetting::Logo
                hint="A PNG, WebP, JPEG, GIF or AVIF, 10 MiB at most: it stands in place of the name at the head of every page, on light and on dark ground. 128 pixels of height are enough"
                save="Save logo"
                remove="Remove logo"
                shown=logo.map(IntoAny::into_any)
            />
            <PictureForm
                setting=PictureSetting::Icon
                hint="A square PNG, WebP, JPEG, GIF or AVIF, 10 MiB at most: browsers show it beside titles and on home screens. Best with 512 pixels or more; another shape gets a transparent margin"
                save="Save icon"
                remove="Remove icon"
                shown=icon.map(IntoAny::into_any)
            />
        </section>
    }
}

#[component]
fn PictureForm(
    setting: PictureSetting,
    hint: &'static str,
    save: &'static str,
    remove: &'static str,
    /// The picture in force.
    shown: Option<AnyView>,
) -> impl IntoView {
    view! {
        <form method="post" action=page(setting) enctype="multipart/form-data" novalidate>
            <FileField field=setting.field() accept="image/png,image/webp,image/jpeg,image/gif,image/avif" hint=hint />
            <button class="button" type="submit">{save}</button>
        </form>
        {shown.map(|shown| view! {
            <form method="post" action=format!("{}/remove", page(setting)) class="site-picture">
                {shown}
                <button class="link-button danger" type="submit">{remove}</button>
            </form>
        })}
    }
}

/// The page of the form that removes a picture, for people who reload it.
#[component]
pub fn RemovePicturePage() -> impl IntoView {
    let picture = parameter("picture");
    load(async move {
        by().await?;
        let picture = PictureSetting::named(&picture).ok_or(AppError::NotFound)?;
        let (question, sentence, button) = match picture {
            PictureSetting::Logo => {
                ("Remove the logo?", "The name of the site takes its place.", "Remove logo")
            }
            PictureSetting::Icon => ("Remove the icon?", "Byline's own takes its place.", "Remove icon"),
        };
        let action = format!("{}/remove", page(picture));
        Ok(view! { <Deed question sentence action button back=SETTINGS danger=true /> })
    })
}
