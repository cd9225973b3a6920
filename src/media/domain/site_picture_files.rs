//! Makes the files of the site's logo and icon of a file that was given. As with pictures of
//! authors, only the pixels are taken.

use image::{DynamicImage, Rgba, RgbaImage, imageops};

use super::{
    Refused,
    limits::Clock,
    reading::{encoded, resized, still},
};
use crate::{
    config::{SitePicture, size_within},
    media::address::{Format, Hash},
    site_settings::pictures::{MadePicture, PictureFile, PictureSetting, TOUCH_ICON, file_name},
};

/// Counts what this module makes of the same file: another number, other names.
const VERSION: u32 = 1;

/// What the files are named by that are made of that file.
#[must_use]
pub(super) fn hash(setting: PictureSetting, file: &[u8]) -> String {
    let made_of = format!("{} {VERSION} {}", setting.name(), Hash::of(file).as_str());
    Hash::of(made_of.as_bytes()).as_str().to_owned()
}

/// Reads a file and makes those that are served.
///
/// # Errors
/// [`Refused`].
pub(super) fn make(setting: PictureSetting, file: &[u8], hash: String) -> Result<MadePicture, Refused> {
    let clock = Clock::start();
    let mut source = still(file, &clock)?.into_rgba8();
    weigh(&mut source);
    let (width, height) = setting.size_of(source.dimensions());
    let picture = SitePicture::new(hash, width, height);
    // The large one is gone over once.
    let largest = size_within(source.dimensions(), (width, height));
    source = scaled(source, largest);
    clock.check()?;
    let mut files = Vec::new();
    for size in setting.sizes(&picture) {
        let mut made = match setting {
            PictureSetting::Logo => scaled(source.clone(), size),
            PictureSetting::Icon => {
                centered(&scaled(source.clone(), fitting(source.dimensions(), size)), size)
            }
        };
        unweigh(&mut made);
        if setting == PictureSetting::Icon && size.0 == TOUCH_ICON {
            made = on_white(&made);
        }
        let body = encoded(&DynamicImage::ImageRgba8(made), Format::Png)?.into();
        files.push(PictureFile { name: file_name(&picture, size), body });
        clock.check()?;
    }
    Ok(MadePicture { picture, files })
}

/// The size with which a picture fills a square as far as its shape allows.
fn fitting((width, height): (u32, u32), (side, _): (u32, u32)) -> (u32, u32) {
    let longest = width.max(height).max(1);
    if longest >= side {
        return size_within((width, height), (side, side));
    }
    let larger = |of: u32| (of * side / longest).max(1);
    (larger(width), larger(height))
}

fn scaled(picture: RgbaImage, (width, height): (u32, u32)) -> RgbaImage {
    if picture.dimensions() == (width, height) {
        return picture;
    }
    resized(&DynamicImage::ImageRgba8(picture), width, height).into_rgba8()
}

/// In the middle of a ground of that size that is transparent.
fn centered(picture: &RgbaImage, (width, height): (u32, u32)) -> RgbaImage {
    let mut ground = RgbaImage::new(width, height);
    let (left, top) = ((width - picture.width()) / 2, (height - picture.height()) / 2);
    imageops::replace(&mut ground, picture, i64::from(left), i64::from(top));
    ground
}

fn on_white(picture: &RgbaImage) -> RgbaImage {
    let mut ground = RgbaImage::from_pixel(picture.width(), picture.height(), Rgba([255; 4]));
    imageops::overlay(&mut ground, picture, 0, 0);
    ground
}

/// Multiplies the colors with how opaque they are. A mean of pixels is right only so: else the
/// color that a transparent pixel happens to have would be seen at the edges.
fn weigh(picture: &mut RgbaImage) {
    for Rgba([red, green, blue, alpha]) in picture.pixels_mut() {
        for part in [red, green, blue] {
            *part = share(*part, *alpha, 255);
        }
    }
}

/// Undoes [`weigh`].
fn unweigh(picture: &mut RgbaImage) {
    for Rgba([red, green, blue, alpha]) in picture.pixels_mut() {
        for part in [red, green, blue] {
            *part = if *alpha == 0 { 0 } else { share(*part, 255, *alpha) };
        }
    }
}

