//! What `byline import` understands of the front matter in a folder of Markdown, and which
//! files it names.

use crate::import::{Moving, line};

#[tokio::test]
async fn a_table_of_front_matter_changes_nothing_of_its_post() {
    let moving = Moving::prepare().await;
    moving.write(
        "toml.md",
        "+++\ntitle = 'In TOML'\ndate = 2020-01-01\n[author]\ndate = 1999-01-01\n[cover]\ntitle = 'A cat'\nslug = 'zzz'\n+++\nb\n",
    );
    moving.write("draft.md", "+++\ntitle = 'Draft'\ndraft = true\n[build]\ndraft = false\n+++\nb\n");
    moving.write(
        "yaml.md",
        "---\ntitle: In YAML\ncover:\n  title: A cat\n  slug: zzz\nextra: {title: A dog}\ndate: 2020-01-01\n---\nb\n",
    );
    moving.write(
        "json.md",
        "{\n\"title\": \"In JSON\", \"cover\": {\"title\": \"A cat\", \"slug\": \"zzz\"}, \"date\": \"2020-01-01\"\n}\nb\n",
    );
    let report = moving.imported().await;
    assert!(line(&report, "draft.md").contains("as a draft"), "{report}");
    assert_eq!(
        moving
            .database
            .probe()
            .await
            .texts("SELECT title || '|' || slug || '|' || created_at FROM posts ORDER BY title")
            .await,
        ["JSON|json", "TOML|toml", "YAML|yaml"].map(|post| format!("In {post}|1577836800000000"))
    );
}
