//! `byline import` of what other programs export: what is damaged, odd or twice in it is said,
//! and takes nothing else with it.

use crate::import::{Moving, line};

#[tokio::test]
async fn a_damaged_row_of_dynamodb_takes_no_other_row_with_it() {
    let moving = Moving::prepare().await;
    moving.write(
        "d1.json",
        r#"{"Item":{"id":{"S":"tr
{"Item":{"id":{"S":"p2"},"title":{"S":"Two"},"content":{"S":"two"}}}
"#,
    );
    moving.write("d2.json", r#"{"Item":{"id":{"S":"p3"},"title":{"S":"Three"},"content":{"S":"three"}}}"#);
    moving.write("manifest-summary.json", r#"{"version":"2020-06-30","itemCount":3}"#);
    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(line(&ended.stdout, "d1.json row 1").starts_with("refused"), "{ended:?}");
    assert!(ended.stdout.contains("2 imported") && ended.stdout.contains(" 1 refused"), "{ended:?}");
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts WHERE id IN ('p2', 'p3')").await, 2);
}

#[tokio::test]
async fn a_post_of_dynamodb_without_content_has_none_here_either() {
    let moving = Moving::prepare().await;
    moving.write(
        "rows.json",
        r#"{"Item":{"id":{"S":"null"},"title":{"S":"A"},"content":{"NULL":true}}}
{"Item":{"id":{"S":"absent"},"title":{"S":"B"}}}
{"Item":{"id":{"S":"empty"},"title":{"S":"C"},"content":{"S":""}}}
{"Item":{"id":{"S":"number"},"title":{"S":"D"},"content":{"N":"5"}}}
"#,
    );
    let ended = moving.import(&[]).await;
    assert!(line(&ended.stdout, "(number)").contains("its content is no text"), "{ended:?}");
    let without = "SELECT id FROM posts WHERE content IS NULL ORDER BY id";
    assert_eq!(moving.database.probe().await.texts(without).await, ["absent", "null"]);
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts WHERE content = ''").await, 1);
    let again = moving.import(&[]).await;
    assert!(again.stdout.contains("3 unchanged"), "{again:?}");
}

const BEAR: &str = "uid,title,slug,alias,published date,all tags,publish,content\n";

#[tokio::test]
async fn two_posts_without_an_id_do_not_overwrite_each_other() {
    let moving = Moving::prepare().await;
    moving.write(
        "bear.csv",
        format!(
            "{BEAR},First,,,2020-01-01 00:00:00+00:00,[],True,first text\n\
             ,Second,,,2020-01-02 00:00:00+00:00,[],True,second text\n"
        ),
    );
    let report = moving.imported().await;
    assert!(report.contains("2 imported"), "{report}");
    let contents = "SELECT content FROM posts ORDER BY content";
    assert_eq!(moving.database.probe().await.texts(contents).await, ["first text", "second text"]);
    assert!(moving.imported().await.contains("0 imported, 0 updated, 2 unchanged"));
}

#[tokio::test]
async fn an_id_that_comes_twice_in_an_export_is_refused_the_second_time() {
    let moving = Moving::prepare().await;
    moving.write(
        "bear.csv",
        format!(
            "{BEAR}u1,First,first,,2020-01-01 00:00:00+00:00,[],True,first text\n\
             u1,Second,second,,2020-01-02 00:00:00+00:00,[],True,second text\n"
        ),
    );
    for arguments in [["--dry-run"].as_slice(), &[]] {
        let ended = moving.import(arguments).await;
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let second = line(&ended.stdout, "Second");
        assert!(second.starts_with("refused") && second.contains("the same id"), "{second}");
        assert!(ended.stdout.contains("1 imported, 0 updated"), "{ended:?}");
    }
    assert_eq!(moving.database.text("SELECT content FROM posts").await, "first text");
}

/// An export of Ghost with posts: for each one its fields, in JSON.
fn ghost(posts: &[&str]) -> String {
    format!(r#"{{"db":[{{"data":{{"posts":[{}]}}}}]}}"#, posts.join(","))
}

#[tokio::test]
async fn a_post_of_ghost_that_has_no_html_is_refused_and_does_not_become_empty() {
    let moving = Moving::prepare().await;
    let lexical = |inner: &str| format!(r#"{{"root":{{"type":"root","children":[{inner}]}}}}"#);
    let paragraph = |inner: &str| lexical(&format!(r#"{{"type":"paragraph","children":[{inner}]}}"#));
    let words = r#"{"type":"extended-text","text":"Words"}"#;
    let of_lexical = |title: &str, lexical: &str| {
        format!(
            r#"{{"id":"{title}","title":"{title}","slug":"{title}","html":null,"status":"published","lexical":{}}}"#,
            serde_json::Value::from(lexical)
        )
    };
    let posts = [
        of_lexical("words", &paragraph(words)),
        of_lexical("card", &lexical(r#"{"type":"image","src":"x.png"}"#)),
        of_lexical("odd", "no JSON"),
        of_lexical("blank", &paragraph("")),
    ];
    moving.write("ghost.json", ghost(&posts.each_ref().map(String::as_str)));
    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for title in ["words", "card", "odd"] {
        let line = line(&ended.stdout, &format!("({title})"));
        assert!(line.starts_with("refused") && line.contains("html is empty"), "{line}");
    }
    assert!(line(&ended.stdout, "(blank)").starts_with("imported"), "{ended:?}");
}

#[tokio::test]
async fn a_damaged_export_beside_another_one_has_a_line_that_says_why() {
    let whole =
        ghost(&[r#"{"id":"p","title":"Whole","slug":"whole","html":"<p>x</p>","status":"published"}"#]);
    let cut = &whole[..whole.len() - 20];
    let moving = Moving::prepare().await;
    moving.write("whole.json", &whole);
    moving.write("cut.json", cut);
    moving.write("blog.ghost.2026-11-29-16-00-59.json", "<html>Log in</html>");
    moving.write("blog.ghost.2026-11-30-16-00-59.json", r#"{"errors":[]}"#);
    let writefreely =
        r#"{"username":"ada","has_pass":true,"collections":[{"alias":"blog","posts":[{"id":"x""#;
    moving.write("writefreely.json", writefreely);
    let config = "{ // With a comment\n\"port\": 1 }";
    moving.write("config.json", config);
    moving.write("package.json", r#"{"name":"a-theme","posts":[]}"#);
    moving.write("lines.json", "{\"number\":1}\n{\"number\":2}\n");
    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for (source, begins, words) in [
        ("cut.json", "refused", "it looks like an export of Ghost, and cannot be read: EOF"),
        ("2026-11-29", "refused", "it looks like an export of Ghost, and cannot be read: expected value"),
        ("2026-11-30", "refused", "it is called as an export of Ghost, and has no posts"),
        ("writefreely.json", "refused", "it looks like an export of WriteFreely, and cannot be read: EOF"),
        ("config.json", "skipped", "it is no JSON"),
        ("Whole", "imported", ""),
    ] {
        let line = line(&ended.stdout, source);
        assert!(line.starts_with(begins) && line.contains(words), "{source}: {line}");
    }
    assert!(!ended.stdout.contains("package.json") && !ended.stdout.contains("lines.json"), "{ended:?}");
    assert!(ended.stdout.contains("1 imported, 0 updated, 0 unchanged, 1 skipped, 4 refused"), "{ended:?}");

    // The same holds for one alone, and what only may have been one is none.
    let moving = Moving::prepare().await;
    moving.write("config.json", config);
    moving.import(&[]).await.failed_with(&["no export that Byline knows"]);
    moving.write("cut.json", cut);
    let ended = moving.import(&[]).await;
    assert!(line(&ended.stdout, "cut.json").starts_with("refused"), "{ended:?}");
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 0);
}

#[tokio::test]
async fn a_published_post_with_a_date_that_cannot_be_read_is_refused() {
    let moving = Moving::prepare().await;
    moving.write(
        "bear.csv",
        format!("{BEAR}b1,Bear,bear,,in May,[],True,x\nb2,Sketch,sketch,,in May,[],False,x\n"),
    );
    let of_ghost = |title: &str, date: &str| {
        format!(
            r#"{{"id":"{title}","title":"{title}","slug":"{title}","html":"<p>x</p>","status":"published","published_at":{date}}}"#
        )
    };
    let posts = [of_ghost("ghost", "\"in May\""), of_ghost("float", "1.5"), of_ghost("undated", "null")];
    moving.write("ghost.json", ghost(&posts.each_ref().map(String::as_str)));
    moving.write("wordpress.xml", wordpress("WordPress", "in May", ""));
    moving
        .write("rows.json", r#"{"Item":{"id":{"S":"row"},"title":{"S":"Row"},"createdAt":{"S":"in May"}}}"#);
    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    for source in ["Bear (bear)", "ghost (ghost)", "float (float)", "WordPress (post 7)", "Row (row)"] {
        let line = line(&ended.stdout, source);
        assert!(line.starts_with("refused") && line.contains("its date cannot be read"), "{line}");
    }
    // A draft has no date, and a post may have none.
    assert!(line(&ended.stdout, "Sketch").ends_with("as a draft"), "{ended:?}");
    assert!(line(&ended.stdout, "undated (").starts_with("imported"), "{ended:?}");
}

/// An export of WordPress with one post.
fn wordpress(title: &str, date: &str, more: &str) -> String {
    format!(
        r#"<rss xmlns:wp="http://wordpress.org/export/1.2/"><channel><item><title><![CDATA[{title}]]></title>
<content:encoded><![CDATA[Text]]></content:encoded><wp:post_id>7</wp:post_id><wp:post_date_gmt>{date}</wp:post_date_gmt>
<wp:status>publish</wp:status><wp:post_type>post</wp:post_type>{more}</item></channel></rss>"#
    )
}

#[tokio::test]
async fn titles_and_categories_of_wordpress_are_read_as_html() {
    let moving = Moving::prepare().await;
    let category =
        r#"<category domain="category" nicename="food-drink"><![CDATA[Food &amp; Drink]]></category>"#;
    let title = "Tom &amp; Jerry&#8217;s <em>1 &lt; 2</em> & more";
    moving.write("wordpress.xml", wordpress(title, "2020-01-02 03:04:05", category));
    let report = moving.imported().await;
    assert!(report.contains("1 imported"), "{report}");
    let facts = "SELECT title || '|' || tags FROM posts";
    assert_eq!(moving.database.text(facts).await, "Tom & Jerry’s 1 < 2 & more|food-drink");
}
