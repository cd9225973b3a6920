//! GIFs: every frame is read and written anew with its own colors, so a picture that moves
//! still does. What the file held besides frames (comments, programs' own data) is gone.

use std::io::Cursor;

use gif::{ColorOutput, DecodeOptions, Encoder, Frame, MemoryLimit};

use super::{
    Refused,
    limits::{Clock, MAX_PIXELS},
};

/// Bytes of one frame at most: one for each pixel.
const FRAME_BYTES: u64 = MAX_PIXELS;
/// What a frame costs a browser besides its pixels.
const PIXELS_OF_A_FRAME: u64 = 10_000;

/// The same frames in a new file.
///
/// # Errors
/// [`Refused`].
pub(super) fn rewritten(file: &[u8], clock: &Clock) -> Result<Vec<u8>, Refused> {
    let damaged = |_| Refused::Damaged;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(true);
    let limit = std::num::NonZeroU64::new(FRAME_BYTES).ok_or(Refused::Damaged)?;
    options.set_memory_limit(MemoryLimit::Bytes(limit));
    let mut decoder = options.read_info(Cursor::new(file)).map_err(damaged)?;
    let (width, height) = (decoder.width(), decoder.height());
    let colors = decoder.global_palette().unwrap_or_default().to_vec();
    let mut out = None;
    let mut pixels = 0;
    loop {
        clock.check()?;
        // Before it is read: its pixels count.
        let Some(frame) = decoder.next_frame_info().map_err(damaged)? else { break };
        pixels += u64::from(frame.width) * u64::from(frame.height) + PIXELS_OF_A_FRAME;
        if pixels > MAX_PIXELS {
            return Err(Refused::TooManyPixels);
        }
        let mut frame: Frame<'static> = frame.clone();
        let mut buffer = vec![0; decoder.buffer_size()];
        decoder.read_into_buffer(&mut buffer).map_err(damaged)?;
        frame.buffer = buffer.into();
        // The reader has put the lines in order.
        frame.interlaced = false;
        let out = match &mut out {
            Some(out) => out,
            none => {
                let mut encoder =
                    Encoder::new(Vec::new(), width, height, &colors).map_err(|_| Refused::Damaged)?;
                encoder.set_repeat(decoder.repeat()).map_err(|_| Refused::Damaged)?;
                none.insert(encoder)
            }
        };
        out.write_frame(&frame).map_err(|_| Refused::Damaged)?;
    }
    let out = out.ok_or(Refused::Empty)?;
    out.into_inner().map_err(|_| Refused::Damaged)
}
