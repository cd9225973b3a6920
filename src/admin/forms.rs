//! The forms of `/admin`.

use serde_json::Value;

use crate::{
    http::{
        forms::{Call, Form, Notice, Then},
        limits::{ACCOUNT_BODY, POST_BODY},
    },
    ui::Values,
};

/// The page of the settings.
pub const SETTINGS: &str = "/admin/settings";

pub const FORMS: &[&Form] = &[
    &SAVE_SETTINGS,
    &REMOVE_PICTURE,
    &LOCK,
    &UNLOCK,
    &SIGN_OUT,
    &PUT_IN_CHARGE,
    &END_CHARGE,
    &DELETE,
    &APPROVE,
    &HIDE,
    &RESTORE,
    &INVITE,
    &REVOKE,
    &DISMISS,
    &SWEEP,
    &UNDO,
];

static SAVE_SETTINGS: Form = Form {
    // The page "about" is as long as a post may be, and there is a style sheet.
    call: Call {
        endpoint: "/api/admin_save_settings",
        max_body: POST_BODY + 4 * ACCOUNT_BODY,
        is_for_anyone: false,
    },
    page: SETTINGS,
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| SETTINGS.to_owned()),
    notice: Some(&SETTINGS_SAVED),
};

/// The form that takes a picture has a file, so [`super::pictures`] takes it.
static REMOVE_PICTURE: Form = Form {
    call: Call { endpoint: "/api/admin_remove_picture", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/settings/{picture}/remove",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| SETTINGS.to_owned()),
    notice: Some(&PICTURE_REMOVED),
};

/// A button that does something with an account, on a page of its own.
const fn of_account(endpoint: &'static str, page: &'static str, notice: &'static Notice) -> Form {
    Form {
        call: Call { endpoint, max_body: ACCOUNT_BODY, is_for_anyone: false },
        page,
        holds_text: false,
        is_shown_again: false,
        then: Then::GoTo(account),
        notice: Some(notice),
    }
}

static LOCK: Form = of_account("/api/admin_lock_account", "/admin/accounts/{name}/lock", &LOCKED);
static UNLOCK: Form = of_account("/api/admin_unlock_account", "/admin/accounts/{name}/unlock", &UNLOCKED);
static SIGN_OUT: Form =
    of_account("/api/admin_sign_out_account", "/admin/accounts/{name}/sign-out", &SIGNED_OUT);
static PUT_IN_CHARGE: Form =
    of_account("/api/admin_put_in_charge", "/admin/accounts/{name}/put-in-charge", &IN_CHARGE);
static END_CHARGE: Form =
    of_account("/api/admin_end_charge", "/admin/accounts/{name}/end-charge", &CHARGE_ENDED);

static DELETE: Form = Form {
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/admin/accounts".to_owned()),
    ..of_account("/api/admin_delete_account", "/admin/accounts/{name}/delete", &DELETED)
};

static APPROVE: Form = Form {
    call: Call { endpoint: "/api/admin_approve_post", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/posts/{id}/approve",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/admin/posts/waiting".to_owned()),
    notice: Some(&APPROVED),
};

static HIDE: Form = Form {
    call: Call { endpoint: "/api/admin_hide_post", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/posts/{id}/hide",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/admin/posts/hidden".to_owned()),
    notice: Some(&HIDDEN),
};

static RESTORE: Form = Form {
    call: Call { endpoint: "/api/admin_restore_post", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/posts/{id}/restore",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/admin/posts/hidden".to_owned()),
    notice: Some(&POST_RESTORED),
};

static INVITE: Form = Form {
    call: Call { endpoint: "/api/admin_invite", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/invitations",
    holds_text: false,
    is_shown_again: true,
    then: Then::ShowOnce,
    notice: None,
};

static REVOKE: Form = Form {
    call: Call { endpoint: "/api/admin_revoke_invitation", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/invitations/{id}/revoke",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/admin/invitations".to_owned()),
    notice: Some(&REVOKED),
};

static DISMISS: Form = Form {
    call: Call { endpoint: "/api/admin_dismiss_reports", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/reports/{id}/dismiss",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/admin/reports".to_owned()),
    notice: Some(&DISMISSED),
};

static SWEEP: Form = Form {
    call: Call { endpoint: "/api/admin_sweep", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/sweeps",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/admin/sweeps".to_owned()),
    notice: Some(&SWEPT),
};

static UNDO: Form = Form {
    call: Call { endpoint: "/api/admin_undo_sweep", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/admin/sweeps/{id}/undo",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/admin/sweeps".to_owned()),
    notice: Some(&SWEEP_UNDONE),
};

static SETTINGS_SAVED: Notice = Notice { name: "settings-saved", sentence: "The settings are saved." };
/// After a file was sent.
pub static PICTURE_SAVED: Notice =
    Notice { name: "site-picture-saved", sentence: "The picture is saved. Every page shows it from now on." };
static PICTURE_REMOVED: Notice = Notice { name: "site-picture-removed", sentence: "The picture is removed." };
static LOCKED: Notice =
    Notice { name: "account-locked", sentence: "The account is locked, and signed out everywhere." };
static UNLOCKED: Notice = Notice { name: "account-unlocked", sentence: "The account is open again." };
static SIGNED_OUT: Notice =
    Notice { name: "account-signed-out", sentence: "The account is signed out everywhere." };
static IN_CHARGE: Notice = Notice { name: "in-charge", sentence: "They are in charge of the site too." };
static CHARGE_ENDED: Notice =
    Notice { name: "charge-ended", sentence: "They are no longer in charge of the site." };
static DELETED: Notice = Notice {
    name: "account-deleted",
    sentence: "The account is closed, and is being deleted with what belongs to it.",
};
static APPROVED: Notice = Notice { name: "post-approved", sentence: "The post is published." };
static HIDDEN: Notice = Notice {
    name: "post-hidden",
    sentence: "The post is hidden from everyone. Its author reads the reason.",
};
static POST_RESTORED: Notice =
    Notice { name: "hidden-post-restored", sentence: "The post is as it was before it was hidden." };
static REVOKED: Notice = Notice { name: "invitation-revoked", sentence: "The invitation is revoked." };
static DISMISSED: Notice = Notice { name: "reports-dismissed", sentence: "The reports are settled." };
static SWEPT: Notice = Notice {
    name: "swept",
    sentence: "The accounts are being locked, and their posts hidden. This page says how far it is.",
};
static SWEEP_UNDONE: Notice = Notice { name: "sweep-undone", sentence: "It is being undone." };

/// Back to the account.
fn account(typed: &Values, _: &Value) -> String {
    format!("/admin/accounts/{}", typed.get("name").unwrap_or_default())
}
