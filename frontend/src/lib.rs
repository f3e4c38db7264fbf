//! The browser's half: wakes up the page that the server sent.

use std::cell::OnceCell;
use std::panic::PanicHookInfo;
use std::rc::Rc;

use app::App;
use leptos::mount::hydrate_from_async;
use leptos::prelude::{Owner, document};
use leptos::tachys::dom::body;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the WASM has arrived; done when the page is awake, for which its own part of the WASM has to
/// arrive as well.
#[wasm_bindgen]
pub async fn hydrate() {
    std::panic::set_hook(Box::new(stopped));
    let shared = Rc::new(OnceCell::new());
    let of_app = Rc::clone(&shared);
    let app = move || {
        of_app.set(Owner::current_shared_context()).ok();
        App()
    };
    hydrate_from_async(body(), app).await.forget();
    // leptos says this to whichever owner is current by now, which need not be ours.
    if let Some(shared) = shared.get().and_then(Option::as_ref) {
        shared.hydration_complete();
    }
    // Browser tests wait for this: clicks before it are answered by the plain forms and links.
    if let Some(root) = document().document_element() {
        root.set_attribute("data-hydrated", "").ok();
    }
}

/// Says on the page that it has stopped: after a panic nothing on it answers any more. One cause needs no bug: a part of
/// the WASM that cannot be loaded.
fn stopped(panic: &PanicHookInfo<'_>) {
    console_error_panic_hook::hook(panic);
    if let Some(said) = document().get_element_by_id("stopped") {
        said.remove_attribute("hidden").ok();
    }
}
