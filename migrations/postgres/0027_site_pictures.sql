-- Files of the logo and the icon of the site (site_settings::pictures), all of them PNGs.
CREATE TABLE site_pictures (
    name       TEXT   COLLATE "C" NOT NULL PRIMARY KEY,
    -- What the setting has (site_settings.value, of 'logo' or 'icon'): the same for all files
    -- of one picture.
    picture    TEXT   COLLATE "C" NOT NULL,
    -- Of what it was made of.
    hash       TEXT   COLLATE "C" NOT NULL,
    body       BYTEA  NOT NULL,
    created_at BIGINT NOT NULL
);
