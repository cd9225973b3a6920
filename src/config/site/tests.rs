use super::*;

#[test]
fn a_name_is_one_line_of_60_characters_and_never_empty() {
    assert_eq!(" Marsh notes ".parse::<SiteName>().unwrap().as_str(), "Marsh notes");
    assert!("é".repeat(60).parse::<SiteName>().is_ok());
    assert_eq!("é".repeat(61).parse::<SiteName>(), Err(SiteTextError::TooLong { max: 60 }));
    for empty in ["", " ", "\u{200B}"] {
        assert_eq!(empty.parse::<SiteName>(), Err(SiteTextError::Empty), "{empty:?}");
    }
    assert_eq!("a\nb".parse::<SiteName>(), Err(SiteTextError::ControlCharacter));
    assert_eq!("".parse::<SiteDescription>().unwrap().as_str(), "");
    assert_eq!("x".repeat(201).parse::<SiteDescription>(), Err(SiteTextError::TooLong { max: 200 }));
}

#[test]
fn a_language_is_a_tag() {
    for tag in ["en", "pt-BR", "zh-Hant", "es-419", "ast"] {
        assert_eq!(tag.parse::<SiteLanguage>().unwrap().tag(), tag);
    }
    for none in ["", "e", "english", "en_GB", "en-", "en-x", "de-\"><b>", "1a"] {
        assert_eq!(none.parse::<SiteLanguage>(), Err(SiteTextError::NoLanguage), "{none:?}");
    }
}

#[test]
fn the_defaults_are_values() {
    let mut values = SiteValues::default();
    for setting in SiteSetting::ALL {
        values.set(setting, setting.default_value());
        assert_eq!(setting.name().parse(), Ok(setting));
    }
    assert_eq!(SiteSettings::of(&values), Ok(SiteSettings::default()));
}

#[test]
fn a_value_that_does_not_fit_is_refused_by_its_setting() {
    for (file, raw) in [
        ("site.name", " "),
        ("site.description", "a\nb"),
        ("site.language", "english"),
        ("site.time-zone", "Berlin"),
        ("site.accent", "green"),
        ("site.faces", "comic"),
        ("site.logo", "logo.png"),
        ("site.icon", "../icon"),
        ("site.sign-up", "x"),
        ("site.approval", "x"),
        ("site.ai-crawlers", "x"),
        ("site.footer-links", "x"),
        ("site.css", &"x".repeat(SiteCss::MAX_BYTES + 1)),
        ("site.hsts", "x"),
    ] {
        let setting: SiteSetting = file.trim_start_matches("site.").parse().unwrap();
        assert_eq!(setting.in_file(), file);
        let mut values = SiteValues::default();
        values.set(setting, raw);
        assert_eq!(SiteSettings::of(&values).unwrap_err().setting, setting);
        assert_eq!(SiteSettings::of_what_fits(&values), SiteSettings::default(), "{file}");
    }
    let flags = SiteFlags { site_name: Some(" ".into()), ..SiteFlags::default() };
    let said = values(flags, SiteFile::default()).unwrap_err().to_string();
    assert!(said.starts_with("site.name: "), "{said}");
}
