-- When a session ends without use, and in any case: longer for people who asked to
-- stay signed in. Sessions from before keep their day.
ALTER TABLE sessions ADD COLUMN idle INTEGER NOT NULL DEFAULT 7200000000;
ALTER TABLE sessions ADD COLUMN absolute INTEGER NOT NULL DEFAULT 86400000000;

-- What the owner of a family sees of it.
ALTER TABLE token_families ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE token_families ADD COLUMN user_agent TEXT NOT NULL DEFAULT '';
ALTER TABLE token_families ADD COLUMN last_used_at INTEGER NOT NULL DEFAULT 0;
UPDATE token_families SET last_used_at = created_at;

-- What a person tells about themselves, and when an account is to be deleted.
ALTER TABLE users ADD COLUMN display_name TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN about TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN links TEXT NOT NULL DEFAULT '';
ALTER TABLE users ADD COLUMN delete_at INTEGER;
ALTER TABLE users ADD COLUMN keep_posts INTEGER NOT NULL DEFAULT 0;
CREATE INDEX users_delete_at ON users (delete_at);

-- Guesses, counted for an account or for an address. A key is an HMAC, so the table
-- does not show what was typed.
CREATE TABLE attempts (
    key           BLOB    NOT NULL PRIMARY KEY,
    count         INTEGER NOT NULL,
    since         INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    blocked_until INTEGER NOT NULL
) STRICT;

CREATE INDEX attempts_age ON attempts (last_at);

-- Browsers (by the hash of a cookie) and addresses from which a person has logged in.
CREATE TABLE known_devices (
    user_id      TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    device       BLOB    NOT NULL,
    first_at     INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, device)
) STRICT;

CREATE INDEX known_devices_age ON known_devices (last_used_at);

-- Who did what to an account, from where and by which credential. Rows are only
-- added, and deleted when they are old. A row outlives the account.
CREATE TABLE audit (
    id          INTEGER NOT NULL PRIMARY KEY,
    at          INTEGER NOT NULL,
    kind        TEXT    NOT NULL,
    user_id     TEXT,
    username    TEXT    NOT NULL,
    credential  TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    user_agent  TEXT    NOT NULL,
    request_id  TEXT    NOT NULL,
    detail      TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_user_id ON audit (user_id, id);
CREATE INDEX audit_at ON audit (at);

-- That a family was used is no change of a credential.
DROP TRIGGER token_families_changed;
CREATE TRIGGER token_families_changed AFTER UPDATE OF id, user_id, client_id, expires_at ON token_families
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;
