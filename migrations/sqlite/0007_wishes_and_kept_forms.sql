-- What exactly was wished for: a SHA-256 of what the wish says. Rows from
-- before have none.
ALTER TABLE idempotency_keys ADD COLUMN fingerprint BLOB;

-- Whoever signs up is nobody yet, so that the key alone names the wish.
CREATE UNIQUE INDEX idempotency_keys_key_key ON idempotency_keys (key)
    WHERE wish = 'sign_up' AND fingerprint IS NOT NULL;

-- Forms that arrived after their author's session had ended, in the order of
-- their ids. `basket` is a random name that the browser's session holds, and
-- `author` who was signed in when the form was made.
CREATE TABLE kept_forms (
    id         TEXT    NOT NULL PRIMARY KEY,
    basket     TEXT    NOT NULL,
    author     TEXT    NOT NULL,
    page       TEXT    NOT NULL,
    title      TEXT    NOT NULL,
    fields     TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    shown_at   INTEGER
) STRICT;

CREATE INDEX kept_forms_basket ON kept_forms (basket, id);
CREATE INDEX kept_forms_age ON kept_forms (created_at, bytes);
