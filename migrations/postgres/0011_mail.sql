-- When a person has proven that their address is theirs; NULL before.
ALTER TABLE users ADD COLUMN email_verified_at BIGINT;

-- Mails that wait to be sent, and mails that were given up. `letter` is
-- sealed JSON, and gone from those that were given up. Who sends one has it until `lease_until`. An empty recipient is nobody: the same work
-- is done for a name without an account.
CREATE TABLE outbox (
    id          TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    recipient   TEXT   COLLATE "C" NOT NULL,
    subject     TEXT   NOT NULL,
    letter      BYTEA,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL,
    tries       BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    given_up_at BIGINT,
    problem     TEXT
);

CREATE INDEX outbox_due ON outbox (next_try_at, id) WHERE given_up_at IS NULL;

-- Links and codes that were mailed. `hash` is the SHA-256 of the token in a link,
-- `code` an HMAC of the six digits. `email` is the address that a use is about. A
-- row without a person was made for a name without an account.
CREATE TABLE one_time_tokens (
    hash       BYTEA  NOT NULL PRIMARY KEY,
    purpose    TEXT   COLLATE "C" NOT NULL,
    user_id    TEXT   COLLATE "C" REFERENCES users (id) ON DELETE CASCADE,
    email      TEXT   COLLATE "C" NOT NULL,
    code       BYTEA,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);

CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose, created_at);
CREATE INDEX one_time_tokens_age ON one_time_tokens (expires_at);

-- Accounts that are made once their address is confirmed. `hash` and `code` are as
-- above; where the address already has an account, nobody has been told them.
CREATE TABLE pending_sign_ups (
    id            TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    username      TEXT   COLLATE "C" NOT NULL,
    email         TEXT   COLLATE "C" NOT NULL,
    password_hash TEXT   NOT NULL,
    operation     BYTEA,
    hash          BYTEA  NOT NULL,
    code          BYTEA  NOT NULL,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    CONSTRAINT pending_sign_ups_operation_key UNIQUE (operation),
    CONSTRAINT pending_sign_ups_hash_key UNIQUE (hash)
);

CREATE INDEX pending_sign_ups_username ON pending_sign_ups (username);
CREATE INDEX pending_sign_ups_age ON pending_sign_ups (expires_at);
