//! The settings of accounts.

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::error::StartError;

/// What people may do whose address is not confirmed (setting `accounts.unverified`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Unverified {
    /// Everything.
    MayWrite,
    /// Read, and delete what is theirs; neither publish nor change a post.
    MayNotWrite,
}

#[derive(Args, Clone, Debug, Default)]
pub struct AccountsFlags {
    /// Whether people may write before they have confirmed their address: may-write or may-not-write
    /// [default: may-not-write where mail is sent, else may-write]
    #[arg(long, global = true, env = "BYLINE_ACCOUNTS_UNVERIFIED", value_name = "RIGHT")]
    pub accounts_unverified: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct AccountsFile {
    unverified: Option<String>,
}

/// What is set, or else what makes sense: where no mail is sent, nobody can confirm an address.
pub(super) fn unverified(
    flags: AccountsFlags,
    file: AccountsFile,
    has_mail: bool,
) -> Result<Unverified, StartError> {
    let Some(raw) = flags.accounts_unverified.or(file.unverified) else {
        return Ok(if has_mail { Unverified::MayNotWrite } else { Unverified::MayWrite });
    };
    Unverified::from_str(&raw, false).map_err(|_| StartError::Value {
        setting: "accounts.unverified",
        problem: format!("\"{raw}\" is neither may-write nor may-not-write"),
    })
}
