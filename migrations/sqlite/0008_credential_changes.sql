-- How often an API key, a token or a signing key has ended or changed, or the
-- person behind one. Whoever serves keeps in memory what it has verified, and
-- looks here whether something was written beside it: by the command line or by
-- any other program. The number says only whether it is another.
CREATE TABLE credential_changes (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;

INSERT INTO credential_changes (id, count) VALUES (1, 0);

-- What is new was never verified, so inserting is no change; that something was
-- used is none either.
CREATE TRIGGER api_keys_deleted AFTER DELETE ON api_keys
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;

CREATE TRIGGER api_keys_changed AFTER UPDATE OF id, user_id, hash, expires_at ON api_keys
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;

CREATE TRIGGER token_families_deleted AFTER DELETE ON token_families
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;

CREATE TRIGGER token_families_changed AFTER UPDATE ON token_families
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;

CREATE TRIGGER signing_keys_deleted AFTER DELETE ON signing_keys
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;

CREATE TRIGGER signing_keys_changed AFTER UPDATE ON signing_keys
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;

-- Whose row is deleted, their keys and families go with it, by the triggers above.
-- Making a key writes a person's row as it is, to have it alone.
CREATE TRIGGER users_changed AFTER UPDATE OF id, username, email ON users
WHEN NEW.id <> OLD.id OR NEW.username <> OLD.username OR NEW.email <> OLD.email
BEGIN
    UPDATE credential_changes SET count = count + 1;
END;
