use image::{ColorType, GenericImageView, Rgb, RgbImage, Rgba, RgbaImage};

use super::*;
use crate::media::domain::worst;

fn prepared(file: &[u8]) -> Result<Prepared, Refused> {
    prepare(file, Hash::of(file))
}

/// A picture whose left upper quarter is red and whose rest is blue.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        if x < width / 2 && y < height / 2 { Rgb([220, 20, 20]) } else { Rgb([20, 20, 220]) }
    })
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 95)
        .write_image(picture, picture.width(), picture.height(), ColorType::Rgb8.into())
        .unwrap();
    file
}

fn png(picture: &RgbImage) -> Vec<u8> {
    encoded(&DynamicImage::ImageRgb8(picture.clone()), Format::Png).unwrap()
}

/// A JPEG with EXIF: an orientation, and a place in words that a test finds.
fn with_exif(jpeg: &[u8], orientation: u16) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02".to_vec();
    exif.extend([0x01, 0x12, 0, 3, 0, 0, 0, 1]);
    exif.extend(orientation.to_be_bytes());
    exif.extend([0, 0]);
    // GPSInfo, whose directory is the words.
    exif.extend([0x88, 0x25, 0, 4, 0, 0, 0, 1, 0, 0, 0, 38]);
    exif.extend([0, 0, 0, 0]);
    exif.extend(b"GPS 48.2082 N 16.3738 E SECRETPLACE");
    let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &exif, &jpeg[2..]].concat()
}

fn read(file: &MadeFile) -> DynamicImage {
    image::load_from_memory(&file.body).unwrap()
}

fn is_red(pixel: Rgba<u8>) -> bool {
    pixel[0] > 150 && pixel[2] < 100
}

fn has(file: &[u8], words: &[u8]) -> bool {
    file.windows(words.len()).any(|window| window == words)
}

#[test]
fn a_picture_is_kept_in_its_format_and_in_three_widths_of_webp() {
    let made = prepared(&jpeg(&picture(2400, 1200))).unwrap();
    assert_eq!((made.address.width, made.address.height, made.address.format), (2400, 1200, Format::Jpeg));
    let sizes: Vec<_> = made.files.iter().map(|file| read(file).dimensions()).collect();
    assert_eq!(sizes, [(2400, 1200), (1920, 960), (960, 480), (480, 240)]);
    let formats: Vec<_> = made.files.iter().map(|file| format(&file.body).unwrap()).collect();
    assert_eq!(formats, [Format::Jpeg, Format::WebP, Format::WebP, Format::WebP]);
    for file in &made.files {
        let read = read(file);
        let (width, height) = read.dimensions();
        assert!(is_red(read.get_pixel(width / 4, height / 4)), "{}", file.name);
        assert!(!is_red(read.get_pixel(width * 3 / 4, height / 4)), "{}", file.name);
    }
    let made = prepared(&png(&picture(600, 30))).unwrap();
    let sizes: Vec<_> = made.files.iter().map(|file| read(file).dimensions()).collect();
    assert_eq!(sizes, [(600, 30), (600, 30), (480, 24)], "none is enlarged");
    let made = prepared(&png(&picture(1, 1))).unwrap();
    assert_eq!(made.files.len(), 2);
}

#[test]
fn what_is_seen_through_stays_so() {
    let clear = RgbaImage::from_fn(20, 20, |x, _| Rgba([0, 200, 0, if x < 10 { 0 } else { 255 }]));
    let file = encoded(&DynamicImage::ImageRgba8(clear), Format::Png).unwrap();
    for file in &prepared(&file).unwrap().files {
        let read = read(file);
        assert_eq!((read.get_pixel(2, 2)[3], read.get_pixel(17, 2)[3]), (0, 255), "{}", file.name);
    }
}

#[test]
fn nothing_says_where_a_picture_was_made_and_it_stands_upright() {
    let source = jpeg(&picture(400, 200));
    // Where the red quarter goes, and whether the sides are exchanged.
    for (orientation, x, y, turned) in [
        (1, 1, 1, false),
        (2, 3, 1, false),
        (3, 3, 3, false),
        (4, 1, 3, false),
        (5, 1, 1, true),
        (6, 3, 1, true),
        (7, 3, 3, true),
        (8, 1, 3, true),
    ] {
        let file = with_exif(&source, orientation);
        assert!(has(&file, b"SECRETPLACE"));
        let made = prepared(&file).unwrap();
        let size = if turned { (200, 400) } else { (400, 200) };
        assert_eq!((made.address.width, made.address.height), size, "{orientation}");
        for file in &made.files {
            assert!(!has(&file.body, b"SECRETPLACE") && !has(&file.body, b"Exif"), "{}", file.name);
            let read = read(file);
            let (width, height) = read.dimensions();
            assert!(is_red(read.get_pixel(width * x / 4, height * y / 4)), "{orientation} {}", file.name);
        }
    }
}

