//! Who is asking, and how that was proven.

mod actor;
mod last_use;
mod secret;
mod session;

pub mod api_key;
pub mod api_key_store;
pub mod caller;
pub mod kept;
pub mod session_store;
pub mod token;

pub use actor::{Actor, User, UserId};
pub use caller::Caller;
pub use kept::{FormToKeep, KeptForm};
pub use secret::Secret;
pub use session::{UserSession, mend_answer};
