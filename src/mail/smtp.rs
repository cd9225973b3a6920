//! A conversation with a mail server (RFC 5321).
//!
//! Step by step, and not by lettre's own transport, because the step decides what a
//! refusal means: of a recipient it is about this mail, of a password or a sender it
//! is about the settings, and every mail has to wait until somebody mends them.

use std::time::Duration;

use lettre::transport::smtp::{
    Error,
    authentication::{Credentials, Mechanism},
    client::{AsyncSmtpConnection, TlsParameters},
    commands::{Data, Mail, Rcpt},
    extension::{ClientId, Extension, MailBodyParameter, MailParameter},
};
use secrecy::ExposeSecret;

use super::{error::SendError, message::Ready};
use crate::config::{Security, Smtp};

/// The longest wait for a connection.
const CONNECT_TIME: Duration = Duration::from_secs(10);

/// Sends one mail over a connection of its own; what the server said.
pub(super) async fn send(server: &Smtp, hello: &str, mail: Ready) -> Result<String, SendError> {
    let mut connection = open(server, hello).await.map_err(|error| later("connecting", &error))?;
    let outcome = deliver(&mut connection, mail).await;
    // The mail is taken or refused by now; nobody waits for the goodbye.
    connection.abort().await;
    outcome
}

/// Opens a connection as for a mail, and says goodbye.
pub(super) async fn try_out(server: &Smtp, hello: &str) -> Result<(), SendError> {
    let mut connection = open(server, hello).await.map_err(|error| later("connecting", &error))?;
    // What could be learned is known by now.
    let _ = connection.quit().await;
    Ok(())
}

/// A connection that is encrypted as it should be, with the name and the password
/// accepted.
async fn open(server: &Smtp, hello: &str) -> Result<AsyncSmtpConnection, Error> {
    let hello = ClientId::Domain(server.hello.as_deref().unwrap_or(hello).to_owned());
    let address = (server.host.as_str(), server.port);
    let tls = || TlsParameters::new(server.host.clone());
    let from_start = if server.security == Security::Tls { Some(tls()?) } else { None };
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(address, Some(CONNECT_TIME), &hello, from_start, None).await?;
    let wants_tls = match server.security {
        Security::Plain | Security::Tls => false,
        Security::Opportunistic => connection.can_starttls(),
        // Fails where the server does not offer it, before anything is said.
        Security::Required => true,
    };
    if wants_tls {
        connection.starttls(tls()?, &hello).await?;
    }
    if let Some((name, password)) = &server.credentials {
        let credentials = Credentials::new(name.clone(), password.expose_secret().to_owned());
        connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials).await?;
    }
    Ok(connection)
}

async fn deliver(connection: &mut AsyncSmtpConnection, mail: Ready) -> Result<String, SendError> {
    let Ready { from, to, bytes } = mail;
    let mut parameters = Vec::new();
    let offers = |extension| connection.server_info().supports_feature(extension);
    if !(from.to_string().is_ascii() && to.to_string().is_ascii()) {
        if !offers(Extension::SmtpUtfEight) {
            let problem = "the mail server takes no addresses with letters beyond ASCII (SMTPUTF8)";
            return Err(SendError::Refused(problem.to_owned()));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    if offers(Extension::EightBitMime) {
        parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
    }
    connection
        .command(Mail::new(Some(from), parameters))
        .await
        .map_err(|error| later("the sender", &error))?;
    connection
        .command(Rcpt::new(to, Vec::new()))
        .await
        .map_err(|error| about_this_mail("the recipient", &error))?;
    connection.command(Data).await.map_err(|error| later("the mail", &error))?;
    let answer = connection.message(&bytes).await.map_err(|error| about_this_mail("the mail", &error))?;
    Ok(format!("{} {}", answer.code(), answer.message().collect::<Vec<_>>().join(" ")))
}

fn later(step: &str, error: &Error) -> SendError {
    SendError::Later(format!("{step}: {}", with_causes(error)))
}

/// A server that refuses for good (5yz) is believed; every other failure may pass.
fn about_this_mail(step: &str, error: &Error) -> SendError {
    if error.is_permanent() {
        SendError::Refused(format!("{step}: {}", with_causes(error)))
    } else {
        later(step, error)
    }
}

fn with_causes(error: &Error) -> String {
    let mut said = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_said = inner.to_string();
        if !said.contains(&inner_said) {
            said = format!("{said}: {inner_said}");
        }
        cause = inner.source();
    }
    said
}
