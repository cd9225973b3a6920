//! What every request passes on its way in, and every answer on its way out: a
//! file a layer. [`crate::router`] says which paths have which, in which order.

pub mod client_address;
pub mod cors;
pub mod credentials;
pub mod cross_site;
pub mod observe;
pub mod session;
