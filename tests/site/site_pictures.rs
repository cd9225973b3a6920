//! The logo and the icon of the site: who gives them, who sees them, and what goes with them.

use std::fs;

use axum::{body::Body, http::Method};
use tokio::net::UnixDatagram;

use crate::support::{
    Answer, Byline, Client, Page, Running, Several, TestDatabase, picture, postgres_database, until,
};

const NO_PART: &str = "content-disposition: form-data; name=\"other\"\r\n\r\n";

/// Sends a file by the form of `/admin/settings` for that picture.
async fn give(client: &mut Client, setting: &str, file: &[u8]) -> Answer {
    let (content_type, body) = picture::form_of(setting, file, NO_PART);
    client.post(&format!("/admin/settings/{setting}"), content_type, body).await
}

/// A site with somebody in charge, ada.
async fn in_charge() -> (Running, Client) {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    site.tamper("UPDATE users SET is_admin = 1 WHERE username = 'ada'").await;
    (site, ada)
}

fn logo_of(page: &Page) -> Option<String> {
    page.attributes(".site-header .site-name img", "src").pop()
}

fn icons_of(page: &Page) -> Vec<String> {
    page.attributes("link[rel=icon], link[rel=apple-touch-icon]", "href")
}

fn decoded(answer: &Answer) -> image::RgbaImage {
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/png"), "{}", answer.text());
    image::load_from_memory(&answer.body).expect("a picture").into_rgba8()
}

