//! The forms of pictures. The form of the upload has a file, so `http` takes it.

use crate::http::{
    forms::{Call, Form, Notice, Then},
    limits::ACCOUNT_BODY,
};

pub const FORMS: &[&Form] = &[&DELETE_MEDIA];

/// The page with the pictures of the person who is signed in.
pub const PAGE: &str = "/account/media";

static DELETE_MEDIA: Form = Form {
    call: Call { endpoint: "/api/delete_media", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/media/{id}/delete",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| PAGE.to_owned()),
    notice: Some(&DELETED),
};

static DELETED: Notice = Notice { name: "picture-deleted", sentence: "The picture is deleted." };
/// After an upload by the form.
pub static ADDED: Notice = Notice { name: "picture-added", sentence: "The picture is added." };
