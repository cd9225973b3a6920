//! The setting `site.accent`: the colour of links, buttons and marks.

use std::{fmt, str::FromStr};

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// The shades of a colour that can be read in both themes, derived from the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent {
    /// As it was set.
    pub chosen: Colour,
    pub light: Shades,
    pub dark: Shades,
}

/// An accent in one theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shades {
    /// Links, and the ground of buttons.
    pub plain: Colour,
    /// The same under the pointer.
    pub strong: Colour,
    /// The words of a button.
    pub ink: Colour,
}

/// Not a colour. The words are for the setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a colour like #1f5f4a")]
pub struct ColourError;

impl Colour {
    /// The grounds on which an accent stands, as in style/tokens.css: paper and raised.
    pub(super) const LIGHT_GROUNDS: [Self; 2] = [Self([0xfb, 0xf8, 0xf1]), Self([0xf3, 0xee, 0xe2])];
    pub(super) const DARK_GROUNDS: [Self; 2] = [Self([0x1a, 0x18, 0x16]), Self([0x24, 0x21, 0x1d])];
    /// Of style/tokens.css in the light theme, for what is no page: the ground, the words on it,
    /// those that matter less, thin lines, and links where the operator has chosen no colour.
    pub const PAPER: Self = Self::LIGHT_GROUNDS[0];
    pub const INK: Self = Self([0x1f, 0x1c, 0x17]);
    pub const INK_SOFT: Self = Self([0x5e, 0x5a, 0x52]);
    pub const LINE: Self = Self([0xe4, 0xdc, 0xcb]);
    pub const ACCENT: Self = Self([0x1f, 0x5f, 0x4a]);
    const WHITE: Self = Self([0xff; 3]);
    const BLACK: Self = Self([0; 3]);

    /// Red, green and blue.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        self.0
    }

    /// This colour with so much of another, from 0 to 1.
    fn mixed(self, other: Self, share: f64) -> Self {
        let part = |at: usize| {
            let (own, other) = (f64::from(self.0[at]), f64::from(other.0[at]));
            (own + (other - own) * share).round() as u8
        };
        Self([part(0), part(1), part(2)])
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let part = |byte: u8| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(self.0[0]) + 0.7152 * part(self.0[1]) + 0.0722 * part(self.0[2])
    }

    /// The contrast of two colours, from 1 to 21 (WCAG 2.2).
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        one.max(two) / one.min(two)
    }

    /// The colour nearest to this one, on the way to `end`, that has a contrast of
    /// `least` to each ground.
    fn readable(self, end: Self, grounds: [Self; 2], least: f64) -> Self {
        (0..=100)
            .map(|step| self.mixed(end, f64::from(step) / 100.0))
            .find(|colour| grounds.iter().all(|ground| colour.contrast(*ground) >= least))
            .unwrap_or(end)
    }
}

impl Accent {
    /// WCAG 2.2, 1.4.3 asks for 4.5. The dark theme asks for more, because thin bright letters
    /// look thinner there.
    const LEAST: [f64; 2] = [4.6, 6.0];

    /// A site that likes a colour gets it where it can be read, else the nearest shade that can.
    #[must_use]
    pub fn of(colour: Colour) -> Self {
        let light = colour.readable(Colour::BLACK, Colour::LIGHT_GROUNDS, Self::LEAST[0]);
        let dark = colour.readable(Colour::WHITE, Colour::DARK_GROUNDS, Self::LEAST[1]);
        Self {
            chosen: colour,
            light: Shades { plain: light, strong: light.mixed(Colour::BLACK, 0.25), ink: Colour::WHITE },
            dark: Shades {
                plain: dark,
                strong: dark.mixed(Colour::WHITE, 0.35),
                ink: Colour([0x16, 0x14, 0x12]),
            },
        }
    }
}

impl FromStr for Colour {
    type Err = ColourError;

