//! View parts that pages share. They run only on the server, as pages do.

mod error_page;
mod form_state;
mod forms;
mod next;
mod page;
mod page_title;

pub use error_page::ErrorPage;
pub use form_state::{FormState, Values};
pub(crate) use forms::text_area_html;
pub use forms::{ErrorSummary, FileField, IdempotencyInput, SelectField, TextArea, TextField};
pub use next::{Next, confirm_first, log_in_first, with_next};
pub use page::{IslandScripts, Pagination, Time, Wake, load, uri};
pub use page_title::PageTitle;
