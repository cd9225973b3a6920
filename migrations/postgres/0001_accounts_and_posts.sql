-- Times are microseconds since 1970 UTC. Ids are text (UUIDv7 unless a
-- program brought its own). Whatever is compared or ordered by is compared by
-- its bytes (COLLATE "C"), whatever the language of the database.

CREATE TABLE users (
    id            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    username      TEXT   COLLATE "C" NOT NULL,
    email         TEXT   COLLATE "C" NOT NULL,
    password_hash TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    CONSTRAINT users_username_key UNIQUE (username),
    CONSTRAINT users_email_key UNIQUE (email)
);

CREATE TABLE sessions (
    id_hash      BYTEA  NOT NULL PRIMARY KEY,
    user_id      TEXT   COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
    data         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL
);

CREATE INDEX sessions_user_id ON sessions (user_id, created_at);

CREATE TABLE posts (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    owner_id   TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    title      TEXT   NOT NULL,
    excerpt    TEXT   NOT NULL,
    content    TEXT   NOT NULL
);

CREATE INDEX posts_newest ON posts (created_at DESC, id DESC);
CREATE INDEX posts_newest_of_owner ON posts (owner_id, created_at DESC, id DESC);

-- A wish that was granted, and the id of what it made or touched.
CREATE TABLE idempotency_keys (
    user_id    TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    wish       TEXT   COLLATE "C" NOT NULL,
    key        TEXT   COLLATE "C" NOT NULL,
    result_id  TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, wish, key)
);

CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
