//! `byline import`: posts from elsewhere become those of an author here. The exports are
//! written in the form that the documentation, or the source, of each project gives them.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use crate::support::{Byline, Client, Ended, PASSWORD, Served, TestDatabase, picture, until};

/// A site with one author, and a folder for an export.
pub struct Moving {
    pub byline: Byline,
    pub database: TestDatabase,
}

impl Moving {
    pub async fn prepare() -> Self {
        let (byline, database) = (Byline::in_an_empty_folder(), TestDatabase::fresh().await);
        let moving = Self { byline, database };
        moving.account("ada").await;
        moving
    }

    pub async fn account(&self, name: &str) {
        let email = format!("{name}@example.org");
        self.run(&["user", "create", name, &email], PASSWORD).await.succeeded();
    }

    pub async fn run(&self, arguments: &[&str], input: &str) -> Ended {
        let mut all = arguments.to_vec();
        all.extend(["--database-url", self.database.url_text()]);
        self.byline.run(&all, input).await
    }

    fn path(&self, path: &str) -> PathBuf {
        self.byline.folder().join("export").join(path)
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    pub async fn import(&self, more: &[&str]) -> Ended {
        self.run(&[&["import", "export", "--user", "ada"], more].concat(), "").await
    }

    /// Imports, without anything that could not be taken.
    pub async fn imported(&self) -> String {
        self.import(&[]).await.succeeded()
    }

    pub async fn serve(&self) -> (Served, Client) {
        let served = self.byline.serve(&["--database-url", self.database.url_text()]).await;
        let reader = Client::browser(served.address, false);
        (served, reader)
    }
}

/// The line of a report about a source.
pub fn line<'a>(report: &'a str, source: &str) -> &'a str {
    let found: Vec<_> = report.lines().filter(|line| line.contains(source)).collect();
    assert_eq!(found.len(), 1, "{source}: {report}");
    found[0]
}

async fn moved_to(reader: &mut Client, path: &str) -> String {
    let answer = reader.get_once(path).await;
    assert_eq!(answer.status, 308, "{path}");
    answer.location().to_owned()
}

/// A site of Hugo with three posts, of which one is a draft, and two pictures.
pub fn hugo(moving: &Moving) {
    moving.write("hugo.toml", "baseURL = 'https://old.example/'\n");
    moving.write(
        "content/posts/first-post.md",
        "+++\ntitle = 'First *post*'\ndate = 2019-05-04T10:30:00+02:00\ntags = ['Go', 'static sites']\naliases = ['/2019/05/04/first/', 'old-name']\n+++\n\nHello ![A cat](/images/cat.png) `![x](/images/cat.png)`\n",
    );
    moving.write(
        "content/posts/bundle/index.md",
        "---\ntitle: A bundle\ndate: 2020-02-03\nslug: my-bundle\nlang: de\n---\n<img src=\"pic.jpg\" alt=\"x\">\n",
    );
    moving.write("content/posts/later.md", "---\ntitle: Later\ndraft: true\n---\nNot yet.\n");
    moving.write("content/posts/_index.md", "---\ntitle: All posts\n---\n");
    moving.write("static/images/cat.png", picture::png(40, 30));
    moving.write("content/posts/bundle/pic.jpg", picture::jpeg_with_comment(30, 20, "x"));
    moving.write("themes/x/README.md", "# A theme\n");
}

