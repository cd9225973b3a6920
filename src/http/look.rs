//! The style sheet of one site: what its settings change of Byline's look. It is a file of
//! its own, because no page has inline styles and the other style sheet is the same for
//! every site.

use axum::{
    body::Body,
    extract::Path,
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};

use super::answers::Shared;
use crate::{
    config::{Accent, Faces},
    text::hex,
};

/// Below it, the style sheets of sites are served by what is in them.
pub const PATH: &str = "/assets/look/{file}";

/// What a site has beside Byline's own style sheet, if its settings ask for something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// Says what is in it, so that each process makes it, whatever settings it has by then:
    /// a page may be older, and of another process.
    file: String,
    css: String,
}

impl Look {
    /// `None` where the settings change nothing.
    #[must_use]
    pub fn of(accent: Option<Accent>, faces: Faces) -> Option<Self> {
        let mut rules = String::new();
        let mut name = String::new();
        if let Some(Accent { chosen, light, dark }) = accent {
            for (name, light, dark) in [
                ("accent", light.plain, dark.plain),
                ("accent-strong", light.strong, dark.strong),
                ("accent-ink", light.ink, dark.ink),
            ] {
                rules += &format!("--{name}:light-dark({light},{dark});");
            }
            name += chosen.to_string().trim_start_matches('#');
        }
        if faces == Faces::System {
            rules += "--serif:var(--serif-system);";
            name += SYSTEM;
        }
        if rules.is_empty() {
            return None;
        }
        let css = format!("@layer tokens{{:root{{{rules}}}}}");
        let hash = hex(&Sha256::digest(&css)[..4]);
        Some(Self { file: format!("{name}-{hash}.css"), css })
    }

    /// The one that is served by that name, if the name is one of [`Self::of`]'s.
    fn named(file: &str) -> Option<Self> {
        let (name, _) = file.rsplit_once('-')?;
        let (colour, faces) = match name.strip_suffix(SYSTEM) {
            Some(colour) => (colour, Faces::System),
            None => (name, Faces::Served),
        };
        let accent = match colour {
            "" => None,
            colour => Some(Accent::of(format!("#{colour}").parse().ok()?)),
        };
        Self::of(accent, faces).filter(|look| look.file == file)
    }

    /// Where it is served.
    #[must_use]
    pub fn address(&self) -> String {
        PATH.replace("{file}", &self.file)
    }
}

/// The end of a name of a look without a served typeface; `s` begins no colour.
const SYSTEM: &str = "s";

/// The style sheet. Its name has the hash of its text, so it never changes.
pub async fn serve(Path(file): Path<String>) -> Response {
    let Some(look) = Look::named(&file) else {
        return (StatusCode::NOT_FOUND, [(CACHE_CONTROL, "no-store")], "not found\n").into_response();
    };
    sheet(look.css, "text/css")
}

/// A style sheet that its address names by its text, so that nobody ever asks for it again.
pub fn sheet(css: impl Into<Body>, content_type: &'static str) -> Response {
    let mut response = Response::new(css.into());
    response.extensions_mut().insert(Shared);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_without_wishes_has_no_sheet_of_its_own() {
        assert_eq!(Look::of(None, Faces::Served), None);
    }

    #[test]
    fn each_process_makes_a_sheet_from_its_name() {
        let accent = Some(Accent::of("#8a1c4a".parse().expect("a colour")));
        for (accent, faces) in [(None, Faces::System), (accent, Faces::Served), (accent, Faces::System)] {
            let look = Look::of(accent, faces).expect("a sheet");
            assert_eq!(Look::named(&look.file).as_ref(), Some(&look));
            assert_eq!(Look::named(&format!("x{}", look.file)), None, "{look:?}");
            assert_eq!(Look::named(&look.file.replace(".css", "")), None, "{look:?}");
        }
        for none in ["", "-", "s", "8a1c4a.css", "8a1c4a-00000000.css", "../x-1.css"] {
            assert_eq!(Look::named(none), None, "{none:?}");
        }
    }
}
