-- The fold of those words of a post that its page shows and its Markdown does not have in one
-- piece (posts::domain::markdown::as_read), so that a search finds them. Posts of before get
-- theirs when they are rendered anew after the start.
ALTER TABLE posts ADD COLUMN read_folded TEXT;

-- Whether the numbers of posts rise with their times since then (posts::domain::search_index).
-- Without its condition, SQLite would go through all of it for the posts that are not indexed.
CREATE INDEX searched_posts_by_time ON searched_posts (created_at) WHERE indexed = 1;

DROP TRIGGER posts_search_changed;

CREATE TRIGGER posts_search_changed
AFTER UPDATE OF title, content, title_folded, content_folded, read_folded, created_at ON posts
WHEN OLD.title IS NOT NEW.title OR OLD.content IS NOT NEW.content OR OLD.created_at IS NOT NEW.created_at
OR OLD.title_folded IS NOT NEW.title_folded OR OLD.content_folded IS NOT NEW.content_folded
OR OLD.read_folded IS NOT NEW.read_folded
BEGIN
    DELETE FROM post_grams WHERE rowid = (SELECT number FROM searched_posts WHERE post_id = NEW.id AND indexed = 1);
    UPDATE searched_posts SET created_at = NEW.created_at, revision = revision + 1, indexed = 0
    WHERE post_id = NEW.id;
END;
