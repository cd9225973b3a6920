//! The list of doors. Every function that parses outside text has one here.

use super::{
    Door, Way,
    grammar::{self, Worst},
};

const KIB: usize = 1024;

pub const DOORS: [&[Door]; 6] = [MARKDOWN, GRAPHQL, BODIES, HEADS, MESSAGES, OPERATOR];

pub const MARKDOWN: &[Door] = &[
    Door {
        name: "Markdown",
        parses: &[
            "posts/domain/markdown/addresses.rs::picture",
            "posts/domain/markdown/addresses.rs::refused_link",
            "posts/domain/markdown/dollars.rs::kept_apart",
            "posts/domain/markdown/formulas.rs::mathml",
        ],
        bytes: 20_000,
        worst: grammar::markdown,
        way: Way::Field { path: "/api/preview_post", field: "content", others: &[] },
    },
    Door {
        name: "a post that is saved, and its excerpt",
        parses: &["posts/post.rs::Content::parse"],
        bytes: 40_000,
        worst: excerpts,
        way: Way::Field { path: "/api/create_post", field: "content", others: &[("title", "Worst")] },
    },
];

pub const GRAPHQL: &[Door] = &[
    Door {
        name: "a document of GraphQL",
        parses: &["graphql/document.rs::read"],
        bytes: 16 * KIB,
        worst: grammar::document,
        way: Way::Document,
    },
    Door {
        name: "a body of GraphQL",
        parses: &["graphql/http.rs::read"],
        bytes: 1280 * KIB,
        worst: grammar::json,
        way: Way::Json("/graphql"),
    },
    Door {
        name: "a filter in the variables",
        parses: &["graphql/filter_input.rs::parse"],
        bytes: 256 * KIB,
        worst: filters,
        way: Way::Variable(
            "query($worst: ModelPostFilterInput) { listPosts(filter: $worst) { items { id } } }",
        ),
    },
    Door {
        name: "the text of a filter",
        parses: &[],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::TextVariable(
            "query($worst: String) { listPosts(filter: { title: { contains: $worst } }) { items { id } } }",
        ),
    },
    Door {
        name: "the text of a search",
        parses: &[],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::TextVariable("query($worst: String) { allPosts(search: $worst) { nodes { id } } }"),
    },
    Door {
        name: "the token of a page",
        parses: &["graphql/page_token.rs::List::cursor"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::TextVariable("query($worst: String) { listPosts(nextToken: $worst) { items { id } } }"),
    },
    Door {
        name: "the cursor of a page by GraphQL",
        parses: &[],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::TextVariable("query($worst: String) { allPosts(after: $worst) { nodes { id } } }"),
    },
    Door {
        name: "the id of a post by GraphQL",
        parses: &["posts/post.rs::PostId::parse"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::TextVariable("query($worst: ID!) { getPost(id: $worst) { id } }"),
    },
];

pub const BODIES: &[Door] = &[
    Door {
        name: "JSON of a server function",
        parses: &["http/calls.rs::arguments"],
        bytes: 1280 * KIB,
        worst: grammar::json,
        way: Way::Json("/api/preview_post"),
    },
    Door {
        name: "JSON of Cognito",
        parses: &[
            "cognito/operations.rs::input",
            "cognito/challenges.rs::respond_to_auth_challenge",
            "accounts/domain/srp.rs::finish",
            "credentials/srp.rs::parse",
        ],
        bytes: 64 * KIB,
        worst: grammar::json,
        way: Way::Json("/cognito"),
    },
    Door {
        name: "a form",
        parses: &["http/calls.rs::submit", "http/calls.rs::with_path"],
        bytes: 1280 * KIB,
        worst: grammar::form,
        way: Way::Form("/my-posts/new"),
    },
    Door {
        name: "a form of a server function",
        parses: &[],
        bytes: 1280 * KIB,
        worst: grammar::form,
        way: Way::Form("/api/preview_post"),
    },
    Door {
        name: "a form for tokens",
        parses: &["oauth/mod.rs::Parameters::read"],
        bytes: 64 * KIB,
        worst: grammar::form,
        way: Way::Form("/api/token"),
    },
    Door {
        name: "a title",
        parses: &[
            "posts/post.rs::Title::parse",
            "posts/domain/post_text.rs::PostText::parse",
            "posts/domain/post_text.rs::Written::parse",
        ],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/create_post", field: "title", others: &[("content", "")] },
    },
    Door {
        name: "tags",
        parses: &["posts/domain/filing.rs::FilingChange::parse"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/create_post",
            field: "tags",
            others: &[("title", ""), ("content", "")],
        },
    },
    Door {
        name: "the language of a post",
        parses: &["posts/language.rs::Language::parse"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/create_post",
            field: "language",
            others: &[("title", ""), ("content", "")],
        },
    },
    Door {
        name: "the address of a post in a form",
        parses: &["posts/slug.rs::Slug::parse"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/create_post",
            field: "address",
            others: &[("title", ""), ("content", "")],
        },
    },
    Door {
        name: "a time to publish at",
        parses: &["posts/domain/schedule.rs::PublishTime::parse"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/create_post",
            field: "publish_at",
            others: &[("title", ""), ("content", "")],
        },
    },
    Door {
        name: "a draft",
        parses: &["posts/domain/post_text.rs::DraftText::parse"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/save_draft",
            field: "title",
            others: &[("id", "none"), ("content", "")],
        },
    },
    Door {
        name: "a key of idempotency",
        parses: &["database/idempotency.rs::IdempotencyKey::parse"],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/create_post",
            field: "idempotency_key",
            others: &[("title", ""), ("content", "")],
        },
    },
    Door {
        name: "the id of a post in a form",
        parses: &[],
        bytes: 256 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/delete_post", field: "id", others: &[] },
    },
    Door {
        name: "a username",
        parses: &["username.rs::Username::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/sign_up",
            field: "username",
            others: &[("email", "worst@example.org"), ("password", "short")],
        },
    },
    Door {
        name: "an address",
        parses: &["accounts/domain/email.rs::Email::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/sign_up",
            field: "email",
            others: &[("username", "worst"), ("password", "short")],
        },
    },
    Door {
        name: "the domain of an address",
        parses: &[],
        bytes: 16 * KIB,
        worst: domains,
        way: Way::Field {
            path: "/api/sign_up",
            field: "email",
            others: &[("username", "worst"), ("password", "short")],
        },
    },
    Door {
        name: "a new password",
        parses: &["accounts/domain/password.rs::NewPassword::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/sign_up",
            field: "password",
            others: &[("username", "no"), ("email", "worst@example.org")],
        },
    },
    Door {
        name: "a login",
        parses: &["accounts/domain/mod.rs::Login::parse", "accounts/domain/password.rs::Password::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/log_in", field: "identifier", others: &[("password", "")] },
    },
    Door {
        name: "a code from a mail",
        parses: &["accounts/domain/one_time.rs::Code::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/verify_email", field: "code", others: &[] },
    },
    Door {
        name: "the token of a link",
        parses: &["accounts/domain/one_time.rs::Token::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/reset_password", field: "token", others: &[("new_password", "")] },
    },
    Door {
        name: "the name of an API key",
        parses: &["accounts/api_key.rs::ApiKeyName::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/create_api_key", field: "name", others: &[("days", "0")] },
    },
    Door {
        name: "the days of an API key",
        parses: &["accounts/api_key.rs::ApiKeyDays::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/create_api_key", field: "days", others: &[("name", "Worst")] },
    },
    Door {
        name: "a code of an app, or a recovery code",
        parses: &[
            "accounts/domain/two_factor/mod.rs::SecondFactorCode::parse",
            "accounts/domain/two_factor/recovery.rs::RecoveryCode::parse",
        ],
        bytes: 32 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/turn_on_two_factor", field: "code", others: &[] },
    },
    Door {
        name: "a new passkey",
        parses: &["accounts/domain/passkeys/mod.rs::add"],
        bytes: 16 * KIB,
        worst: grammar::json,
        way: Way::Field {
            path: "/api/add_passkey",
            field: "credential",
            others: &[("name", "Worst"), ("ceremony", "")],
        },
    },
    Door {
        name: "what a passkey has signed",
        parses: &[
            "accounts/domain/passkeys/mod.rs::verify",
            "accounts/domain/passkeys/mod.rs::is_cross_origin",
        ],
        bytes: 16 * KIB,
        worst: grammar::json,
        way: Way::Field { path: "/api/log_in_by_passkey", field: "credential", others: &[("ceremony", "")] },
    },
    Door {
        name: "a refresh token",
        parses: &["credentials/token/refresh_token.rs::RefreshToken::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field {
            path: "/api/token",
            field: "refresh_token",
            others: &[("grant_type", "refresh_token")],
        },
    },
    Door {
        name: "the id of an API key in a form",
        parses: &["credentials/api_key/id.rs::ApiKeyId::parse"],
        bytes: 16 * KIB,
        worst: grammar::words,
        way: Way::Field { path: "/api/revoke_api_key", field: "id", others: &[] },
    },
];

pub const HEADS: &[Door] = &[
    Door {
        name: "where to go after a login",
        parses: &["accounts/pages/mod.rs::asked_for", "ui/next.rs::Next::parse"],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Target("/login?next=/"),
    },
    Door {
        name: "cookies",
        parses: &[],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/my-posts", name: "cookie", before: "" },
    },
    Door {
        name: "what a client accepts",
        parses: &[],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/", name: "accept", before: "" },
    },
    Door {
        name: "codings that a client accepts",
        parses: &[],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/", name: "accept-encoding", before: "" },
    },
    Door {
        name: "tags of what a client has",
        parses: &[],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/", name: "if-none-match", before: "" },
    },
    Door {
        name: "addresses that proxies name",
        parses: &[],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/", name: "x-forwarded-for", before: "" },
    },
    Door {
        name: "the last event that a client knows",
        parses: &[],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/my-posts", name: "last-event-id", before: "" },
    },
    Door {
        name: "an origin",
        parses: &["config/origin.rs::Origin::parse"],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/my-posts", name: "origin", before: "http://" },
    },
    Door {
        name: "a host",
        parses: &["config/origin.rs::Origin::at"],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/", name: "host", before: "" },
    },
    Door {
        name: "headers that a page of another origin asks for",
        parses: &[],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/graphql", name: "access-control-request-headers", before: "a," },
    },
    Door {
        name: "an access token",
        parses: &["credentials/token/claims.rs::read", "credentials/token/verify.rs::look_up"],
        bytes: 16 * KIB,
        worst: tokens,
        way: Way::Header { path: "/my-posts", name: "authorization", before: "Bearer " },
    },
    Door {
        name: "an API key",
        parses: &["credentials/api_key/key.rs::ApiKey::parse"],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/my-posts", name: "x-api-key", before: "byl_" },
    },
    Door {
        name: "subprotocols of a WebSocket",
        parses: &["graphql/realtime/mod.rs::connect", "graphql/realtime/mod.rs::decode"],
        bytes: 16 * KIB,
        worst: grammar::header,
        way: Way::Header { path: "/graphql", name: "sec-websocket-protocol", before: "graphql-ws," },
    },
    Door { name: "a path", parses: &[], bytes: 32 * KIB, worst: grammar::header, way: Way::Target("/") },
    Door {
        name: "the path of a post",
        parses: &[],
        bytes: 32 * KIB,
        worst: grammar::header,
        way: Way::Target("/posts/"),
    },
    Door {
        name: "the address of a post",
        parses: &["posts/pages/mod.rs::PostPath::parse"],
        bytes: 32 * KIB,
        worst: grammar::header,
        way: Way::Target("/@ada/"),
    },
    Door {
        name: "the query of a page",
        parses: &["posts/pages/cache_key.rs::page_request"],
        bytes: 32 * KIB,
        worst: grammar::form,
        way: Way::Target("/?"),
    },
    Door {
        name: "the words of a search by everyone",
        parses: &["posts/domain/search.rs::SearchWords::parse"],
        bytes: 32 * KIB,
        worst: grammar::words,
        way: Way::Target("/search?q="),
    },
    Door {
        name: "the place in what a search finds",
        parses: &["posts/found.rs::SearchPlace::from_str"],
        bytes: 32 * KIB,
        worst: grammar::header,
        way: Way::Target("/search?q=x&after="),
    },
    Door {
        name: "the cursor of a page",
        parses: &["posts/cursor.rs::Cursor::from_str", "posts/cursor.rs::PageRequest::parse"],
        bytes: 32 * KIB,
        worst: grammar::header,
        way: Way::Target("/?older="),
    },
    Door {
        name: "the place in the map of the site",
        parses: &[],
        bytes: 32 * KIB,
        worst: grammar::header,
        way: Way::Target("/sitemap.xml?from="),
    },
    Door {
        name: "the query of a server function",
        parses: &[],
        bytes: 32 * KIB,
        worst: grammar::form,
        way: Way::Target("/api/list_posts?"),
    },
    Door {
        name: "the query of the GraphQL API",
        parses: &["graphql/get.rs::parameters"],
        bytes: 32 * KIB,
        worst: grammar::form,
        way: Way::Target("/graphql?query="),
    },
    Door {
        name: "the query of events",
        parses: &["posts/events/stream.rs::events"],
        bytes: 32 * KIB,
        worst: grammar::form,
        way: Way::Stream("/events?"),
    },
    Door {
        name: "the name of a file for front ends",
        parses: &["codegen/http.rs::download", "codegen/mod.rs::File::parse"],
        bytes: 32 * KIB,
        worst: grammar::header,
        way: Way::Target("/account/api/"),
    },
    Door {
        name: "the query of an editor",
        parses: &["http/pages.rs::restore_kept_form"],
        bytes: 32 * KIB,
        worst: grammar::form,
        way: Way::Target("/my-posts/new?"),
    },
];

pub const MESSAGES: &[Door] = &[
    Door {
        name: "a message by graphql-transport-ws",
        parses: &["graphql/realtime/protocol.rs::Protocol::read"],
        bytes: 60 * KIB,
        worst: messages,
        way: Way::Message("graphql-transport-ws"),
    },
    Door {
        name: "a message by AppSync's protocol",
        parses: &[],
        bytes: 60 * KIB,
        worst: messages,
        way: Way::Message("graphql-ws"),
    },
];

/// What the operator writes.
pub const OPERATOR: &[Door] = &[
    Door {
        name: "the file of settings",
        parses: &["config/file.rs::read_file"],
        bytes: 256 * KIB,
        worst: grammar::toml,
        way: Way::Settings,
    },
    Door {
        name: "an argument",
        parses: &[
            "database/url.rs::DatabaseUrl::from_str",
            "database/url.rs::DatabaseUrl::has_password",
            "database/url.rs::SqliteFile::read",
            "database/url.rs::without_password",
        ],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--database-url"]),
    },
    Door {
        name: "where traces are sent",
        parses: &["config/traces.rs::OtlpEndpoint::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--otlp-endpoint"]),
    },
    Door {
        name: "how mail is sent",
        parses: &["config/mail.rs::Smtp::from_str", "config/mail.rs::parse"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--mail-from", "byline@example.org", "--mail-transport"]),
    },
    Door {
        name: "where pictures are stored",
        parses: &["config/object_store.rs::StoreUrl::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--media-url"]),
    },
    Door {
        name: "the sender of mails",
        parses: &[],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--mail-transport", "file:mail", "--mail-from"]),
    },
    Door {
        name: "proxies that are trusted",
        parses: &["config/mod.rs::network"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--trusted-proxies"]),
    },
    Door {
        name: "origins whose scripts may use the API",
        parses: &[
            "config/allowed_origins.rs::OriginPattern::of_the_web",
            "config/allowed_origins.rs::OriginPattern::parse",
            "config/allowed_origins.rs::Origins::parse",
        ],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--graphql-cors-origins"]),
    },
    Door {
        name: "the name of the site",
        parses: &["config/site.rs::SiteName::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--site-name"]),
    },
    Door {
        name: "the description of the site",
        parses: &["config/site.rs::SiteDescription::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--site-description"]),
    },
    Door {
        name: "the links at the foot of every page",
        parses: &["config/footer_links.rs::FooterLinks::from_str", "config/footer_links.rs::checked"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["site", "set", "footer-links"]),
    },
    Door {
        name: "the style sheet of the site",
        parses: &["config/site_css.rs::SiteCss::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["site", "set", "css"]),
    },
    Door {
        name: "how long browsers come by https alone",
        parses: &["config/hsts.rs::Hsts::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--site-hsts"]),
    },
    Door {
        name: "why a post is hidden",
        parses: &["posts/domain/hidden.rs::HiddenReason::parse"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["post", "hide", "0", "--reason"]),
    },
    Door {
        name: "the language of the site",
        parses: &["config/site.rs::SiteLanguage::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--site-language"]),
    },
    Door {
        name: "the time zone of the site",
        parses: &["config/time_zone.rs::SiteTimeZone::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--site-time-zone"]),
    },
    Door {
        name: "the name of a setting of the site",
        parses: &["config/site.rs::SiteSetting::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["site", "show"]),
    },
    Door {
        name: "the colour of the site",
        parses: &["config/accent.rs::Colour::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--site-accent"]),
    },
    Door {
        name: "the address from outside",
        parses: &["config/origin.rs::PublicUrl::from_str"],
        bytes: 64 * KIB,
        worst: arguments,
        way: Way::Argument(&["migrate", "--public-url"]),
    },
];

