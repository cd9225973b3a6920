-- An index of what a search may find (posts::domain::search_index). It holds the grams of
-- each post: every one, two or three neighbouring characters of its folded title and text.
--
-- Triggers mark a post whose text changes, whoever changes it. A marked post
-- (indexed = 0) has no grams, and every search looks at it, until Byline has stored its
-- new grams a moment later. So nothing that is stored is ever missed.
CREATE TABLE searched_posts (
    number     INTEGER NOT NULL PRIMARY KEY,
    post_id    TEXT    NOT NULL UNIQUE REFERENCES posts (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    indexed    INTEGER NOT NULL
) STRICT;

INSERT INTO searched_posts (post_id, created_at, revision, indexed)
SELECT id, created_at, 0, 0 FROM posts ORDER BY created_at, id;

CREATE INDEX searched_posts_to_index ON searched_posts (number) WHERE indexed = 0;

-- Only which gram is in which post: neither the text nor the places in it.
CREATE VIRTUAL TABLE post_grams USING fts5(
    grams, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
);

CREATE TRIGGER posts_search_added AFTER INSERT ON posts
BEGIN
    INSERT INTO searched_posts (post_id, created_at, revision, indexed) VALUES (NEW.id, NEW.created_at, 0, 0);
END;

CREATE TRIGGER posts_search_changed
AFTER UPDATE OF title, content, title_folded, content_folded, created_at ON posts
WHEN OLD.title IS NOT NEW.title OR OLD.content IS NOT NEW.content OR OLD.created_at IS NOT NEW.created_at
OR OLD.title_folded IS NOT NEW.title_folded OR OLD.content_folded IS NOT NEW.content_folded
BEGIN
    DELETE FROM post_grams WHERE rowid = (SELECT number FROM searched_posts WHERE post_id = NEW.id AND indexed = 1);
    UPDATE searched_posts SET created_at = NEW.created_at, revision = revision + 1, indexed = 0
    WHERE post_id = NEW.id;
END;

CREATE TRIGGER searched_posts_removed AFTER DELETE ON searched_posts WHEN OLD.indexed = 1
BEGIN
    DELETE FROM post_grams WHERE rowid = OLD.number;
END;
