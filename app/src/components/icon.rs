//! Icons and avatars.

use domain::platform::Platform;
use leptos::prelude::*;

/// A symbol of the sprite. Its address is made at run time on purpose: the view macro writes subtrees that never change
/// as text, and there calls the element `use_`, which no browser knows.
pub fn sprite(class: &'static str, id: &'static str) -> AnyView {
    view! { <svg class=class aria-hidden="true"><use_ href=format!("/icons.svg#{id}")/></svg> }.into_any()
}

/// An icon; its meaning stands beside it as text.
pub fn icon(id: &'static str) -> AnyView {
    sprite("icon", id)
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
            {sprite("brand__mark", "postmark")}
            "Stayposted"
        </a>
    }
    .into_any()
}
