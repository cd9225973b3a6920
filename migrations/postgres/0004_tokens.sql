-- Ed25519 seeds, in the order in which they take over from each other.
CREATE TABLE signing_keys (
    generation BIGINT NOT NULL PRIMARY KEY,
    kid        TEXT   COLLATE "C" NOT NULL,
    seed       BYTEA  NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL,
    CONSTRAINT signing_keys_kid_key UNIQUE (kid)
);

-- One login of a program, and every token that came from it. Whatever ends
-- the login removes the row.
CREATE TABLE token_families (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT   COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX token_families_user_id ON token_families (user_id);
CREATE INDEX token_families_expires_at ON token_families (expires_at);

-- Used ones stay as long as their family: used again, they give away a thief.
CREATE TABLE refresh_tokens (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    family_id  TEXT   COLLATE "C" NOT NULL REFERENCES token_families (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE INDEX refresh_tokens_family_id ON refresh_tokens (family_id);
