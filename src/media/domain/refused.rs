//! Why a file is not taken.

use crate::media::address::MAX_SIDE;

use super::limits::{MAX_BYTES, MAX_PIXELS, TooLate};

/// Why a file is not taken. The words are the ones a form shows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("Choose a picture")]
    Nothing,
    #[error("The picture has more than {} MiB. Make it smaller first", MAX_BYTES >> 20)]
    TooManyBytes,
    #[error("This file is no picture. Choose a JPEG, a PNG, a GIF, a WebP or an AVIF")]
    NoPicture,
    /// A document that may run scripts.
    #[error("An SVG is not taken, because it can run programs. Save it as PNG first")]
    Svg,
    /// A format that has no reader here.
    #[error("Pictures in {0} cannot be read here. Save it as JPEG, PNG or WebP first")]
    Unreadable(&'static str),
    #[error("The picture has no width or no height")]
    Empty,
    #[error(
        "The picture has more than {} million pixels, all frames counted. Make it smaller first",
        MAX_PIXELS / 1_000_000
    )]
    TooManyPixels,
    #[error("A side of the picture has more than {MAX_SIDE} pixels. Make it smaller first")]
    TooLong,
    #[error("The picture moves. Only a GIF can do that here")]
    Moves,
    #[error("The picture is damaged, or a part of it is missing")]
    Damaged,
    #[error("The picture needs too much memory to be read. Save it anew first")]
    TooMuchMemory,
    #[error("The picture takes too long to be read. Make it smaller first")]
    TooSlow,
    /// What would be stored is far larger than what was sent.
    #[error("The picture would become too large here. Save it as JPEG first")]
    Grows,
}

impl From<TooLate> for Refused {
    fn from(_: TooLate) -> Self {
        Self::TooSlow
    }
}