fn share(part: u8, numerator: u8, denominator: u8) -> u8 {
    let [part, numerator, denominator] = [part, numerator, denominator].map(u32::from);
    u8::try_from((part * numerator + denominator / 2) / denominator).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::domain::worst;

    fn png(picture: RgbaImage) -> Vec<u8> {
        encoded(&DynamicImage::ImageRgba8(picture), Format::Png).unwrap()
    }

    fn made(setting: PictureSetting, file: &[u8]) -> Result<Vec<RgbaImage>, Refused> {
        let made = make(setting, file, hash(setting, file))?;
        let read = |file: &PictureFile| image::load_from_memory(&file.body).unwrap().into_rgba8();
        Ok(made.files.iter().map(read).collect())
    }

    #[test]
    fn a_logo_keeps_its_shape_and_what_is_transparent_and_its_edges_their_color() {
        // Red on a ground that is transparent, and green below that.
        let source = RgbaImage::from_fn(1000, 250, |x, _| {
            if x < 500 { Rgba([200, 0, 0, 255]) } else { Rgba([0, 255, 0, 0]) }
        });
        let files = made(PictureSetting::Logo, &png(source)).unwrap();
        assert_eq!(files.iter().map(|file| file.dimensions()).collect::<Vec<_>>(), [(512, 128), (256, 64)]);
        for file in files {
            let (width, height) = file.dimensions();
            assert_eq!(file.get_pixel(width / 4, height / 2), &Rgba([200, 0, 0, 255]));
            assert_eq!(file.get_pixel(width - 2, height / 2)[3], 0);
            assert!(file.pixels().all(|pixel| pixel[3] == 0 || pixel[1] < 8), "no green edge");
        }
        let small = RgbaImage::from_pixel(20, 10, Rgba([1, 2, 3, 255]));
        let files = made(PictureSetting::Logo, &png(small)).unwrap();
        assert_eq!(files.len(), 1);
        assert_eq!(files[0].dimensions(), (20, 10), "it is not enlarged");
        let line = made(PictureSetting::Logo, &png(RgbaImage::new(4000, 1))).unwrap();
        assert_eq!(line[0].dimensions(), (1024, 1));
    }

    #[test]
    fn an_icon_becomes_square_and_stands_on_white_where_what_is_transparent_would_be_black() {
        let wide = RgbaImage::from_pixel(400, 100, Rgba([10, 20, 200, 255]));
        let files = made(PictureSetting::Icon, &png(wide)).unwrap();
        let sides: Vec<_> = files.iter().map(|file| file.dimensions()).collect();
        assert_eq!(sides, [(512, 512), (192, 192), (180, 180), (32, 32)]);
        for file in files {
            let side = file.width();
            assert_eq!(file.get_pixel(side / 2, side / 2), &Rgba([10, 20, 200, 255]));
            let ground = if side == TOUCH_ICON { Rgba([255; 4]) } else { Rgba([0; 4]) };
            assert_eq!(file.get_pixel(side / 2, 2), &ground, "{side}");
        }
    }

    #[test]
    fn what_is_made_of_a_hostile_file_is_nothing() {
        for (file, refused) in [
            (worst::bomb(30_000, 30_000), Refused::TooManyPixels),
            (worst::bomb(17_000, 10), Refused::TooLong),
            (worst::bomb(100, 100), Refused::Damaged),
            (worst::moving_png(), Refused::Moves),
            (worst::moving_webp(), Refused::Moves),
            (b"<svg onload=\"alert(1)\"/>".to_vec(), Refused::Svg),
            (b"GIF89a".to_vec(), Refused::Damaged),
            (Vec::new(), Refused::Nothing),
        ] {
            for setting in PictureSetting::ALL {
                assert_eq!(made(setting, &file).err(), Some(refused.clone()), "{file:?}");
            }
        }
    }

    #[test]
    fn a_file_has_one_name_as_a_logo_and_another_as_an_icon() {
        let [logo, icon] = PictureSetting::ALL.map(|setting| hash(setting, b"x"));
        assert!(logo.len() == SitePicture::HASH_DIGITS && logo != icon);
    }
}
