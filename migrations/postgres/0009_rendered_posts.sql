-- What the text of a post becomes for its readers, so that it is rendered once
-- and not by every process for every reader. `renderer` says which renderer
-- made it (`posts::domain::markdown::VERSION`); what another made, or none yet
-- (0), housekeeping makes anew, and an index knows where. HTML that is too long
-- to be stored is NULL. Apart from `posts`, so that lists do not read past it.

CREATE TABLE rendered_posts (
    post_id  TEXT   COLLATE "C" NOT NULL PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    renderer BIGINT NOT NULL,
    html     TEXT
);

INSERT INTO rendered_posts (post_id, renderer, html) SELECT id, 0, NULL FROM posts;

CREATE INDEX rendered_posts_renderer ON rendered_posts (renderer);

-- Whoever changes a text, be it an older Byline or a hand: its HTML is none of it any more.
CREATE FUNCTION posts_content_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rendered_posts SET renderer = 0, html = NULL WHERE post_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER posts_content_changed AFTER UPDATE OF content ON posts
FOR EACH ROW WHEN (OLD.content IS DISTINCT FROM NEW.content)
EXECUTE FUNCTION posts_content_changed();
