-- Files of the logo and the icon of the site (site_settings::pictures), all of them PNGs.
CREATE TABLE site_pictures (
    name       TEXT    NOT NULL PRIMARY KEY,
    -- What the setting has (site_settings.value, of 'logo' or 'icon'): the same for all files
    -- of one picture.
    picture    TEXT    NOT NULL,
    -- Of what it was made of.
    hash       TEXT    NOT NULL,
    body       BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
