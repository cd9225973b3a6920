-- A post may have no text at all, which is not the same as an empty one. And
-- what a search looks into is kept beside the text: title and text as
-- `posts::server::fold` makes them, or NULL as long as it has not come to a
-- post that was stored before. No row is written anew for this.

ALTER TABLE posts
    ALTER COLUMN content DROP NOT NULL,
    ADD COLUMN folded TEXT COLLATE "C";

ALTER TABLE deleted_posts
    ALTER COLUMN content DROP NOT NULL;

CREATE INDEX posts_not_folded ON posts (id) WHERE folded IS NULL;