#[tokio::test]
async fn an_admin_gives_the_site_a_logo_and_readers_see_it() {
    let (site, mut ada) = in_charge().await;
    let post = ada.publish("The heron", "It stands.").await;
    let post = site.path_of(&post).await;
    let mut reader = site.browser();
    for path in ["/", &post] {
        assert_eq!(logo_of(&reader.page(path).await), None, "{path}");
    }
    let etag = reader.get(&post).await.header("etag").to_owned();
    let page = ada.page("/admin/settings").await;
    assert!(page.has_button("Save logo") && page.has_button("Save icon") && !page.has_button("Remove logo"));

    let answer = give(&mut ada, "logo", &picture::half_transparent_png(1000, 250)).await;
    assert_eq!((answer.status, answer.location()), (303, "/admin/settings"), "{}", answer.text());
    let page = ada.page("/admin/settings").await;
    assert_eq!(page.text(".notice"), "The picture is saved. Every page shows it from now on.");
    assert!(page.has_button("Remove logo") && !page.has_button("Remove icon"));

    let mut addresses = None;
    for path in ["/", &post, "/login", "/nope", "/admin/settings"] {
        let client = if path.starts_with("/admin") { &mut ada } else { &mut reader };
        let page = client.get(path).await.page();
        let of = |name: &str| page.attribute(".site-header .site-name img", name);
        assert_eq!(of("alt").as_deref(), Some("Byline"), "{path}");
        assert_eq!((of("width").as_deref(), of("height").as_deref()), (Some("128"), Some("32")), "{path}");
        assert!(page.text("head > title").contains("Byline"), "{path}: titles are words");
        addresses = Some((of("src").expect("an address"), of("srcset").expect("for other screens")));
    }
    let front = reader.page("/").await;
    assert_eq!(front.attribute("h1 img", "alt").as_deref(), Some("Byline"), "the front page begins with it");
    assert_eq!(front.attribute("h1 img", "height").as_deref(), Some("64"));
    assert_ne!(reader.get(&post).await.header("etag"), etag, "it is another page");

    let (half, srcset) = addresses.expect("addresses");
    let whole = half.replace("256x64", "512x128");
    assert_eq!(srcset, format!("{half} 2x, {whole} 4x"));
    for (address, size) in [(&half, (256, 64)), (&whole, (512, 128))] {
        let made = decoded(&reader.get(address).await);
        assert_eq!(made.dimensions(), size, "{address}");
        assert_eq!(made.get_pixel(10, 10).0, [10, 140, 80, 255]);
        assert_eq!(made.get_pixel(size.0 - 10, 10)[3], 0, "it stays transparent");
    }
    let atom = reader.get("/feed.atom").await;
    assert!(atom.text().contains(&format!("{whole}</logo>")), "{}", atom.text());

    assert_eq!(site.count("SELECT COUNT(*) FROM site_pictures").await, 2);
    let stored = site.text("SELECT value FROM site_settings WHERE name = 'logo'").await;
    assert_eq!(whole, format!("/assets/logo/{stored}.png"));
    let noted = "SELECT COUNT(*) FROM audit WHERE kind = 'settings_changed' AND detail = 'logo'";
    assert_eq!(site.count(noted).await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM media").await, 0, "it is no author's");

    // Another one takes its place, and who has an old page still sees something.
    assert_eq!(give(&mut ada, "logo", &picture::png(40, 20)).await.status, 303);
    let small = logo_of(&reader.page(&post).await).expect("a logo");
    assert!(small.ends_with("-40x20.png"), "{small}");
    let old = reader.get_once(&half).await;
    assert_eq!((old.status, old.location(), old.header("cache-control")), (302, small.as_str(), "no-store"));
    assert_eq!(site.count("SELECT COUNT(*) FROM site_pictures").await, 1, "the other one is gone");
}

#[tokio::test]
async fn an_icon_of_any_shape_is_shown_by_browsers_home_screens_and_programs() {
    let (site, mut ada) = in_charge().await;
    let mut reader = site.browser();
    let before = icons_of(&reader.page("/").await);
    let favicon = reader.get("/favicon.ico").await.body;
    assert_eq!(give(&mut ada, "icon", &picture::half_transparent_png(600, 300)).await.status, 303);
    let page = reader.page("/").await;
    let icons = icons_of(&page);
    assert_eq!(icons.len(), 3, "{icons:?}");
    assert_eq!(page.attributes("link[rel=icon]", "sizes"), ["32x32", "192x192"]);
    for (address, side) in icons.iter().zip([32, 192, 180]) {
        let made = decoded(&reader.get(address).await);
        assert_eq!(made.dimensions(), (side, side), "{address}");
        assert_eq!(made.get_pixel(side / 4, side / 2).0, [10, 140, 80, 255], "{address}");
        let ground = if side == 180 { [255; 4] } else { [0; 4] };
        assert_eq!(made.get_pixel(side / 4, 1).0, ground, "{address}: above it");
    }
    let answer = reader.get("/favicon.ico").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "image/x-icon"));
    assert!(answer.body.starts_with(&[0, 0, 1, 0, 1, 0, 32, 32]), "an ICO with one image");
    assert_eq!(&answer.body[22..], &reader.get(&icons[0]).await.body[..], "the icon of 32 pixels");
    let of_before = reader.get_once("/assets/icon/x-180x180.png").await;
    assert_eq!((of_before.status, of_before.location()), (302, icons[2].as_str()));
    ada.publish("The heron", "It stands.").await;
    let feed = reader.get("/feed.json").await.json();
    for (name, side) in [("icon", 512), ("favicon", 192)] {
        let address = feed[name].as_str().expect("an address");
        let path = &address[address.find("/assets/").expect("a path")..];
        assert_eq!(decoded(&reader.get(path).await).width(), side, "{name}");
    }
    assert!(reader.get("/feed.atom").await.text().contains("-192x192.png</icon>"));
    assert_eq!(logo_of(&reader.page("/").await), None, "it is no logo");

    assert_eq!(ada.submit("/admin/settings/icon/remove", &[]).await.status, 303);
    assert_eq!(icons_of(&reader.page("/").await), before);
    assert_eq!(reader.get("/favicon.ico").await.body, favicon);
    assert_eq!(reader.get(&icons[0]).await.status, 404);
    assert_eq!(site.count("SELECT COUNT(*) FROM site_pictures").await, 0);
}