#[tokio::test]
async fn a_site_of_hugo_keeps_its_dates_tags_drafts_pictures_and_addresses() {
    let moving = Moving::prepare().await;
    hugo(&moving);
    let report = moving.imported().await;
    assert!(line(&report, "first-post.md").starts_with("imported"), "{report}");
    assert!(line(&report, "first-post.md").contains("/@ada/first-post") && report.contains("pictures: 1"));
    assert!(line(&report, "later.md").contains("as a draft"), "{report}");
    assert!(line(&report, "_index.md").starts_with("skipped"), "{report}");
    assert!(!report.contains("themes"), "{report}");
    assert!(report.contains("3 imported"), "{report}");

    let (served, mut reader) = moving.serve().await;
    let page = reader.get("/@ada/first-post").await;
    assert!(page.text().contains("4 May 2019") && !page.text().contains("edited"), "{}", page.text());
    for tag in ["go", "static-sites"] {
        assert!(page.text().contains(&format!("/tags/{tag}")), "{tag}");
    }
    let start = page.text().find("src=\"/media/").expect("a picture of this site") + 5;
    let picture = page.text()[start..].split('"').next().expect("an address").to_owned();
    let picture = reader.get(&picture).await;
    assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
    assert!(page.text().contains("<code>![x](/images/cat.png)</code>"), "code stays as it is");
    let bundle = reader.get("/@ada/my-bundle").await;
    assert!(bundle.text().contains("lang=\"de\"") && bundle.text().contains("/media/"), "{}", bundle.text());

    for old in [
        "/2019/05/04/first/",
        "/2019/05/04/first",
        "/posts/old-name/",
        "/posts/first-post/",
        "/posts/first-post",
    ] {
        for _ in 0..2 {
            assert_eq!(moved_to(&mut reader, old).await, "/@ada/first-post", "{old}");
        }
    }
    assert_eq!(moved_to(&mut reader, "/posts/my-bundle/index.html?utm=x").await, "/@ada/my-bundle");
    for nothing in ["/posts/later/", "/2019/05/04/", "/2019/05/04/first/x"] {
        assert_eq!(reader.get_once(nothing).await.status, 404, "{nothing}");
    }
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 2);
    assert_eq!(moving.database.text("SELECT title FROM drafts").await, "Later");
    served.terminate().await;
}

#[tokio::test]
async fn an_import_is_run_twice_and_makes_nothing_twice() {
    let moving = Moving::prepare().await;
    hugo(&moving);
    moving.imported().await;
    let before = moving.database.dump().await;
    let again = moving.imported().await;
    assert!(again.contains("0 imported, 0 updated, 3 unchanged"), "{again}");
    assert_eq!(moving.database.dump().await, before);

    // What was changed there and not here comes again, with its version.
    moving.write("content/posts/later.md", "---\ntitle: Later\ndraft: true\n---\nChanged.\n");
    moving.write(
        "content/posts/bundle/index.md",
        "---\ntitle: A bundle\ndate: 2020-02-03\nslug: my-bundle\n---\nOther\n",
    );
    let report = moving.imported().await;
    assert!(report.contains("0 imported, 2 updated, 1 unchanged"), "{report}");
    assert_eq!(moving.database.text("SELECT content FROM drafts").await, "Changed.\n");
    let stored =
        moving.database.text("SELECT content || created_at FROM posts WHERE slug = 'my-bundle'").await;
    assert_eq!(stored, "Other\n1580688000000000");
}

#[tokio::test]
async fn what_an_author_has_changed_or_deleted_here_is_left_alone() {
    let moving = Moving::prepare().await;
    hugo(&moving);
    moving.imported().await;
    let (served, mut ada) = moving.serve().await;
    assert_eq!(ada.log_in("ada").await.status, 303);
    let id =
        async |slug: &str| moving.database.text(&format!("SELECT id FROM posts WHERE slug = '{slug}'")).await;
    let (first, bundle) = (id("first-post").await, id("my-bundle").await);
    let fields = [("title", "Mine"), ("content", "My own words"), ("version", "1")];
    assert_eq!(ada.submit(&format!("/my-posts/{first}/edit"), &fields).await.status, 303);
    assert_eq!(ada.submit(&format!("/posts/{bundle}/delete"), &[]).await.status, 303);
    served.terminate().await;

    moving.write("content/posts/first-post.md", "---\ntitle: Another\n---\nfrom there\n");
    let report = moving.imported().await;
    assert!(line(&report, "first-post.md").contains("changed here"), "{report}");
    assert!(line(&report, "bundle").contains("deleted here"), "{report}");
    assert_eq!(moving.database.text("SELECT title || content FROM posts").await, "MineMy own words");
}

#[tokio::test]
async fn a_dry_run_says_what_would_happen_and_changes_nothing() {
    let moving = Moving::prepare().await;
    hugo(&moving);
    let before = moving.database.dump().await;
    let report = moving.import(&["--dry-run"]).await.succeeded();
    assert!(line(&report, "first-post.md").starts_with("would be imported"), "{report}");
    assert!(
        line(&report, "first-post.md").contains("/@ada/first-post") && report.contains("3 imported"),
        "{report}"
    );
    assert_eq!(moving.database.dump().await, before);
    moving.imported().await;
    let before = moving.database.dump().await;
    let report = moving.import(&["--dry-run"]).await.succeeded();
    assert!(report.contains("0 imported, 0 updated, 3 unchanged"), "{report}");
    assert_eq!(moving.database.dump().await, before);
}

