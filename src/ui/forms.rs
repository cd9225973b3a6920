//! Forms after GOV.UK: a summary that names every mistake and gets the focus, the
//! same words at the field, and everything that was typed.

use leptos::prelude::*;

use crate::{
    database::idempotency::IdempotencyKey,
    error::{AppError, Field},
    ui::FormState,
};

/// [`AppError::KeyReused`] in words for people, who see a form and no keys.
const SENT_BEFORE: &str = "This form was sent before with other text, and that has been done. \
    What it holds now has not: send it again to have this done as well.";

/// "There is a problem", with a link to each field that has one. Renders
/// nothing for a form that is all right.
#[component]
pub fn ErrorSummary() -> impl IntoView {
    let form = expect_context::<FormState>();
    let error = form.error.clone()?;
    let messages = match error {
        AppError::Invalid { errors } => errors
            .into_iter()
            .map(|error| {
                view! { <li><a href=format!("#{}", error.field.name())>{error.message}</a></li> }.into_any()
            })
            .collect_view(),
        AppError::KeyReused { .. } => vec![view! { <li>{SENT_BEFORE}</li> }.into_any()].collect_view(),
        other => vec![view! { <li>{other.to_string()}</li> }.into_any()].collect_view(),
    };
    // `autofocus` works on anything that can be focused (HTML 6.6.7), so the
    // summary is read out first, with or without script.
    Some(view! {
        <div class="error-summary" role="alert" aria-labelledby="error-summary-title" tabindex="-1" autofocus>
            <h2 id="error-summary-title">"There is a problem"</h2>
            <ul>{messages}</ul>
        </div>
    })
}

/// The idempotency key of a form, so that sending it twice does the operation
/// once. A form that comes back keeps its key, because it is still the same
/// operation, unless the key was used for another.
#[component]
pub fn IdempotencyInput() -> impl IntoView {
    let form = expect_context::<FormState>();
    let reused = matches!(form.error, Some(AppError::KeyReused { .. }));
    let key = form
        .value("idempotency_key")
        .filter(|_| !reused)
        .unwrap_or_else(|| IdempotencyKey::generate().as_str().to_owned());
    view! { <input type="hidden" name="idempotency_key" value=key /> }
}

/// A label, an optional hint, what is wrong, and a one-line control.
#[component]
pub fn TextField(
    field: Field,
    /// The control's `type`.
    #[prop(default = "text")]
    kind: &'static str,
    /// What browsers and password managers fill in (HTML 4.10.18.7). Never
    /// "off": what was typed would be gone after Back.
    autocomplete: &'static str,
    /// One sentence that is read before typing.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// Which keys a phone offers (HTML 6.8.7).
    #[prop(optional)]
    inputmode: Option<&'static str>,
    /// Shown unless the form came back with something else.
    #[prop(default = String::new())]
    value: String,
    /// Whether it may stay empty.
    #[prop(optional)]
    optional: bool,
    /// Another field: what is wrong there may as well be wrong here, as with a name and its
    /// password.
    #[prop(optional)]
    wrong_with: Option<Field>,
    /// Elements beside the control.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let form = expect_context::<FormState>();
    let error = form.error_at(field);
    let other = wrong_with.filter(|other| error.is_none() && form.error_at(*other).is_some());
    let is_wrong = error.is_some() || other.is_some();
    let value = (kind != "password").then(|| form.value(field.name()).unwrap_or(value));
    // Usernames and addresses are no prose: phones should neither correct nor capitalise them.
    let verbatim = !matches!(
        field,
        Field::Title
            | Field::Name
            | Field::DisplayName
            | Field::About
            | Field::Alt
            | Field::SiteName
            | Field::Description
            | Field::Reason
    );
    view! {
        <div class="field" class:invalid=is_wrong>
            <FieldText field hint error=error.clone() />
            <div class="control">
                <input
                    id=field.name()
                    name=field.name()
                    type=kind
                    value=value
                    autocomplete=autocomplete
                    inputmode=inputmode
                    autocapitalize=verbatim.then_some("none")
                    spellcheck=verbatim.then_some("false")
                    dir=(!verbatim).then_some("auto")
                    required=!optional
                    aria-invalid=is_wrong.then_some("true")
                    aria-describedby=described_by(field, hint, error.as_deref())
                        .or_else(|| other.map(|other| format!("{}-error", other.name())))
                />
                {children.map(|children| children())}
            </div>
        </div>
    }
}

