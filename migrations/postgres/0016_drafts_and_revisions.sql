-- Posts that are not published (posts::domain::draft_posts), each for its author alone.
-- With `is_scheduled`, it is published at `publish_at`, which its author typed at
-- `utc_offset` minutes from UTC. `published_at` is the first time at which it was
-- published, if it was.
CREATE TABLE drafts (
    id           TEXT    COLLATE "C" NOT NULL PRIMARY KEY,
    owner_id     TEXT    COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version      BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    updated_at   BIGINT NOT NULL,
    published_at BIGINT,
    publish_at   BIGINT,
    utc_offset   BIGINT NOT NULL DEFAULT 0,
    is_scheduled BIGINT NOT NULL DEFAULT 0,
    slug         TEXT    COLLATE "C" NOT NULL DEFAULT '',
    tags         TEXT    NOT NULL DEFAULT '',
    title        TEXT    NOT NULL,
    content      TEXT    NOT NULL
);

CREATE INDEX drafts_of_owner ON drafts (owner_id, updated_at DESC, id DESC);
CREATE INDEX drafts_due ON drafts (publish_at) WHERE is_scheduled = 1;

-- A deleted draft is restored as a draft.
ALTER TABLE trashed_posts ADD COLUMN is_draft BIGINT NOT NULL DEFAULT 0;

-- What a post was before each change since it was published (posts::domain::revisions).
-- The newest text is that of the post itself.
CREATE TABLE revisions (
    post_id  TEXT    COLLATE "C" NOT NULL,
    version  BIGINT NOT NULL,
    owner_id TEXT    COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    saved_at BIGINT NOT NULL,
    tags     TEXT    NOT NULL,
    title    TEXT    NOT NULL,
    content  TEXT,
    PRIMARY KEY (post_id, version)
);

CREATE INDEX revisions_of_owner ON revisions (owner_id);
