-- A post may have no text at all, which is not the same as an empty one. And
-- what a search looks into is kept beside the text: title and text as
-- `posts::server::fold` makes them, or NULL as long as it has not come to a
-- post that was stored before. It stands last, where no list has to pass it.
--
-- SQLite takes a NOT NULL off by making the table anew
-- (https://sqlite.org/lang_altertable.html#otheralter). Nothing refers to
-- these tables, so foreign keys may stay on meanwhile.

CREATE TABLE new_posts (
    id         TEXT    NOT NULL PRIMARY KEY,
    owner_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    title      TEXT    NOT NULL,
    excerpt    TEXT    NOT NULL,
    content    TEXT,
    folded     TEXT
) STRICT;

INSERT INTO new_posts (id, owner_id, version, created_at, updated_at, title, excerpt, content)
SELECT id, owner_id, version, created_at, updated_at, title, excerpt, content FROM posts ORDER BY rowid;

DROP TABLE posts;
ALTER TABLE new_posts RENAME TO posts;

CREATE INDEX posts_newest ON posts (created_at DESC, id DESC);
CREATE INDEX posts_newest_of_owner ON posts (owner_id, created_at DESC, id DESC);
CREATE INDEX posts_changed ON posts (updated_at, id);
CREATE INDEX posts_not_folded ON posts (id) WHERE folded IS NULL;

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
