//! What a browser gets: the document, its routes, its error pages.

mod chrome;

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    PathSegment, RouteList,
    components::{Route, Router, Routes},
    location::RequestUrl,
    path,
};

use crate::{
    accounts::pages::{
        AccountPage, ApiKeysPage, ConfirmPage, DeleteAccountPage, EmailPage, EndLoginPage, ExportPage,
        ForgotPasswordPage, LogInCodePage, LogInPage, LogOutPage, LoggedInPage, PasskeysPage, PasswordPage,
        ProfilePage, RemovePasskeyPage, ResetPasswordPage, RevokeApiKeyPage, SessionsPage, SignUpPage,
        TwoFactorPage, UnconfirmedBanner, UndoEmailPage, VerifyEmailPage,
    },
    admin::pages::{
        AccountDeedPage, AccountsPage, ApprovePostPage, AuditPage, DeletePage, DismissReportsPage,
        HiddenPostsPage, HidePostPage, InvitationsPage, OneAccountPage, OverviewPage, PostsPage,
        RemovePicturePage, ReportsPage, RestorePostPage, RevokeInvitationPage, SettingsPage, SweepsPage,
        UndoSweepPage, WaitingPostsPage,
    },
    assets,
    codegen::page::ApiPage,
    config::{Faces, SitePicture},
    error::AppError,
    http::{context::site, look::Look},
    media::pages::{DeletePicturePage, PicturesPage},
    posts::{
        address,
        pages::{
            AboutPage, AllPostsPage, AuthorPage, DeletePostPage, DraftsPage, EditPostPage, MyPostsPage,
            NewPostPage, PostPage, ReportPage, ReportedPage, RevisionsPage, SearchPage, TagPage, TrashPage,
        },
    },
    site_settings::{
        css,
        pictures::{LARGE_ICON, SMALL_ICON, TOUCH_ICON, icon_address},
    },
    ui::{ErrorPage, uri},
};
use chrome::{KeptTexts, NoticeBanner, SiteFooter, SiteHeader};

/// The whole document. Pages are rendered on the server and never hydrated;
/// only islands wake up.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    // Tells Leptos, as its `HydrationScripts` would, that only islands hydrate.
    if let Some(context) = Owner::current_shared_context() {
        context.set_is_hydrating(false);
    }
    // A form or a call that failed for good shows its error in place of the page.
    let error = expect_context::<Option<AppError>>();
    let settings = site().settings();
    let language = settings.language.tag().to_owned();
    let faces = settings.identity.faces;
    let look = Look::of(settings.identity.accent, faces).map(|look| look.address());
    let path = uri().path().to_owned();
    let own_sheet = css::address(&settings.css).filter(|_| css::is_on(&path));
    let serves_faces = faces == Faces::Served;
    view! {
        <!DOCTYPE html>
        <html lang=language.clone()>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <script src=assets::url("theme.js")></script>
                <link rel="stylesheet" href=assets::url("byline.css") />
                {(!is_for_reading(uri().path())).then(|| view! {
                    <link rel="stylesheet" href=assets::url("authors.css") />
                })}
                {look.map(|href| view! { <link rel="stylesheet" href=href /> })}
                {own_sheet.map(|href| view! { <link rel="stylesheet" href=href /> })}
                // What is read first is set in it, so it is asked for before the style sheet says so.
                {serves_faces.then(|| view! {
                    <link rel="preload" r#as="font" r#type="font/woff2" crossorigin="anonymous" href=assets::url("fonts/serif.woff2") />
                })}
                <Icons icon=settings.icon.clone() />
                <meta name="theme-color" content="#fbf8f1" media="(prefers-color-scheme: light)" />
                <meta name="theme-color" content="#1a1816" media="(prefers-color-scheme: dark)" />
                <MetaTags />
            </head>
            // The words of the site itself are English, whatever language it is about.
            <body lang=(language != "en").then_some("en")>
                <a class="skip-link" href="#main">"Skip to content"</a>
                <SiteHeader />
                <main id="main" class="page">
                    <NoticeBanner />
                    <UnconfirmedBanner />
                    <KeptTexts />
                    {match error {
                        Some(error) => view! { <ErrorPage error /> }.into_any(),
                        None => view! { <Pages /> }.into_any(),
                    }}
                </main>
                <SiteFooter />
            </body>
        </html>
    }
}

/// Where browsers find what they show beside the title of a page and on home screens.
#[component]
fn Icons(icon: Option<SitePicture>) -> impl IntoView {
    let Some(icon) = icon else {
        return view! {
            <link rel="icon" type="image/svg+xml" href=assets::url("icon.svg") />
            <link rel="apple-touch-icon" href=assets::url("apple-touch-icon.png") />
        }
        .into_any();
    };
    let of = |side| icon_address(&icon, side);
    view! {
        <link rel="icon" type="image/png" sizes="32x32" href=of(SMALL_ICON) />
        <link rel="icon" type="image/png" sizes="192x192" href=of(LARGE_ICON) />
        <link rel="apple-touch-icon" href=of(TOUCH_ICON) />
    }
    .into_any()
}

