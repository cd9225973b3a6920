//! Makes the files that are served from the file that was uploaded: the picture in its
//! format, and forms of it in WebP.
//!
//! What a file is, its bytes say, never its name. Only the pixels are taken: where a picture
//! was made, by whom and with what, is in none of the new files. The picture is turned as
//! its file says.

use std::{borrow::Cow, io::Cursor};

use axum::body::Bytes;
use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageError, Limits,
    codecs::{
        gif::GifDecoder,
        jpeg::{JpegDecoder, JpegEncoder},
        png::{CompressionType, FilterType, PngDecoder, PngEncoder},
        webp::WebPDecoder,
    },
    imageops::FilterType as Resampling,
    metadata::Orientation,
};

use super::{
    Refused, avif, colors, gif, jpeg,
    limits::{Clock, MAX_MADE, MAX_MEMORY, MAX_PIXELS},
};
use crate::media::address::{Address, Format, Hash, MAX_SIDE};

/// Of a JPEG, from 1 to 100: hardly to be told from its source.
const JPEG_QUALITY: u8 = 88;
/// Of the picture itself in WebP.
const WEBP_QUALITY: f32 = 90.0;
/// Of its other forms.
const FORM_QUALITY: f32 = 80.0;

/// A picture as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    pub(super) address: Address,
    pub(super) files: Vec<MadeFile>,
}

/// A file that is served.
#[derive(Clone, Debug)]
pub(super) struct MadeFile {
    pub(super) name: String,
    pub(super) body: Bytes,
}

impl Prepared {
    /// Of all files.
    pub(super) fn bytes(&self) -> i64 {
        let bytes: usize = self.files.iter().map(|file| file.body.len()).sum();
        i64::try_from(bytes).unwrap_or(i64::MAX)
    }
}

/// In which format the picture of a file is stored, by the file's first bytes: in its own, and as
/// WebP that of an AVIF, which nothing here writes.
///
/// # Errors
/// [`Refused`] for everything that is not read here.
pub(super) fn format(file: &[u8]) -> Result<Format, Refused> {
    match file {
        [] => Err(Refused::Nothing),
        [0xFF, 0xD8, 0xFF, ..] => Ok(Format::Jpeg),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => Ok(Format::Png),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Ok(Format::Gif),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Format::WebP),
        avif if avif::is_avif(avif) => Ok(Format::WebP),
        [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] if brand.len() >= 4 => Err(match &brand[..4] {
            b"heic" | b"heix" | b"hevc" | b"mif1" | b"msf1" => Refused::Unreadable("HEIC"),
            _ => Refused::NoPicture,
        }),
        [b'I', b'I', b'*', 0, ..] | [b'M', b'M', 0, b'*', ..] => Err(Refused::Unreadable("TIFF")),
        text => {
            let head = String::from_utf8_lossy(&text[..text.len().min(1024)]).to_ascii_lowercase();
            Err(if head.contains("<svg") { Refused::Svg } else { Refused::NoPicture })
        }
    }
}

/// Reads a file and makes those that are served.
///
/// # Errors
/// [`Refused`].
pub(super) fn prepare(file: &[u8], hash: Hash) -> Result<Prepared, Refused> {
    let clock = Clock::start();
    let format = format(file)?;
    let moving = (format == Format::Gif).then(|| gif::rewritten(file, &clock)).transpose()?;
    let mut picture = still(file, &clock)?;

    let address = Address { hash, width: picture.width(), height: picture.height(), format };
    let whole = match moving {
        Some(moving) => moving,
        None => encoded(&picture, format)?,
    };
    if whole.len() > MAX_MADE {
        return Err(Refused::Grows);
    }
    clock.check()?;
    let mut files = vec![MadeFile { name: address.name(), body: whole.into() }];
    // From wide to narrow, each from the one before: the picture itself is gone over once.
    for width in address.widths().into_iter().rev() {
        picture = narrowed(picture, &address, width);
        files.push(MadeFile { name: address.form(width), body: webp(&picture, FORM_QUALITY)?.into() });
        clock.check()?;
    }
    Ok(Prepared { address, files })
}

/// The still picture of a file: in eight bits a channel, in the colors of sRGB, and turned as the
/// file says.
///
/// # Errors
/// [`Refused`].
pub(super) fn still(file: &[u8], clock: &Clock) -> Result<DynamicImage, Refused> {
    let (format, file) = match format(file)? {
        Format::WebP if avif::is_avif(file) => (Format::Png, Cow::Owned(avif::as_png(file, clock)?)),
        format => (format, Cow::Borrowed(file)),
    };
    pixels(decoder(format, &file)?, clock)
}

fn pixels(mut decoder: Box<dyn ImageDecoder + '_>, clock: &Clock) -> Result<DynamicImage, Refused> {
    // Absent, or wrong: the picture stands as it is.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().ok().flatten();
    let picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    clock.check()?;
    let mut picture = in_eight_bits(picture);
    if let Some(profile) = profile {
        convert(&mut picture, &profile);
    }
    picture.apply_orientation(orientation);
    clock.check()?;
    Ok(picture)
}

