//! `byline mail`

use std::fmt::Write;

use clap::Subcommand;

use super::failure::Failure;
use crate::{
    mail::{self, Letter},
    site::Site,
    timestamp::Timestamp,
};

#[derive(Debug, Subcommand)]
pub(super) enum Mail {
    /// Send a mail to an address at once, and say what the mail server said
    Test {
        /// Where to
        address: String,
    },
    /// List the mails that wait, and those that were given up
    List,
}

pub(super) async fn run(site: &Site, command: Mail) -> Result<String, Failure> {
    match command {
        Mail::Test { address } => {
            if !site.mailer().is_on() {
                return Err(Failure::Refused(
                    "mail.transport is none, so no mail is sent; set it, and mail.from.".to_owned(),
                ));
            }
            let letter = Letter::about("A test mail from Byline")
                .text("This site can send mail: this one was sent by “byline mail test”.")
                .link("Go to the site", site.link("/"));
            match mail::send_now(site, address.trim(), &letter).await {
                Ok(said) => Ok(format!("The mail to {} is sent: {said}\n", address.trim())),
                Err(problem) => Err(Failure::Refused(format!("The mail is not sent: {problem}."))),
            }
        }
        Mail::List => {
            let mails = mail::list(&mut site.database.read().await?).await?;
            let mut said = String::new();
            for mail in mails {
                let at = |micros| Timestamp::from_micros(micros).rfc3339();
                let state = match (mail.given_up_at, mail.problem) {
                    (Some(given_up), problem) => {
                        format!("given up {}: {}", at(given_up), problem.unwrap_or_default())
                    }
                    (None, None) => "waits".to_owned(),
                    (None, Some(problem)) => {
                        format!("tried {} times, again {}: {problem}", mail.tries, at(mail.next_try_at))
                    }
                };
                let _ =
                    writeln!(said, "{}\t{}\t{}\t{state}", at(mail.created_at), mail.recipient, mail.subject);
            }
            Ok(said)
        }
    }
}
