//! What a browser loads at its first visit.

use std::{iter, net::SocketAddr};

use anyhow::{Result, ensure};

use crate::{
    http::{self, Connection},
    report::Table,
};

const PAGES: [&str; 2] = ["/", "/login"];

/// The size of every body that the first visit of each page transfers, in bytes.
pub(crate) async fn measure(address: SocketAddr) -> Result<Table> {
    let mut connection = Connection::open(address).await?;
    // Each file with the visits that load it.
    let mut files: Vec<(String, [bool; PAGES.len()])> = Vec::new();
    for (visit, page) in PAGES.into_iter().enumerate() {
        let request = http::get(page, "");
        let html = connection.exchange(&request).await?.text()?;
        for path in iter::once(page.to_owned()).chain(assets_of(html)) {
            let place = files.iter().position(|(known, _)| *known == path).unwrap_or_else(|| {
                files.push((path, [false; PAGES.len()]));
                files.len() - 1
            });
            files[place].1[visit] = true;
        }
    }

    let mut table = Table::new(&["file", "raw", "gzip", "brotli", "visit of `/`", "visit of `/login`"]);
    let mut totals = [0; PAGES.len()];
    for (path, loaded) in files {
        let raw = size(&mut connection, &path, "identity").await?;
        let gzip = size(&mut connection, &path, "gzip").await?;
        let brotli = size(&mut connection, &path, "br").await?;
        let mut row = vec![format!("`{}`", without_hash(&path))];
        row.extend([raw, gzip, brotli].map(|size| size.to_string()));
        for (total, loaded) in totals.iter_mut().zip(loaded) {
            *total += if loaded { brotli } else { 0 };
            row.push(if loaded { brotli.to_string() } else { String::new() });
        }
        table.row(row);
    }
    let mut row = vec!["all".to_owned(), String::new(), String::new(), String::new()];
    row.extend(totals.map(|total| total.to_string()));
    table.row(row);
    Ok(table)
}

/// Of the body in a content coding, in bytes.
async fn size(connection: &mut Connection, path: &str, coding: &str) -> Result<usize> {
    let request = http::get(path, &format!("Accept-Encoding: {coding}\r\n"));
    let answer = connection.exchange(&request).await?;
    ensure!(answer.is_ok(), "{path}: {}", answer.head);
    Ok(answer.body.len())
}

/// The addresses of style, scripts, module and icon that a page names.
fn assets_of(html: &str) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for attribute in html.split(['"', '\'']) {
        if attribute.starts_with("/assets/") && !paths.iter().any(|path| path == attribute) {
            paths.push(attribute.to_owned());
        }
    }
    paths
}

/// An asset by its name in the source: `/assets/icon-1a2b3c4d.svg` becomes `icon.svg`.
fn without_hash(path: &str) -> String {
    let hashed = path.strip_prefix("/assets/").and_then(|name| {
        let (stem, extension) = name.rsplit_once('.')?;
        Some(format!("{}.{extension}", stem.rsplit_once('-')?.0))
    });
    hashed.unwrap_or_else(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assets_are_found_once_and_named_as_in_the_source() {
        let html = "<link href=\"/assets/icon-1a2b3c4d.svg\"><a href=\"/login\"></a><link href=\"/assets/icon-1a2b3c4d.svg\">";
        assert_eq!(assets_of(html), ["/assets/icon-1a2b3c4d.svg"]);
        assert_eq!(without_hash("/assets/icon-1a2b3c4d.svg"), "icon.svg");
        assert_eq!(without_hash("/login"), "/login");
    }
}
