-- An index of what a search may find (posts::domain::search_index). It holds the grams of
-- each post: every one, two or three neighbouring characters of its folded title and text.
-- No extension is needed, and the locale of the database changes nothing.
--
-- Triggers mark a post whose text changes, whoever changes it. A marked post
-- (grams IS NULL) is looked at by every search, until Byline has stored its new grams a
-- moment later. So nothing that is stored is ever missed.
CREATE TABLE searched_posts (
    post_id    TEXT COLLATE "C" NOT NULL PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    revision   BIGINT NOT NULL,
    grams      INTEGER[]
);

-- Hashes cannot be compressed.
ALTER TABLE searched_posts ALTER COLUMN grams SET STORAGE EXTERNAL;

INSERT INTO searched_posts (post_id, created_at, revision)
SELECT id, created_at, 0 FROM posts ORDER BY created_at, id;

CREATE INDEX searched_posts_to_index ON searched_posts (created_at, post_id) WHERE grams IS NULL;

-- The grams themselves, for the index alone. Its cost says what the planner does not know:
-- grams are stored apart from their rows, so to look at those of each row takes far longer
-- than to use the index.
CREATE FUNCTION indexed_grams(grams INTEGER[]) RETURNS INTEGER[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
BEGIN
    RETURN grams;
END
$$;

-- New grams wait in a list that every search reads; it stays short.
CREATE INDEX searched_posts_grams ON searched_posts USING gin (indexed_grams(grams))
WITH (gin_pending_list_limit = 1024);

CREATE FUNCTION posts_search_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO searched_posts (post_id, created_at, revision) VALUES (NEW.id, NEW.created_at, 0);
    RETURN NULL;
END
$$;

CREATE TRIGGER posts_search_added AFTER INSERT ON posts
FOR EACH ROW EXECUTE FUNCTION posts_search_added();

CREATE FUNCTION posts_search_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE searched_posts SET created_at = NEW.created_at, revision = revision + 1, grams = NULL
    WHERE post_id = NEW.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER posts_search_changed
AFTER UPDATE OF title, content, title_folded, content_folded, created_at ON posts
FOR EACH ROW WHEN (
    (OLD.title, OLD.content, OLD.title_folded, OLD.content_folded, OLD.created_at)
    IS DISTINCT FROM (NEW.title, NEW.content, NEW.title_folded, NEW.content_folded, NEW.created_at))
EXECUTE FUNCTION posts_search_changed();
