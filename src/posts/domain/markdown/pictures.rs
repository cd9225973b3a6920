//! The attributes by which a browser loads an image: when, and of a picture of this site
//! in which size. They follow from the address alone.

use std::borrow::Cow;

use crate::media::address::Address;

/// How wide an image is shown: as the text at most (`--measure` of the style).
const SIZES: &str = "(min-width: 44em) 42em, 100vw";

type Attributes<'a> = Vec<(&'static str, Cow<'a, str>)>;

/// The attributes of an image whose address is at `source`, with those that say how it is
/// loaded. The `first` image of a text is loaded at once, if it is of this site: readers
/// see it before they scroll. Pictures of this site have their own sizes, so that nothing
/// jumps when they arrive.
pub(super) fn with_forms(mut attributes: Attributes<'_>, source: usize, first: bool) -> Attributes<'_> {
    let picture = attributes.get(source).and_then(|(_, address)| Address::parse(address));
    let Some(picture) = picture else {
        attributes.push(("loading", "lazy".into()));
        return attributes;
    };
    attributes.retain(|(name, _)| !matches!(*name, "width" | "height"));
    attributes.push(("width", picture.width.to_string().into()));
    attributes.push(("height", picture.height.to_string().into()));
    if let Some(forms) = picture.srcset() {
        attributes.push(("srcset", forms.into()));
        attributes.push(("sizes", SIZES.into()));
    }
    attributes.push(("decoding", "async".into()));
    if !first {
        attributes.push(("loading", "lazy".into()));
    }
    attributes
}
