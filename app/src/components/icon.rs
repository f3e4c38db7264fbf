//! Icons and avatars.

use domain::platform::Platform;
use leptos::prelude::*;

/// An icon of the sprite; its meaning stands beside it as text.
pub fn icon(id: &'static str) -> AnyView {
    view! { <svg class="icon" aria-hidden="true"><use_ href=format!("/icons.svg#{id}")/></svg> }.into_any()
}

/// A single large icon.
pub fn icon_large(id: &'static str) -> AnyView {
    view! { <svg class="icon icon--24" aria-hidden="true"><use_ href=format!("/icons.svg#{id}")/></svg> }.into_any()
}

/// The letter mark of a platform.
pub const fn mark(platform: Platform) -> &'static str {
    match platform {
        Platform::Facebook => "f",
        Platform::Pinterest => "P",
    }
}

/// The circle with the platform's letter mark. `size`: "", "avatar--small" or "avatar--large".
pub fn avatar(platform: Platform, size: &'static str) -> AnyView {
    view! { <span class=format!("avatar {size}") aria-hidden="true">{mark(platform)}</span> }.into_any()
}

/// Our name with the postmark, as a link to the start page.
pub fn brand(class: &'static str, href: String) -> AnyView {
    view! {
        <a class=format!("brand {class}") href=href>
            <svg class="brand__mark" aria-hidden="true"><use_ href="/icons.svg#postmark"/></svg>
            "Stayposted"
        </a>
    }
    .into_any()
}
