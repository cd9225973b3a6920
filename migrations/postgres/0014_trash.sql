-- Posts that their authors have deleted, for 30 days, so that they can be restored
-- (posts::domain::trash). A post can be here several times, if a program brings an
-- id again.
CREATE TABLE trashed_posts (
    id         TEXT   COLLATE "C" NOT NULL,
    owner_id   TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    trashed_at BIGINT NOT NULL,
    title      TEXT   NOT NULL,
    content    TEXT,
    PRIMARY KEY (id, trashed_at)
);

CREATE INDEX trashed_posts_of_owner ON trashed_posts (owner_id, trashed_at DESC, id DESC);
CREATE INDEX trashed_posts_age ON trashed_posts (trashed_at);
