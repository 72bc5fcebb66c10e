//! The events of the order service: three pairs, the inner ones nested in the request's.
//!
//! An end event is fired in a `Drop` (see `Ending` in `service.rs`), so that each begin has its
//! end, even if the client disconnects and the server drops the request.

use crate::service::{Operation, RequestId, Route};

hotprobe::event! {
    /// A request has arrived; nothing has been done for it yet.
    pub(crate) static REQUEST_BEGIN: fn(request: RequestId, route: Route);

    /// The response is ready. No status: the request was given up, for its client went away.
    pub(crate) static REQUEST_END: fn(request: RequestId, route: Route, status: Option<u16>);

    /// About to look `item` up in the catalogue.
    pub(crate) static LOOKUP_BEGIN: fn(request: RequestId, item: &str);

    /// The catalogue has answered.
    pub(crate) static LOOKUP_END: fn(request: RequestId, found: bool);

    /// About to ask the store.
    pub(crate) static STORE_BEGIN: fn(request: RequestId, operation: Operation);

    /// The store has answered: `orders` orders were written or read.
    pub(crate) static STORE_END: fn(request: RequestId, operation: Operation, orders: usize);
}
