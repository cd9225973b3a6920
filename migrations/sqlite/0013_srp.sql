-- What logs a person in by SRP, made whenever their password passes by. `verifier` is
-- sealed. `password` is the SHA-256 of the stored hash of the password that it is of:
-- after another password it counts no longer, whoever is faster. There may be one of a
-- sign-up that waits for its address, so `user_id` references no table.
CREATE TABLE srp_verifiers (
    user_id  TEXT NOT NULL PRIMARY KEY,
    salt     BLOB NOT NULL,
    verifier BLOB NOT NULL,
    password BLOB NOT NULL
) STRICT;

-- Logins by SRP that were answered; none is answered twice.
CREATE TABLE srp_used (
    id         BLOB    NOT NULL PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX srp_used_expiry ON srp_used (expires_at);
