//! The browser's half: wakes up the page that the server sent.

use app::App;
use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the page once the WASM has arrived.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(App);
}
