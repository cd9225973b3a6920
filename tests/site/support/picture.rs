//! Pictures that tests upload.

use image::{ExtendedColorType, ImageEncoder, codecs::jpeg::JpegEncoder, codecs::png::PngEncoder};

/// Every pixel another color than its neighbour.
fn pixels(width: u32, height: u32) -> Vec<u8> {
    let pixel = |at: u32| [at, at / 7, at / 31].map(|part| u8::try_from(part % 251).expect("a byte"));
    (0..width * height).flat_map(pixel).collect()
}

pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = PngEncoder::new(&mut file);
    encoder.write_image(&pixels(width, height), width, height, ExtendedColorType::Rgb8).expect("a PNG");
    file
}

/// Green on the left, transparent on the right.
pub fn half_transparent_png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let pixel = |at: u32| if at % width < width / 2 { [10, 140, 80, 255] } else { [255, 0, 0, 0] };
    let pixels: Vec<u8> = (0..width * height).flat_map(pixel).collect();
    PngEncoder::new(&mut file).write_image(&pixels, width, height, ExtendedColorType::Rgba8).expect("a PNG");
    file
}

/// A JPEG with a comment, as cameras and programs write what they know.
pub fn jpeg_with_comment(width: u32, height: u32, comment: &str) -> Vec<u8> {
    let mut file = Vec::new();
    let encoder = JpegEncoder::new(&mut file);
    encoder.write_image(&pixels(width, height), width, height, ExtendedColorType::Rgb8).expect("a JPEG");
    let length = u16::try_from(comment.len() + 2).expect("short").to_be_bytes();
    file.splice(2..2, [&[0xFF, 0xFE], &length[..], comment.as_bytes()].concat());
    file
}

/// A form with a file, and its media type (RFC 7578).
pub fn form(file: &[u8], alt: &str) -> (&'static str, Vec<u8>) {
    form_of("file", file, &format!("content-disposition: form-data; name=\"alt\"\r\n\r\n{alt}"))
}

/// A form with a file in that control and another part, and its media type.
pub fn form_of(control: &str, file: &[u8], other: &str) -> (&'static str, Vec<u8>) {
    let head = format!(
        "--limit\r\ncontent-disposition: form-data; name=\"{control}\"; filename=\"<b>.svg\"\r\n\
         content-type: image/svg+xml\r\n\r\n"
    );
    let rest = format!("\r\n--limit\r\n{other}\r\n--limit--\r\n");
    ("multipart/form-data; boundary=limit", [head.as_bytes(), file, rest.as_bytes()].concat())
}
