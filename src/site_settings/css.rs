//! The site's own style sheet, as readers get it: a file that is named by its text, because no
//! page has inline styles (security row X2).

use axum::{
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION},
    },
    response::{IntoResponse, Response},
};

use crate::{
    config::{SiteCss, SiteSettings},
    http::look,
    site::Site,
};

/// Below it, the style sheet is served by what is in it.
pub const PATH: &str = "/assets/site/{file}";

/// Where the sheet is served, if there is one.
#[must_use]
pub fn address(css: &SiteCss) -> Option<String> {
    (!css.hash().is_empty()).then(|| PATH.replace("{file}", &format!("{}.css", css.hash())))
}

/// Whether a page has it. Those by which whoever is in charge changes it do without: a sheet
/// that makes a page unusable must not keep them from removing it.
#[must_use]
pub fn is_on(path: &str) -> bool {
    !["/admin", "/login", "/account/confirm"]
        .iter()
        .any(|page| path == *page || path.strip_prefix(page).is_some_and(|rest| rest.starts_with('/')))
}

/// The sheet of that name. One of an earlier name leads to the present one, which another
/// process may have set a moment ago.
pub async fn serve(State(site): State<Site>, Path(file): Path<String>) -> Response {
    let is_named = |css: &SiteCss| file.strip_suffix(".css") == Some(css.hash()) && !css.hash().is_empty();
    let known = site.settings();
    if is_named(&known.css) {
        return sheet(&known.css);
    }
    let css = match super::in_force(&site).await {
        Ok(values) => SiteSettings::of_what_fits(&values).css,
        Err(_) => known.css.clone(),
    };
    match address(&css) {
        Some(_) if is_named(&css) => sheet(&css),
        Some(address) => {
            (StatusCode::FOUND, [(CACHE_CONTROL, "no-store"), (LOCATION, &address)]).into_response()
        }
        None => (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "not found\n").into_response(),
    }
}

fn sheet(css: &SiteCss) -> Response {
    look::sheet(css.text().to_owned(), "text/css; charset=utf-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_whoever_is_in_charge_has_no_sheet_of_the_site() {
        for path in ["/admin", "/admin/settings", "/login", "/login/code", "/account/confirm"] {
            assert!(!is_on(path), "{path}");
        }
        for path in ["/", "/administration", "/logins", "/account", "/@admin"] {
            assert!(is_on(path), "{path}");
        }
    }
}
