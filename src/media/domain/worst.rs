//! Pictures that are made to do harm, for tests.

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

/// A PNG that says it has that size, and holds next to nothing.
pub fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut file = small();
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let sum = crc32fast::hash(&file[12..29]);
    file[29..33].copy_from_slice(&sum.to_be_bytes());
    file
}

fn small() -> Vec<u8> {
    let mut file = Vec::new();
    PngEncoder::new(&mut file).write_image(&[1, 2, 3], 1, 1, ExtendedColorType::Rgb8).expect("a PNG");
    file
}

/// A PNG that begins as one that moves.
pub fn moving_png() -> Vec<u8> {
    let mut file = small();
    let mut chunk = b"acTL\0\0\0\x02\0\0\0\0".to_vec();
    chunk.extend(crc32fast::hash(&chunk).to_be_bytes());
    file.splice(33..33, [&8_u32.to_be_bytes()[..], &chunk].concat());
    file
}

/// A WebP with the mark of one that moves, and a frame.
pub fn moving_webp() -> Vec<u8> {
    let still =
        webp::Encoder::from_rgb(&[1, 2, 3], 1, 1).encode_simple(false, 80.0).expect("a WebP").to_vec();
    // The chunk of the still picture becomes that of a frame: place, size, time.
    let frame = [&[0; 12][..], &[100, 0, 0, 0], &still[12..]].concat();
    let chunk = |name: &[u8], data: &[u8]| {
        let length = u32::try_from(data.len()).expect("short").to_le_bytes();
        let padding = vec![0; data.len() % 2];
        [name, &length, data, &padding].concat()
    };
    let chunks = [
        chunk(b"VP8X", &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
        chunk(b"ANIM", &[0; 6]),
        chunk(b"ANMF", &frame),
        chunk(b"ANMF", &frame),
    ]
    .concat();
    chunk(b"RIFF", &[b"WEBP", &chunks[..]].concat())
}
