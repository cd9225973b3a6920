-- Paths at which posts were read before they came to this site. They are looked up where
-- there would be no page otherwise, and lead to the post for as long as it exists.
CREATE TABLE redirects (
    -- As posts::domain::redirects writes it: decoded, without a slash at its end.
    path       TEXT NOT NULL PRIMARY KEY,
    post_id    TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX redirects_of_post ON redirects (post_id);
