-- The backups that the site has made of itself, and those that failed
-- (ops::backup::runs). No content: `byline copy` leaves it out.
CREATE TABLE backup_runs (
    id          TEXT    NOT NULL PRIMARY KEY,
    started_at  INTEGER NOT NULL,
    -- Until when the process that makes it has it, unless it says otherwise.
    lease_until INTEGER NOT NULL,
    -- Absent while it is being made.
    ended_at    INTEGER,
    -- 'running', 'done', 'failed', 'lost' (its process is gone), 'interrupted'.
    outcome     TEXT    NOT NULL,
    -- Where it is, or was to be.
    file        TEXT    NOT NULL,
    bytes       INTEGER,
    problem     TEXT,
    -- When the file was removed, because later ones are kept.
    removed_at  INTEGER
) STRICT;

-- One at a time, whatever processes do.
CREATE UNIQUE INDEX backup_runs_running ON backup_runs (outcome) WHERE ended_at IS NULL;
CREATE INDEX backup_runs_of_outcome ON backup_runs (outcome, started_at);
