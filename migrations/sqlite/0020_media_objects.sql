-- Files of pictures in an object store (setting media.url), by the name under which they
-- are served. A name is here or in media_files, never in both.
CREATE TABLE media_objects (
    name TEXT NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    -- s3://bucket/key. No two uploads have the same.
    url  TEXT NOT NULL
) STRICT;

CREATE INDEX media_objects_hash ON media_objects (hash);

-- Objects that media_objects does not name: they are being written, or have to be removed.
CREATE TABLE media_leftovers (
    url       TEXT NOT NULL PRIMARY KEY,
    -- From then on the object is removed.
    remove_at INTEGER NOT NULL,
    -- Whether it is sure that nothing will name it any more.
    is_taken  INTEGER NOT NULL
) STRICT;

CREATE INDEX media_leftovers_due ON media_leftovers (remove_at);
