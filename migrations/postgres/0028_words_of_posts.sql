-- The words of a rendered post in one line, without markup, so that a search shows a part of
-- them and reads no HTML. What was rendered before has no words, so it is rendered again
-- (posts::domain::rendered::backfill).
ALTER TABLE rendered_posts ADD COLUMN words TEXT;

CREATE OR REPLACE FUNCTION posts_content_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rendered_posts SET renderer = 0, html = NULL, words = NULL WHERE post_id = NEW.id;
    RETURN NULL;
END
$$;
