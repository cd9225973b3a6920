-- Settings of the site that were set while it runs (site_settings), as they were written.
-- What is not here is as the flags, variables and byline.toml of the process have it.
CREATE TABLE site_settings (
    name       TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    value      TEXT   COLLATE "C" NOT NULL,
    changed_at BIGINT NOT NULL
);

-- 1 for whoever runs the site (accounts::domain::running).
ALTER TABLE users ADD COLUMN is_admin BIGINT NOT NULL DEFAULT 0;
-- Since when an account is locked: nobody logs in to it.
ALTER TABLE users ADD COLUMN locked_at BIGINT;

CREATE TRIGGER users_locked AFTER UPDATE OF locked_at ON users
    FOR EACH ROW WHEN (OLD.locked_at IS DISTINCT FROM NEW.locked_at)
    EXECUTE FUNCTION tell_credential_change();

-- Why whoever runs the site has hidden a post (posts::domain::hidden); absent for what its
-- author has deleted.
ALTER TABLE trashed_posts ADD COLUMN hidden_reason TEXT;

-- Links by which somebody may sign up where not everyone may (accounts::domain::invitations).
CREATE TABLE invitations (
    -- SHA-256 of the token in the link.
    hash       BYTEA NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- The id of the account, also while its address is not confirmed.
    used_by    TEXT   COLLATE "C"
);
