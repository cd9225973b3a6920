//! The field for a password that somebody chooses.

use leptos::prelude::*;

use crate::{accounts::show_password::ShowPassword, error::Field, ui::TextField};

/// What [`crate::accounts::domain::NewPassword`] asks for, in short.
pub(super) const HINT: &str = "15 characters or more of anything, or at least 8 that are hard to guess";

/// With the button that shows what is typed, on a page with
/// [`crate::ui::IslandScripts`].
#[component]
pub(super) fn NewPasswordField(field: Field) -> impl IntoView {
    view! {
        <TextField field=field kind="password" autocomplete="new-password" hint=HINT>
            <ShowPassword of=field.name().to_owned() />
        </TextField>
    }
}
