-- The codes of an app (RFC 6238) of an account. Both secrets are sealed: the one
-- that counts, and the one of a set-up that was begun and not finished. A code
-- counts once: the last time step of which one was accepted is kept.
CREATE TABLE two_factor (
    user_id       TEXT   COLLATE "C" NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret        BYTEA,
    on_since      BIGINT,
    last_step     BIGINT NOT NULL,
    pending       BYTEA,
    pending_since BIGINT
);

-- The codes for who has lost the app, as SHA-256.
CREATE TABLE recovery_codes (
    user_id TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    BYTEA  NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (user_id, hash)
);

-- Passkeys (Web Authentication). `credential` is the public key with its counter,
-- as JSON; `credential_id` is how browsers name it. One whose counter went back was
-- copied, and is refused from then on.
CREATE TABLE passkeys (
    id            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    user_id       TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT   NOT NULL,
    credential_id BYTEA  NOT NULL,
    credential    TEXT   NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT,
    refused_at    BIGINT,
    CONSTRAINT passkeys_credential_id_key UNIQUE (credential_id)
);

CREATE INDEX passkeys_user_id ON passkeys (user_id, created_at);

-- What a browser was asked to sign and has not yet. Each is used once.
CREATE TABLE passkey_ceremonies (
    id_hash    BYTEA  NOT NULL PRIMARY KEY,
    kind       TEXT   COLLATE "C" NOT NULL,
    user_id    TEXT   COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
    client     TEXT   COLLATE "C" NOT NULL,
    state      TEXT   NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX passkey_ceremonies_client ON passkey_ceremonies (client, expires_at);
CREATE INDEX passkey_ceremonies_expiry ON passkey_ceremonies (expires_at);

-- Since when the account has no password, only passkeys.
ALTER TABLE users ADD COLUMN password_dropped_at BIGINT;
