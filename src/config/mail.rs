//! How mail is sent: the settings `mail.…`.

use std::{net::IpAddr, path::PathBuf, str::FromStr};

use clap::Args;
use lettre::message::Mailbox;
use percent_encoding::percent_decode_str;
use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

use super::{database_url::UrlSetting, error::StartError, reading::Reading};

const TRANSPORT: UrlSetting = UrlSetting { name: "mail.transport", of_file: "mail.transport-file" };

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailSettings {
    pub transport: MailTransport,
    /// The sender of every mail.
    pub from: Mailbox,
    /// Where answers go, if not to the sender.
    pub reply_to: Option<Mailbox>,
}

/// Where mails go.
#[derive(Clone, Debug)]
pub enum MailTransport {
    /// Into this folder, each as a file; for development.
    Folder(PathBuf),
    /// To a mail server.
    Smtp(Smtp),
}

/// A mail server, and how it is spoken to.
#[derive(Clone, Debug)]
pub struct Smtp {
    pub host: String,
    pub port: u16,
    pub security: Security,
    /// Name and password.
    pub credentials: Option<(String, SecretString)>,
    /// By what name this site greets the server.
    pub hello: Option<String>,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all.
    Plain,
    /// By STARTTLS if the server offers it. Somebody on the way can prevent that.
    Opportunistic,
    /// By STARTTLS, or nothing is sent.
    Required,
    /// From the first byte.
    Tls,
}

/// Why a text is no transport. It never shows the text, which may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailUrlError {
    #[error(
        "this is no way to send mail; write none, file:DIR, smtp://host?tls=required or smtps://user:password@host"
    )]
    Unknown,
    #[error("the folder is missing; write file:DIR")]
    NoFolder,
    #[error("tls is required or opportunistic, for smtp:// alone")]
    Tls,
    #[error("a parameter of the URL is unknown; the only parameter is tls")]
    Parameter,
    #[error("a name goes with a password, and a password with a name")]
    Credentials,
    #[error("the name or the password is not UTF-8 once its percent signs are decoded")]
    Encoding,
    #[error("behind the host goes only the name by which to greet the server, like /mail.example.org")]
    Hello,
}

impl Smtp {
    /// Whether a password would cross a network unencrypted.
    #[must_use]
    pub fn exposes_password(&self) -> bool {
        let is_here =
            self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let is_encrypted = matches!(self.security, Security::Required | Security::Tls);
        self.credentials.is_some() && !is_encrypted && !is_here
    }
}

/// Parses the value of `mail.transport`; `None` for "none".
pub(super) fn parse(raw: &str) -> Result<Option<MailTransport>, MailUrlError> {
    if raw == "none" {
        return Ok(None);
    }
    if let Some(folder) = raw.strip_prefix("file:") {
        let folder = folder.strip_prefix("//").unwrap_or(folder);
        return if folder.is_empty() {
            Err(MailUrlError::NoFolder)
        } else {
            Ok(Some(MailTransport::Folder(folder.into())))
        };
    }
    raw.parse().map(|smtp| Some(MailTransport::Smtp(smtp)))
}

impl FromStr for Smtp {
    type Err = MailUrlError;

    fn from_str(raw: &str) -> Result<Self, MailUrlError> {
        let url = Url::parse(raw).map_err(|_| MailUrlError::Unknown)?;
        // An address in brackets: to connect, it goes without them.
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(MailUrlError::Unknown)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let mut tls = None;
        for (name, value) in url.query_pairs() {
            if name != "tls" {
                return Err(MailUrlError::Parameter);
            }
            tls = Some(value.into_owned());
        }
        let (security, port) = match (url.scheme(), tls.as_deref()) {
            ("smtp", None) => (Security::Plain, 25),
            ("smtp", Some("required")) => (Security::Required, 587),
            ("smtp", Some("opportunistic")) => (Security::Opportunistic, 587),
            ("smtps", None) => (Security::Tls, 465),
            ("smtp" | "smtps", Some(_)) => return Err(MailUrlError::Tls),
            _ => return Err(MailUrlError::Unknown),
        };
        let decode = |text: &str| {
            let text = percent_decode_str(text).decode_utf8().map_err(|_| MailUrlError::Encoding)?;
            // It becomes part of a command.
            if text.chars().any(char::is_control) {
                Err(MailUrlError::Encoding)
            } else {
                Ok(text.into_owned())
            }
        };
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(MailUrlError::Credentials),
            (name, Some(password)) => Some((decode(name)?, decode(password)?.into())),
        };
        let hello = match url.path().trim_matches('/') {
            "" => None,
            name => match Host::parse(name) {
                Ok(Host::Domain(name)) => Some(name),
                _ => return Err(MailUrlError::Hello),
            },
        };
        Ok(Self { host, port: url.port().unwrap_or(port), security, credentials, hello })
    }
}

