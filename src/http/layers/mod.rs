//! The layers that requests and answers pass, one file for each. [`crate::router`]
//! says which paths have which layers, and in which order.

pub mod admit;
pub mod client_address;
pub mod cors;
pub mod credentials;
pub mod cross_site;
pub mod device_cookie;
pub mod for_everyone;
pub mod observe;
pub mod own_cookies;
mod panics;
pub mod session;
pub mod uncopied;
