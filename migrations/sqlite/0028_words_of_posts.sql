-- The words of a rendered post in one line, without markup, so that a search shows a part of
-- them and reads no HTML. They stand before the HTML, because SQLite reads past all that
-- stands before what it is asked for. What was rendered before has no words, so it is
-- rendered again (posts::domain::rendered::backfill).
DROP TABLE rendered_posts;

CREATE TABLE rendered_posts (
    post_id  TEXT    NOT NULL PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    renderer INTEGER NOT NULL,
    words    TEXT,
    html     TEXT
) STRICT;

INSERT INTO rendered_posts (post_id, renderer) SELECT id, 0 FROM posts ORDER BY rowid;

CREATE INDEX rendered_posts_renderer ON rendered_posts (renderer);

DROP TRIGGER posts_content_changed;

CREATE TRIGGER posts_content_changed AFTER UPDATE OF content ON posts
WHEN OLD.content IS NOT NEW.content
BEGIN
    UPDATE rendered_posts SET renderer = 0, html = NULL, words = NULL WHERE post_id = NEW.id;
END;
