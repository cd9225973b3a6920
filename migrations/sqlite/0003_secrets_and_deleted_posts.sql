-- What only the site itself knows: seals of page tokens, seeds of keys.
CREATE TABLE secrets (
    name       TEXT    NOT NULL PRIMARY KEY,
    value      BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- What a deleted post was, for subscribers on every process and for programs
-- that synchronize. `updated_at` is when it was deleted. The texts go after
-- minutes, the rest after weeks (server::housekeeping).
CREATE TABLE deleted_posts (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title      TEXT    NOT NULL,
    content    TEXT    NOT NULL
) STRICT;

CREATE INDEX posts_changed ON posts (updated_at, id);
CREATE INDEX deleted_posts_changed ON deleted_posts (updated_at, id);