/// A label, an optional hint, what is wrong, and a control with a list to choose from.
#[component]
pub fn SelectField(
    field: Field,
    /// One sentence that is read before choosing.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// What is sent, and what people read.
    choices: Vec<(&'static str, String)>,
    /// Chosen unless the form came back with another.
    value: &'static str,
) -> impl IntoView {
    let form = expect_context::<FormState>();
    let error = form.error_at(field);
    let value = form.value(field.name()).unwrap_or_else(|| value.to_owned());
    let options = choices.into_iter().map(|(sent, words)| {
        let selected = sent == value;
        view! { <option value=sent selected=selected>{words}</option> }
    });
    view! {
        <div class="field" class:invalid=error.is_some()>
            <FieldText field hint error=error.clone() />
            <select
                id=field.name()
                name=field.name()
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described_by(field, hint, error.as_deref())
            >
                {options.collect_view()}
            </select>
        </div>
    }
}

/// A label, a hint, what is wrong, and a control that takes a file.
#[component]
pub fn FileField(
    field: Field,
    /// The media types that the browser offers.
    accept: &'static str,
    /// One sentence that is read before choosing.
    hint: &'static str,
) -> impl IntoView {
    let form = expect_context::<FormState>();
    let error = form.error_at(field);
    view! {
        <div class="field" class:invalid=error.is_some()>
            <FieldText field hint=Some(hint) error=error.clone() />
            <input
                id=field.name()
                name=field.name()
                type="file"
                accept=accept
                required
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described_by(field, Some(hint), error.as_deref())
            />
        </div>
    }
}

/// A label, an optional hint, what is wrong, and a control of many lines.
///
/// Leptos 0.8 writes the text of a `<textarea>` unescaped, so that
/// `</textarea><script>…` would run. Every text area is this one, until
/// <https://github.com/leptos-rs/leptos/pull/4730> is in a release.
#[component]
pub fn TextArea(
    field: Field,
    /// One sentence that is read before typing.
    #[prop(optional)]
    hint: Option<&'static str>,
    /// Shown unless the form came back with something else.
    value: String,
) -> impl IntoView {
    let form = expect_context::<FormState>();
    let error = form.error_at(field);
    let value = form.value(field.name()).unwrap_or(value);
    view! {
        <div class="field" class:invalid=error.is_some()>
            <FieldText field hint error=error.clone() />
            <textarea
                id=field.name()
                name=field.name()
                rows="16"
                dir="auto"
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=described_by(field, hint, error.as_deref())
                inner_html=text_area_html(&value)
            ></textarea>
        </div>
    }
}

/// The inside of a text area. A first line break is dropped by the parser
/// (HTML 13.1.2.5), so one is added for it to drop.
pub(crate) fn text_area_html(text: &str) -> String {
    format!("\n{}", html_escape::encode_text(text))
}

#[component]
fn FieldText(field: Field, hint: Option<&'static str>, error: Option<String>) -> impl IntoView {
    let name = field.name();
    view! {
        <label for=name>{field.label()}</label>
        {hint.map(|hint| view! { <p class="hint" id=format!("{name}-hint")>{hint}</p> })}
        {error.map(|error| view! {
            <p class="field-error" id=format!("{name}-error")><span class="visually-hidden">"Error: "</span>{error}</p>
        })}
    }
}

fn described_by(field: Field, hint: Option<&str>, error: Option<&str>) -> Option<String> {
    let name = field.name();
    let ids: Vec<_> = [hint.map(|_| format!("{name}-hint")), error.map(|_| format!("{name}-error"))]
        .into_iter()
        .flatten()
        .collect();
    (!ids.is_empty()).then(|| ids.join(" "))
}
