//! Finds the drafts that are open in a tab. Each editor holds a lock with the name of
//! its draft while its page exists (W3C Web Locks).
//!
//! On a site with plain http that is not localhost, browsers have no locks. Then no
//! draft counts as open, and [`super::drafts::DraftStore::save`]
//! keeps two editors of one draft from overwriting each other.
//!
//! web-sys has these functions only behind a flag for unstable ones, so they are
//! looked up by name.

use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use web_sys::js_sys::{Array, Function, Promise, Reflect};

/// Calls `then` with the names of all locks that are held.
pub fn held(then: impl FnOnce(Vec<String>) + 'static) {
    let asked = locks().and_then(|locks| call(&locks, "query", &[]));
    let Some(asked) = asked else { return then(Vec::new()) };
    let answered = Closure::once_into_js(move |snapshot: JsValue| then(names(&snapshot)));
    // The same for an answer and for a refusal, of which one comes.
    call(&asked, "then", &[answered.clone(), answered]);
}

/// Holds a lock until the page is gone.
pub fn hold(name: &str) {
    let Some(locks) = locks() else { return };
    let held = Closure::once_into_js(|_: JsValue| Promise::new(&mut |_, _| ()));
    call(&locks, "request", &[name.into(), held]);
}

fn locks() -> Option<JsValue> {
    let navigator = leptos::prelude::window().navigator();
    Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object)
}

fn names(snapshot: &JsValue) -> Vec<String> {
    let of = |object: &JsValue, name: &str| Reflect::get(object, &name.into());
    let Ok(held) = of(snapshot, "held") else { return Vec::new() };
    Array::from(&held).iter().filter_map(|lock| of(&lock, "name").ok()?.as_string()).collect()
}

fn call(object: &JsValue, method: &str, arguments: &[JsValue]) -> Option<JsValue> {
    let method: Function = Reflect::get(object, &method.into()).ok()?.dyn_into().ok()?;
    method.apply(object, &arguments.iter().collect::<Array>()).ok()
}