/// Whether a page is for reading alone: then it does without the style sheet of forms for
/// texts, lists of one's own and accounts. An error of a form has the address of the form.
fn is_for_reading(path: &str) -> bool {
    path == "/"
        || ["/@", "/posts/", "/tags/", address::ABOUT, address::SEARCH]
            .iter()
            .any(|start| path.starts_with(start))
}

/// The patterns of the paths of all pages, such as `/posts/{id}`.
#[must_use]
pub fn page_patterns() -> Vec<String> {
    let routes = Owner::new().with(|| {
        provide_context(RequestUrl::new("/"));
        RouteList::generate(|| view! { <Pages /> }.into_any())
    });
    let pattern = |path: &[PathSegment]| {
        let segments = path.iter().map(|segment| match segment {
            PathSegment::Param(name) => format!("/{{{name}}}"),
            other => match other.as_raw_str().trim_matches('/') {
                "" => String::new(),
                text => format!("/{text}"),
            },
        });
        let pattern: String = segments.collect();
        if pattern.is_empty() { "/".to_owned() } else { pattern }
    };
    routes.iter().flat_map(RouteList::iter).map(|route| pattern(route.path())).collect()
}

#[component]
fn Pages() -> impl IntoView {
    view! {
        <Router>
            <Routes fallback=|| view! { <ErrorPage error=AppError::NotFound /> }>
                <Route path=path!("/") view=|| view! { <AllPostsPage /> }.into_any() />
                <Route path=path!("/posts/:id") view=|| view! { <PostPage /> }.into_any() />
                <Route path=path!("/posts/:id/delete") view=|| view! { <DeletePostPage /> }.into_any() />
                <Route path=path!("/my-posts") view=|| view! { <MyPostsPage /> }.into_any() />
                <Route path=path!("/my-posts/new") view=|| view! { <NewPostPage /> }.into_any() />
                <Route path=path!("/my-posts/new/draft") view=|| view! { <NewPostPage /> }.into_any() />
                <Route path=path!("/my-posts/drafts") view=|| view! { <DraftsPage /> }.into_any() />
                <Route path=path!("/my-posts/trash") view=|| view! { <TrashPage /> }.into_any() />
                <Route path=path!("/my-posts/trash/:id") view=|| view! { <TrashPage /> }.into_any() />
                <Route path=path!("/my-posts/:id/edit") view=|| view! { <EditPostPage /> }.into_any() />
                <Route path=path!("/about") view=|| view! { <AboutPage /> }.into_any() />
                <Route path=path!("/search") view=|| view! { <SearchPage /> }.into_any() />
                <Route path=path!("/my-posts/:id/draft") view=|| view! { <EditPostPage /> }.into_any() />
                <Route path=path!("/my-posts/:id/publish") view=|| view! { <EditPostPage /> }.into_any() />
                <Route path=path!("/my-posts/:id/unpublish") view=|| view! { <EditPostPage /> }.into_any() />
                <Route path=path!("/my-posts/:id/revisions") view=|| view! { <RevisionsPage /> }.into_any() />
                <Route path=path!("/account") view=|| view! { <AccountPage /> }.into_any() />
                <Route path=path!("/account/confirm") view=|| view! { <ConfirmPage /> }.into_any() />
                <Route path=path!("/account/confirm/passkey") view=|| view! { <ConfirmPage /> }.into_any() />
                <Route path=path!("/account/profile") view=|| view! { <ProfilePage /> }.into_any() />
                <Route path=path!("/account/password") view=|| view! { <PasswordPage /> }.into_any() />
                <Route path=path!("/account/sessions") view=|| view! { <SessionsPage /> }.into_any() />
                <Route path=path!("/account/sessions/:id/end") view=|| view! { <EndLoginPage /> }.into_any() />
                <Route path=path!("/account/export") view=|| view! { <ExportPage /> }.into_any() />
                <Route path=path!("/account/delete") view=|| view! { <DeleteAccountPage /> }.into_any() />
                <Route path=path!("/account/api-keys") view=|| view! { <ApiKeysPage /> }.into_any() />
                <Route path=path!("/account/api-keys/:id/revoke") view=|| view! { <RevokeApiKeyPage /> }.into_any() />
                <Route path=path!("/account/media") view=|| view! { <PicturesPage /> }.into_any() />
                <Route path=path!("/account/media/:id/delete") view=|| view! { <DeletePicturePage /> }.into_any() />
                <Route path=path!("/account/two-factor") view=|| view! { <TwoFactorPage /> }.into_any() />
                <Route path=path!("/account/two-factor/:form") view=|| view! { <TwoFactorPage /> }.into_any() />
                <Route path=path!("/account/passkeys") view=|| view! { <PasskeysPage /> }.into_any() />
                <Route path=path!("/account/passkeys/without-password") view=|| view! { <PasskeysPage /> }.into_any() />
                <Route path=path!("/account/passkeys/password") view=|| view! { <PasskeysPage /> }.into_any() />
                <Route path=path!("/account/passkeys/:id/remove") view=|| view! { <RemovePasskeyPage /> }.into_any() />
                <Route path=path!("/account/email") view=|| view! { <EmailPage /> }.into_any() />
                <Route path=path!("/account/email/undo") view=|| view! { <UndoEmailPage /> }.into_any() />
                <Route path=path!("/forgot-password") view=|| view! { <ForgotPasswordPage /> }.into_any() />
                <Route path=path!("/reset-password") view=|| view! { <ResetPasswordPage /> }.into_any() />
                <Route path=path!("/verify-email") view=|| view! { <VerifyEmailPage /> }.into_any() />
                <Route path=path!("/account/api") view=|| view! { <ApiPage /> }.into_any() />
                <Route path=path!("/logout") view=|| view! { <LogOutPage /> }.into_any() />
                <Route path=path!("/signup") view=|| view! { <SignUpPage /> }.into_any() />
                <Route path=path!("/login") view=|| view! { <LogInPage /> }.into_any() />
                <Route path=path!("/login/code") view=|| view! { <LogInCodePage /> }.into_any() />
                <Route path=path!("/login/passkey") view=|| view! { <LogInPage /> }.into_any() />
                <Route path=path!("/login/done") view=|| view! { <LoggedInPage /> }.into_any() />
                <Route path=path!("/admin") view=|| view! { <OverviewPage /> }.into_any() />
                <Route path=path!("/admin/settings") view=|| view! { <SettingsPage /> }.into_any() />
                <Route path=path!("/admin/settings/logo") view=|| view! { <SettingsPage /> }.into_any() />
                <Route path=path!("/admin/settings/icon") view=|| view! { <SettingsPage /> }.into_any() />
                <Route path=path!("/admin/settings/:picture/remove") view=|| view! { <RemovePicturePage /> }.into_any() />
                <Route path=path!("/admin/accounts") view=|| view! { <AccountsPage /> }.into_any() />
                <Route path=path!("/admin/accounts/:name") view=|| view! { <OneAccountPage /> }.into_any() />
                <Route path=path!("/admin/accounts/:name/delete") view=|| view! { <DeletePage /> }.into_any() />
                <Route path=path!("/admin/accounts/:name/:deed") view=|| view! { <AccountDeedPage /> }.into_any() />
                <Route path=path!("/admin/posts") view=|| view! { <PostsPage /> }.into_any() />
                <Route path=path!("/admin/posts/hidden") view=|| view! { <HiddenPostsPage /> }.into_any() />
                <Route path=path!("/admin/posts/waiting") view=|| view! { <WaitingPostsPage /> }.into_any() />
                <Route path=path!("/admin/posts/:id/approve") view=|| view! { <ApprovePostPage /> }.into_any() />
                <Route path=path!("/admin/posts/:id/hide") view=|| view! { <HidePostPage /> }.into_any() />
                <Route path=path!("/admin/posts/:id/restore") view=|| view! { <RestorePostPage /> }.into_any() />
                <Route path=path!("/admin/reports") view=|| view! { <ReportsPage /> }.into_any() />
                <Route path=path!("/admin/reports/:id/dismiss") view=|| view! { <DismissReportsPage /> }.into_any() />
                <Route path=path!("/admin/sweeps") view=|| view! { <SweepsPage /> }.into_any() />
                <Route path=path!("/admin/sweeps/:id/undo") view=|| view! { <UndoSweepPage /> }.into_any() />
                <Route path=path!("/admin/invitations") view=|| view! { <InvitationsPage /> }.into_any() />
                <Route path=path!("/admin/invitations/:id/revoke") view=|| view! { <RevokeInvitationPage /> }.into_any() />
                <Route path=path!("/admin/audit") view=|| view! { <AuditPage /> }.into_any() />
                <Route path=path!("/tags/:tag") view=|| view! { <TagPage /> }.into_any() />
                <Route path=path!("/posts/reported/thanks") view=|| view! { <ReportedPage /> }.into_any() />
                <Route path=path!("/:author/:slug/report") view=|| view! { <ReportPage /> }.into_any() />
                // Of one segment and of two, so after every other of as many.
                <Route path=path!("/:author/:slug") view=|| view! { <PostPage /> }.into_any() />
                <Route path=path!("/:author") view=|| view! { <AuthorPage /> }.into_any() />
            </Routes>
        </Router>
    }
}
