-- Since when a draft waits until whoever runs the site approves it
-- (posts::domain::approval); absent for what its author has not asked to publish.
ALTER TABLE drafts ADD COLUMN waits_since BIGINT;
CREATE INDEX drafts_waiting ON drafts (waits_since) WHERE waits_since IS NOT NULL;

-- When the first post of an account was approved.
ALTER TABLE users ADD COLUMN approved_at BIGINT;