#[tokio::test]
async fn a_site_of_jekyll_keeps_its_days_its_categories_and_its_drafts() {
    let moving = Moving::prepare().await;
    moving.write("_config.yml", "title: Old\n");
    moving.write("about.md", "---\nlayout: page\ntitle: About\n---\n");
    moving.write(
        "_posts/2020-01-02-welcome-to-jekyll.markdown",
        "---\nlayout: post\ntitle:  \"Welcome to Jekyll!\"\ndate:   2020-01-02 11:12:13 +0100\ncategories: jekyll update\ntags: a b\nredirect_from: /blog/welcome/\n---\n\nText\n",
    );
    moving.write("notes/_posts/2021-03-04-note.md", "---\ntitle: Note\n---\nText\n");
    moving.write("_drafts/idea.md", "---\ntitle: Idea\n---\nText\n");
    moving.write("_posts/2021-03-05-hidden.md", "---\ntitle: Hidden\npublished: false\n---\nText\n");
    // Jekyll takes a day without zeros, and a date that only Ruby can read.
    moving.write("_posts/2021-9-1-alt.md", "---\ntitle: Alt\n---\nText\n");
    moving.write(
        "_posts/2023-01-29-odd.md",
        "---\ntitle: Odd\ndate: 2023-01-29 18:30:22 2023 -0800\n---\nText\n",
    );
    moving.write("_drafts/odd.md", "---\ntitle: Lost\ndate: in May\n---\nText\n");
    let ended = moving.import(&[]).await;
    let report = ended.stdout.clone();
    ended.failed_with(&["1 of the export"]);
    assert!(line(&report, "_drafts/odd.md").contains("its date cannot be read: in May"), "{report}");
    assert!(report.contains("6 imported") && line(&report, "about.md").starts_with("skipped"), "{report}");
    assert_eq!(
        moving.database.count("SELECT COUNT(*) FROM drafts WHERE title IN ('Idea', 'Hidden')").await,
        2
    );
    assert_eq!(
        moving.database.text("SELECT tags FROM posts WHERE title LIKE 'Welcome%'").await,
        "a,b,jekyll,update"
    );
    let at = "SELECT CAST(created_at AS BIGINT) FROM posts WHERE title LIKE 'Welcome%'";
    assert_eq!(moving.database.count(at).await, 1_577_959_933_000_000);

    let (served, mut reader) = moving.serve().await;
    for old in [
        "/jekyll/update/2020/01/02/welcome-to-jekyll.html",
        "/2020/01/02/welcome-to-jekyll/",
        "/blog/welcome/",
    ] {
        assert_eq!(moved_to(&mut reader, old).await, "/@ada/welcome-to-jekyll", "{old}");
    }
    assert_eq!(moved_to(&mut reader, "/notes/2021/03/04/note.html").await, "/@ada/note");
    assert_eq!(moved_to(&mut reader, "/2021/09/01/alt.html").await, "/@ada/alt");
    assert_eq!(moved_to(&mut reader, "/2023/01/29/odd.html").await, "/@ada/odd");
    served.terminate().await;
}

#[tokio::test]
async fn exports_of_zola_and_mataroa_are_folders_of_markdown_too() {
    let moving = Moving::prepare().await;
    moving.write(
        "content/blog/2021-06-07-from-zola.md",
        "+++\ntitle = \"From Zola\"\n[taxonomies]\ntags = [\"rust\"]\n[extra]\nx = 1\n+++\nText\n",
    );
    moving.imported().await;
    fs::remove_dir_all(moving.path("content")).expect("a folder");
    moving
        .write("ada-mataroa-blog/hello-world.md", "# Hello, World\n\n> Published on Jan 2, 2020\n\nText\n\n");
    moving.imported().await;
    assert_eq!(
        moving.database.text("SELECT title || tags || created_at FROM posts WHERE slug = 'from-zola'").await,
        "From Zolarust1623024000000000"
    );
    assert_eq!(
        moving
            .database
            .text("SELECT title || content || created_at FROM posts WHERE slug = 'hello-world'")
            .await,
        "Hello, WorldText\n\n1577923200000000"
    );
}

