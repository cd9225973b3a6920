//! Takes mails out of the outbox and sends them.

use std::time::Duration;

use tokio::{sync::watch, task::JoinHandle};

use super::{
    Letter, Mailer,
    error::SendError,
    message,
    outbox::{self, Leased},
    transport,
};
use crate::{clock, config::MailSettings, database::Db, error::AppError, site::Site, timestamp::Timestamp};

/// How often the outbox is read although nothing was heard: for mails of other
/// processes and commands, and for those that are tried again.
const POLL: Duration = Duration::from_secs(10);
/// Who puts a mail into the outbox says so before the commit. So the worker looks
/// again after these pauses.
const LOOKS: [Duration; 5] = [
    Duration::from_millis(2),
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];
/// How long a mail that is being sent may hold up the end of the process.
const GOODBYE: Duration = Duration::from_secs(3);

/// The worker of this process. Each mail is with one process at a time.
#[derive(Debug)]
pub struct Worker {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts, if mail is sent at all.
    #[must_use]
    pub fn start(site: &Site) -> Self {
        let (stop, stopped) = watch::channel(false);
        let task = site.mailer().is_on().then(|| tokio::spawn(run(site.clone(), stopped)));
        Self { stop, task }
    }

    /// Ends it, within a few seconds. A mail that is not sent by then waits for the
    /// next start.
    pub async fn stop(self) {
        // Nobody hears it if the task has ended already.
        let _ = self.stop.send(true);
        if let Some(task) = self.task
            && let Err(error) = task.await
        {
            tracing::error!(%error, "the mail worker has ended badly");
        }
    }
}

async fn run(site: Site, mut stopped: watch::Receiver<bool>) {
    let wake = site.mailer().wake.clone();
    let mut looks = LOOKS.iter();
    loop {
        let found = tokio::select! {
            () = told(&mut stopped) => return,
            found = next(&site) => found,
        };
        match found {
            Ok(Some(mail)) => {
                if send_leased(&site, mail, &mut stopped).await {
                    return;
                }
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the outbox cannot be read; it is tried again"),
        }
        tokio::select! {
            () = told(&mut stopped) => return,
            () = wake.notified() => looks = LOOKS.iter(),
            () = tokio::time::sleep(looks.next().copied().unwrap_or(POLL)) => {}
        }
    }
}

/// Waits until the worker is told to stop.
async fn told(stopped: &mut watch::Receiver<bool>) {
    // An error means that there is nobody left to say it.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn next(site: &Site) -> Result<Option<Leased>, AppError> {
    // A read, so that an idle site writes nothing.
    if !outbox::has_due(&mut site.database.read().await?).await? {
        return Ok(None);
    }
    let leasing =
        site.database.write(site.clone(), |db, site| Box::pin(async move { outbox::lease(db, &site).await }));
    leasing.await
}

/// What becomes of a mail after a try.
#[derive(Clone)]
enum Settled {
    Sent,
    Postponed { until: Timestamp, problem: String },
    GivenUp { problem: String },
    Released,
}

/// Sends a mail and notes the outcome; whether the process is to end.
async fn send_leased(site: &Site, mail: Leased, stopped: &mut watch::Receiver<bool>) -> bool {
    let Leased { id, recipient, letter, tries, expires_at } = mail;
    let mut is_over = false;
    let outcome = if recipient.is_empty() {
        Some(Ok(String::new()))
    } else {
        let sending = async {
            let unreadable = || SendError::Refused("its text cannot be read any more".to_owned());
            try_to_send(site, &id, &recipient, letter.as_ref().ok_or_else(unreadable)?).await
        };
        tokio::pin!(sending);
        tokio::select! {
            outcome = &mut sending => Some(outcome),
            () = told(stopped) => {
                is_over = true;
                tokio::time::timeout(GOODBYE, sending).await.ok()
            }
        }
    };
    let settled = match outcome {
        None => Settled::Released,
        Some(Ok(said)) => {
            if !recipient.is_empty() {
                tracing::info!(mail = id, said, "a mail is sent");
            }
            Settled::Sent
        }
        Some(Err(SendError::Refused(problem))) => {
            tracing::warn!(mail = id, problem, "a mail is given up: it was refused for good");
            Settled::GivenUp { problem }
        }
        Some(Err(SendError::Later(problem))) => {
            let until = clock::now().after(outbox::pause(tries));
            if until.micros() > expires_at {
                tracing::warn!(
                    mail = id,
                    problem,
                    tries = tries + 1,
                    "a mail is given up: it could not be sent in time"
                );
                Settled::GivenUp { problem }
            } else {
                tracing::warn!(
                    mail = id,
                    problem,
                    tries = tries + 1,
                    "a mail is not sent; it is tried again"
                );
                Settled::Postponed { until, problem }
            }
        }
    };
    let noted = site
        .database
        .write((id, settled), |db, (id, settled)| Box::pin(async move { settle(db, &id, &settled).await }));
    if let Err(error) = noted.await {
        // Its lease ends, and then it is sent once more: rather twice than never.
        tracing::warn!(%error, "what became of a mail could not be noted");
    }
    is_over
}

async fn settle(db: &mut Db, id: &str, settled: &Settled) -> Result<(), AppError> {
    match settled {
        Settled::Sent => outbox::sent(db, id).await,
        Settled::Postponed { until, problem } => outbox::postpone(db, id, *until, problem).await,
        Settled::GivenUp { problem } => outbox::give_up(db, id, problem).await,
        Settled::Released => outbox::release(db, id).await,
    }
}

async fn try_to_send(site: &Site, id: &str, recipient: &str, letter: &Letter) -> Result<String, SendError> {
    let Mailer { settings: Some(settings), .. } = site.mailer() else {
        return Err(SendError::Later("mail is off".to_owned()));
    };
    deliver(site, settings, id, recipient, letter).await
}

/// Sends a mail at once, beside the outbox; what the server said.
///
/// # Errors
/// [`SendError`], also where no mail is sent at all.
pub async fn send_now(site: &Site, recipient: &str, letter: &Letter) -> Result<String, SendError> {
    try_to_send(site, &uuid::Uuid::now_v7().to_string(), recipient, letter).await
}

async fn deliver(
    site: &Site,
    settings: &MailSettings,
    id: &str,
    recipient: &str,
    letter: &Letter,
) -> Result<String, SendError> {
    let home = site.link("/");
    let ready =
        message::write(settings, (site.settings().identity.name.as_str(), &home), id, recipient, letter)?;
    // What the site is called, where a server asks who greets it.
    let hello = site.public_url.mail_name();
    transport::send(settings, &hello, id, ready).await
}
