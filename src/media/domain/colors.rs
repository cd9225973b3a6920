//! Colors: what is stored has no profile, so what was written by another one than sRGB is
//! converted to sRGB. A profile that cannot be read is ignored, as browsers do.

use moxcms::{ColorProfile, Layout, TransformOptions};

/// Pixels that are converted at a time.
const PIECE: usize = 64 * 1024;

/// Converts 8-bit pixels, of three or four bytes each, from a profile to sRGB.
pub(super) fn to_srgb(pixels: &mut [u8], has_alpha: bool, profile: &[u8]) {
    let (layout, bytes) = if has_alpha { (Layout::Rgba, 4) } else { (Layout::Rgb, 3) };
    let Ok(profile) = ColorProfile::new_from_slice(profile) else { return };
    let srgb = ColorProfile::new_srgb();
    // Of gray pictures and of prints, whose pixels the reader has made RGB already.
    if profile.color_space != srgb.color_space {
        return;
    }
    let options = TransformOptions::default();
    let Ok(transform) = profile.create_transform_8bit(layout, &srgb, layout, options) else { return };
    let mut from = Vec::with_capacity(PIECE * bytes);
    for piece in pixels.chunks_mut(PIECE * bytes) {
        from.clear();
        from.extend_from_slice(piece);
        if transform.transform(&from, piece).is_err() {
            return;
        }
    }
}
