//! A picture of the site (settings `site.logo` and `site.icon`), as a setting names it.

use std::{fmt, str::FromStr};

/// The name of a picture that was made for the site: a hash of what it was made of, and the
/// size of its largest file. `media` makes the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SitePicture {
    hash: String,
    /// In pixels, as the height.
    width: u32,
    height: u32,
}

/// The text names no picture. People give files, so it never came from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is the name of no picture; give the file of one")]
pub struct SitePictureError;

/// The longest side of a file that is made.
const MAX_SIDE: u32 = 2048;

impl SitePicture {
    /// Hexadecimal digits of a hash.
    pub const HASH_DIGITS: usize = 40;

    #[must_use]
    pub const fn new(hash: String, width: u32, height: u32) -> Self {
        Self { hash, width, height }
    }

    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The size in pixels with which it fits into a box of that size. It is never enlarged.
    #[must_use]
    pub fn within(&self, width: u32, height: u32) -> (u32, u32) {
        size_within((self.width, self.height), (width, height))
    }

    /// Width and height in pixels.
    #[must_use]
    pub const fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }
}

/// A size with the same shape that fits into a box and is not larger; no side becomes 0.
#[must_use]
pub fn size_within((width, height): (u32, u32), (box_width, box_height): (u32, u32)) -> (u32, u32) {
    let [wide, high, box_wide, box_high] = [width, height, box_width, box_height].map(u64::from);
    let part = |of: u64, numerator: u64, denominator: u64| {
        u32::try_from((of * numerator + denominator / 2) / denominator.max(1)).unwrap_or(u32::MAX).max(1)
    };
    if wide <= box_wide && high <= box_high {
        (width, height)
    } else if wide * box_high > high * box_wide {
        (box_width, part(high, box_wide, wide))
    } else {
        (part(wide, box_high, high), box_height)
    }
}

impl fmt::Display for SitePicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { hash, width, height } = self;
        write!(f, "{hash}-{width}x{height}")
    }
}

impl FromStr for SitePicture {
    type Err = SitePictureError;

    fn from_str(raw: &str) -> Result<Self, SitePictureError> {
        let parts = || {
            let (hash, size) = raw.split_once('-')?;
            let (width, height) = size.split_once('x')?;
            let is_hash = hash.len() == Self::HASH_DIGITS
                && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
            let picture = Self::new(hash.to_owned(), width.parse().ok()?, height.parse().ok()?);
            let fits = [picture.width, picture.height].iter().all(|side| (1..=MAX_SIDE).contains(side));
            (is_hash && fits && picture.to_string() == raw).then_some(picture)
        };
        parts().ok_or(SitePictureError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_is_read_as_it_is_written_and_nothing_else_is_one() {
        let hash = "0123456789abcdef0123456789abcdef01234567";
        let picture = SitePicture::new(hash.to_owned(), 640, 128);
        assert_eq!(picture.to_string().parse(), Ok(picture));
        for wrong in [
            "",
            "logo.png",
            hash,
            &format!("{hash}-640"),
            &format!("{hash}-0640x128"),
            &format!("{hash}-+640x128"),
            &format!("{hash}-0x128"),
            &format!("{hash}-4096x128"),
            &format!("{hash}-640x128.png"),
            &format!("{}-640x128", hash.to_uppercase()),
            &format!("../{}-640x128", &hash[3..]),
        ] {
            assert_eq!(wrong.parse::<SitePicture>(), Err(SitePictureError), "{wrong}");
        }
    }

    #[test]
    fn a_picture_keeps_its_shape_and_is_never_enlarged() {
        for (size, into, made) in [
            ((640, 128), (256, 32), (160, 32)),
            ((4000, 100), (1024, 128), (1024, 26)),
            ((16_383, 1), (1024, 128), (1024, 1)),
            ((1, 16_383), (1024, 128), (1, 128)),
            ((20, 10), (256, 32), (20, 10)),
            ((512, 512), (180, 180), (180, 180)),
        ] {
            assert_eq!(size_within(size, into), made, "{size:?} in {into:?}");
        }
    }
}
