//! Why a mail was not sent.

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Another try cannot help: there is no such mailbox, or it takes no such mail.
    #[error("refused for good: {0}")]
    Refused(String),
    /// Another try may help.
    #[error("{0}")]
    Later(String),
}
