//! `byline health`

use super::failure::{Failure, refused};
use crate::{config::Config, ops::local};

/// Asks the site that listens at the address in the settings whether it is ready.
pub(super) async fn run(config: &Config) -> Result<String, Failure> {
    let address = config.listen;
    if config.tls.is_some() {
        // Its certificate is not for the name by which it would be asked here.
        local::connect(address)
            .await
            .map_err(|cause| refused(format!("nobody answers at {address}: {cause}")))?;
        return Ok("The site accepts connections.\n".to_owned());
    }
    match local::ask(address, "/readyz").await {
        Ok(status) if status.is_success() => Ok("The site is ready.\n".to_owned()),
        Ok(status) => Err(refused(format!("the site is not ready: it answers {status}"))),
        Err(cause) => Err(refused(format!("nobody answers at {address}: {cause}"))),
    }
}