#[tokio::test]
async fn a_post_with_a_day_to_come_is_published_then() {
    let moving = Moving::prepare().await;
    moving.write("later.md", "---\ntitle: To come\ndate: 2999-01-01\n---\nText\n");
    let report = moving.imported().await;
    assert!(line(&report, "later.md").contains("published on 1 January 2999"), "{report}");
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM drafts WHERE is_scheduled = 1").await, 1);
    assert!(moving.imported().await.contains("1 unchanged"));
}

#[tokio::test]
async fn two_posts_of_one_name_both_come_and_an_address_leads_to_the_first() {
    let moving = Moving::prepare().await;
    moving.write("a/same.md", "---\ntitle: One\naliases: [/old]\n---\n1\n");
    moving.write("b/same.md", "---\ntitle: Two\naliases: [/old]\n---\n2\n");
    let report = moving.import(&["--dry-run"]).await.succeeded();
    assert!(
        line(&report, "a/same.md").ends_with("/@ada/same")
            && line(&report, "b/same.md").ends_with("/@ada/same with a number behind it"),
        "{report}"
    );
    let report = moving.imported().await;
    assert!(
        line(&report, "a/same.md").ends_with("/@ada/same")
            && line(&report, "b/same.md").ends_with("/@ada/same-2")
    );
    let (served, mut reader) = moving.serve().await;
    assert_eq!(moved_to(&mut reader, "/old").await, "/@ada/same");
    assert_eq!(moved_to(&mut reader, "/b/same/").await, "/@ada/same-2");
    served.terminate().await;
}

#[tokio::test]
async fn nothing_outside_of_an_export_is_read_and_each_fault_has_its_line() {
    let moving = Moving::prepare().await;
    let secret = moving.byline.folder().join("secret.md");
    fs::write(&secret, "---\ntitle: Secret\n---\nsecret words\n").expect("a file");
    fs::write(moving.byline.folder().join("secret.png"), picture::png(9, 9)).expect("a file");
    moving.write("good.md", "---\ntitle: Good\n---\nText\n");
    symlink(&secret, moving.path("link.md")).expect("a link");
    symlink("/", moving.path("root")).expect("a link");
    symlink("../secret.png", moving.path("link.png")).expect("a link");
    moving.write(
        "out.md",
        "---\ntitle: Out\n---\n![a](../secret.png) ![b](link.png) ![c](gone.png) ![d](x.svg)\n",
    );
    moving.write("x.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    moving.write("bytes.md", b"---\ntitle: \xFF\n---\nText");
    moving.write("broken.md", "---\ntitle: A\nno key\n---\nText: x\n");
    moving.write("list.md", "---\ntitle: [broken\ndate: yesterday\n---\nText\n");
    moving.write("broken-toml.md", "+++\ntitle = \n+++\nText\n");
    moving.write("when.md", "---\ntitle: A\ndate: yesterday\n---\nText\n");
    moving.write("long.md", format!("# Long\n\n{}", "x".repeat(100_001)));
    moving.write("huge.md", vec![b'x'; 5 << 20]);
    moving.write("nul.md", "# Nul\n\na\0b");
    moving.write("bad\u{1b}[31m\nname.md", "# Name\n\nText");

    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let report = &ended.stdout;
    for (source, words) in [
        ("link.md", "symbolic link"),
        (" root,", "symbolic link"),
        ("bytes.md", "UTF-8"),
        ("broken.md", "front matter"),
        ("list.md", "front matter cannot be read"),
        ("broken-toml.md", "TOML"),
        ("when.md", "yesterday"),
        ("long.md", "100000 characters or fewer"),
        ("huge.md", "4 MiB"),
        ("nul.md", "NUL"),
    ] {
        let line = line(report, source);
        assert!(line.starts_with("refused") && line.contains(words), "{source}: {line}");
    }
    assert!(line(report, "good.md").starts_with("imported"), "the rest goes on: {report}");
    let out = line(report, "out.md");
    for words in ["outside of the export", "not in the export: gone.png", "x.svg was not taken"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let refused = report.lines().filter(|line| line.starts_with("refused")).count();
    assert!(report.contains(&format!("0 skipped, {refused} refused, 1 with refused pictures")), "{report}");
    assert!(!report.contains('\u{1b}'), "a terminal gets no commands");
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM media").await, 0);
    assert_eq!(
        moving.database.count("SELECT COUNT(*) FROM posts WHERE content LIKE '%secret words%'").await,
        0
    );
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 3);
}

#[tokio::test]
async fn what_is_no_export_and_who_is_no_author_are_named() {
    let moving = Moving::prepare().await;
    moving.import(&[]).await.failed_with(&["export", "No such file"]);
    fs::create_dir(moving.path("")).expect("a folder");
    moving.import(&[]).await.failed_with(&["no export that Byline knows"]);
    moving.write("a.md", "# A\n");
    moving.run(&["import", "export", "--user", "bob"], "").await.failed_with(&["bob"]);
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 0);
}

