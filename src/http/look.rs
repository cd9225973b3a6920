//! The style sheet of one site: what its settings change of Byline's look. It is a file of
//! its own, because no page has inline styles and the other style sheet is the same for
//! every site.

use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::answers::Shared;
use crate::{
    config::{Accent, Faces, Identity},
    site::Site,
    text::hex,
};

/// Below it, the style sheet of this site is served by the hash of its text.
pub const PATH: &str = "/assets/look/{file}";

/// What a site has beside Byline's own style sheet, if its settings ask for something.
#[derive(Clone, Debug)]
pub struct Look(Option<Sheet>);

#[derive(Clone, Debug)]
struct Sheet {
    file: String,
    css: Bytes,
}

impl Look {
    #[must_use]
    pub fn of(identity: &Identity) -> Self {
        let mut rules = String::new();
        if let Some(Accent { light, dark }) = &identity.accent {
            for (name, light, dark) in [
                ("accent", light.plain, dark.plain),
                ("accent-strong", light.strong, dark.strong),
                ("accent-ink", light.ink, dark.ink),
            ] {
                rules += &format!("--{name}:light-dark({light},{dark});");
            }
        }
        if identity.faces == Faces::System {
            rules += "--serif:var(--serif-system);";
        }
        Self((!rules.is_empty()).then(|| {
            let css = format!("@layer tokens{{:root{{{rules}}}}}");
            let hash = hex(&Sha256::digest(&css)[..4]);
            Sheet { file: format!("{hash}.css"), css: css.into() }
        }))
    }

    /// Where it is served.
    #[must_use]
    pub fn address(&self) -> Option<String> {
        self.0.as_ref().map(|sheet| PATH.replace("{file}", &sheet.file))
    }
}

/// The style sheet. Its name has the hash of its text, so it never changes.
pub async fn serve(State(site): State<Site>, Path(file): Path<String>) -> Response {
    let Look(sheet) = site.part();
    let Some(sheet) = sheet.as_ref().filter(|sheet| sheet.file == file) else {
        return (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "not found\n").into_response();
    };
    let mut response = Response::new(Body::from(sheet.css.clone()));
    response.extensions_mut().insert(Shared);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/css"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::SiteName;

    #[test]
    fn a_site_without_wishes_has_no_sheet_of_its_own() {
        assert_eq!(Look::of(&Identity::default()).address(), None);
        let named = Identity { name: "Marsh".parse::<SiteName>().unwrap(), ..Identity::default() };
        assert_eq!(Look::of(&named).address(), None);
        let system = Identity { faces: Faces::System, ..Identity::default() };
        let address = Look::of(&system).address().unwrap();
        assert!(address.starts_with("/assets/look/") && address.ends_with(".css"), "{address}");
    }
}