/// ListenerSlots that parse nothing but what this site wrote, and why that is so.
pub const OURS: &[(&str, &str)] = &[
    ("accounts/domain/account.rs::PostsOfDeleted::parse", "one of two words, within the limit of a form"),
    ("accounts/pages/mod.rs::asked_for", "a query, of which the length is limited"),
    ("ops/backup/file.rs::unpack_open", "a file that the operator names, sealed by a hash"),
    ("objects/url.rs::ObjectUrl::parse", "an address that was stored, or made of a setting"),
    ("ops/export/folder.rs::Folder::empty", "what an export before has written"),
    ("ops/export/static_site.rs::Answer::rewritten", "a page of this site"),
    ("ops/import/bear.rs::tags", "a field of a file that the operator names; one pass over it"),
    ("ops/import/exports.rs::read", "a file that the operator names, within the limit of an import"),
    ("ops/import/json.rs::dynamodb_row", "a line of a file that the operator names"),
    ("ops/import/json.rs::has_other_text", "a field of a post of a file that the operator names"),
    ("ops/import/json.rs::plain", "a value of a line that was parsed before"),
    ("media/domain/avif/reader.rs::png", "an AVIF, in a process of its own with limits of time and memory"),
    ("media/domain/avif/reader.rs::decode", "the same"),
    ("ops/import/pictures.rs::named", "the address of a picture, one pass over it"),
    (
        "posts/pages/old_address.rs::UnderName::parse",
        "a path, of which the length is limited; one pass over it",
    ),
    ("posts/domain/redirects.rs::OldPath::parse", "a path, of which the length is limited; one pass over it"),
    ("media/address.rs::Address::parse", "a path, one pass over it"),
    ("media/address.rs::Hash::parse", "40 characters"),
    ("posts/domain/front_matter.rs::date", "a line of a text, one pass over it"),
    ("media/http.rs::Parts::parse", "what has arrived already, within the limit of an upload"),
    ("config/site_picture.rs::SitePicture::from_str", "what this site has stored; one pass over it"),
    ("media/pages.rs::PicturesPage", "a query, of which the length is limited"),
    ("media/picture.rs::Alt::parse", "one pass over a field, within the limit of an upload"),
    ("accounts/profile.rs::About::parse", "one pass over a field, within the limit of a form"),
    ("accounts/profile.rs::DisplayName::parse", "one pass over a field, within the limit of a form"),
    ("accounts/profile.rs::Links::parse", "one pass over a field, within the limit of a form"),
    ("accounts/profile.rs::Punctuation::parse", "one of two words, within the limit of a form"),
    ("accounts/domain/one_time.rs::Code::parse", "six digits, within the limit of a form"),
    ("admin/pages/invitations.rs::InvitationsPage", "what a server function of this site has just answered"),
    (
        "posts/domain/sweeps.rs::Wave::network",
        "an address, within the limit of a form, by somebody in charge",
    ),
    ("admin/settings.rs::parse", "the values of the settings, each with a door of its own"),
    ("posts/domain/reports.rs::ReportReason::parse", "one of four words, within the limit of a form"),
    ("posts/domain/reports.rs::ReportDetail::parse", "one pass over a field, within the limit of a form"),
    ("accounts/domain/invitations.rs::Invitation::parse", "43 characters, within the limit of a form"),
    ("accounts/domain/one_time.rs::Token::parse", "43 characters, within the limit of a form"),
    ("credentials/sealing/keys.rs::parse", "a file that Byline itself has made"),
    ("credentials/session/store.rs::list", "what the session's row has"),
    ("config/argon2.rs::Cost::parse", "a hash that is stored"),
    ("accounts/domain/hashing.rs::Hasher::verify", "a hash that is stored"),
    ("accounts/domain/hashing.rs::can_be_verified", "a hash that is stored"),
    ("accounts/domain/passkeys/ceremonies.rs::take", "the state of a ceremony as it was stored"),
    ("accounts/domain/passkeys/mod.rs::credential", "a passkey as it was stored"),
    ("accounts/domain/passkeys/relying_party.rs::origin", "the public URL, which was parsed before"),
    (
        "accounts/domain/pending.rs::PendingLogIn::opened_by",
        "what this site has sealed, after a look at the seal",
    ),
    ("accounts/pages/two_factor.rs::TwoFactorPage", "the answer of a function of this site"),
    ("credentials/session/kept.rs::KeptForms::values", "a form as it was stored"),
    ("credentials/session/store.rs::RowStore::load", "a session as it was stored"),
    ("credentials/session/store.rs::RowStore::row", "a session that is to be stored"),
    ("credentials/session/store.rs::cause", "an error as it was written a moment before"),
    ("feeds/absolute.rs::relative", "an address in HTML that this site has rendered"),
    ("feeds/feed.rs::entries", "the address of a post, which this site has made"),
    ("mail/outbox.rs::opened", "a mail as it was stored"),
    ("posts/drafts.rs::DraftStore::get", "in a browser, what the same page has kept there"),
    ("posts/drafts.rs::DraftStore::migrate_old_format", "in a browser, what the same page has kept there"),
    ("posts/live.rs::EventListener::receive", "in a browser, what this site says"),
    ("posts/domain/markdown/tests.rs::assert_harmless", "a test"),
    ("assets.rs", "the list of files that the build has made"),
    ("accounts/pages/api_keys.rs::ApiKeysPage", "the answer of a function of this site"),
    ("posts/events/follow.rs::Follower::receive", "what another process of this site tells"),
    ("posts/events/mod.rs::EventKind::from_str", "an event as it was stored"),
    ("telemetry/log.rs::cut_json", "a line of the log as it was written a moment before"),
    ("http/tls.rs::TlsFiles::parse", "the certificate of whoever runs the site"),
    ("ops/doctor/certificate.rs::named", "the public URL, which was parsed before"),
    ("timestamp.rs::Timestamp::deserialize", "in a browser, what this site says"),
];

