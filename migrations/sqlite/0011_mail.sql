-- When a person has proven that their address is theirs; NULL before.
ALTER TABLE users ADD COLUMN email_verified_at INTEGER;

-- Mails that wait to be sent, and mails that were given up. `letter` is
-- sealed JSON, and gone from those that were given up. Who sends one has it until `lease_until`. An empty recipient is nobody: the same work
-- is done for a name without an account.
CREATE TABLE outbox (
    id          TEXT    NOT NULL PRIMARY KEY,
    recipient   TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    letter      BLOB,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    tries       INTEGER NOT NULL,
    next_try_at INTEGER NOT NULL,
    lease_until INTEGER NOT NULL,
    given_up_at INTEGER,
    problem     TEXT
) STRICT;

CREATE INDEX outbox_due ON outbox (next_try_at, id) WHERE given_up_at IS NULL;

-- Links and codes that were mailed. `hash` is the SHA-256 of the token in a link,
-- `code` an HMAC of the six digits. `email` is the address that a use is about. A
-- row without a person was made for a name without an account.
CREATE TABLE one_time_tokens (
    hash       BLOB    NOT NULL PRIMARY KEY,
    purpose    TEXT    NOT NULL,
    user_id    TEXT    REFERENCES users (id) ON DELETE CASCADE,
    email      TEXT    NOT NULL,
    code       BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose, created_at);
CREATE INDEX one_time_tokens_age ON one_time_tokens (expires_at);

-- Accounts that are made once their address is confirmed. `hash` and `code` are as
-- above; where the address already has an account, nobody has been told them.
CREATE TABLE pending_sign_ups (
    id            TEXT    NOT NULL PRIMARY KEY,
    username      TEXT    NOT NULL,
    email         TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    operation     BLOB,
    hash          BLOB    NOT NULL,
    code          BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    CONSTRAINT pending_sign_ups_operation_key UNIQUE (operation),
    CONSTRAINT pending_sign_ups_hash_key UNIQUE (hash)
) STRICT;

CREATE INDEX pending_sign_ups_username ON pending_sign_ups (username);
CREATE INDEX pending_sign_ups_age ON pending_sign_ups (expires_at);
