//! What the process does that reads an AVIF: the file comes from standard input, and a PNG goes to
//! standard output.

use std::{
    io::{Cursor, Read, Write},
    process::ExitCode,
};

use image::{
    DynamicImage, ImageEncoder,
    codecs::png::{CompressionType, FilterType, PngEncoder},
};
use moxcms::ColorProfile;
use mp4parse::{AvifContext, ImageRotation, ParseStrictness, read_avif};
use re_rav1d::{
    Decoder, Error as Av1Error, Picture, Settings,
    pixel::{ColorPrimaries, TransferCharacteristic},
};

use super::{OF_THIS_KIND, code, planes};
use crate::media::domain::{
    Refused,
    limits::{MAX_BYTES, MAX_PIXELS},
};

/// Seconds of a processor at most. Whoever started this process waits no longer by the clock;
/// this is for the case that it has gone.
#[cfg(target_os = "linux")]
const MAX_SECONDS: u64 = 60;
/// Bytes of address space at most: the allocator takes 1 GiB of it at the start, and the largest
/// picture several hundred megabytes.
#[cfg(target_os = "linux")]
const MAX_SPACE: u64 = 3 << 30;

/// Reads standard input and writes standard output. The exit code says why a file is refused.
#[must_use]
pub fn run() -> ExitCode {
    restrict();
    // Twice what is taken, so that nothing that was cut looks whole.
    let mut file = Vec::new();
    let input = std::io::stdin().lock().take(2 * MAX_BYTES as u64).read_to_end(&mut file);
    let answer = match input {
        Ok(_) => png(&file),
        Err(_) => Err(Refused::Damaged),
    };
    match answer {
        Ok(png) if std::io::stdout().lock().write_all(&png).is_ok() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(refused) => code(&refused).into(),
    }
}

/// Takes from this process what it does not need. Where the system refuses that, it works as well.
#[cfg(target_os = "linux")]
fn restrict() {
    use rustix::process::{Resource, Rlimit, setrlimit};

    for (resource, most) in [
        (Resource::Cpu, MAX_SECONDS),
        (Resource::As, MAX_SPACE),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Nofile, 3),
    ] {
        let _ = setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) });
    }
}

#[cfg(not(target_os = "linux"))]
fn restrict() {}

/// The picture of an AVIF as a PNG.
///
/// # Errors
/// [`Refused`].
pub(super) fn png(file: &[u8]) -> Result<Vec<u8>, Refused> {
    let parsed = read_avif(&mut Cursor::new(file), ParseStrictness::Normal).map_err(|_| Refused::Damaged)?;
    if parsed.sequence.is_some() {
        return Err(Refused::Moves);
    }
    // A picture that is put together of several has no data of its own.
    let data = parsed.primary_item_coded_data().ok_or(OF_THIS_KIND)?;
    let decoded = decode(data)?;
    let profile = profile(&parsed, &decoded);
    let mut picture = DynamicImage::ImageRgb8(planes::rgb(&decoded)?);
    drop(decoded);
    if let Some(data) = parsed.alpha_item_coded_data() {
        let alpha = decode(data)?;
        let with_alpha = planes::with_alpha(picture.into_rgb8(), &alpha, parsed.premultiplied_alpha)?;
        picture = DynamicImage::ImageRgba8(with_alpha);
    }
    let picture = turned(picture, &parsed, file);

    let mut png = Vec::new();
    let mut encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Up);
    if let Some(profile) = profile {
        encoder.set_icc_profile(profile).map_err(|_| Refused::Damaged)?;
    }
    let (width, height, color) = (picture.width(), picture.height(), picture.color().into());
    encoder.write_image(picture.as_bytes(), width, height, color).map_err(|_| Refused::Damaged)?;
    Ok(png)
}

/// The still picture that AV1 has in these bytes.
fn decode(data: &[u8]) -> Result<Picture, Refused> {
    let mut settings = Settings::new();
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    // Of a picture in several layers, the best one.
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(MAX_PIXELS).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings).map_err(refused)?;
    match decoder.send_data(data.to_vec(), None, None, None) {
        Ok(()) | Err(Av1Error::Again) => {}
        Err(error) => return Err(refused(error)),
    }
    let picture = decoder.get_picture().map_err(refused)?;
    planes::check(&picture)?;
    Ok(picture)
}

fn refused(error: Av1Error) -> Refused {
    match error {
        Av1Error::NotEnoughMemory => Refused::TooMuchMemory,
        // The type inside is not public. This value of it is used for the limit of pixels alone.
        Av1Error::UnknownError(inner) if format!("{inner:?}") == "ERANGE" => Refused::TooManyPixels,
        _ => Refused::Damaged,
    }
}

/// The profile of the colors: that of the file, or the one that AV1 names. None is that of the web,
/// which is sRGB.
fn profile(file: &AvifContext, picture: &Picture) -> Option<Vec<u8>> {
    if let Some(Ok(profile)) = file.icc_colour_information() {
        return Some(profile.to_vec());
    }
    // What is brighter than white (HDR) has no place in sRGB: it is left as it is.
    let is_bright = matches!(
        picture.transfer_characteristic(),
        TransferCharacteristic::PerceptualQuantizer | TransferCharacteristic::HybridLogGamma
    );
    let named = match picture.color_primaries() {
        ColorPrimaries::P3Display => ColorProfile::new_display_p3(),
        ColorPrimaries::BT2020 if !is_bright => ColorProfile::new_bt2020(),
        _ => return None,
    };
    named.encode().ok()
}

/// The picture as the file says that it is to be shown: turned, and then mirrored (MIAF,
/// ISO/IEC 23000-22, 7.3.6.7).
fn turned(picture: DynamicImage, parsed: &AvifContext, file: &[u8]) -> DynamicImage {
    let picture = match parsed.image_rotation() {
        // The file counts against the clock.
        Ok(ImageRotation::D90) => picture.rotate270(),
        Ok(ImageRotation::D180) => picture.rotate180(),
        Ok(ImageRotation::D270) => picture.rotate90(),
        Ok(ImageRotation::D0) | Err(_) => picture,
    };
    let is_mirrored = parsed.image_mirror_ptr().is_ok_and(|mirror| !mirror.is_null());
    match is_mirrored.then(|| axis(file)).flatten() {
        Some(0) => picture.flipv(),
        Some(1) => picture.fliph(),
        _ => picture,
    }
}

/// The axis of the mirror, which the parser only has behind a pointer: the last bit of the box
/// `imir`, whose length is always the same (ISO/IEC 23008-12, 6.5.12).
fn axis(file: &[u8]) -> Option<u8> {
    let head = b"\0\0\0\x09imir";
    let at = file.windows(head.len()).position(|bytes| bytes == head)?;
    file.get(at + head.len()).map(|axis| axis & 1)
}
