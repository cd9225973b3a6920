-- Names that people had before (accounts::domain::running::rename). They are nobody else's,
-- and addresses with them lead to the people.
CREATE TABLE former_usernames (
    username   TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    user_id    TEXT   COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    changed_at BIGINT NOT NULL
);

CREATE INDEX former_usernames_of_user ON former_usernames (user_id);

-- What nobody new can be called.
CREATE VIEW taken_usernames AS
SELECT username FROM users UNION ALL SELECT username FROM former_usernames;
