//! The tables of a site and their columns, the same on both engines.

/// All tables of a site that are copied. A table comes after those that it
/// references.
pub const TABLES: &[Table] = &[
    Table {
        name: "users",
        columns: &[
            text("id"),
            text("username"),
            text("email"),
            text("password_hash"),
            integer("created_at"),
            text("display_name"),
            text("about"),
            text("links"),
            integer("delete_at").or_null(),
            integer("keep_posts"),
            integer("email_verified_at").or_null(),
            integer("password_dropped_at").or_null(),
            integer("plain_punctuation"),
            integer("is_admin"),
            integer("locked_at").or_null(),
            integer("approved_at").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "sessions",
        columns: &[
            bytes("id_hash"),
            text("user_id").or_null(),
            text("data"),
            integer("created_at"),
            integer("last_seen_at"),
            integer("idle"),
            integer("absolute"),
        ],
        key: &["id_hash"],
        identity: None,
    },
    Table {
        name: "kept_forms",
        columns: &[
            text("id"),
            text("basket"),
            text("author"),
            text("page"),
            text("title"),
            text("fields"),
            integer("bytes"),
            integer("created_at"),
            integer("shown_at").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "api_keys",
        columns: &[
            text("id"),
            text("user_id").or_null(),
            text("name"),
            bytes("hash"),
            text("hint"),
            integer("created_at"),
            integer("expires_at"),
            integer("last_used_at").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "two_factor",
        columns: &[
            text("user_id"),
            bytes("secret").or_null(),
            integer("on_since").or_null(),
            integer("last_step"),
            bytes("pending").or_null(),
            integer("pending_since").or_null(),
        ],
        key: &["user_id"],
        identity: None,
    },
    Table {
        name: "recovery_codes",
        columns: &[text("user_id"), bytes("hash"), integer("used_at").or_null()],
        key: &["user_id", "hash"],
        identity: None,
    },
    Table {
        name: "passkeys",
        columns: &[
            text("id"),
            text("user_id"),
            text("name"),
            bytes("credential_id"),
            text("credential"),
            integer("created_at"),
            integer("last_used_at").or_null(),
            integer("refused_at").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "passkey_ceremonies",
        columns: &[
            bytes("id_hash"),
            text("kind"),
            text("user_id").or_null(),
            text("client"),
            text("state"),
            integer("expires_at"),
        ],
        key: &["id_hash"],
        identity: None,
    },
    Table {
        name: "posts",
        columns: &[
            text("id"),
            text("owner_id"),
            integer("version"),
            integer("created_at"),
            integer("updated_at"),
            text("slug"),
            text("tags"),
            text("language"),
            text("title"),
            text("title_folded").or_null(),
            text("excerpt"),
            text("content").or_null(),
            text("content_folded").or_null(),
            text("read_folded").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "rendered_posts",
        columns: &[text("post_id"), integer("renderer"), text("html").or_null(), text("words").or_null()],
        key: &["post_id"],
        identity: None,
    },
    Table {
        name: "deleted_posts",
        columns: &[
            text("id"),
            text("owner_id"),
            integer("version"),
            integer("created_at"),
            integer("updated_at"),
            text("title"),
            text("content").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "trashed_posts",
        columns: &[
            text("id"),
            text("owner_id"),
            integer("version"),
            integer("created_at"),
            integer("trashed_at"),
            text("title"),
            text("content").or_null(),
            text("slug"),
            text("tags"),
            text("language"),
            integer("is_draft"),
            text("hidden_reason").or_null(),
        ],
        key: &["id", "trashed_at"],
        identity: None,
    },
    Table {
        name: "post_addresses",
        columns: &[text("owner_id"), text("slug"), text("post_id"), integer("created_at")],
        key: &["owner_id", "slug"],
        identity: None,
    },
    Table {
        name: "former_usernames",
        columns: &[text("username"), text("user_id"), integer("changed_at")],
        key: &["username"],
        identity: None,
    },
    Table {
        name: "redirects",
        columns: &[text("path"), text("post_id"), integer("created_at")],
        key: &["path"],
        identity: None,
    },
    Table {
        name: "post_tags",
        columns: &[text("post_id"), text("tag"), integer("created_at")],
        key: &["post_id", "tag"],
        identity: None,
    },
    Table {
        name: "drafts",
        columns: &[
            text("id"),
            text("owner_id"),
            integer("version"),
            integer("created_at"),
            integer("updated_at"),
            integer("published_at").or_null(),
            integer("publish_at").or_null(),
            integer("utc_offset"),
            integer("is_scheduled"),
            integer("waits_since").or_null(),
            text("slug"),
            text("tags"),
            text("language"),
            text("title"),
            text("content"),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "revisions",
        columns: &[
            text("post_id"),
            integer("version"),
            text("owner_id"),
            integer("saved_at"),
            text("tags"),
            text("title"),
            text("content").or_null(),
        ],
        key: &["post_id", "version"],
        identity: None,
    },
    Table {
        name: "media",
        columns: &[
            text("id"),
            text("owner_id"),
            text("hash"),
            text("format"),
            integer("width"),
            integer("height"),
            integer("bytes"),
            text("alt"),
            integer("created_at"),
            integer("checked_at"),
            integer("unused_since").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "media_files",
        columns: &[text("name"), text("hash"), bytes("body")],
        key: &["name"],
        identity: None,
    },
    Table {
        name: "media_objects",
        columns: &[text("name"), text("hash"), text("url")],
        key: &["name"],
        identity: None,
    },
    Table {
        name: "secrets",
        columns: &[text("name"), bytes("value"), integer("created_at")],
        key: &["name"],
        identity: None,
    },
    Table {
        name: "signing_keys",
        columns: &[
            integer("generation"),
            text("kid"),
            bytes("seed"),
            integer("created_at"),
            integer("signs_from"),
        ],
        key: &["generation"],
        identity: None,
    },
    Table {
        name: "token_families",
        columns: &[
            text("id"),
            text("user_id"),
            text("client_id"),
            integer("created_at"),
            integer("expires_at"),
            text("address"),
            text("user_agent"),
            integer("last_used_at"),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "refresh_tokens",
        columns: &[bytes("hash"), text("family_id"), integer("created_at"), integer("used_at").or_null()],
        key: &["hash"],
        identity: None,
    },
    Table {
        name: "idempotency_keys",
        columns: &[
            text("user_id"),
            text("wish"),
            text("key"),
            text("result_id"),
            integer("created_at"),
            bytes("fingerprint").or_null(),
        ],
        key: &["user_id", "wish", "key"],
        identity: None,
    },
    Table {
        name: "srp_verifiers",
        columns: &[text("user_id"), bytes("salt"), bytes("verifier"), bytes("password")],
        key: &["user_id"],
        identity: None,
    },
    Table { name: "srp_used", columns: &[bytes("id"), integer("expires_at")], key: &["id"], identity: None },
    Table {
        name: "outbox",
        columns: &[
            text("id"),
            text("recipient"),
            text("subject"),
            bytes("letter").or_null(),
            integer("created_at"),
            integer("expires_at"),
            integer("tries"),
            integer("next_try_at"),
            integer("lease_until"),
            integer("given_up_at").or_null(),
            text("problem").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "one_time_tokens",
        columns: &[
            bytes("hash"),
            text("purpose"),
            text("user_id").or_null(),
            text("email"),
            bytes("code").or_null(),
            integer("created_at"),
            integer("expires_at"),
        ],
        key: &["hash"],
        identity: None,
    },
    Table {
        name: "pending_sign_ups",
        columns: &[
            text("id"),
            text("username"),
            text("email"),
            text("password_hash"),
            bytes("operation").or_null(),
            bytes("hash"),
            bytes("code"),
            integer("created_at"),
            integer("expires_at"),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "invitations",
        columns: &[
            bytes("hash"),
            integer("created_at"),
            integer("expires_at"),
            text("used_by").or_null(),
            integer("makes_admin"),
        ],
        key: &["hash"],
        identity: None,
    },
    Table {
        name: "reports",
        columns: &[
            text("id"),
            text("post_id"),
            text("reason"),
            text("detail"),
            text("network"),
            integer("created_at"),
            integer("settled_at").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "sweeps",
        columns: &[
            text("id"),
            integer("created_at"),
            text("credential"),
            text("network"),
            integer("since"),
            text("reason"),
            integer("undone_at").or_null(),
        ],
        key: &["id"],
        identity: None,
    },
    Table {
        name: "sweep_items",
        columns: &[text("sweep_id"), text("kind"), text("item_id"), text("state")],
        key: &["sweep_id", "kind", "item_id"],
        identity: None,
    },
    Table {
        name: "attempts",
        columns: &[
            bytes("key"),
            integer("count"),
            integer("since"),
            integer("last_at"),
            integer("blocked_until"),
        ],
        key: &["key"],
        identity: None,
    },
    Table {
        name: "known_devices",
        columns: &[text("user_id"), bytes("device"), integer("first_at"), integer("last_used_at")],
        key: &["user_id", "device"],
        identity: None,
    },
    Table {
        name: "audit",
        columns: &[
            integer("id"),
            integer("at"),
            text("kind"),
            text("user_id").or_null(),
            text("username"),
            text("credential"),
            text("address"),
            text("user_agent"),
            text("request_id"),
            text("detail"),
        ],
        key: &["id"],
        identity: Some("id"),
    },
    Table {
        name: "site_settings",
        columns: &[text("name"), text("value"), integer("changed_at")],
        key: &["name"],
        identity: None,
    },
    Table {
        name: "site_pictures",
        columns: &[text("name"), text("picture"), text("hash"), bytes("body"), integer("created_at")],
        key: &["name"],
        identity: None,
    },
    Table {
        name: "events",
        columns: &[integer("id"), text("kind"), text("post_id"), text("owner")],
        key: &["id"],
        identity: Some("id"),
    },
];

/// The rows that a site without content may have, by their table and condition: the
/// invitation for whoever is to be in charge, which `byline serve` prints, and the pictures that
/// `byline.toml` names. A picture that somebody has set has a row of `site_settings` too.
pub const OF_EMPTY_SITE: [(&str, &str); 2] = [("invitations", "makes_admin = 1"), ("site_pictures", "1 = 1")];

#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// The primary key. Both engines order rows by it in the same way, because
    /// they compare texts byte by byte.
    pub key: &'static [&'static str],
    /// The column that PostgreSQL fills from a sequence, if there is one.
    pub identity: Option<&'static str>,
}

/// A column of a [`Table`].
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
}

/// The type of a column, on either engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// TEXT.
    Text,
    /// INTEGER or BIGINT.
    Integer,
    /// BLOB or BYTEA.
    Bytes,
}

impl Column {
    const fn or_null(self) -> Self {
        Self { nullable: true, ..self }
    }
}

const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text, nullable: false }
}

const fn integer(name: &'static str) -> Column {
    Column { name, kind: Kind::Integer, nullable: false }
}

const fn bytes(name: &'static str) -> Column {
    Column { name, kind: Kind::Bytes, nullable: false }
}

impl Table {
    /// All of its columns, as a statement lists them.
    pub(super) fn column_names(&self) -> String {
        self.columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
    }
}
