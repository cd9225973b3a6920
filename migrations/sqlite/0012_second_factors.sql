-- The codes of an app (RFC 6238) of an account. Both secrets are sealed: the one
-- that counts, and the one of a set-up that was begun and not finished. A code
-- counts once: the last time step of which one was accepted is kept.
CREATE TABLE two_factor (
    user_id       TEXT    NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    secret        BLOB,
    on_since      INTEGER,
    last_step     INTEGER NOT NULL,
    pending       BLOB,
    pending_since INTEGER
) STRICT;

-- The codes for who has lost the app, as SHA-256.
CREATE TABLE recovery_codes (
    user_id TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash    BLOB    NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (user_id, hash)
) STRICT;

-- Passkeys (Web Authentication). `credential` is the public key with its counter,
-- as JSON; `credential_id` is how browsers name it. One whose counter went back was
-- copied, and is refused from then on.
CREATE TABLE passkeys (
    id            TEXT    NOT NULL PRIMARY KEY,
    user_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT    NOT NULL,
    credential_id BLOB    NOT NULL,
    credential    TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    last_used_at  INTEGER,
    refused_at    INTEGER,
    CONSTRAINT passkeys_credential_id_key UNIQUE (credential_id)
) STRICT;

CREATE INDEX passkeys_user_id ON passkeys (user_id, created_at);

-- What a browser was asked to sign and has not yet. Each is used once.
CREATE TABLE passkey_ceremonies (
    id_hash    BLOB    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    user_id    TEXT    REFERENCES users (id) ON DELETE CASCADE,
    client     TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX passkey_ceremonies_client ON passkey_ceremonies (client, expires_at);
CREATE INDEX passkey_ceremonies_expiry ON passkey_ceremonies (expires_at);

-- Since when the account has no password, only passkeys.
ALTER TABLE users ADD COLUMN password_dropped_at INTEGER;
