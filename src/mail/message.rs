//! From a letter to the bytes that are sent (RFC 5322).

use std::time::SystemTime;

use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{Letter, error::SendError, letter::one_line};
use crate::config::MailSettings;

/// A mail that is ready to be sent.
pub(super) struct Ready {
    pub(super) from: Address,
    pub(super) to: Address,
    pub(super) bytes: Vec<u8>,
}

/// Writes a mail of the site with that name and address. `id` names it: sent twice, because the answer to the first time
/// was lost, it is the same mail for programs that compare.
///
/// # Errors
/// [`SendError::Refused`] for a recipient that no mail can be sent to.
pub(super) fn write(
    settings: &MailSettings,
    (site, home): (&str, &str),
    id: &str,
    recipient: &str,
    letter: &Letter,
) -> Result<Ready, SendError> {
    let refused = |error: &dyn std::fmt::Display| SendError::Refused(one_line(&error.to_string()));
    let to: Address = recipient.parse().map_err(|error| refused(&error))?;
    let from = settings.from.email.clone();
    let domain = from.domain();
    let mut message = Message::builder()
        .from(settings.from.clone())
        .to(Mailbox::new(None, to.clone()))
        .subject(one_line(&letter.subject))
        .message_id(Some(format!("<{id}@{domain}>")))
        .date(SystemTime::now());
    if let Some(reply_to) = &settings.reply_to {
        message = message.reply_to(reply_to.clone());
    }
    let body = MultiPart::alternative_plain_html(letter.plain(site, home), letter.html(site, home));
    let mut message = message.multipart(body).map_err(|error| refused(&error))?;
    // No program answers it, with a note on a holiday for example (RFC 3834 5).
    message.headers_mut().insert_raw(HeaderValue::new(
        HeaderName::new_from_ascii_str("Auto-Submitted"),
        "auto-generated".to_owned(),
    ));
    Ok(Ready { from, to, bytes: message.formatted() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::MailTransport;

    fn settings() -> MailSettings {
        MailSettings {
            transport: MailTransport::Folder("mail".into()),
            from: "Bylïne <byline@example.org>".parse().unwrap(),
            reply_to: Some("help@example.org".parse().unwrap()),
        }
    }

    fn head(subject: &str) -> String {
        let letter = Letter::about(subject).text("Hello");
        let ready = write(&settings(), ("Byline", "https://byline.example"), "1", "ada@example.org", &letter)
            .unwrap();
        let text = String::from_utf8(ready.bytes).unwrap();
        text.split("\r\n\r\n").next().unwrap().to_owned()
    }

    #[test]
    fn no_text_adds_a_header() {
        for subject in [
            "x\r\nBcc: eve@example.org",
            "x\nBcc: eve@example.org",
            "x\r\n\r\nBcc: eve@example.org",
            "x\u{85}Bcc: eve@example.org",
            "x\u{2028}Bcc: eve@example.org",
            "é\r\nBcc: eve@example.org",
        ] {
            let head = head(subject);
            assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        }
        for recipient in [
            "ada@example.org\r\nBcc: eve@example.org",
            "a b@example.org",
            "",
            "ada@example.org, eve@example.org",
        ] {
            let refused =
                write(&settings(), ("Byline", "https://byline.example"), "1", recipient, &Letter::about("x"));
            assert!(matches!(refused, Err(SendError::Refused(_))), "{recipient:?}");
        }
    }

    #[test]
    fn a_mail_names_itself_its_sender_and_who_is_answered() {
        let head = head("Grüße");
        for line in [
            "To: ada@example.org",
            "Reply-To: help@example.org",
            "Message-ID: <1@example.org>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ] {
            assert!(head.lines().any(|found| found == line), "{line}: {head}");
        }
        assert!(head.is_ascii(), "{head}");
    }
}
