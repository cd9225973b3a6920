-- Pictures that authors have uploaded (module media). Authors with the same picture share
-- its files; each has a row of their own.
CREATE TABLE media (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner_id     TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Of the file as it was uploaded.
    hash         TEXT COLLATE "C" NOT NULL,
    format       TEXT NOT NULL,
    width        BIGINT NOT NULL,
    height       BIGINT NOT NULL,
    -- Of all its files, which count for the quota.
    bytes        BIGINT NOT NULL,
    alt          TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    -- When housekeeping has last looked for texts that show it, and since when there were none.
    checked_at   BIGINT NOT NULL,
    unused_since BIGINT
);

CREATE UNIQUE INDEX media_of_owner ON media (owner_id, hash);
CREATE INDEX media_newest ON media (owner_id, id DESC);
CREATE INDEX media_hash ON media (hash);
CREATE INDEX media_checked ON media (checked_at);

-- What is served below /media/, by the name of the file.
CREATE TABLE media_files (
    name TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    hash TEXT COLLATE "C" NOT NULL,
    body BYTEA NOT NULL
);

CREATE INDEX media_files_hash ON media_files (hash);
