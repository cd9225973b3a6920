//! The forms of posts.

use serde_json::Value;

use crate::{
    http::{
        forms::{Call, Form, Notice, Then},
        limits::{ACCOUNT_BODY, POST_BODY},
    },
    posts::address,
    ui::Values,
};

pub const FORMS: &[&Form] = &[&CREATE_POST, &UPDATE_POST, &DELETE_POST, &RESTORE_POST];

/// The preview that an editor asks for.
pub static PREVIEW_POST: Call =
    Call { endpoint: "/api/preview_post", max_body: POST_BODY, is_for_anyone: false };

static CREATE_POST: Form = Form {
    call: Call { endpoint: "/api/create_post", max_body: POST_BODY, is_for_anyone: false },
    page: "/my-posts/new",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoTo(post),
    notice: Some(&PUBLISHED),
};

static UPDATE_POST: Form = Form {
    call: Call { endpoint: "/api/update_post", max_body: POST_BODY, is_for_anyone: false },
    page: "/my-posts/{id}/edit",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoTo(post),
    notice: Some(&SAVED),
};

static DELETE_POST: Form = Form {
    call: Call { endpoint: "/api/delete_post", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/posts/{id}/delete",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/my-posts".to_owned()),
    notice: Some(&DELETED),
};

static RESTORE_POST: Form = Form {
    call: Call { endpoint: "/api/restore_post", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/my-posts/trash/{id}",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(post),
    notice: Some(&RESTORED),
};

pub static PUBLISHED: Notice = Notice { name: "published", sentence: "Your post is published." };
pub static SAVED: Notice = Notice { name: "saved", sentence: "Your changes are saved." };
pub static DELETED: Notice =
    Notice { name: "deleted", sentence: "The post is deleted. It stays in your trash for 30 days." };
static RESTORED: Notice = Notice { name: "restored", sentence: "The post is published again." };

fn post(_: &Values, answer: &Value) -> String {
    // By what never changes: whoever scripts a form reads the id there.
    address::of_id(answer["id"].as_str().unwrap_or_default())
}
