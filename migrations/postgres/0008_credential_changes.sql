-- Every process keeps in memory which API keys and tokens it has verified. That
-- one has ended or changed, or the person behind it, is told to all of them with
-- the commit, whoever did it. On SQLite a row is counted up instead; here it would
-- make transactions meet that have nothing to do with each other.
CREATE FUNCTION tell_credential_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('byline_credentials', '');
    RETURN NULL;
END
$$;

-- What is new was never verified, so inserting is no change; that something was
-- used is none either.
CREATE TRIGGER api_keys_deleted AFTER DELETE ON api_keys
    FOR EACH ROW EXECUTE FUNCTION tell_credential_change();

CREATE TRIGGER api_keys_changed AFTER UPDATE OF id, user_id, hash, expires_at ON api_keys
    FOR EACH ROW EXECUTE FUNCTION tell_credential_change();

CREATE TRIGGER token_families_deleted AFTER DELETE ON token_families
    FOR EACH ROW EXECUTE FUNCTION tell_credential_change();

CREATE TRIGGER token_families_changed AFTER UPDATE ON token_families
    FOR EACH ROW EXECUTE FUNCTION tell_credential_change();

CREATE TRIGGER signing_keys_deleted AFTER DELETE ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION tell_credential_change();

CREATE TRIGGER signing_keys_changed AFTER UPDATE ON signing_keys
    FOR EACH ROW EXECUTE FUNCTION tell_credential_change();

-- Whose row is deleted, their keys and families go with it, by the triggers above.
-- Making a key writes a person's row as it is, to have it alone.
CREATE TRIGGER users_changed AFTER UPDATE OF id, username, email ON users
    FOR EACH ROW
    WHEN (NEW.id <> OLD.id OR NEW.username <> OLD.username OR NEW.email <> OLD.email)
    EXECUTE FUNCTION tell_credential_change();

-- A table that is emptied at once tells of no rows. SQLite has no TRUNCATE.
CREATE TRIGGER api_keys_emptied AFTER TRUNCATE ON api_keys
    FOR EACH STATEMENT EXECUTE FUNCTION tell_credential_change();

CREATE TRIGGER token_families_emptied AFTER TRUNCATE ON token_families
    FOR EACH STATEMENT EXECUTE FUNCTION tell_credential_change();

CREATE TRIGGER signing_keys_emptied AFTER TRUNCATE ON signing_keys
    FOR EACH STATEMENT EXECUTE FUNCTION tell_credential_change();
