//! Colors of the planes of AV1: one of brightness, and two of color that often have half the width
//! and height. How numbers become colors is in ITU-T H.273, 8.3.

use image::{ImageBuffer, Pixel, RgbImage, Rgba, RgbaImage};
use re_rav1d::{
    Picture, PixelLayout, PlanarImageComponent, Plane,
    pixel::{MatrixCoefficients, YUVRange},
};

use super::OF_THIS_KIND;
use crate::media::domain::{Refused, limits::MAX_MEMORY};

/// How a pixel is made of brightness and color.
#[derive(Clone, Copy)]
enum Matrix {
    /// The planes are green, blue and red.
    Rgb,
    /// Green and orange against the brightness.
    YCgCo,
    /// The shares of red and of blue in the brightness.
    Shares { red: f32, blue: f32 },
}

impl Matrix {
    fn of(picture: &Picture) -> Result<Self, Refused> {
        let shares = |red, blue| Ok(Self::Shares { red, blue });
        match picture.matrix_coefficients() {
            MatrixCoefficients::Identity if picture.pixel_layout() == PixelLayout::I444 => Ok(Self::Rgb),
            MatrixCoefficients::YCgCo => Ok(Self::YCgCo),
            MatrixCoefficients::BT709 | MatrixCoefficients::ChromaticityDerivedNonConstantLuminance => {
                shares(0.2126, 0.0722)
            }
            // What says nothing is meant so by those who write it.
            MatrixCoefficients::BT470BG | MatrixCoefficients::ST170M | MatrixCoefficients::Unspecified => {
                shares(0.299, 0.114)
            }
            MatrixCoefficients::BT470M => shares(0.3, 0.11),
            MatrixCoefficients::ST240M => shares(0.212, 0.087),
            MatrixCoefficients::BT2020NonConstantLuminance => shares(0.2627, 0.0593),
            _ => Err(OF_THIS_KIND),
        }
    }

    /// Red, green and blue, from 0 to 1, of brightness from 0 to 1 and of colors around 0.
    fn rgb(self, y: f32, u: f32, v: f32) -> [f32; 3] {
        match self {
            // These are colors, not differences from the brightness.
            Self::Rgb => [v, y, u],
            Self::YCgCo => [y - u + v, y + u, y - u - v],
            Self::Shares { red, blue } => {
                let (r, b) = (y + 2.0 * (1.0 - red) * v, y + 2.0 * (1.0 - blue) * u);
                [r, (y - red * r - blue * b) / (1.0 - red - blue), b]
            }
        }
    }
}

/// What the numbers of a picture mean.
#[derive(Clone, Copy)]
struct Scale {
    black: f32,
    white: f32,
    /// No color.
    gray: f32,
    /// From the least color to the most.
    colors: f32,
}

impl Scale {
    fn of(picture: &Picture) -> Self {
        let bits = picture.bits_per_component().map_or(8, |bits| bits.0);
        let unit = f32::from(1_u16 << bits.saturating_sub(8).min(8));
        let gray = 128.0 * unit;
        match picture.color_range() {
            YUVRange::Full => {
                let most = 256.0 * unit - 1.0;
                Self { black: 0.0, white: most, gray, colors: most }
            }
            _ => Self { black: 16.0 * unit, white: 235.0 * unit, gray, colors: 224.0 * unit },
        }
    }

    fn brightness(self, number: f32) -> f32 {
        (number - self.black) / (self.white - self.black)
    }

    fn color(self, number: f32) -> f32 {
        (number - self.gray) / self.colors
    }
}

/// The numbers of a plane.
struct Numbers<'a> {
    bytes: &'a [u8],
    stride: usize,
    /// Two bytes each, as the machine has them; otherwise one.
    are_wide: bool,
}

impl<'a> Numbers<'a> {
    fn of(picture: &Picture, component: PlanarImageComponent, plane: &'a Plane) -> Self {
        let stride = picture.stride(component) as usize;
        Self { bytes: plane, stride, are_wide: picture.bit_depth() > 8 }
    }

    fn at(&self, x: u32, y: u32) -> f32 {
        let (x, row) = (x as usize, y as usize * self.stride);
        if self.are_wide {
            let bytes = self.bytes.get(row + 2 * x..).and_then(|bytes| bytes.first_chunk());
            bytes.map_or(0.0, |bytes| f32::from(u16::from_ne_bytes(*bytes)))
        } else {
            self.bytes.get(row + x).map_or(0.0, |byte| f32::from(*byte))
        }
    }
}

/// A plane of color.
struct Colors<'a> {
    numbers: Numbers<'a>,
    halves: (bool, bool),
    last: (u32, u32),
}

