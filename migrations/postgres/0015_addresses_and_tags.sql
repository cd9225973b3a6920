-- Where a post is found: below its author (`/@{username}/{slug}`) and by its tags.
-- A post without a slug was stored before this step, or by an older Byline;
-- housekeeping gives it one (posts::domain::slugs), and an index knows where.

ALTER TABLE posts ADD COLUMN slug TEXT COLLATE "C" NOT NULL DEFAULT '';
-- Separated by commas, in the order of the author.
ALTER TABLE posts ADD COLUMN tags TEXT NOT NULL DEFAULT '';
CREATE INDEX posts_without_slug ON posts (id) WHERE slug = '';

ALTER TABLE trashed_posts ADD COLUMN slug TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE trashed_posts ADD COLUMN tags TEXT NOT NULL DEFAULT '';

-- Every slug that a post has or had below an author. It leads to the post for as long as
-- that exists, also in the trash.
CREATE TABLE post_addresses (
    owner_id   TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    slug       TEXT   COLLATE "C" NOT NULL,
    post_id    TEXT   COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner_id, slug)
);

CREATE INDEX post_addresses_of_post ON post_addresses (post_id);
CREATE INDEX post_addresses_slug ON post_addresses (slug);

-- The tags of published posts, to list them by. `created_at` is that of the post.
CREATE TABLE post_tags (
    post_id    TEXT   COLLATE "C" NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    tag        TEXT   COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (post_id, tag)
);

CREATE INDEX post_tags_newest ON post_tags (tag, created_at DESC, post_id DESC);
