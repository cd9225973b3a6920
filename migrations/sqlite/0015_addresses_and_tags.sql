-- Where a post is found: below its author (`/@{username}/{slug}`) and by its tags.
-- A post without a slug was stored before this step, or by an older Byline;
-- housekeeping gives it one (posts::domain::slugs), and an index knows where.
--
-- A column that is added stands behind the text, and reading it would read all pages of a
-- long text. So the table is made anew. `rendered_posts` refers to it, and dropping a table
-- deletes what refers to its rows; so that one is made anew before.

CREATE TABLE new_posts (
    id             TEXT    NOT NULL PRIMARY KEY,
    owner_id       TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version        INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    updated_at     INTEGER NOT NULL,
    slug           TEXT    NOT NULL DEFAULT '',
    -- Separated by commas, in the order of the author.
    tags           TEXT    NOT NULL DEFAULT '',
    title          TEXT    NOT NULL,
    title_folded   TEXT,
    excerpt        TEXT    NOT NULL,
    content        TEXT,
    content_folded TEXT
) STRICT;

INSERT INTO new_posts (id, owner_id, version, created_at, updated_at, title, title_folded, excerpt, content, content_folded)
SELECT id, owner_id, version, created_at, updated_at, title, title_folded, excerpt, content, content_folded FROM posts ORDER BY rowid;

CREATE TABLE new_rendered_posts (
    post_id  TEXT    NOT NULL PRIMARY KEY REFERENCES new_posts (id) ON DELETE CASCADE,
    renderer INTEGER NOT NULL,
    html     TEXT
) STRICT;

INSERT INTO new_rendered_posts (post_id, renderer, html) SELECT post_id, renderer, html FROM rendered_posts ORDER BY rowid;

DROP TABLE rendered_posts;
DROP TABLE posts;
ALTER TABLE new_posts RENAME TO posts;
ALTER TABLE new_rendered_posts RENAME TO rendered_posts;

CREATE INDEX posts_newest ON posts (created_at DESC, id DESC);
CREATE INDEX posts_newest_of_owner ON posts (owner_id, created_at DESC, id DESC);
CREATE INDEX posts_changed ON posts (updated_at, id);
CREATE INDEX posts_to_fold ON posts (id)
WHERE (title_folded IS NULL AND octet_length(title) <> length(title))
OR (content_folded IS NULL AND octet_length(content) <> length(content));
CREATE INDEX posts_without_slug ON posts (id) WHERE slug = '';
CREATE INDEX rendered_posts_renderer ON rendered_posts (renderer);

CREATE TRIGGER posts_content_changed AFTER UPDATE OF content ON posts
WHEN OLD.content IS NOT NEW.content
BEGIN
    UPDATE rendered_posts SET renderer = 0, html = NULL WHERE post_id = NEW.id;
END;

ALTER TABLE trashed_posts ADD COLUMN slug TEXT NOT NULL DEFAULT '';
ALTER TABLE trashed_posts ADD COLUMN tags TEXT NOT NULL DEFAULT '';

-- Every slug that a post has or had below an author. It leads to the post for as long as
-- that exists, also in the trash.
CREATE TABLE post_addresses (
    owner_id   TEXT    NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    slug       TEXT    NOT NULL,
    post_id    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (owner_id, slug)
) STRICT, WITHOUT ROWID;

CREATE INDEX post_addresses_of_post ON post_addresses (post_id);
CREATE INDEX post_addresses_slug ON post_addresses (slug);

-- The tags of published posts, to list them by. `created_at` is that of the post.
CREATE TABLE post_tags (
    post_id    TEXT    NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    tag        TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (post_id, tag)
) STRICT, WITHOUT ROWID;

CREATE INDEX post_tags_newest ON post_tags (tag, created_at DESC, post_id DESC);
