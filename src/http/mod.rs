//! The web layer: incoming requests, their layers, and the format of answers. It
//! knows no feature.

pub mod answers;
pub mod assets;
pub mod bodies;
pub mod calls;
pub mod connections;
pub mod context;
pub mod cookies;
pub mod etag;
pub mod fair_pool;
pub mod forms;
pub mod frame;
pub mod headers;
pub mod health;
pub mod layers;
pub mod limits;
pub mod listener;
pub mod listener_slots;
pub mod look;
pub mod origin;
pub mod page_cache;
pub mod pages;
pub mod request_counts;
pub mod shared_answers;
pub mod source;
pub mod speculation;
pub mod target;
pub mod tls;
pub mod traces;
pub mod turns;
