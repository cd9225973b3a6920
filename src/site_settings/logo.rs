//! The logo as pages show it.

use leptos::prelude::*;

use super::pictures::PictureSetting;
use crate::config::SitePicture;

/// How large a logo is shown at the head of a page, in pixels of style sheets.
const AT_THE_HEAD: (u32, u32) = (256, 32);
/// How large it is shown where the front page begins with it.
const IN_THE_MASTHEAD: (u32, u32) = (512, 64);

/// The logo at one place of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLogo {
    src: String,
    /// The two files, for screens with more pixels (HTML 4.8.4.2.1), if there are two.
    srcset: Option<String>,
    /// In pixels of style sheets, as the height.
    width: u32,
    height: u32,
}

impl ShownLogo {
    /// At the head of a page.
    #[must_use]
    pub fn at_the_head(logo: &SitePicture) -> Self {
        Self::within(logo, AT_THE_HEAD, ["2x", "4x"])
    }

    /// Where the front page begins with it.
    #[must_use]
    pub fn in_the_masthead(logo: &SitePicture) -> Self {
        Self::within(logo, IN_THE_MASTHEAD, ["1x", "2x"])
    }

    /// `densities` are those of the half file and of the whole one.
    fn within(logo: &SitePicture, shown: (u32, u32), [of_half, of_whole]: [&str; 2]) -> Self {
        let address = |size| PictureSetting::Logo.address(logo, size);
        let whole = address(logo.size());
        let half = PictureSetting::Logo.sizes(logo).get(1).copied().map(address);
        let (width, height) = logo.within(shown.0, shown.1);
        Self {
            srcset: half.as_ref().map(|half| format!("{half} {of_half}, {whole} {of_whole}")),
            src: half.unwrap_or(whole),
            width,
            height,
        }
    }
}

/// The image of a logo, which takes its room before it arrives.
#[component]
pub fn LogoImage(
    logo: ShownLogo,
    /// What it says, which is the name of the site.
    alt: String,
) -> impl IntoView {
    let ShownLogo { src, srcset, width, height } = logo;
    view! { <img src=src srcset=srcset width=width height=height alt=alt decoding="async" /> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_shown_32_pixels_high_and_256_wide_at_most_with_files_for_every_screen() {
        let logo = |width, height| SitePicture::new("a".repeat(SitePicture::HASH_DIGITS), width, height);
        let wide = ShownLogo::at_the_head(&logo(640, 128));
        assert_eq!((wide.width, wide.height), (160, 32));
        let hash = "a".repeat(40);
        assert_eq!(wide.src, format!("/assets/logo/{hash}-320x64.png"));
        assert_eq!(wide.srcset, Some(format!("{} 2x, /assets/logo/{hash}-640x128.png 4x", wide.src)));
        let large = ShownLogo::in_the_masthead(&logo(640, 128));
        assert_eq!((large.width, large.height), (320, 64));
        let long = ShownLogo::at_the_head(&logo(1024, 10));
        assert_eq!((long.width, long.height), (256, 3));
        let small = ShownLogo::at_the_head(&logo(30, 20));
        assert_eq!((small.width, small.height, small.srcset), (30, 20, None), "it is not enlarged");
    }
}
