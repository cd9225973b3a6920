//! `byline audit`

use std::fmt::Write;

use clap::Args;

use super::failure::Failure;
use crate::{
    accounts::domain::audit::{self, AuditRow},
    site::Site,
};

#[derive(Args, Debug)]
pub(super) struct Audit {
    /// Only what concerns whoever has this username, or had it before
    #[arg(long, value_name = "USERNAME")]
    user: Option<String>,
    /// The newest rows that are shown
    #[arg(long, value_name = "N", default_value_t = 100)]
    last: u32,
}

pub(super) async fn run(site: &Site, options: Audit) -> Result<String, Failure> {
    let db = &mut site.database.read().await?;
    let rows = audit::newest(db, options.user.as_deref(), i64::from(options.last)).await?;
    let mut said = String::new();
    for row in rows {
        let at = row.at().rfc3339();
        let AuditRow { kind, username, credential, address, user_agent, request_id, detail, .. } = row;
        // A user agent may have anything in it: escaped, it stays on its line.
        let user_agent = user_agent.escape_debug();
        let _ = writeln!(
            said,
            "{at}\t{kind}\t{username}\t{credential}\t{address}\t{request_id}\t{detail}\t{user_agent}"
        );
    }
    Ok(said)
}
