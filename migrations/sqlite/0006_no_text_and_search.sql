-- A post may have no text at all, which is not the same as an empty one. And
-- what a search looks into is kept beside title and text where these are not
-- plain ASCII, as `posts::server::fold` makes it. What was stored before is
-- still to be folded; an index knows where.
--
-- SQLite takes a NOT NULL off by making the table anew
-- (https://sqlite.org/lang_altertable.html#otheralter). Nothing refers to
-- these tables, so foreign keys may stay on meanwhile.

CREATE TABLE new_posts (
    id             TEXT    NOT NULL PRIMARY KEY,
    owner_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    title          TEXT    NOT NULL,
    title_folded   TEXT,
    excerpt        TEXT    NOT NULL,
    content        TEXT,
    content_folded TEXT
) STRICT;

INSERT INTO new_posts (id, owner_id, version, created_at, updated_at, title, excerpt, content)
SELECT id, owner_id, version, created_at, updated_at, title, excerpt, content FROM posts ORDER BY rowid;

DROP TABLE posts;
ALTER TABLE new_posts RENAME TO posts;

CREATE INDEX posts_newest ON posts (created_at DESC, id DESC);
CREATE INDEX posts_newest_of_owner ON posts (owner_id, created_at DESC, id DESC);
CREATE INDEX posts_changed ON posts (updated_at, id);
CREATE INDEX posts_to_fold ON posts (id)
WHERE (title_folded IS NULL AND octet_length(title) <> length(title))
OR (content_folded IS NULL AND octet_length(content) <> length(content));

CREATE TABLE new_deleted_posts (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title      TEXT    NOT NULL,
    content    TEXT
) STRICT;

INSERT INTO new_deleted_posts (id, owner_id, version, created_at, updated_at, title, content)
SELECT id, owner_id, version, created_at, updated_at, title, content FROM deleted_posts ORDER BY rowid;

DROP TABLE deleted_posts;
ALTER TABLE new_deleted_posts RENAME TO deleted_posts;

CREATE INDEX deleted_posts_changed ON deleted_posts (updated_at, id);
