-- The fold of those words of a post that its page shows and its Markdown does not have in one
-- piece (posts::domain::markdown::as_read), so that a search finds them. Posts of before get
-- theirs when they are rendered anew after the start.
ALTER TABLE posts ADD COLUMN read_folded TEXT COLLATE "C";

DROP TRIGGER posts_search_changed ON posts;

CREATE TRIGGER posts_search_changed
AFTER UPDATE OF title, content, title_folded, content_folded, read_folded, created_at ON posts
FOR EACH ROW WHEN (
    (OLD.title, OLD.content, OLD.title_folded, OLD.content_folded, OLD.read_folded, OLD.created_at)
    IS DISTINCT FROM (NEW.title, NEW.content, NEW.title_folded, NEW.content_folded, NEW.read_folded, NEW.created_at))
EXECUTE FUNCTION posts_search_changed();
