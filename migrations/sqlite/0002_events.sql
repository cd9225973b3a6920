-- What happened to posts, in the order of the commits; written in the same
-- transaction. The newest row is never deleted, so no id is given twice.

CREATE TABLE events (
    id      INTEGER NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL,
    post_id TEXT    NOT NULL,
    owner   TEXT    NOT NULL
) STRICT;
