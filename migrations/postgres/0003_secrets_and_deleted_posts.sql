-- What only the site itself knows: seals of page tokens, seeds of keys.
CREATE TABLE secrets (
    name       TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    value      BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);

-- What a deleted post was, for subscribers on every process and for programs
-- that synchronize. `updated_at` is when it was deleted. The texts go after
-- minutes, the rest after weeks (server::housekeeping).
CREATE TABLE deleted_posts (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    owner_id   TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    title      TEXT   NOT NULL,
    content    TEXT   NOT NULL
);

CREATE INDEX posts_changed ON posts (updated_at, id);
CREATE INDEX deleted_posts_changed ON deleted_posts (updated_at, id);
