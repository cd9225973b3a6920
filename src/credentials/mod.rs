//! Who is asking, and the proof.

mod actor;
mod last_use;
mod request;
mod secret;

pub mod api_key;
pub mod caller;
pub mod session;
pub mod token;
pub mod trust;

pub use actor::{Actor, User, UserId};
pub use caller::Caller;
pub use last_use::LastUse;
pub use request::{HeaderCredential, RequestCredential, X_API_KEY};
pub use secret::{Secret, SiteSecret};
pub use session::UserSession;
pub use session::kept::{FormToKeep, KeptForm};
