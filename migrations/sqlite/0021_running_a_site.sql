-- Settings of the site that were set while it runs (site_settings), as they were written.
-- What is not here is as the flags, variables and byline.toml of the process have it.
CREATE TABLE site_settings (
    name       TEXT    NOT NULL PRIMARY KEY,
    value      TEXT    NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- 1 for whoever runs the site (accounts::domain::running).
ALTER TABLE users ADD COLUMN is_admin INTEGER NOT NULL DEFAULT 0;
-- Since when an account is locked: nobody logs in to it.
ALTER TABLE users ADD COLUMN locked_at INTEGER;

CREATE TRIGGER users_locked AFTER UPDATE OF locked_at ON users
WHEN OLD.locked_at IS NOT NEW.locked_at
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;

-- Why whoever runs the site has hidden a post (posts::domain::hidden); absent for what its
-- author has deleted.
ALTER TABLE trashed_posts ADD COLUMN hidden_reason TEXT;

-- Links by which somebody may sign up where not everyone may (accounts::domain::invitations).
CREATE TABLE invitations (
    -- SHA-256 of the token in the link.
    hash       BLOB NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    -- The id of the account, also while its address is not confirmed.
    used_by    TEXT
) STRICT;