#[tokio::test]
async fn without_a_logo_the_name_is_back() {
    let (site, mut ada) = in_charge().await;
    let mut reader = site.browser();
    assert_eq!(give(&mut ada, "logo", &picture::png(90, 30)).await.status, 303);
    let logo = logo_of(&reader.page("/").await).expect("a logo");
    assert_eq!(reader.get(&logo).await.status, 200);
    assert!(ada.page("/admin/settings/logo/remove").await.has_button("Remove logo"), "for who reloads it");
    assert_eq!(ada.get("/admin/settings/css/remove").await.status, 404);
    assert_eq!(ada.submit("/admin/settings/css/remove", &[]).await.status, 404);
    let answer = ada.submit("/admin/settings/logo/remove", &[]).await;
    assert_eq!((answer.status, answer.location()), (303, "/admin/settings"));
    let page = reader.page("/").await;
    assert_eq!((logo_of(&page), page.text(".site-name")), (None, "Byline".to_owned()));
    assert_eq!(page.text("h1"), "Byline");
    for table in ["site_pictures", "site_settings"] {
        assert_eq!(site.count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    // Other settings are saved without losing it.
    assert_eq!(give(&mut ada, "logo", &picture::png(90, 30)).await.status, 303);
    assert_eq!(ada.submit("/admin/settings", &[("site_name", "Marsh")]).await.status, 303);
    assert_eq!(
        reader.page("/").await.attribute(".site-name img", "alt").as_deref(),
        Some("Marsh"),
        "it has the name of now"
    );
}

#[tokio::test]
async fn a_hostile_file_is_refused_in_words_and_nothing_is_stored() {
    let (site, mut ada) = in_charge().await;
    let mut bomb = picture::png(200, 200);
    bomb[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let png = picture::png(200, 200);
    for setting in ["logo", "icon"] {
        for (file, words) in [
            (b"".to_vec(), "Choose a picture"),
            (b"hello".to_vec(), "This file is no picture"),
            (b"<svg xmlns='x'><script>alert(1)</script></svg>".to_vec(), "An SVG is not taken"),
            (bomb.clone(), "damaged"),
            (png[..300].to_vec(), "damaged"),
            ([&png[..], &vec![0; 10 << 20]].concat(), "more than 10 MiB"),
        ] {
            let answer = give(&mut ada, setting, &file).await;
            assert_eq!(answer.status, 422, "{setting}, {words}");
            let page = answer.page();
            assert!(page.text(&format!("#{setting}-error")).contains(words), "{}", page.text("main"));
            assert_eq!(page.value("site_name"), "Byline", "the other form is as it was");
            page.assert_harmless("a refused picture");
        }
    }
    let broken = ada.post("/admin/settings/logo", "multipart/form-data; boundary=limit", "--limit\r\n").await;
    assert_eq!(broken.status, 400);
    for table in ["site_pictures", "site_settings", "audit WHERE kind = 'settings_changed'"] {
        assert_eq!(site.count(&format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
    let byline = Byline::in_an_empty_folder();
    fs::write(byline.folder().join("x.png"), "<svg></svg>").expect("a file");
    byline.run(&["site", "set", "logo", "x.png"], "").await.failed_with(&["logo", "SVG"]);
    byline.run(&["site", "set", "icon", "none.png"], "").await.failed_with(&["none.png"]);
}

#[tokio::test]
async fn what_is_served_cannot_run_and_is_kept_for_ever() {
    let (site, mut ada) = in_charge().await;
    // A picture with a script behind it: nothing but the pixels is served.
    let file = [picture::png(300, 100), b"<script>alert(1)</script>".to_vec()].concat();
    assert_eq!(give(&mut ada, "logo", &file).await.status, 303);
    let mut reader = site.browser();
    let address = logo_of(&reader.page("/").await).expect("a logo");
    let answer = reader.get(&address).await;
    let header = |name: &str| answer.header(name).to_owned();
    assert_eq!(header("content-type"), "image/png");
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(header("cross-origin-resource-policy"), "cross-origin", "feeds are read elsewhere");
    assert!(!answer.body.windows(8).any(|bytes| bytes == b"<script>"));
    let request = reader.request(Method::GET, &address).header("if-none-match", header("etag"));
    let known = reader.send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!((known.status, known.body.len()), (304, 0));
    assert_eq!(reader.post(&address, "text/plain", "").await.status, 405);
    site.tamper("DELETE FROM site_settings").await;
    for unknown in ["/assets/logo/x.png", "/assets/icon/x.svg", "/assets/logo/"] {
        assert_eq!(reader.get_once(unknown).await.status, 404, "{unknown}");
    }
}

#[tokio::test]
async fn programs_read_of_a_post_whose_logo_it_stands_under() {
    let site = Running::start_behind_https().await;
    let mut ada = site.author("ada").await;
    site.tamper("UPDATE users SET is_admin = 1 WHERE username = 'ada'").await;
    let post = ada.publish("The heron", "It stands.").await;
    let post = site.path_of(&post).await;
    let mut reader = site.browser();
    let data = async |reader: &mut Client| -> serde_json::Value {
        let page = reader.page(&post).await.text("script[type='application/ld+json']");
        serde_json::from_str(&page).expect("JSON")
    };
    assert_eq!(data(&mut reader).await.get("publisher"), None);
    assert_eq!(give(&mut ada, "logo", &picture::png(500, 100)).await.status, 303);
    let publisher = data(&mut reader).await["publisher"].clone();
    let logo = publisher["logo"]["url"].as_str().expect("an address");
    assert!(logo.starts_with("https://byline.example/assets/logo/"), "{logo}");
    assert!(logo.ends_with("-500x100.png"), "{logo}");
    assert_eq!(publisher["name"], "Byline");
}

#[tokio::test]
async fn another_process_hears_it_and_serves_it() {
    let several = Several::start(postgres_database().await, 2, &[]).await;
    let byline = Byline::in_an_empty_folder();
    fs::write(byline.folder().join("logo.png"), picture::png(90, 30)).expect("a file");
    let to = ["--database-url", several.database.url_text()];
    byline.run(&[&["site", "set", "logo", "@logo.png"][..], &to].concat(), "").await.succeeded();
    for mut reader in several.at_each(&several.browser()) {
        let mut logo = None;
        until("a page with it", async || {
            logo = logo_of(&reader.page("/").await);
            logo.is_some()
        })
        .await;
        assert_eq!(reader.get(&logo.expect("a logo")).await.status, 200);
    }
    byline.run(&[&["site", "set", "logo", ""][..], &to].concat(), "").await.succeeded();
    for mut reader in several.at_each(&several.browser()) {
        until("the name", async || logo_of(&reader.page("/").await).is_none()).await;
    }
    let database = several.stop().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM site_pictures").await, 0);
}

#[tokio::test]
async fn the_settings_of_the_start_name_files_and_what_is_set_stands_above_them() {
    let byline = Byline::in_an_empty_folder();
    let write = |name: &str, text: &[u8]| fs::write(byline.folder().join(name), text).expect("a file");
    write("byline.toml", b"[site]\nlogo = \"first.png\"\nicon = \"icon.png\"\n");
    write("first.png", &picture::png(90, 30));
    write("icon.png", b"hello");
    byline.run(&["migrate"], "").await.failed_with(&["site.icon", "icon.png", "no picture"]);
    write("icon.png", &picture::png(64, 64));
    write("second.png", &picture::png(60, 30));

    let notified = byline.folder().join("notify");
    let _manager = UnixDatagram::bind(&notified).expect("a socket");
    let mut command = byline.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &notified);
    let served = Byline::serve_by(command).await;
    let mut reader = Client::browser(served.address, false);
    let shown =
        |page: &Page| logo_of(page).expect("a logo").rsplit_once('-').map(|(_, size)| size.to_owned());
    let first = reader.page("/").await;
    assert_eq!(shown(&first).as_deref(), Some("90x30.png"));
    assert_eq!(icons_of(&first).len(), 3);
    byline.run(&["site", "set", "logo", "second.png"], "").await.succeeded();
    until("the one that is set", async || shown(&reader.page("/").await).as_deref() == Some("60x30.png"))
        .await;
    let listed = byline.run(&["site", "show"], "").await.succeeded();
    assert!(listed.contains("logo\t60 × 30 pixels\tset\n"), "{listed}");
    assert!(listed.contains("icon\t512 × 512 pixels\tflag, variable or byline.toml\n"), "{listed}");
    byline.run(&["site", "unset", "logo"], "").await.succeeded();
    until("the first again", async || shown(&reader.page("/").await).as_deref() == Some("90x30.png")).await;
    let first = logo_of(&reader.page("/").await).expect("a logo");
    assert_eq!(reader.get(&first).await.status, 200, "its file stayed");

    // A service reads the file of settings again when its operator asks for it.
    write("third.png", &picture::png(30, 30));
    write("byline.toml", b"[site]\nlogo = \"third.png\"\n");
    served.signal("HUP").await;
    until("the third", async || shown(&reader.page("/").await).as_deref() == Some("30x30.png")).await;
    assert_eq!(icons_of(&reader.page("/").await).len(), 2, "the icon is Byline's own again");
    let third = logo_of(&reader.page("/").await).expect("a logo");
    assert_eq!(reader.get(&third).await.status, 200);
    write("byline.toml", b"[site]\nname = \"Another\"\nlogo = \"gone.png\"\n");
    served.signal("HUP").await;
    for _ in 0..20 {
        let page = reader.page("/").await;
        assert_eq!(logo_of(&page).as_ref(), Some(&third), "what cannot be read changes nothing");
        assert!(!page.text("title").contains("Another"));
    }
    let log = served.terminate().await;
    assert!(log.contains("the settings stay as they were") && log.contains("gone.png"), "{log}");
}

#[tokio::test]
async fn a_copy_and_a_static_export_have_the_pictures() {
    let (site, mut ada) = in_charge().await;
    assert_eq!(give(&mut ada, "logo", &picture::png(1000, 100)).await.status, 303);
    assert_eq!(give(&mut ada, "icon", &picture::png(100, 100)).await.status, 303);
    let logo = logo_of(&site.browser().page("/").await).expect("a logo");
    let copied = TestDatabase::in_a_file();
    let byline = Byline::in_an_empty_folder();
    let (from, to) = (site.url_text().to_owned(), copied.url_text().to_owned());
    byline.run(&["copy", "--from", &from, "--to", &to], "").await.succeeded();
    let rows = "SELECT COUNT(*) FROM site_pictures";
    assert_eq!((copied.count(rows).await, site.count(rows).await), (6, 6));

    let export = ["export", "--to", "out", "--static", "--public-url", "https://blog.example"];
    byline.run(&[&export[..], &["--database-url", &to]].concat(), "").await.succeeded();
    let out = byline.folder().join("out");
    let page = fs::read_to_string(out.join("index.html")).expect("a page");
    let page = Page::parse(&page);
    assert_eq!(logo_of(&page), Some(logo));
    let srcset = page.attribute(".site-name img", "srcset").expect("both");
    let named = srcset.split(", ").filter_map(|form| form.split(' ').next()).map(str::to_owned);
    for address in named.chain(icons_of(&page)).chain(["/favicon.ico".to_owned()]) {
        assert!(out.join(address.trim_start_matches('/')).is_file(), "{address}");
    }
    let icon = fs::read(out.join("favicon.ico")).expect("an icon");
    assert!(icon.starts_with(&[0, 0, 1, 0, 1, 0, 32, 32]));
}
