//! Hands a mail to where it goes.

use std::{io, path::Path, time::Duration};

use super::{error::SendError, letter::one_line, message::Ready, smtp};
use crate::config::{MailSettings, MailTransport, Smtp};

/// The longest time for one mail, whatever the server does.
pub(super) const SEND_TIME: Duration = Duration::from_secs(60);
/// The longest time in which a mail server shows whether it can be used.
const TRY_TIME: Duration = Duration::from_secs(15);

/// Sends a mail; what the server said.
pub(super) async fn send(
    settings: &MailSettings,
    hello: &str,
    id: &str,
    mail: Ready,
) -> Result<String, SendError> {
    let sending = async {
        match &settings.transport {
            MailTransport::Folder(folder) => write_file(folder, id, mail.bytes).await,
            MailTransport::Smtp(server) => smtp::send(server, hello, mail).await,
        }
    };
    let late = || SendError::Later(format!("it took longer than {} s", SEND_TIME.as_secs()));
    let outcome = tokio::time::timeout(SEND_TIME, sending).await.unwrap_or_else(|_| Err(late()));
    outcome.map(short).map_err(shortened)
}

/// Connects to a mail server as for a mail, and sends none.
///
/// # Errors
/// [`SendError::Later`] says which step failed.
pub async fn try_server(server: &Smtp, hello: &str) -> Result<(), SendError> {
    let late = || SendError::Later(format!("it says nothing for {} s", TRY_TIME.as_secs()));
    let tried = tokio::time::timeout(TRY_TIME, smtp::try_out(server, hello)).await;
    tried.unwrap_or_else(|_| Err(late())).map_err(shortened)
}

/// What a server says is foreign text.
fn short(said: String) -> String {
    one_line(&said).chars().take(300).collect()
}

fn shortened(error: SendError) -> SendError {
    match error {
        SendError::Refused(said) => SendError::Refused(short(said)),
        SendError::Later(said) => SendError::Later(short(said)),
    }
}

/// A file a mail. It has its name only once it is whole.
async fn write_file(folder: &Path, id: &str, bytes: Vec<u8>) -> Result<String, SendError> {
    let path = folder.join(format!("{id}.eml"));
    let written = path.clone();
    let write = move || -> io::Result<()> {
        let Some(folder) = written.parent() else { return Ok(()) };
        std::fs::create_dir_all(folder)?;
        let unfinished = written.with_extension("part");
        std::fs::write(&unfinished, bytes)?;
        std::fs::rename(unfinished, &written)
    };
    let outcome = tokio::task::spawn_blocking(write).await.map_err(io::Error::other).and_then(|done| done);
    match outcome {
        Ok(()) => Ok(format!("written to {}", path.display())),
        Err(cause) => Err(SendError::Later(format!("{} cannot be written: {cause}", path.display()))),
    }
}
