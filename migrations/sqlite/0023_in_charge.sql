-- Whether whoever signs up by an invitation is in charge of the site.
ALTER TABLE invitations ADD COLUMN makes_admin INTEGER NOT NULL DEFAULT 0;

-- What readers have said about posts (posts::domain::reports).
CREATE TABLE reports (
    id         TEXT    NOT NULL PRIMARY KEY,
    post_id    TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    -- The address of the reader, of IPv6 its /64; empty if it is not known.
    network    TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    -- When somebody in charge has decided about it.
    settled_at INTEGER
) STRICT;

-- One open report of a post for each network.
CREATE UNIQUE INDEX reports_open ON reports (post_id, network) WHERE settled_at IS NULL;
CREATE INDEX reports_of_network ON reports (network, created_at);

-- What was done to many accounts and posts at once (posts::domain::sweeps).
CREATE TABLE sweeps (
    id         TEXT    NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    -- Who did it, as the audit log has it.
    credential TEXT    NOT NULL,
    network    TEXT    NOT NULL,
    -- Accounts that were made since then.
    since      INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    -- When it was asked to be undone.
    undone_at  INTEGER
) STRICT;

CREATE TABLE sweep_items (
    sweep_id TEXT NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
    -- 'account' or 'post'.
    kind     TEXT NOT NULL,
    item_id  TEXT NOT NULL,
    -- 'planned', 'done', 'unchanged' (it was so before), 'undone'.
    state    TEXT NOT NULL,
    PRIMARY KEY (sweep_id, kind, item_id)
) STRICT;