fn filters(bytes: usize) -> Vec<Worst> {
    let mut worst = grammar::json(bytes);
    worst.extend(grammar::each_nested(
        &[("{\"not\":", "}"), ("{\"and\":[", "]}"), ("{\"or\":[{\"not\":", "}]}")],
        bytes,
    ));
    let tests = grammar::repeated("{\"title\":{\"eq\":\"a\"}},", bytes);
    let tests = tests.trim_end_matches(',');
    worst.push(Worst::new("many tests", format!("{{\"or\":[{tests}]}}")));
    worst
}

/// Of all Markdown, what an excerpt reads otherwise than a page.
fn excerpts(bytes: usize) -> Vec<Worst> {
    grammar::each_repeated(
        &[">", "#", "a", "a ", "[", "`", "<p>", "![", "👩‍👩‍👧‍👦", "e\u{301}", "|a", "- ", "\n"],
        bytes,
    )
}

fn domains(bytes: usize) -> Vec<Worst> {
    grammar::words(bytes).into_iter().map(|worst| worst.inside("worst@", "")).collect()
}

/// Tokens of three parts, one of which is bad.
fn tokens(bytes: usize) -> Vec<Worst> {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

    let mut worst = grammar::header(bytes);
    for Worst { what, text } in grammar::json(bytes / 2) {
        let encoded = BASE64_URL_SAFE_NO_PAD.encode(text);
        worst.push(Worst::new(format!("a head of {what}"), format!("{encoded}.e30.AAAA")));
        worst.push(Worst::new(
            format!("claims of {what}"),
            format!("{}.{encoded}.AAAA", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA","kid":"a"}"#)),
        ));
    }
    worst
}

fn messages(bytes: usize) -> Vec<Worst> {
    let mut worst = grammar::json(bytes);
    for Worst { what, text } in grammar::json(bytes - 200) {
        worst.push(Worst::new(
            format!("a payload of {what}"),
            format!("{{\"id\":\"1\",\"type\":\"subscribe\",\"payload\":{text}}}"),
        ));
    }
    for Worst { what, text } in grammar::document(12 * KIB.min(bytes / 5)) {
        let payload = serde_json::json!({ "query": text });
        let start =
            serde_json::json!({ "id": "1", "type": "start", "payload": { "data": payload.to_string() } });
        let subscribe = serde_json::json!({ "id": "1", "type": "subscribe", "payload": payload });
        worst.push(Worst::new(format!("a document of {what}"), subscribe.to_string()));
        worst.push(Worst::new(format!("a start of {what}"), start.to_string()));
    }
    worst
}

fn arguments(bytes: usize) -> Vec<Worst> {
    grammar::each_repeated(
        &[
            "a",
            "@",
            "/",
            "%",
            ":",
            "postgres://a",
            "sqlite://",
            "1.1.1.1/8,",
            "https://a.example,",
            "?a=b&",
            "é",
            "-",
        ],
        bytes,
    )
}
