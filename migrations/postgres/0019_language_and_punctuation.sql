-- The language that an author chose for a post (posts::language), as a tag of BCP 47;
-- empty where it is found from the text.
ALTER TABLE posts ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE drafts ADD COLUMN language TEXT NOT NULL DEFAULT '';
ALTER TABLE trashed_posts ADD COLUMN language TEXT NOT NULL DEFAULT '';

-- Whether quotation marks, dashes and dots of an author's posts stay as they were typed
-- (accounts::profile::Punctuation).
ALTER TABLE users ADD COLUMN plain_punctuation BIGINT NOT NULL DEFAULT 0;

-- Their stored HTML has the punctuation of before.
CREATE FUNCTION users_punctuation_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE rendered_posts SET renderer = 0
    WHERE post_id IN (SELECT id FROM posts WHERE owner_id = NEW.id);
    RETURN NULL;
END
$$;

CREATE TRIGGER users_punctuation_changed AFTER UPDATE OF plain_punctuation ON users
FOR EACH ROW WHEN (OLD.plain_punctuation IS DISTINCT FROM NEW.plain_punctuation)
EXECUTE FUNCTION users_punctuation_changed();
