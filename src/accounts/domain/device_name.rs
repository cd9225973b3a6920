//! A user agent in words that people know: "Firefox on Linux".

use crate::credentials::RequestSource;

/// Browsers, in the order in which their names are looked for: most of them name
/// others as well (RFC 9110 10.1.5).
const BROWSERS: &[(&str, &str)] = &[
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
    ("python", "a Python program"),
    ("aws-amplify", "AWS Amplify"),
    ("aws-sdk", "an AWS SDK"),
    ("node", "a Node.js program"),
    ("byline", "the command line"),
];

/// Systems; those that name another come first.
const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// What a person can recognise. The text comes from the client, so it proves nothing.
#[must_use]
pub fn device_name(user_agent: &str) -> String {
    let find = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "An unknown device".to_owned(),
    }
}

/// A device and an address, as mails name them.
#[must_use]
pub fn whence(user_agent: &str, address: &str) -> String {
    match address {
        // Of what somebody in charge of the site did.
        "" if user_agent.is_empty() => "on this site".to_owned(),
        "" => device_name(user_agent),
        address => format!("{}, from {address}", device_name(user_agent)),
    }
}

/// Where a request comes from, as mails say it.
#[must_use]
pub fn whence_of(source: &RequestSource) -> String {
    let from = source.begun_from();
    whence(&from.user_agent, &from.address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_in_charge_did_names_no_device() {
        assert_eq!(whence("", ""), "on this site");
        assert_eq!(whence("", "::1"), "An unknown device, from ::1");
    }

    #[test]
    fn a_device_is_named_as_people_call_it() {
        for (user_agent, name) in [
            ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                 Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
                "Edge on Windows",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
                 Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
                "Safari on iPhone",
            ),
            (
                "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 \
                 Mobile Safari/537.36",
                "Chrome on Android",
            ),
            ("curl/8.5.0", "curl"),
            ("", "An unknown device"),
        ] {
            assert_eq!(device_name(user_agent), name, "{user_agent}");
        }
    }
}
