-- Times are microseconds since 1970 UTC. Ids are text (UUIDv7 unless a
-- program brought its own). Posts keep their text last: a list that reads
-- title and excerpt never touches the pages a long text overflows to.

CREATE TABLE users (
    id            TEXT    NOT NULL PRIMARY KEY,
    username      TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    CONSTRAINT users_username_key UNIQUE (username),
    CONSTRAINT users_email_key UNIQUE (email)
) STRICT;

CREATE TABLE sessions (
    id_hash      BLOB    NOT NULL PRIMARY KEY,
    user_id      TEXT    REFERENCES users (id) ON DELETE CASCADE,
    data         TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_user_id ON sessions (user_id, created_at);

CREATE TABLE posts (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title      TEXT    NOT NULL,
    excerpt    TEXT    NOT NULL,
    content    TEXT    NOT NULL
) STRICT;

CREATE INDEX posts_newest ON posts (created_at DESC, id DESC);
CREATE INDEX posts_newest_of_owner ON posts (owner_id, created_at DESC, id DESC);

-- A wish that was granted, and the id of what it made or touched.
CREATE TABLE idempotency_keys (
    user_id    TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    wish       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    result_id  TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, wish, key)
) STRICT;

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
