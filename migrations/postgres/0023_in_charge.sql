-- Whether whoever signs up by an invitation is in charge of the site.
ALTER TABLE invitations ADD COLUMN makes_admin BIGINT NOT NULL DEFAULT 0;

-- What readers have said about posts (posts::domain::reports).
CREATE TABLE reports (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    post_id    TEXT   COLLATE "C" NOT NULL,
    reason     TEXT   COLLATE "C" NOT NULL,
    detail     TEXT   COLLATE "C" NOT NULL,
    -- The address of the reader, of IPv6 its /64; empty if it is not known.
    network    TEXT   COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    -- When somebody in charge has decided about it.
    settled_at BIGINT
);

-- One open report of a post for each network.
CREATE UNIQUE INDEX reports_open ON reports (post_id, network) WHERE settled_at IS NULL;
CREATE INDEX reports_of_network ON reports (network, created_at);

-- What was done to many accounts and posts at once (posts::domain::sweeps).
CREATE TABLE sweeps (
    id         TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    created_at BIGINT NOT NULL,
    -- Who did it, as the audit log has it.
    credential TEXT   COLLATE "C" NOT NULL,
    network    TEXT   COLLATE "C" NOT NULL,
    -- Accounts that were made since then.
    since      BIGINT NOT NULL,
    reason     TEXT   COLLATE "C" NOT NULL,
    -- When it was asked to be undone.
    undone_at  BIGINT
);

CREATE TABLE sweep_items (
    sweep_id TEXT COLLATE "C" NOT NULL REFERENCES sweeps (id) ON DELETE CASCADE,
    -- 'account' or 'post'.
    kind     TEXT COLLATE "C" NOT NULL,
    item_id  TEXT COLLATE "C" NOT NULL,
    -- 'planned', 'done', 'unchanged' (it was so before), 'undone'.
    state    TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (sweep_id, kind, item_id)
);
