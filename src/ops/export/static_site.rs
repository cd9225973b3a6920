//! `byline export --static`: the pages of the site as files that any file server can serve.
//!
//! Every page is asked of the router, as a reader without an account asks. Links are
//! followed from the front page on; what needs a server is taken out of the pages.

use std::{
    collections::{HashSet, VecDeque},
    path::{Path, PathBuf},
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{
        Request, StatusCode, Uri,
        header::{ACCEPT, CONTENT_TYPE, HOST, LOCATION},
    },
};
use percent_encoding::percent_decode_str;
use tower::ServiceExt;

use super::folder::{ExportError, Folder};
use crate::{database::internal, error::AppError, posts::domain::redirects, site::Site};

/// What was written.
#[derive(Debug, Default)]
pub struct Written {
    pub pages: usize,
    pub files: usize,
    /// What the site did not answer, with the status.
    pub failed: Vec<String>,
}

/// What paths of files begin with that a page may name anywhere.
const FILES: [&str; 3] = ["/assets/", "/media/", "/previews/"];

/// Whether a path is the same for every reader and needs no server.
fn is_for_readers(path: &str) -> bool {
    let whole = ["/", "/about", "/robots.txt", "/sitemap.xml", "/favicon.ico", "/feed.atom", "/feed.json"];
    let is_post = path.strip_prefix("/posts/").is_some_and(|id| !id.contains('/'));
    let starts = ["/@", "/tags/"];
    is_post || whole.contains(&path) || starts.iter().chain(&FILES).any(|start| path.starts_with(start))
}

/// The file for an address; `None` if it is no address of a file.
fn file_of(address: &str, is_page: bool) -> Option<PathBuf> {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let mut file = PathBuf::new();
    let query = query.split_once('=').map(|(name, value)| [name, value]);
    let names = path.split('/').filter(|name| !name.is_empty());
    let mut all: Vec<&str> = names.collect();
    let last = all.pop();
    match (query, last) {
        (Some([_, from]), Some("sitemap.xml")) => {
            return Some(PathBuf::from(format!("sitemap-{}.xml", plain(from)?)));
        }
        (query, last) => all.extend(last.into_iter().chain(query.into_iter().flatten())),
    }
    for name in all {
        file.push(plain(name)?);
    }
    Some(if is_page { file.join("index.html") } else { file })
}

/// A name of a file or a folder.
fn plain(name: &str) -> Option<String> {
    let name = percent_decode_str(name).decode_utf8().ok()?;
    let is_plain = !name.is_empty()
        && !name.starts_with('.')
        && name.len() <= 200
        && !name.contains(|c: char| c == '/' || c == '\\' || c.is_control());
    is_plain.then(|| name.into_owned())
}

/// Where an address is found in the written site.
fn address_of(address: &str) -> Option<String> {
    let (path, query) = address.split_once('?')?;
    let (name, value) = query.split_once('=')?;
    let is_list = matches!(name, "older" | "newer") && !value.contains('&');
    is_list.then(|| format!("{}/{name}/{value}/", path.trim_end_matches('/')))
}

/// Writes the pages of the site.
///
/// # Errors
/// [`ExportError`]; what was written until then stays, and the next export replaces it.
pub async fn write(site: &Site, router: Router, to: &Path) -> Result<Written, ExportError> {
    let mut folder = Folder::empty(to)?;
    let public = site.link("");
    let host = public.split_once("://").map_or(public.as_str(), |(_, host)| host).to_owned();
    let mut written = Written::default();
    let mut pages = Crawl::default();
    pages.follow(["/", "/robots.txt", "/sitemap.xml", "/favicon.ico"].map(ToOwned::to_owned).into());
    let missing = ask(&router, &host, "/no/such/page").await?;
    if missing.status == StatusCode::NOT_FOUND {
        let mut found = Vec::new();
        let body = missing.rewritten("/404", &public, &mut found);
        folder.write(Path::new("404.html"), &body)?;
        pages.follow(found);
    }
    while let Some(address) = pages.waiting.pop_front() {
        let answer = ask(&router, &host, &address).await?;
        let mut found = Vec::new();
        match answer.status {
            StatusCode::OK => {
                let Some(file) = file_of(&address, answer.is_page) else { continue };
                let body = answer.rewritten(&address, &public, &mut found);
                folder.write(&file, &body)?;
                written.pages += usize::from(answer.is_page);
                written.files += usize::from(!answer.is_page);
            }
            status if status.is_redirection() => {
                if let Some(location) = answer.location.filter(|location| location.starts_with('/')) {
                    if let Some(file) = file_of(&address, true) {
                        folder.write(&file, leading_to(&location).as_bytes())?;
                    }
                    found.push(location);
                }
            }
            // A link in a text may lead nowhere.
            status if status.is_client_error() => {}
            status => written.failed.push(format!("{address} ({status})")),
        }
        pages.follow(found);
    }
    for (path, location) in redirects::all(site).await? {
        if let Some(file) = file_of(&path, !path.ends_with(".html"))
            && !folder.has(&file)
            // A file can be in the way of a folder.
            && folder.write(&file, leading_to(&location).as_bytes()).is_ok()
        {
            written.pages += 1;
        }
    }
    Ok(written)
}

