-- A post may have no text at all, which is not the same as an empty one. And
-- what a search looks into is kept beside title and text where these are not
-- plain ASCII, as `posts::server::fold` makes it. What was stored before is
-- still to be folded; an index knows where.
-- No row is written anew for this.

ALTER TABLE posts
    ALTER COLUMN content DROP NOT NULL,
    ADD COLUMN title_folded TEXT COLLATE "C",
    ADD COLUMN content_folded TEXT COLLATE "C";

ALTER TABLE deleted_posts
    ALTER COLUMN content DROP NOT NULL;

CREATE INDEX posts_to_fold ON posts (id)
WHERE (title_folded IS NULL AND octet_length(title) <> length(title))
OR (content_folded IS NULL AND octet_length(content) <> length(content));
