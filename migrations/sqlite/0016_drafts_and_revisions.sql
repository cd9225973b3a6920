-- Posts that are not published (posts::domain::draft_posts), each for its author alone.
-- With `is_scheduled`, it is published at `publish_at`, which its author typed at
-- `utc_offset` minutes from UTC. `published_at` is the first time at which it was
-- published, if it was.
CREATE TABLE drafts (
    id           TEXT    NOT NULL PRIMARY KEY,
    owner_id     TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version      INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    published_at INTEGER,
    publish_at   INTEGER,
    utc_offset   INTEGER NOT NULL DEFAULT 0,
    is_scheduled INTEGER NOT NULL DEFAULT 0,
    slug         TEXT    NOT NULL DEFAULT '',
    tags         TEXT    NOT NULL DEFAULT '',
    title        TEXT    NOT NULL,
    content      TEXT    NOT NULL
) STRICT;

CREATE INDEX drafts_of_owner ON drafts (owner_id, updated_at DESC, id DESC);
CREATE INDEX drafts_due ON drafts (publish_at) WHERE is_scheduled = 1;

-- A deleted draft is restored as a draft.
ALTER TABLE trashed_posts ADD COLUMN is_draft INTEGER NOT NULL DEFAULT 0;

-- What a post was before each change since it was published (posts::domain::revisions).
-- The newest text is that of the post itself.
CREATE TABLE revisions (
    post_id  TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    owner_id TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    saved_at INTEGER NOT NULL,
    tags     TEXT    NOT NULL,
    title    TEXT    NOT NULL,
    content  TEXT,
    PRIMARY KEY (post_id, version)
) STRICT;

CREATE INDEX revisions_of_owner ON revisions (owner_id);