/// Addresses that are still to be asked for, and all that were ever found.
#[derive(Default)]
struct Crawl {
    waiting: VecDeque<String>,
    seen: HashSet<String>,
}

impl Crawl {
    fn follow(&mut self, found: Vec<String>) {
        for address in found {
            let path = address.split('?').next().unwrap_or_default();
            if is_for_readers(path) && self.seen.insert(address.clone()) {
                self.waiting.push_back(address);
            }
        }
    }
}

struct Answer {
    status: StatusCode,
    is_page: bool,
    kind: String,
    location: Option<String>,
    body: Vec<u8>,
}

async fn ask(router: &Router, host: &str, address: &str) -> Result<Answer, AppError> {
    let uri: Uri = match address.parse() {
        Ok(uri) => uri,
        Err(_) => return Ok(Answer::nothing()),
    };
    let request = Request::builder().uri(uri).header(HOST, host).header(ACCEPT, "text/html, */*");
    let request = request.body(Body::empty()).map_err(internal)?;
    let Ok(response) = router.clone().oneshot(request).await;
    let (head, body) = response.into_parts();
    let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let kind = text(CONTENT_TYPE).unwrap_or_default();
    let (is_page, location) = (kind.starts_with("text/html"), text(LOCATION));
    let body = to_bytes(body, usize::MAX).await.map_err(internal)?.to_vec();
    Ok(Answer { status: head.status, is_page, kind, location, body })
}

impl Answer {
    fn nothing() -> Self {
        let (kind, body) = (String::new(), Vec::new());
        Self { status: StatusCode::NOT_FOUND, is_page: false, kind, location: None, body }
    }

    /// The file for the answer; `found` gets the addresses that it names.
    fn rewritten(&self, address: &str, public: &str, found: &mut Vec<String>) -> Vec<u8> {
        let is = |kind: &str| self.kind.starts_with(kind);
        let Ok(text) = std::str::from_utf8(&self.body) else { return self.body.clone() };
        if self.is_page {
            find_files(text, found);
            page(text, found).into_bytes()
        } else if is("text/css") {
            for (at, _) in text.match_indices("url(") {
                let name = text[at + 4..].split(')').next().unwrap_or_default().trim_matches(['"', '\'']);
                let base = url::Url::parse("http://site.invalid").and_then(|base| base.join(address));
                if let Ok(url) = base.and_then(|base| base.join(name)) {
                    found.push(url.path().to_owned());
                }
            }
            self.body.clone()
        } else if address.starts_with("/sitemap.xml") {
            let mut whole = text.to_owned();
            for from in text.split("/sitemap.xml?from=").skip(1).filter_map(|rest| rest.split('<').next()) {
                if let Some(name) = plain(from) {
                    found.push(format!("/sitemap.xml?from={from}"));
                    let (old, new) = (
                        format!("{public}/sitemap.xml?from={from}<"),
                        format!("{public}/sitemap-{name}.xml<"),
                    );
                    whole = whole.replace(&old, &new);
                }
            }
            whole.into_bytes()
        } else {
            find_files(text, found);
            self.body.clone()
        }
    }
}

/// Addresses of files, wherever a text has them.
fn find_files(text: &str, found: &mut Vec<String>) {
    for start in FILES {
        for (at, _) in text.match_indices(start) {
            let rest = &text[at..];
            let end =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && !"/-_.".contains(c)).unwrap_or(rest.len());
            found.push(rest[..end].to_owned());
        }
    }
}

