//! The public key of a site.

use super::{ApiKey, store};
use crate::{error::AppError, site::Site};

/// The newest valid public key. It is no secret, so it can be shown again.
pub async fn public_key(site: &Site) -> Result<Option<String>, AppError> {
    let newest = store::newest_public(&mut site.database.read().await?).await?;
    let Some(newest) = newest else { return Ok(None) };
    let key = ApiKey::public(site.secret().await?, &newest.id);
    // A key made with another secret cannot be written again; it is still
    // valid.
    Ok((key.hash() == newest.hash).then(|| key.into()))
}
