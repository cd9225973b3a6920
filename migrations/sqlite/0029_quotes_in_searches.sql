-- Typographic quotation marks, apostrophes and hyphens fold to those of a keyboard now
-- (posts::domain::fold). Folds that have them are made anew after the start.
UPDATE posts SET
    title_folded = CASE WHEN title_folded GLOB '*[‘’‚‛“”„‟ʼ‐]*' THEN NULL ELSE title_folded END,
    content_folded = CASE WHEN content_folded GLOB '*[‘’‚‛“”„‟ʼ‐]*' THEN NULL ELSE content_folded END
WHERE title_folded GLOB '*[‘’‚‛“”„‟ʼ‐]*' OR content_folded GLOB '*[‘’‚‛“”„‟ʼ‐]*';