impl<'a> Colors<'a> {
    fn of(picture: &Picture, component: PlanarImageComponent, plane: &'a Plane) -> Self {
        let halves = match picture.pixel_layout() {
            PixelLayout::I420 => (true, true),
            PixelLayout::I422 => (true, false),
            PixelLayout::I444 | PixelLayout::I400 => (false, false),
        };
        let last = |side: u32, is_half: bool| if is_half { side.div_ceil(2) } else { side }.saturating_sub(1);
        let last = (last(picture.width(), halves.0), last(picture.height(), halves.1));
        Self { numbers: Numbers::of(picture, component, plane), halves, last }
    }

    /// The color of a pixel. Where one color stands for several pixels, a pixel is a mean of the
    /// nearest, so that edges have no steps.
    fn at(&self, x: u32, y: u32) -> f32 {
        if self.halves == (false, false) {
            return self.numbers.at(x, y);
        }
        let (near_x, far_x) = near_and_far(x, self.halves.0, self.last.0);
        let (near_y, far_y) = near_and_far(y, self.halves.1, self.last.1);
        let sides = self.numbers.at(far_x, near_y) + self.numbers.at(near_x, far_y);
        (9.0 * self.numbers.at(near_x, near_y) + 3.0 * sides + self.numbers.at(far_x, far_y)) / 16.0
    }
}

fn near_and_far(at: u32, is_half: bool, last: u32) -> (u32, u32) {
    if !is_half {
        return (at, at);
    }
    let near = at / 2;
    let far = if at.is_multiple_of(2) { near.saturating_sub(1) } else { near + 1 };
    (near.min(last), far.min(last))
}

/// # Errors
/// [`Refused::TooMuchMemory`] where the planes have more bytes than a reader may take.
pub(super) fn check(picture: &Picture) -> Result<(), Refused> {
    let pixels = u64::from(picture.width()) * u64::from(picture.height());
    let planes = match picture.pixel_layout() {
        PixelLayout::I400 => 2,
        PixelLayout::I420 => 3,
        PixelLayout::I422 => 4,
        PixelLayout::I444 => 6,
    };
    // Twice, because two planes of color have half a byte together at least.
    let bytes = pixels * planes * if picture.bit_depth() > 8 { 2 } else { 1 } / 2;
    if bytes > MAX_MEMORY { Err(Refused::TooMuchMemory) } else { Ok(()) }
}

/// The colors of a picture.
///
/// # Errors
/// [`Refused::Unreadable`] for the few ways to write colors that are not read here.
pub(super) fn rgb(picture: &Picture) -> Result<RgbImage, Refused> {
    let scale = Scale::of(picture);
    let plane = picture.plane(PlanarImageComponent::Y);
    let brightness = Numbers::of(picture, PlanarImageComponent::Y, &plane);
    if picture.pixel_layout() == PixelLayout::I400 {
        return Ok(made(picture, |x, y| [byte(scale.brightness(brightness.at(x, y))); 3].into()));
    }
    let matrix = Matrix::of(picture)?;
    let planes = [picture.plane(PlanarImageComponent::U), picture.plane(PlanarImageComponent::V)];
    let first = Colors::of(picture, PlanarImageComponent::U, &planes[0]);
    let second = Colors::of(picture, PlanarImageComponent::V, &planes[1]);
    Ok(made(picture, |x, y| {
        let (u, v) = (first.at(x, y), second.at(x, y));
        let (u, v) = match matrix {
            Matrix::Rgb => (scale.brightness(u), scale.brightness(v)),
            Matrix::YCgCo | Matrix::Shares { .. } => (scale.color(u), scale.color(v)),
        };
        matrix.rgb(scale.brightness(brightness.at(x, y)), u, v).map(byte).into()
    }))
}

/// The picture with what another one says of its transparency. Where the colors have been
/// multiplied by that, they are divided by it.
///
/// # Errors
/// [`Refused::Damaged`] where the two differ in size.
pub(super) fn with_alpha(rgb: RgbImage, alpha: &Picture, is_multiplied: bool) -> Result<RgbaImage, Refused> {
    if rgb.dimensions() != (alpha.width(), alpha.height()) {
        return Err(Refused::Damaged);
    }
    let scale = Scale::of(alpha);
    let plane = alpha.plane(PlanarImageComponent::Y);
    let numbers = Numbers::of(alpha, PlanarImageComponent::Y, &plane);
    Ok(made(alpha, |x, y| {
        let share = scale.brightness(numbers.at(x, y)).clamp(0.0, 1.0);
        let colors = rgb.get_pixel(x, y).0;
        let [r, g, b] = match (is_multiplied, share > 0.0) {
            (true, true) => colors.map(|color| byte(f32::from(color) / 255.0 / share)),
            _ => colors,
        };
        Rgba([r, g, b, byte(share)])
    }))
}

fn made<P: Pixel>(picture: &Picture, pixel: impl FnMut(u32, u32) -> P) -> ImageBuffer<P, Vec<P::Subpixel>> {
    ImageBuffer::from_fn(picture.width(), picture.height(), pixel)
}

/// From 0 for none to 255 for all of it.
fn byte(share: f32) -> u8 {
    // Rust's `as` keeps within the type, and makes 0 of what is no number.
    (share * 255.0).round() as u8
}
