//! What the reader of JPEGs does not check: it paints a part that is missing gray, and
//! goes over the picture as often as the file asks.

use super::Refused;

/// Passes over a picture at most. Writers of progressive pictures make about ten; each
/// costs time for every pixel and a file can have thousands.
const MAX_SCANS: usize = 32;

/// Checks that the picture ends, and within [`MAX_SCANS`].
///
/// # Errors
/// [`Refused::Damaged`], [`Refused::TooSlow`].
pub(super) fn check(file: &[u8]) -> Result<(), Refused> {
    // Behind the mark of the beginning.
    let mut at = 2;
    let mut scans = 0;
    loop {
        // A mark is FF, or several, and a byte.
        let mark = match (file.get(at), file.get(at + 1)) {
            (Some(0xFF), Some(0xFF)) => {
                at += 1;
                continue;
            }
            (Some(0xFF), Some(mark)) => *mark,
            _ => return Err(Refused::Damaged),
        };
        at += 2;
        match mark {
            0xD9 if scans > 0 => return Ok(()),
            0x01 | 0xD0..=0xD7 => continue,
            0x00 | 0xD8 | 0xD9 => return Err(Refused::Damaged),
            _ => {}
        }
        let (Some(high), Some(low)) = (file.get(at), file.get(at + 1)) else { return Err(Refused::Damaged) };
        at += usize::from(u16::from_be_bytes([*high, *low])).max(2);
        if mark == 0xDA {
            scans += 1;
            if scans > MAX_SCANS {
                return Err(Refused::TooSlow);
            }
            // Its data reach to the next mark; FF 00 and restarts are data.
            let data = file.get(at..).unwrap_or_default();
            let is_mark = |pair: &[u8]| pair[0] == 0xFF && !matches!(pair[1], 0x00 | 0xD0..=0xD7 | 0xFF);
            at += data.windows(2).position(is_mark).ok_or(Refused::Damaged)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_an_end_and_not_too_many_scans() {
        let scan = [0xFF, 0xDA, 0, 3, 0, 1, 0xFF, 0x00, 2, 0xFF, 0xD3, 3];
        let of = |scans: usize, end: &[u8]| {
            let start = [0xFF, 0xD8, 0xFF, 0xE1, 0, 6, 0xFF, 0xD9, 0xFF, 0xD9];
            [&start[..], &scan.repeat(scans), end].concat()
        };
        assert_eq!(check(&of(1, &[0xFF, 0xD9])), Ok(()));
        assert_eq!(check(&of(MAX_SCANS, &[0xFF, 0xFF, 0xD9, b'x'])), Ok(()));
        assert_eq!(check(&of(MAX_SCANS + 1, &[0xFF, 0xD9])), Err(Refused::TooSlow));
        assert_eq!(check(&of(1, &[])), Err(Refused::Damaged));
        assert_eq!(check(&of(0, &[0xFF, 0xD9])), Err(Refused::Damaged));
        assert_eq!(check(&[0xFF, 0xD8]), Err(Refused::Damaged));
    }
}
