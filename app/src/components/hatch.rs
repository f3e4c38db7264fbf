//! The hatch means "will not go out", here and nowhere else.

use leptos::prelude::*;

/// The patterns, once per document, in an svg of no size: under `display: none` they would not paint.
pub fn patterns() -> AnyView {
    view! {
        <svg class="hatch-defs" width="0" height="0" aria-hidden="true" focusable="false">
            <defs>
                <pattern id="hatch-stop" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="hatch__ground hatch__ground--stop" width="6" height="6"></rect>
                    <rect class="hatch__line hatch__line--stop" width="3" height="6"></rect>
                </pattern>
                <pattern id="hatch-need" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
                    <rect class="hatch__ground hatch__ground--need" width="6" height="6"></rect>
                    <rect class="hatch__line hatch__line--need" width="3" height="6"></rect>
                </pattern>
            </defs>
        </svg>
    }
    .into_any()
}
