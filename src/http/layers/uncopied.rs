//! A layer that clones the service below it only for requests that reach it.
//!
//! Each of axum's layers clones the service below it for every request, with all
//! that is below. If an outer layer answers most requests from memory, these
//! clones are a large part of the cost.

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{extract::Request, routing::Route};
use tower::{Layer, Service, ServiceExt, util::Oneshot};

/// The layer.
#[derive(Clone, Copy, Debug)]
pub struct Uncopied;

/// The service below the layer, which all clones share.
#[derive(Clone, Debug)]
pub struct Shared(Arc<Route>);

impl Layer<Route> for Uncopied {
    type Service = Shared;

    fn layer(&self, below: Route) -> Shared {
        Shared(Arc::new(below))
    }
}

impl Service<Request> for Shared {
    type Response = <Route as Service<Request>>::Response;
    type Error = Infallible;
    type Future = Oneshot<Route, Request>;

    /// Waiting is left to the copy.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Route::clone(&self.0).oneshot(request)
    }
}
