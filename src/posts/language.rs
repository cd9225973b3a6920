//! The language that an author says a post is in.

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// Languages that can be chosen: the tag of BCP 47, and the name that its speakers use, in
/// the order of the tags.
const LANGUAGES: [(&str, &str); 85] = [
    ("af", "Afrikaans"),
    ("ak", "Akan"),
    ("am", "አማርኛ"),
    ("ar", "العربية"),
    ("az", "Azərbaycanca"),
    ("be", "Беларуская"),
    ("bg", "Български"),
    ("bn", "বাংলা"),
    ("bs", "Bosanski"),
    ("ca", "Català"),
    ("cs", "Čeština"),
    ("cy", "Cymraeg"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("el", "Ελληνικά"),
    ("en", "English"),
    ("eo", "Esperanto"),
    ("es", "Español"),
    ("et", "Eesti"),
    ("eu", "Euskara"),
    ("fa", "فارسی"),
    ("fi", "Suomi"),
    ("fo", "Føroyskt"),
    ("fr", "Français"),
    ("ga", "Gaeilge"),
    ("gl", "Galego"),
    ("gu", "ગુજરાતી"),
    ("he", "עברית"),
    ("hi", "हिन्दी"),
    ("hr", "Hrvatski"),
    ("hu", "Magyar"),
    ("hy", "Հայերեն"),
    ("id", "Indonesia"),
    ("is", "Íslenska"),
    ("it", "Italiano"),
    ("ja", "日本語"),
    ("jv", "Jawa"),
    ("ka", "ქართული"),
    ("kk", "Қазақ тілі"),
    ("km", "ខ្មែរ"),
    ("kn", "ಕನ್ನಡ"),
    ("ko", "한국어"),
    ("la", "Latina"),
    ("lb", "Lëtzebuergesch"),
    ("lt", "Lietuvių"),
    ("lv", "Latviešu"),
    ("mk", "Македонски"),
    ("ml", "മലയാളം"),
    ("mn", "Монгол"),
    ("mr", "मराठी"),
    ("ms", "Melayu"),
    ("mt", "Malti"),
    ("my", "မြန်မာ"),
    ("nb", "Norsk bokmål"),
    ("ne", "नेपाली"),
    ("nl", "Nederlands"),
    ("nn", "Norsk nynorsk"),
    ("or", "ଓଡ଼ିଆ"),
    ("pa", "ਪੰਜਾਬੀ"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("ro", "Română"),
    ("ru", "Русский"),
    ("si", "සිංහල"),
    ("sk", "Slovenčina"),
    ("sl", "Slovenščina"),
    ("sn", "ChiShona"),
    ("sq", "Shqip"),
    ("sr", "Српски"),
    ("sv", "Svenska"),
    ("sw", "Kiswahili"),
    ("ta", "தமிழ்"),
    ("te", "తెలుగు"),
    ("th", "ไทย"),
    ("tk", "Türkmen dili"),
    ("tl", "Tagalog"),
    ("tr", "Türkçe"),
    ("uk", "Українська"),
    ("ur", "اردو"),
    ("uz", "Oʻzbek"),
    ("vi", "Tiếng Việt"),
    ("yi", "ייִדיש"),
    ("yo", "Yorùbá"),
    ("zh", "中文"),
    ("zu", "IsiZulu"),
];

/// Those that are written from right to left.
const TO_LEFT: [&str; 5] = ["ar", "fa", "he", "ur", "yi"];

/// A language that can be chosen, as its tag of BCP 47: `de`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Language(&'static str);

/// The words are the ones a form shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Choose a language of the list, such as “en”; Byline does not know this one")]
pub struct UnknownLanguage;

impl Language {
    /// The language of a tag. What follows it, such as a country, is left out: `de-AT` is
    /// `de`.
    ///
    /// # Errors
    /// [`UnknownLanguage`].
    pub fn parse(raw: &str) -> Result<Self, UnknownLanguage> {
        let primary = raw.trim().split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        // Retired and larger tags that other programs write.
        let primary = match primary.as_str() {
            "cmn" => "zh",
            "fil" => "tl",
            "in" => "id",
            "iw" => "he",
            "no" => "nb",
            other => other,
        };
        Self::all().find(|language| language.tag() == primary).ok_or(UnknownLanguage)
    }

    /// All that can be chosen, in the order of their tags.
    pub fn all() -> impl Iterator<Item = Self> {
        LANGUAGES.iter().map(|(tag, _)| Self(tag))
    }

    #[must_use]
    pub const fn tag(self) -> &'static str {
        self.0
    }

    /// What its speakers call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        LANGUAGES.iter().find(|(tag, _)| *tag == self.0).map_or(self.0, |(_, name)| name)
    }

    /// How its text runs: `ltr` or `rtl`.
    #[must_use]
    pub fn direction(self) -> &'static str {
        if TO_LEFT.contains(&self.0) { "rtl" } else { "ltr" }
    }
}

/// By hand: what serde derives for a `&'static str` takes texts that are static alone.
impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_found_by_its_tag_however_it_is_written() {
        for (raw, tag) in [
            ("de", "de"),
            ("DE-at", "de"),
            ("zh_Hant_TW", "zh"),
            (" iw ", "he"),
            ("no", "nb"),
            ("pt-BR", "pt"),
        ] {
            assert_eq!(Language::parse(raw).map(Language::tag), Ok(tag), "{raw}");
        }
        for raw in ["", "xx", "english", "\"", "d"] {
            assert_eq!(Language::parse(raw), Err(UnknownLanguage), "{raw}");
        }
    }

    #[test]
    fn every_language_has_one_tag_and_one_name_and_is_found_by_it() {
        assert!(LANGUAGES.is_sorted_by(|(a, _), (b, _)| a < b));
        for language in Language::all() {
            assert_eq!(Language::parse(language.tag()), Ok(language));
            assert!(!language.name().is_empty());
        }
        assert_eq!(TO_LEFT.map(|tag| Language::parse(tag).map(Language::direction)), [Ok("rtl"); 5]);
        assert_eq!(Language::parse("en").map(Language::direction), Ok("ltr"));
    }
}