#[derive(Args, Clone, Debug, Default)]
pub struct MailFlags {
    /// How mail is sent: none, file:DIR (one file a mail), smtp://… or smtps://… [default: none]
    #[arg(long, global = true, env = "BYLINE_MAIL_TRANSPORT", value_name = "URL")]
    pub mail_transport: Option<String>,
    /// File with the transport, so that its password is not in the list of processes [default: none]
    #[arg(long, global = true, env = "BYLINE_MAIL_TRANSPORT_FILE", value_name = "FILE")]
    pub mail_transport_file: Option<PathBuf>,
    /// The sender of every mail, like "Byline <byline@example.org>"; needed wherever mail is sent
    #[arg(long, global = true, env = "BYLINE_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Where answers to mails go [default: to the sender]
    #[arg(long, global = true, env = "BYLINE_MAIL_REPLY_TO", value_name = "ADDRESS")]
    pub mail_reply_to: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct MailFile {
    transport: Option<String>,
    transport_file: Option<PathBuf>,
    from: Option<String>,
    reply_to: Option<String>,
}

/// Puts flags and file together.
///
/// # Errors
/// [`StartError`] names the setting, and shows no password.
pub(super) fn settings(
    flags: MailFlags,
    file: MailFile,
    reading: Reading,
) -> Result<Option<MailSettings>, StartError> {
    let sources = [(flags.mail_transport, flags.mail_transport_file), (file.transport, file.transport_file)];
    let transport = TRANSPORT.first(sources, reading, parse)?.flatten();
    let from = mailbox("mail.from", flags.mail_from.or(file.from))?;
    let reply_to = mailbox("mail.reply-to", flags.mail_reply_to.or(file.reply_to))?;
    match (transport, from) {
        (None, _) => Ok(None),
        (Some(transport), Some(from)) => Ok(Some(MailSettings { transport, from, reply_to })),
        (Some(_), None) => {
            let problem = "is missing; mail needs a sender, like \"Byline <byline@example.org>\"";
            Err(StartError::Value { setting: "mail.from", problem: problem.to_owned() })
        }
    }
}

fn mailbox(setting: &'static str, raw: Option<String>) -> Result<Option<Mailbox>, StartError> {
    let Some(raw) = raw else { return Ok(None) };
    let wrong = || StartError::Value {
        setting,
        problem: format!("\"{}\" is no address like byline@example.org", raw.escape_debug()),
    };
    if raw.chars().any(char::is_control) {
        return Err(wrong());
    }
    raw.parse().map(Some).map_err(|_| wrong())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn smtp(raw: &str) -> Result<Smtp, MailUrlError> {
        raw.parse()
    }

    #[test]
    fn a_transport_is_read_as_it_was_meant() {
        assert!(parse("none").unwrap().is_none());
        for raw in ["file:target/mail", "file://target/mail"] {
            let Some(MailTransport::Folder(folder)) = parse(raw).unwrap() else { panic!("{raw}") };
            assert_eq!(folder, PathBuf::from("target/mail"));
        }
        for (raw, host, port, security) in [
            ("smtp://mail.example", "mail.example", 25, Security::Plain),
            ("smtp://mail.example:2525", "mail.example", 2525, Security::Plain),
            ("smtp://mail.example?tls=required", "mail.example", 587, Security::Required),
            ("smtp://mail.example?tls=opportunistic", "mail.example", 587, Security::Opportunistic),
            ("smtps://mail.example", "mail.example", 465, Security::Tls),
            ("smtp://[::1]:25", "::1", 25, Security::Plain),
        ] {
            let read = smtp(raw).unwrap();
            assert_eq!((read.host.as_str(), read.port, read.security), (host, port, security), "{raw}");
        }
        let read = smtp("smtps://a%40b.example:p%3A%2F%C3%A9@mail.example/me.example").unwrap();
        assert_eq!(read.hello.as_deref(), Some("me.example"));
        let (name, password) = read.credentials.unwrap();
        assert_eq!((name.as_str(), password.expose_secret()), ("a@b.example", "p:/é"));
    }

    #[test]
    fn what_is_no_transport_is_refused() {
        for (raw, error) in [
            ("", MailUrlError::Unknown),
            ("smtp", MailUrlError::Unknown),
            ("http://mail.example", MailUrlError::Unknown),
            ("smtp://", MailUrlError::Unknown),
            ("file:", MailUrlError::NoFolder),
            ("smtp://mail.example?tls=no", MailUrlError::Tls),
            ("smtps://mail.example?tls=required", MailUrlError::Tls),
            ("smtp://mail.example?timeout=1", MailUrlError::Parameter),
            ("smtp://name@mail.example", MailUrlError::Credentials),
            ("smtp://:canary@mail.example", MailUrlError::Credentials),
            ("smtp://name:%0D%0Acanary@mail.example", MailUrlError::Encoding),
            ("smtp://name:%FFcanary@mail.example", MailUrlError::Encoding),
            ("smtp://mail.example/a b", MailUrlError::Hello),
        ] {
            let refused = parse(raw).map(drop).unwrap_err();
            assert_eq!(refused, error, "{raw}");
            assert!(!refused.to_string().contains("canary"));
        }
    }

    #[test]
    fn a_password_is_never_printed_and_not_sent_in_clear_without_a_word() {
        let read = smtp("smtp://name:canary@mail.example").unwrap();
        assert!(!format!("{read:?}").contains("canary"));
        assert!(read.exposes_password());
        for fine in [
            "smtp://mail.example",
            "smtp://name:word@127.0.0.1",
            "smtp://name:word@[::1]",
            "smtp://name:word@mail.example?tls=required",
            "smtps://name:word@mail.example",
        ] {
            assert!(!smtp(fine).unwrap().exposes_password(), "{fine}");
        }
    }

    #[test]
    fn mail_has_a_sender() {
        let flags = |from: Option<&str>| MailFlags {
            mail_transport: Some("file:mail".to_owned()),
            mail_from: from.map(str::to_owned),
            ..MailFlags::default()
        };
        let settings = |flags| settings(flags, MailFile::default(), Reading::AtStart);
        let refused = |from| settings(flags(from)).map(drop).unwrap_err().to_string();
        assert!(refused(None).starts_with("mail.from: is missing"));
        for wrong in ["", "byline", "a@b.example\r\nBcc: c@d.example", "Byline"] {
            assert!(refused(Some(wrong)).starts_with("mail.from: \""), "{wrong:?}");
        }
        let set = settings(flags(Some("Byline <byline@example.org>"))).unwrap().unwrap();
        assert_eq!(set.from.email.to_string(), "byline@example.org");
        assert!(settings(MailFlags::default()).unwrap().is_none());
    }
}
