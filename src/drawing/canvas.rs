//! Pixels, and letters on them.

use std::collections::HashMap;

use harfrust::font::glyph::outline::PathSink;
use png::{BitDepth, ColorType, Compression, Encoder, EncodingError, Filter};
use tiny_skia::{Color, FillRule, Paint, PathBuilder, Pixmap, Rect, Transform};

use super::{
    face::{EM, Face},
    lines::Lines,
};
use crate::config::Colour;

/// An image that is being drawn.
pub struct Canvas {
    width: u32,
    height: u32,
    /// `None` if there can be no image of that size.
    pixels: Option<Pixmap>,
}

impl Canvas {
    /// An image of one colour.
    #[must_use]
    pub fn new(width: u32, height: u32, ground: Colour) -> Self {
        let mut pixels = Pixmap::new(width, height);
        if let Some(pixels) = &mut pixels {
            let [red, green, blue] = ground.rgb();
            pixels.fill(Color::from_rgba8(red, green, blue, u8::MAX));
        }
        Self { width, height, pixels }
    }

    /// Fills a rectangle from its upper left corner on.
    pub fn rectangle(&mut self, at: (f32, f32), size: (f32, f32), colour: Colour) {
        if let Some(pixels) = &mut self.pixels
            && let Some(rectangle) = Rect::from_xywh(at.0, at.1, size.0, size.1)
        {
            pixels.fill_rect(rectangle, &paint(colour), Transform::identity(), None);
        }
    }

    /// Writes lines: the first letter of the first stands at a point, each further line so many
    /// pixels below.
    pub fn write(&mut self, face: &Face, lines: &Lines, at: (f32, f32), step: f32, colour: Colour) {
        let scale = lines.size / EM;
        let mut path = Path(PathBuilder::new());
        for (number, line) in lines.lines.iter().enumerate() {
            let y = at.1 + step * number as f32;
            for piece in line {
                let mut x = at.0 + piece.x * scale;
                for glyph in &piece.glyphs {
                    face.outline(glyph, (x, y), scale, &mut path);
                    x += glyph.advance * scale;
                }
            }
        }
        if let Some(pixels) = &mut self.pixels
            && let Some(path) = path.0.finish()
        {
            pixels.fill_path(&path, &paint(colour), FillRule::Winding, Transform::identity(), None);
        }
    }

    /// The image as a PNG without transparency.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn png(self) -> Result<Vec<u8>, EncodingError> {
        let Palette { colours, pixels } = Palette::of(self.pixels.as_ref());
        let mut file = Vec::new();
        let mut encoder = Encoder::new(&mut file, self.width, self.height);
        encoder.set_color(ColorType::Indexed);
        encoder.set_depth(BitDepth::Eight);
        encoder.set_palette(colours.concat());
        encoder.set_compression(Compression::Balanced);
        encoder.set_filter(Filter::NoFilter);
        encoder.write_header()?.write_image_data(&pixels)?;
        Ok(file)
    }
}

fn paint(colour: Colour) -> Paint<'static> {
    let [red, green, blue] = colour.rgb();
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color_rgba8(red, green, blue, u8::MAX);
    paint
}

/// The colours of an image, and for each pixel the place of its own among them.
struct Palette {
    colours: Vec<[u8; 3]>,
    pixels: Vec<u8>,
}

impl Palette {
    /// The edge of a letter has 15 shades between two colours, so there are fewer colours than
    /// a palette can have. If there were more, the last would stand for the rest.
    fn of(image: Option<&Pixmap>) -> Self {
        let (mut colours, mut places) = (Vec::new(), HashMap::new());
        let mut last = ([0; 3], None);
        let pixels = image.map(Pixmap::pixels).unwrap_or_default().iter().map(|pixel| {
            let colour = [pixel.red(), pixel.green(), pixel.blue()];
            // Most pixels have the colour of their neighbour.
            if let (known, Some(place)) = last
                && known == colour
            {
                return place;
            }
            let place = *places.entry(colour).or_insert_with(|| {
                let place = u8::try_from(colours.len()).unwrap_or(u8::MAX);
                if colours.len() <= usize::from(u8::MAX) {
                    colours.push(colour);
                }
                place
            });
            last = (colour, Some(place));
            place
        });
        Self { pixels: pixels.collect(), colours }
    }
}

/// Outlines that are filled together.
struct Path(PathBuilder);

impl PathSink for Path {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }

    fn quad_to(&mut self, control_x: f32, control_y: f32, x: f32, y: f32) {
        self.0.quad_to(control_x, control_y, x, y);
    }

    fn curve_to(&mut self, x0: f32, y0: f32, x1: f32, y1: f32, x: f32, y: f32) {
        self.0.cubic_to(x0, y0, x1, y1, x, y);
    }

    fn close(&mut self) {
        self.0.close();
    }
}