/// What reads a file, within the limits.
fn decoder<'a>(format: Format, file: &'a [u8]) -> Result<Box<dyn ImageDecoder + 'a>, Refused> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_MEMORY);
    let source = Cursor::new(file);
    let mut decoder: Box<dyn ImageDecoder + 'a> = match format {
        Format::Jpeg => {
            jpeg::check(file)?;
            Box::new(JpegDecoder::new(source).map_err(refused)?)
        }
        Format::Png => {
            let decoder = PngDecoder::with_limits(source, limits.clone()).map_err(refused)?;
            if decoder.is_apng().map_err(refused)? {
                return Err(Refused::Moves);
            }
            Box::new(decoder)
        }
        Format::Gif => Box::new(GifDecoder::new(source).map_err(refused)?),
        Format::WebP => {
            let decoder = WebPDecoder::new(source).map_err(refused)?;
            if decoder.has_animation() {
                return Err(Refused::Moves);
            }
            Box::new(decoder)
        }
    };
    // The pixels are counted first, because their number has a sentence of its own.
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Refused::Empty);
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(Refused::TooManyPixels);
    }
    if width.max(height) > MAX_SIDE {
        return Err(Refused::TooLong);
    }
    if decoder.total_bytes() > MAX_MEMORY {
        return Err(Refused::TooMuchMemory);
    }
    decoder.set_limits(limits).map_err(refused)?;
    Ok(decoder)
}

fn refused(error: ImageError) -> Refused {
    match error {
        ImageError::Limits(_) => Refused::TooMuchMemory,
        _ => Refused::Damaged,
    }
}

/// Three or four bytes for each pixel.
fn in_eight_bits(picture: DynamicImage) -> DynamicImage {
    if picture.color().has_alpha() {
        DynamicImage::ImageRgba8(picture.into_rgba8())
    } else {
        DynamicImage::ImageRgb8(picture.into_rgb8())
    }
}

fn convert(picture: &mut DynamicImage, profile: &[u8]) {
    match picture {
        DynamicImage::ImageRgb8(pixels) => colors::to_srgb(pixels, false, profile),
        DynamicImage::ImageRgba8(pixels) => colors::to_srgb(pixels, true, profile),
        _ => {}
    }
}

/// A picture of three or four bytes for each pixel as a file; a GIF becomes a WebP.
///
/// # Errors
/// [`Refused`].
pub(super) fn encoded(picture: &DynamicImage, format: Format) -> Result<Vec<u8>, Refused> {
    let mut out = Vec::new();
    let (width, height, color) = (picture.width(), picture.height(), picture.color().into());
    let written = match format {
        Format::Jpeg => JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY).write_image(
            picture.as_bytes(),
            width,
            height,
            color,
        ),
        Format::Png => {
            // Many pixels are packed fast, because time is short.
            let packing = if picture.as_bytes().len() > 24 << 20 {
                CompressionType::Fast
            } else {
                CompressionType::Default
            };
            PngEncoder::new_with_quality(&mut out, packing, FilterType::Adaptive).write_image(
                picture.as_bytes(),
                width,
                height,
                color,
            )
        }
        Format::WebP | Format::Gif => return webp(picture, WEBP_QUALITY),
    };
    written.map_err(|_| Refused::Damaged)?;
    Ok(out)
}

/// WebP with loss.
fn webp(picture: &DynamicImage, quality: f32) -> Result<Vec<u8>, Refused> {
    let (pixels, width, height) = (picture.as_bytes(), picture.width(), picture.height());
    let encoder = if picture.color().has_alpha() {
        webp::Encoder::from_rgba(pixels, width, height)
    } else {
        webp::Encoder::from_rgb(pixels, width, height)
    };
    let made = encoder.encode_simple(false, quality).map_err(|_| Refused::TooMuchMemory)?;
    Ok(made.to_vec())
}

/// The picture with that width, which is not wider than it.
fn narrowed(picture: DynamicImage, address: &Address, width: u32) -> DynamicImage {
    if picture.width() == width {
        return picture;
    }
    let height = u64::from(address.height) * u64::from(width) + u64::from(address.width) / 2;
    let height = u32::try_from(height / u64::from(address.width)).unwrap_or(1).max(1);
    resized(&picture, width, height)
}

/// The picture with that size.
pub(super) fn resized(picture: &DynamicImage, width: u32, height: u32) -> DynamicImage {
    if picture.width() >= 2 * width {
        // The mean of the pixels that become one; fast, and good where they are many.
        picture.thumbnail_exact(width, height)
    } else {
        picture.resize_exact(width, height, Resampling::CatmullRom)
    }
}

#[cfg(test)]
mod tests;
