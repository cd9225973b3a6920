//! The form of the site's settings: which control has which, and what is wrong with them.

use serde::{Deserialize, Serialize};

use crate::{
    config::{SiteSetting, SiteSettingError, SiteSettings, SiteValues},
    error::{AppError, Field, FieldErrors},
};

/// Each setting and its control. Pictures have forms of their own ([`super::pictures`]).
pub const CONTROLS: [(SiteSetting, Field); 13] = [
    (SiteSetting::Name, Field::SiteName),
    (SiteSetting::Description, Field::Description),
    (SiteSetting::Language, Field::SiteLanguage),
    (SiteSetting::TimeZone, Field::TimeZone),
    (SiteSetting::Accent, Field::Accent),
    (SiteSetting::Faces, Field::Faces),
    (SiteSetting::About, Field::AboutSite),
    (SiteSetting::FooterLinks, Field::FooterLinks),
    (SiteSetting::Css, Field::Css),
    (SiteSetting::SignUp, Field::SignUp),
    (SiteSetting::Approval, Field::Approval),
    (SiteSetting::AiCrawlers, Field::AiCrawlers),
    (SiteSetting::Hsts, Field::Hsts),
];

/// What was sent for a control: nothing where the request does not have the control, and a text,
/// which may be empty, where it does. An [`Option`] alone cannot tell the two apart, because
/// whatever reads a form takes an empty value for none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct Sent(Option<String>);

impl From<String> for Sent {
    fn from(value: String) -> Self {
        Self(Some(value))
    }
}

impl Sent {
    /// The text, if the control was sent.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        self.0.clone()
    }
}

/// The values that were typed, of which an empty one takes away what was set before. What has a
/// control that was not sent stays as it is.
///
/// # Errors
/// [`AppError::Invalid`] with every value that does not fit.
pub fn parse(typed: impl Fn(Field) -> Option<String>) -> Result<SiteValues, AppError> {
    let mut errors = FieldErrors::default();
    let mut values = SiteValues::default();
    for (setting, field) in CONTROLS {
        let Some(value) = typed(field) else { continue };
        // Forms send line breaks as CR LF (HTML 4.10.21.8).
        let value = value.replace("\r\n", "\n").trim().to_owned();
        let mut alone = SiteValues::default();
        alone.set(setting, value.clone());
        let fits = SiteSettings::of(&alone)
            .map_err(|SiteSettingError { problem, .. }| format!("{}: {problem}", field.label()));
        if errors.take(field, fits).is_some() {
            values.set(setting, value);
        }
    }
    errors.check()?;
    Ok(values)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::site_settings::pictures::PictureSetting;

    #[test]
    fn every_setting_has_a_control_and_every_mistake_is_told_at_once() {
        let with_pictures = CONTROLS.iter().map(|(setting, _)| *setting);
        let with_pictures = with_pictures.chain(PictureSetting::ALL.map(PictureSetting::setting));
        assert_eq!(with_pictures.collect::<BTreeSet<_>>(), BTreeSet::from(SiteSetting::ALL));
        let error = parse(|field| match field {
            Field::SiteName => Some(" ".to_owned()),
            Field::Accent => Some("green".to_owned()),
            Field::Description => Some("Of marshes\r\n".to_owned()),
            _ => None,
        });
        let AppError::Invalid { errors } = error.unwrap_err() else { panic!("not invalid") };
        let fields: Vec<_> = errors.iter().map(|error| error.field).collect();
        assert_eq!(fields, [Field::SiteName, Field::Accent]);
        assert!(errors[0].message.starts_with("Name of the site: "), "{}", errors[0].message);
        let values = parse(|field| (field == Field::AboutSite).then(|| "a\r\nb ".to_owned())).unwrap();
        assert_eq!(values.get(SiteSetting::About), Some("a\nb"));
        assert_eq!(values.get(SiteSetting::Name), None, "what is not sent stays");
        let values = parse(|field| (field == Field::Css).then(String::new)).unwrap();
        assert_eq!(values.get(SiteSetting::Css), Some(""), "what is sent empty is taken away");
    }
}
