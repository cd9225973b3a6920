//! The header and the footer of every page.

use leptos::prelude::*;

use crate::{
    assets,
    credentials::{Actor, KeptForm},
    http::{
        context::{actor, site},
        forms::{Form, Notice},
    },
    posts::address::{self, FeedFormat, FeedOf},
    site_settings::logo::{LogoImage, ShownLogo},
    ui::{Time, uri},
};

/// Site name, navigation, and who is signed in. On narrow windows what belongs to the account is
/// in a menu, which opens without script.
#[component]
pub fn SiteHeader() -> impl IntoView {
    let path = uri().path().to_owned();
    let in_account = path == "/account" || path.starts_with("/account/");
    let link = move |href: &'static str, text: &'static str| {
        view! { <a href=href aria-current=(path == href).then_some("page")>{text}</a> }
    };
    let settings = site().settings();
    let (name, language) = (settings.identity.name.to_string(), settings.language.tag().to_owned());
    let name_or_logo = match settings.logo.as_ref().map(ShownLogo::at_the_head) {
        Some(logo) => view! { <LogoImage logo alt=name /> }.into_any(),
        None => name.into_any(),
    };
    view! {
        <header class="site-header">
            <a class="site-name" href="/" lang=language dir="auto">{name_or_logo}</a>
            <nav aria-label="Main">
                <ul>
                    <li>{link("/", "All posts")}</li>
                    <li>{link(address::SEARCH, "Search")}</li>
                </ul>
                {match actor() {
                    Actor::User(user) => view! {
                        <ul class="account">
                            <li><a class="write" href="/my-posts/new">"Write"</a></li>
                            <li class="menu">
                                <details>
                                    <summary>"Menu"</summary>
                                    <ul>
                                        <li>{link("/my-posts", "My posts")}</li>
                                        <li>
                                            <a href="/account" aria-current=in_account.then_some("true")>
                                                <span class="visually-hidden">"Account of "</span>
                                                <strong>{user.username.to_string()}</strong>
                                            </a>
                                        </li>
                                        <li>
                                            <form method="post" action="/logout">
                                                <button class="link-button" type="submit">"Log out"</button>
                                            </form>
                                        </li>
                                    </ul>
                                </details>
                            </li>
                        </ul>
                    }.into_any(),
                    Actor::Anonymous | Actor::ApiKey => view! {
                        <ul class="account">
                            {settings.sign_up.is_open().then(|| view! { <li>{link("/signup", "Sign up")}</li> })}
                            <li>{link("/login", "Log in")}</li>
                        </ul>
                    }.into_any(),
                }}
            </nav>
        </header>
    }
}

/// The notice of what was just done, shown once.
#[component]
pub fn NoticeBanner() -> impl IntoView {
    let notice = expect_context::<Option<&'static Notice>>();
    notice.map(|notice| {
        view! {
            <div class="notice" role="status">
                <p>{notice.sentence}</p>
            </div>
        }
    })
}

/// Texts that were sent after their author's session had ended, and are in no
/// editor now.
#[component]
pub fn KeptTexts() -> impl IntoView {
    let waiting = expect_context::<Vec<KeptForm>>();
    (!waiting.is_empty()).then(|| {
        let entries = waiting.into_iter().map(|form| view! { <KeptText form /> }).collect_view();
        view! {
            <section class="notice kept-texts" aria-labelledby="kept-texts">
                <h2 id="kept-texts">"Not saved yet"</h2>
                <p>"You sent these after you had been logged out. They wait here for a day."</p>
                <ul>{entries}</ul>
            </section>
        }
    })
}

#[component]
fn KeptText(form: KeptForm) -> impl IntoView {
    let KeptForm { id, page, title, at, .. } = form;
    let title = if title.trim().is_empty() { "Untitled".to_owned() } else { title };
    let link = format!("kept-{id}");
    view! {
        <li>
            <a id=link.clone() href=format!("{page}?{}={id}", Form::KEPT)><bdi>{title}</bdi></a>
            " of "<Time at />
            <form method="post" action=format!("/my-posts/kept/{id}/discard")>
                <button class="link-button" type="submit" aria-describedby=link>"Discard"</button>
            </form>
        </li>
    }
}

/// What is true of every page: whose site it is, how programs read it, and the theme.
#[component]
pub fn SiteFooter() -> impl IntoView {
    let settings = site().settings();
    let (name, language) = (settings.identity.name.to_string(), settings.language.tag().to_owned());
    let has_about = !settings.about.is_empty();
    let links = settings.footer_links.iter().cloned();
    let links = links.map(|link| {
        let rel = link.leads_elsewhere().then_some("external");
        view! { <li><a href=link.address rel=rel lang=language.clone() dir="auto">{link.text}</a></li> }
    });
    let links = links.collect_view();
    // Everybody may try the API; how to reach it with an account is for those who have one.
    let api = match actor() {
        Actor::User(_) => Some("/account/api"),
        Actor::Anonymous | Actor::ApiKey => assets::built("graphiql.js").map(|_| "/graphiql"),
    };
    view! {
        <footer class="site-footer">
            <div class="colophon">
                <ul>
                    <li><a href="/" lang=language.clone() dir="auto">{name}</a></li>
                    {has_about.then(|| view! { <li><a href=address::ABOUT>"About"</a></li> })}
                    <li>
                        <a href=FeedOf::Everyone.address(FeedFormat::Atom) type=FeedFormat::Atom.media_type()>"Feed"</a>
                    </li>
                    {api.map(|href| view! { <li><a href=href>"API"</a></li> })}
                    {links}
                </ul>
                <ThemeChoice />
            </div>
        </footer>
    }
}

/// Light, dark, or as the system has it. Style sheets see what is chosen, so it works without
/// script; the script `theme.js` keeps it.
#[component]
fn ThemeChoice() -> impl IntoView {
    let choices = [("system", "System"), ("light", "Light"), ("dark", "Dark")].map(|(theme, word)| {
        let id = format!("theme-{theme}");
        view! {
            <input type="radio" name="theme" id=id.clone() value=theme checked={theme == "system"} />
            <label for=id>{word}</label>
        }
    });
    view! {
        <fieldset class="theme">
            <legend>"Theme"</legend>
            {choices.into_iter().collect_view()}
        </fieldset>
    }
}