#[test]
fn colors_of_a_wide_profile_become_those_of_srgb() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 100);
    encoder.set_icc_profile(profile).unwrap();
    let gray_green = RgbImage::from_pixel(16, 16, Rgb([60, 180, 60]));
    encoder.write_image(&gray_green, 16, 16, ColorType::Rgb8.into()).unwrap();
    let made = prepared(&file).unwrap();
    let pixel = read(&made.files[0]).get_pixel(8, 8);
    assert!(pixel[0] < 50 && pixel[1] > 178, "{pixel:?} is greener in sRGB's terms");
    assert!(!has(&made.files[0].body, b"ICC_PROFILE"));
}

fn gif(frames: usize, comment: &[u8]) -> Vec<u8> {
    let mut encoder = ::gif::Encoder::new(Vec::new(), 20, 10, &[255, 0, 0, 0, 0, 255]).unwrap();
    encoder.set_repeat(::gif::Repeat::Infinite).unwrap();
    if !comment.is_empty() {
        encoder.write_raw_extension(::gif::AnyExtension(0xFE), &[comment]).unwrap();
    }
    for number in 0..frames {
        let buffer = vec![u8::try_from(number % 2).unwrap(); 200];
        let frame = ::gif::Frame {
            width: 20,
            height: 10,
            delay: 7,
            buffer: buffer.into(),
            ..::gif::Frame::default()
        };
        encoder.write_frame(&frame).unwrap();
    }
    encoder.into_inner().unwrap()
}

#[test]
fn a_gif_still_moves_and_says_nothing_else() {
    let made = prepared(&gif(3, b"SECRETPLACE")).unwrap();
    assert_eq!((made.address.format, made.files.len()), (Format::Gif, 2));
    assert!(!has(&made.files[0].body, b"SECRETPLACE"));
    let mut decoder = ::gif::DecodeOptions::new().read_info(Cursor::new(&made.files[0].body[..])).unwrap();
    let mut delays = Vec::new();
    while let Some(frame) = decoder.read_next_frame().unwrap() {
        delays.push(frame.delay);
    }
    assert_eq!((delays, decoder.repeat()), (vec![7, 7, 7], ::gif::Repeat::Infinite));
    let many = prepared(&gif(6000, b"")).map(drop);
    assert_eq!(many, Err(Refused::TooManyPixels), "many small frames count as well");
}

#[test]
fn what_is_no_picture_or_not_a_whole_one_is_refused_and_why_is_said() {
    let (jpeg, png) = (jpeg(&picture(300, 300)), png(&picture(300, 300)));
    let cut = |file: &[u8]| file[..file.len() * 2 / 3].to_vec();
    let webp = webp(&DynamicImage::ImageRgb8(picture(300, 300)), 80.0).unwrap();
    let gif = gif(2, b"");
    let mut mislabelled = png.clone();
    mislabelled.splice(..3, [0xFF, 0xD8, 0xFF]);
    for (name, file, expected) in [
        ("nothing", Vec::new(), Refused::Nothing),
        ("text", b"hello".to_vec(), Refused::NoPicture),
        ("HTML", b"<!doctype html><script>alert(1)</script>".to_vec(), Refused::NoPicture),
        ("SVG", b"<?xml version=\"1.0\"?><svg xmlns=\"x\" onload=\"alert(1)\"/>".to_vec(), Refused::Svg),
        ("HEIC", b"\0\0\0\x20ftypheic\0\0\0\0".to_vec(), Refused::Unreadable("HEIC")),
        ("a program", b"MZ\x90\0".to_vec(), Refused::NoPicture),
        ("half a JPEG", cut(&jpeg), Refused::Damaged),
        ("half a PNG", cut(&png), Refused::Damaged),
        ("half a WebP", cut(&webp), Refused::Damaged),
        ("half a GIF", cut(&gif), Refused::Damaged),
        ("a PNG that says it is a JPEG", mislabelled, Refused::Damaged),
        ("a JPEG's first bytes", jpeg[..3].to_vec(), Refused::Damaged),
        ("a bomb", worst::bomb(30_000, 30_000), Refused::TooManyPixels),
        ("a long bomb", worst::bomb(1_000_000, 1), Refused::TooLong),
        ("a PNG without a side", worst::bomb(0, 10), Refused::Damaged),
        ("a PNG that moves", worst::moving_png(), Refused::Moves),
        ("a WebP that moves", worst::moving_webp(), Refused::Moves),
        ("a GIF without a frame", b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), Refused::Damaged),
    ] {
        assert_eq!(prepared(&file).map(|made| made.address), Err(expected), "{name}");
    }
}

#[test]
fn html_behind_a_picture_is_gone() {
    let file = [jpeg(&picture(10, 10)), b"<script>alert(1)</script>".to_vec()].concat();
    for file in prepared(&file).unwrap().files {
        assert!(!has(&file.body, b"script"), "{}", file.name);
    }
}