/// Unpacks a zip file.
fn unpack(bytes: &[u8], into: &Path) {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip file");
    archive.extract(into).expect("its files");
}

#[tokio::test]
async fn what_an_author_has_exported_here_comes_back_and_moves_to_another_site() {
    let moving = Moving::prepare().await;
    hugo(&moving);
    moving.imported().await;
    let (served, mut ada) = moving.serve().await;
    assert_eq!(ada.log_in("ada").await.status, 303);
    let exported = ada.submit("/account/export", &[]).await;
    assert_eq!(exported.status, 200, "{}", exported.status);
    served.terminate().await;

    fs::remove_dir_all(moving.path("")).expect("a folder");
    unpack(&exported.body, &moving.path(""));
    let report = moving.imported().await;
    assert!(report.contains("0 imported, 0 updated, 3 unchanged"), "{report}");

    let other = Moving::prepare().await;
    unpack(&exported.body, &other.path(""));
    let report = other.imported().await;
    assert!(report.contains("3 imported"), "{report}");
    let rows = "SELECT id || slug || tags || created_at || title FROM posts ORDER BY id";
    assert_eq!(
        other.database.probe().await.texts(rows).await,
        moving.database.probe().await.texts(rows).await
    );
    assert_eq!(other.database.count("SELECT COUNT(*) FROM media").await, 2);
    let (served, mut reader) = other.serve().await;
    let page = reader.get("/@ada/first-post").await;
    let start = page.text().find("src=\"/media/").expect("a picture of this site") + 5;
    let picture = page.text()[start..].split('"').next().expect("an address").to_owned();
    assert_eq!(reader.get(&picture).await.status, 200);
    served.terminate().await;
}

#[tokio::test]
async fn an_export_of_every_author_is_imported_by_the_folder_of_one() {
    let moving = Moving::prepare().await;
    moving.account("bob").await;
    hugo(&moving);
    moving.imported().await;
    moving.run(&["export", "--to", "everything"], "").await.succeeded();
    for whole in ["everything", "everything/authors"] {
        let ended = moving.run(&["import", whole, "--user", "bob"], "").await;
        ended.failed_with(&[whole, "every author", "authors/NAME"]);
    }
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 2);
    let again = moving.run(&["import", "everything/authors/ada", "--user", "ada"], "").await.succeeded();
    assert!(again.contains("0 imported, 0 updated, 3 unchanged"), "{again}");
}

/// In the form that WordPress writes (WXR 1.2).
const WORDPRESS: &str = r#"<?xml version="1.0" encoding="UTF-8" ?>
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel><title>Old</title><link>https://old.example</link><wp:wxr_version>1.2</wp:wxr_version>
<wp:base_blog_url>https://old.example</wp:base_blog_url>
<item><title><![CDATA[Hello & welcome]]></title><link>https://old.example/2020/01/hello-world/</link>
<pubDate>Thu, 02 Jan 2020 03:04:05 +0000</pubDate><dc:creator><![CDATA[ada]]></dc:creator>
<content:encoded><![CDATA[<!-- wp:paragraph --><p>One <strong>two</strong></p><!-- /wp:paragraph -->
<!-- wp:image --><figure><img src="https://old.example/wp-content/uploads/2020/01/cat.png" alt="A cat"/></figure><!-- /wp:image -->]]></content:encoded>
<wp:post_id>7</wp:post_id><wp:post_date><![CDATA[2020-01-02 04:04:05]]></wp:post_date>
<wp:post_date_gmt><![CDATA[2020-01-02 03:04:05]]></wp:post_date_gmt><wp:post_name><![CDATA[hello-world]]></wp:post_name>
<wp:status><![CDATA[publish]]></wp:status><wp:post_type><![CDATA[post]]></wp:post_type><wp:post_password></wp:post_password>
<category domain="category" nicename="uncategorized"><![CDATA[Uncategorized]]></category>
<category domain="post_tag" nicename="two-words"><![CDATA[Two words]]></category></item>
<item><title>Classic &amp; old</title><link>https://old.example/?p=8&preview=true</link>
<content:encoded><![CDATA[First line
second *line*

[caption id="x"]<em>Words</em>[/caption]]]></content:encoded>
<wp:post_id>8</wp:post_id><wp:post_date_gmt>0000-00-00 00:00:00</wp:post_date_gmt><wp:post_name></wp:post_name>
<wp:status>draft</wp:status><wp:post_type>post</wp:post_type></item>
<item><title>cat</title><wp:post_id>9</wp:post_id><wp:status>inherit</wp:status><wp:post_type>attachment</wp:post_type></item>
<item><title>Secret</title><content:encoded>x</content:encoded><wp:post_id>10</wp:post_id><wp:status>publish</wp:status>
<wp:post_type>post</wp:post_type><wp:post_password>pass</wp:post_password></item>
</channel></rss>"#;