    /// `#rrggbb` or `#rgb`.
    fn from_str(raw: &str) -> Result<Self, ColourError> {
        let digits = raw.trim().strip_prefix('#').ok_or(ColourError)?;
        let nibbles: Option<Vec<u8>> = digits
            .chars()
            .map(|digit| digit.to_digit(16).and_then(|nibble| u8::try_from(nibble).ok()))
            .collect();
        match *nibbles.ok_or(ColourError)?.as_slice() {
            [r, g, b] => Ok(Self([r * 17, g * 17, b * 17])),
            [r, rr, g, gg, b, bb] => Ok(Self([r * 16 + rr, g * 16 + gg, b * 16 + bb])),
            _ => Err(ColourError),
        }
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_colour_is_written_as_in_css_and_anything_else_is_refused() {
        assert_eq!("#1f5f4a".parse::<Colour>().unwrap().to_string(), "#1f5f4a");
        assert_eq!(" #0Af ".parse::<Colour>().unwrap().to_string(), "#00aaff");
        for wrong in ["", "red", "1f5f4a", "#12", "#12345", "#ggg", "#1f5f4a80", "#é1"] {
            assert_eq!(wrong.parse::<Colour>(), Err(ColourError), "{wrong:?}");
        }
    }

    #[test]
    fn the_grounds_are_those_of_the_style_sheet() {
        let tokens = include_str!("../../style/tokens.css");
        for (name, at) in [("paper", 0), ("raised", 1)] {
            let line =
                format!("--{name}: light-dark({}, {});", Colour::LIGHT_GROUNDS[at], Colour::DARK_GROUNDS[at]);
            assert!(tokens.contains(&line), "style/tokens.css has not {line}");
        }
    }

    #[test]
    fn the_colours_of_what_is_no_page_are_those_of_the_style_sheet_and_can_be_read() {
        let tokens = include_str!("../../style/tokens.css");
        for (name, colour) in [
            ("paper", Colour::PAPER),
            ("ink", Colour::INK),
            ("ink-soft", Colour::INK_SOFT),
            ("line", Colour::LINE),
            ("accent", Colour::ACCENT),
        ] {
            let start = format!("--{name}: light-dark({colour}, ");
            assert!(tokens.contains(&start), "style/tokens.css has not {start}");
        }
        for words in [Colour::INK, Colour::INK_SOFT, Colour::ACCENT] {
            assert!(words.contrast(Colour::PAPER) >= 4.5, "{words}");
        }
    }

    #[test]
    fn every_colour_of_code_can_be_read_in_both_themes() {
        let tokens = include_str!("../../style/tokens.css");
        let parts = include_str!("../../style/prose-parts.css");
        let rules: Vec<&str> = parts.lines().filter(|line| line.trim_start().starts_with(".hl-")).collect();
        assert_eq!(rules.join(" ").matches(".hl-").count(), 10, "each class of code has its colour");
        for rule in rules {
            let (_, name) = rule.split_once("var(").expect("a colour by its name");
            let (name, _) = name.split_once(')').unwrap();
            let (_, value) = tokens.split_once(&format!("{name}: light-dark(")).expect(name);
            let (value, _) = value.split_once(')').unwrap();
            let (light, dark) = value.split_once(", ").unwrap();
            let contrast =
                |colour: &str, grounds: [Colour; 2]| colour.parse::<Colour>().unwrap().contrast(grounds[1]);
            assert!(contrast(light, Colour::LIGHT_GROUNDS) >= 4.5, "{rule}");
            assert!(contrast(dark, Colour::DARK_GROUNDS) >= 4.5, "{rule}");
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        let green: Colour = "#1f5f4a".parse().unwrap();
        assert_eq!(Accent::of(green).light.plain, green);
    }

    proptest! {
        #[test]
        fn every_accent_can_be_read_in_both_themes(r: u8, g: u8, b: u8) {
            let Accent { light, dark, .. } = Accent::of(Colour([r, g, b]));
            for (shades, grounds) in [(light, Colour::LIGHT_GROUNDS), (dark, Colour::DARK_GROUNDS)] {
                for ground in grounds {
                    prop_assert!(shades.plain.contrast(ground) >= 4.5);
                    prop_assert!(shades.strong.contrast(ground) >= 4.5);
                }
                prop_assert!(shades.plain.contrast(shades.ink) >= 4.5);
                prop_assert!(shades.strong.contrast(shades.ink) >= 4.5);
            }
        }
    }
}
