//! View parts that pages share. Pages are rendered on the server alone, so
//! these are, too.

mod error_page;
mod forms;
mod page;

pub use error_page::ErrorPage;
pub(crate) use forms::text_area_html;
pub use forms::{ErrorSummary, IdempotencyInput, TextArea, TextField};
pub use page::{IslandScripts, PageTitle, Pagination, Time, Wake, load};
