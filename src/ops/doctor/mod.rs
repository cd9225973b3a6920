//! Looks at everything that a site needs, and says what to do where something is wrong. It
//! changes no data, and sends nothing.

mod backups;
mod certificate;
mod database;
mod finding;
mod network;
mod rights;
mod secret_key;

pub use finding::{Finding, Verdict};

use std::time::Duration;

use crate::{
    config::{Config, MailTransport},
    mail,
    media::domain::site_pictures,
};

/// The longest wait for a database.
const DATABASE_TIME: Duration = Duration::from_secs(20);

/// What there is to say of a site with these settings.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let mut findings = vec![Finding::fine("settings", "The settings can be read.")];
    let database = tokio::time::timeout(DATABASE_TIME, database::examine(&config.database)).await;
    let (found, mut db) = database.unwrap_or_else(|_| {
        let url = config.database.direct();
        let silent = format!("{url} does not answer: start it, or set database-url.");
        (vec![Finding::problem("database", silent)], None)
    });
    findings.extend(found);
    let file = config.database.url.file();
    findings.push(secret_key::examine(&config.secret_key, file.as_deref(), db.as_mut()).await);
    findings.extend(backups::examine(config));
    let wrong = site_pictures::look_at(&config.site_files).await;
    findings.extend(wrong.into_iter().map(|error| Finding::problem("pictures", format!("{error}."))));
    findings.push(mail(config).await);
    findings.extend(certificate::examine(config));
    findings.extend(network::examine(config).await);
    findings
}

/// Connects to the mail server, and shows it the name and the password.
async fn mail(config: &Config) -> Finding {
    let about = "mail";
    let smtp = match config.mail.as_ref().map(|settings| &settings.transport) {
        None => {
            let sentence = "No mail is sent, so nobody can set a forgotten password anew: set mail.transport and \
                            mail.from.";
            return Finding::warning(about, sentence);
        }
        Some(MailTransport::Folder(folder)) => {
            let sentence = format!(
                "Mails become files in {}: set mail.transport to a mail server before people sign up.",
                folder.display()
            );
            return Finding::warning(about, sentence);
        }
        Some(MailTransport::Smtp(smtp)) => smtp,
    };
    let server = format!("{}:{}", smtp.host, smtp.port);
    match mail::try_server(smtp, &config.public_url.mail_name()).await {
        Err(error) => Finding::problem(
            about,
            format!("The mail server {server} cannot be used ({error}): change mail.transport."),
        ),
        Ok(()) if smtp.exposes_password() => Finding::warning(
            about,
            format!(
                "The password for {server} crosses the network unencrypted: write smtps://…, or add ?tls=required, in \
                 mail.transport."
            ),
        ),
        Ok(()) => Finding::fine(
            about,
            format!("The mail server {server} answers; `byline mail test ADDRESS` sends a mail."),
        ),
    }
}
