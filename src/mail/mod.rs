//! Mail: what is written to people.
//!
//! A mail is a [`Letter`]. It is put into the table `outbox` in the transaction of
//! the deed that it tells of ([`enqueue`]). A [`worker`] takes mails from there and
//! sends them ([`transport`]); until that has worked, a mail stays, so a mail server
//! that is away loses nothing and slows no request. This module knows no feature.

mod error;
mod letter;
mod message;
mod outbox;
mod smtp;
mod transport;
mod worker;

pub use error::SendError;
pub use letter::{Block, Letter};
pub use outbox::{Envelope, Listed, Waiting, enqueue, forget_given_up, list, waiting};
pub use transport::try_server;
pub use worker::{Worker, send_now};

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    config::{MailSettings, MailTransport},
    error::AppError,
    site::Site,
};

/// How this site sends mail, if it does.
#[derive(Debug)]
pub struct Mailer {
    settings: Option<MailSettings>,
    /// Woken when this process has put a mail into the outbox.
    wake: Arc<Notify>,
}

impl Mailer {
    /// By the settings `mail.…`.
    #[must_use]
    pub fn new(settings: Option<MailSettings>) -> Self {
        if let Some(MailSettings { transport: MailTransport::Smtp(smtp), .. }) = &settings
            && smtp.exposes_password()
        {
            tracing::warn!(
                "mail.transport sends a password unencrypted; write smtps://…, or add ?tls=required to the URL"
            );
        }
        Self { settings, wake: Arc::new(Notify::new()) }
    }

    /// Whether mail is sent at all.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.settings.is_some()
    }

    /// Refuses what needs mail where none is sent.
    ///
    /// # Errors
    /// [`AppError::MailIsOff`].
    pub fn must_be_on(&self) -> Result<(), AppError> {
        if self.is_on() { Ok(()) } else { Err(AppError::MailIsOff) }
    }

    /// Makes the worker of this process look into the outbox.
    pub fn wake(&self) {
        self.wake.notify_one();
    }
}

impl Site {
    #[must_use]
    pub fn mailer(&self) -> &Mailer {
        self.part()
    }
}
