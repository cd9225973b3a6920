-- What programs read with. A key itself is stored nowhere, only its SHA-256
-- and how it begins. Without a user it is the site's own, and public.
CREATE TABLE api_keys (
    id           TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    user_id      TEXT   COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT   NOT NULL,
    hash         BYTEA  NOT NULL,
    hint         TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    CONSTRAINT api_keys_hash_key UNIQUE (hash)
);

CREATE INDEX api_keys_user_id ON api_keys (user_id, created_at);
CREATE INDEX api_keys_expiry ON api_keys (expires_at);