/// A page without what needs a server; `found` gets the addresses of the site that it links to.
fn page(text: &str, found: &mut Vec<String>) -> String {
    let whole = without(text, "<form", "</form>");
    let whole = without(&whole, "<leptos-island", "</leptos-island>");
    let whole = without(&whole, "<script type=\"module\"", "</script>");
    let whole = without(&whole, "<p class=\"report\">", "</p>");
    let mut kept = String::with_capacity(whole.len());
    let mut rest = whole.as_str();
    while let Some(at) = rest.find(" href=\"/") {
        let (before, after) = rest.split_at(at);
        let value = &after[7..];
        let Some(end) = value.find('"') else { break };
        let (address, after) = (html_escape::decode_html_entities(&value[..end]).into_owned(), &value[end..]);
        let without_mark = address.split('#').next().unwrap_or_default();
        let path = without_mark.split('?').next().unwrap_or_default();
        kept.push_str(before);
        if is_for_readers(path) {
            found.push(without_mark.to_owned());
            let shown = address_of(&address).unwrap_or(address);
            kept.push_str(" href=\"");
            kept.push_str(&html_escape::encode_double_quoted_attribute(&shown));
            rest = after;
        } else if kept.ends_with("<li><a")
            && let Some(item) = after.find("</li>")
        {
            // An entry of a menu.
            kept.truncate(kept.len() - "<li><a".len());
            rest = &after[item + "</li>".len()..];
        } else {
            // Without an address it is a text.
            rest = &after[1..];
        }
    }
    kept.push_str(rest);
    kept.replace("<ul class=\"account\"></ul>", "")
}

/// A text without everything from one sign to another.
fn without(text: &str, from: &str, to: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(start) = rest.find(from) {
        let Some(end) = rest[start..].find(to) else { break };
        kept.push_str(&rest[..start]);
        rest = &rest[start + end + to.len()..];
    }
    kept.push_str(rest);
    kept
}

/// A page that leads to another.
fn leading_to(location: &str) -> String {
    let location = html_escape::encode_double_quoted_attribute(location);
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Moved</title>\
         <meta http-equiv=\"refresh\" content=\"0; url={location}\"><link rel=\"canonical\" href=\"{location}\"></head>\
         <body><a href=\"{location}\">This page has moved</a></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_has_a_file_within_the_folder() {
        for (address, is_page, file) in [
            ("/", true, Some("index.html")),
            ("/@ada/x", true, Some("@ada/x/index.html")),
            ("/?older=1_a", true, Some("older/1_a/index.html")),
            ("/tags/c%2B%2B", true, Some("tags/c++/index.html")),
            ("/sitemap.xml?from=pages", false, Some("sitemap-pages.xml")),
            ("/@ada/feed.atom", false, Some("@ada/feed.atom")),
            ("/@ada/../../etc", true, None),
            ("/@ada/%2e%2e/x", true, None),
            ("/@ada/a%2Fb", true, None),
            ("/media/a%00", false, None),
        ] {
            assert_eq!(file_of(address, is_page), file.map(PathBuf::from), "{address}");
        }
    }

    #[test]
    fn a_page_loses_what_needs_a_server() {
        let mut found = Vec::new();
        let text = "<ul><li><a href=\"/\">All</a></li><li><a href=\"/search\">Search</a></li></ul>\
                    <ul class=\"account\"><li><a href=\"/login\">Log in</a></li></ul><form action=\"/x\">y</form>\
                    <p><a class=\"a\" href=\"/search?q=a&amp;b=c\">words</a> <a href=\"/?older=1_a\">Older</a>\
                    <a href=\"https://x.example/\">x</a> <a href=\"/@ada/x#h\">x</a></p>\
                    <p class=\"report\"><a rel=\"nofollow\" href=\"/@ada/x/report\">Report</a></p>";
        assert_eq!(
            page(text, &mut found),
            "<ul><li><a href=\"/\">All</a></li></ul><p><a class=\"a\">words</a> <a href=\"/older/1_a/\">Older</a>\
             <a href=\"https://x.example/\">x</a> <a href=\"/@ada/x#h\">x</a></p>"
        );
        assert_eq!(found, ["/", "/?older=1_a", "/@ada/x"]);
    }
}