#[tokio::test]
async fn an_export_of_wordpress_becomes_markdown_with_its_pictures() {
    let moving = Moving::prepare().await;
    moving.write("export.xml", WORDPRESS);
    moving.write("wp-content/uploads/2020/01/cat.png", picture::png(40, 30));
    let report = moving.imported().await;
    assert!(report.contains("3 imported") && line(&report, "attachment").starts_with("skipped"), "{report}");
    let content = moving.database.text("SELECT content FROM posts").await;
    assert!(content.starts_with("One **two**\n\n![A cat](/media/"), "{content}");
    let facts = "SELECT title || '|' || tags || '|' || slug || '|' || created_at FROM posts";
    assert_eq!(moving.database.text(facts).await, "Hello & welcome|two-words|hello-world|1577934245000000");
    assert_eq!(
        moving.database.text("SELECT content FROM drafts WHERE title = 'Classic & old'").await,
        "First line\\\nsecond \\*line\\*\n\n*Words*\n"
    );
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM drafts WHERE title = 'Secret'").await, 1);
    assert!(moving.imported().await.contains("3 unchanged"));
    // The file alone is an export too, with the pictures beside it.
    let again = moving.run(&["import", "export/export.xml", "--user", "ada"], "").await.succeeded();
    assert!(again.contains("3 unchanged"), "{again}");

    let (served, mut reader) = moving.serve().await;
    assert_eq!(moved_to(&mut reader, "/2020/01/hello-world/").await, "/@ada/hello-world");
    served.terminate().await;
}

#[tokio::test]
async fn an_export_of_wordpress_that_ends_in_the_middle_gives_what_is_whole() {
    let moving = Moving::prepare().await;
    moving.write("export.xml", &WORDPRESS[..WORDPRESS.find("Classic").expect("the second post")]);
    let ended = moving.import(&[]).await;
    assert_eq!(ended.code, Some(1));
    assert!(line(&ended.stdout, "the rest of the file").starts_with("refused"), "{ended:?}");
    assert_eq!(moving.database.count("SELECT COUNT(*) FROM posts").await, 1);
}

