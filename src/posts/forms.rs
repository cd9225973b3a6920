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

pub const FORMS: &[&Form] = &[
    &CREATE_POST,
    &SAVE_NEW_DRAFT,
    &SAVE_DRAFT,
    &PUBLISH_POST,
    &UPDATE_POST,
    &UNPUBLISH_POST,
    &DELETE_POST,
    &RESTORE_POST,
    &RESTORE_REVISION,
    &REPORT_POST,
];

/// The notices of forms whose outcome decides which one is shown.
pub static NOTICES: [&Notice; 5] = [&PUBLISHED, &WAITING, &SCHEDULED, &RESTORED, &DRAFT_RESTORED];

/// The notices of an editor that has what its author has just sent.
pub static SAVED_IN_EDITOR: [&Notice; 3] = [&DRAFT_SAVED, &SCHEDULED, &UNPUBLISHED];

/// The preview that an editor asks for.
pub static PREVIEW_POST: Call =
    Call { endpoint: "/api/preview_post", max_body: POST_BODY, is_for_anyone: false };

static CREATE_POST: Form = Form {
    call: Call { endpoint: "/api/create_post", max_body: POST_BODY, is_for_anyone: false },
    page: "/my-posts/new",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoToWith(published_or_not),
    notice: None,
};

const SAVE_CALL: Call = Call { endpoint: "/api/save_draft", max_body: POST_BODY, is_for_anyone: false };

/// The other button of the same page.
static SAVE_NEW_DRAFT: Form = Form {
    call: SAVE_CALL,
    page: "/my-posts/new/draft",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoTo(editor),
    notice: Some(&DRAFT_SAVED),
};

static SAVE_DRAFT: Form = Form {
    call: SAVE_CALL,
    page: "/my-posts/{id}/draft",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoTo(editor),
    notice: Some(&DRAFT_SAVED),
};

static PUBLISH_POST: Form = Form {
    call: Call { endpoint: "/api/publish_post", max_body: POST_BODY, is_for_anyone: false },
    page: "/my-posts/{id}/publish",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoToWith(published_or_not),
    notice: None,
};

static UNPUBLISH_POST: Form = Form {
    call: Call { endpoint: "/api/unpublish_post", max_body: POST_BODY, is_for_anyone: false },
    page: "/my-posts/{id}/unpublish",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoTo(editor),
    notice: Some(&UNPUBLISHED),
};

/// Everyone may send it. It leaves no cookie, so a page of its own says thank you.
static REPORT_POST: Form = Form {
    call: Call { endpoint: "/api/report_post", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/posts/{id}/report",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| address::REPORTED.to_owned()),
    notice: None,
};

static RESTORE_REVISION: Form = Form {
    call: Call { endpoint: "/api/restore_revision", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/my-posts/{id}/revisions",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, answer| if is_published(answer) { post(answer) } else { edit(answer) }),
    notice: Some(&VERSION_RESTORED),
};

static UPDATE_POST: Form = Form {
    call: Call { endpoint: "/api/update_post", max_body: POST_BODY, is_for_anyone: false },
    page: "/my-posts/{id}/edit",
    holds_text: true,
    is_shown_again: true,
    then: Then::GoTo(|_, answer| post(answer)),
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
    then: Then::GoToWith(|_, answer| match is_published(answer) {
        true => (post(answer), Some(&RESTORED)),
        false => (edit(answer), Some(&DRAFT_RESTORED)),
    }),
    notice: None,
};

pub static PUBLISHED: Notice = Notice { name: "published", sentence: "Your post is published." };
pub static SAVED: Notice = Notice { name: "saved", sentence: "Your changes are saved." };
pub static DELETED: Notice =
    Notice { name: "deleted", sentence: "The post is deleted. It stays in your trash for 30 days." };
static RESTORED: Notice = Notice { name: "restored", sentence: "The post is published again." };

static DRAFT_RESTORED: Notice = Notice { name: "draft-restored", sentence: "The draft is back." };
static DRAFT_SAVED: Notice = Notice {
    name: "draft-saved",
    sentence: "Your draft is saved. Nobody else sees it until you publish it.",
};
static WAITING: Notice = Notice {
    name: "waiting",
    sentence: "Your post waits for approval. Nobody else sees it until whoever runs the site approves it.",
};
static SCHEDULED: Notice =
    Notice { name: "scheduled", sentence: "Your post is scheduled. It stays a draft until then." };
static UNPUBLISHED: Notice =
    Notice { name: "unpublished", sentence: "The post is a draft again. Nobody else sees it." };
static VERSION_RESTORED: Notice =
    Notice { name: "version-restored", sentence: "The earlier version is back, as the newest one." };

fn is_published(answer: &Value) -> bool {
    answer["status"] == "published"
}

fn published_or_not(_: &Values, answer: &Value) -> (String, Option<&'static Notice>) {
    if is_published(answer) {
        (post(answer), Some(&PUBLISHED))
    } else if answer["waits_since"].is_null() {
        (edit(answer), Some(&SCHEDULED))
    } else {
        ("/my-posts".to_owned(), Some(&WAITING))
    }
}

fn editor(_: &Values, answer: &Value) -> String {
    edit(answer)
}

fn edit(answer: &Value) -> String {
    format!("/my-posts/{}/edit", answer["id"].as_str().unwrap_or_default())
}

fn post(answer: &Value) -> String {
    // By what never changes: whoever scripts a form reads the id there.
    address::of_id(answer["id"].as_str().unwrap_or_default())
}