#[tokio::test]
async fn exports_of_ghost_writefreely_and_bear_are_recognised_by_what_is_in_them() {
    let moving = Moving::prepare().await;
    moving.write(
        "ghost.json",
        r#"{"db":[{"meta":{"exported_on":1,"version":"5.0.0"},"data":{
        "posts":[{"id":"a1","title":"From Ghost","slug":"from-ghost","html":"<p>See <a href=\"__GHOST_URL__/x/\">x</a></p><img src=\"__GHOST_URL__/content/images/2020/01/cat.png\">","status":"published","visibility":"public","type":"post","published_at":"2020-01-02T03:04:05.000Z"},
        {"id":"a2","title":"(Untitled)","slug":"untitled","html":"<p>A draft</p>","status":"draft","visibility":"public"},
        {"id":"a3","title":"Members","slug":"members","html":"<p>paid</p>","status":"published","visibility":"paid"}],
        "tags":[{"id":"t1","name":"News"},{"id":"t2","name":"\#internal"}],
        "posts_tags":[{"post_id":"a1","tag_id":"t2","sort_order":0},{"post_id":"a1","tag_id":"t1","sort_order":1}]}}]}"#
            .replace("\\#", "#"),
    );
    moving.write("content/images/2020/01/cat.png", picture::png(40, 30));
    moving.write(
        "writefreely.json",
        r#"{"username":"ada","collections":[{"alias":"blog","title":"Blog","posts":[{"id":"w1","slug":"from-wf","language":"en","created":"2019-01-02T03:04:05Z","title":"","body":"Just words\n","tags":["cats"]}]}],
        "posts":[{"id":"w2","slug":null,"created":"2019-01-02T03:04:05Z","title":"Loose","body":"Words","tags":[]}]}"#,
    );
    moving.write(
        "posts.csv",
        "uid,title,slug,alias,published date,all tags,publish,make discoverable,is page,content,lang\r\n\
         b1,\"From, Bear\",from-bear,old/bear,2018-01-02 03:04:05+00:00,\"[\"\"a\"\", \"\"b\"\"]\",True,True,False,\"Text\r\nmore\",en\r\n",
    );
    let report = moving.imported().await;
    assert!(report.contains("6 imported"), "{report}");
    let facts = async |slug: &str| {
        let columns = "title || '|' || tags || '|' || created_at";
        moving.database.text(&format!("SELECT {columns} FROM posts WHERE slug = '{slug}'")).await
    };
    assert_eq!(facts("from-ghost").await, "From Ghost|news|1577934245000000");
    assert_eq!(facts("from-wf").await, "Just words|cats|1546398245000000");
    assert_eq!(facts("from-bear").await, "From, Bear|a,b|1514862245000000");
    let content = moving.database.text("SELECT content FROM posts WHERE slug = 'from-ghost'").await;
    assert!(content.starts_with("See [x](/x/)") && content.contains("](/media/"), "{content}");
    assert_eq!(
        moving.database.probe().await.texts("SELECT title FROM drafts ORDER BY title").await,
        ["A draft", "Loose", "Members"]
    );
    assert!(moving.imported().await.contains("6 unchanged"));
    let (served, mut reader) = moving.serve().await;
    for (old, new) in
        [("/from-ghost/", "from-ghost"), ("/blog/from-wf", "from-wf"), ("/old/bear/", "from-bear")]
    {
        assert_eq!(moved_to(&mut reader, old).await, format!("/@ada/{new}"), "{old}");
    }
    served.terminate().await;
}

#[tokio::test]
async fn posts_of_an_app_of_amplify_keep_the_ids_by_which_it_links_to_them() {
    let moving = Moving::prepare().await;
    let rows = r#"{"Item":{"id":{"S":"5b0d4d2e-6c1b-4f5e-9d0e-0123456789ab"},"title":{"S":"From AppSync"},"content":{"S":"Text"},"owner":{"S":"ada"},"createdAt":{"S":"2020-01-02T03:04:05.000Z"},"__typename":{"S":"Post"},"_version":{"N":"2"}}}
{"Item":{"id":{"S":"gone"},"title":{"S":"Gone"},"_deleted":{"BOOL":true}}}
no JSON
"#;
    moving.write("AWSDynamoDB/01-x/data/abc.json", rows);
    let ended = moving.import(&["--from", "dynamodb"]).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended
            .stdout
            .contains("1 imported, 0 updated, 0 unchanged, 1 skipped, 1 refused, 0 with refused pictures"),
        "{ended:?}"
    );
    assert_eq!(
        moving.database.text("SELECT id || created_at FROM posts").await,
        "5b0d4d2e-6c1b-4f5e-9d0e-0123456789ab1577934245000000"
    );
}

#[tokio::test]
async fn readers_of_a_running_site_see_what_is_imported_beside_it() {
    let moving = Moving::prepare().await;
    let (served, mut reader) = moving.serve().await;
    for _ in 0..2 {
        assert!(!reader.get("/").await.text().contains("First *post*"), "kept in memory from now on");
    }
    hugo(&moving);
    moving.imported().await;
    until("the list to have the post", async || reader.get("/").await.text().contains("First *post*")).await;
    moving.write("content/posts/first-post.md", "---\ntitle: Another\ndate: 2019-05-04\n---\nfrom there\n");
    moving.imported().await;
    until("the post to have changed", async || {
        reader.get("/@ada/first-post").await.text().contains("from there")
    })
    .await;
    served.terminate().await;
}
