//! The images of a post: upload with progress, alternative text, removal.

use domain::media::UPLOAD_MAX;
use domain::summary::posts::ImageView;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast;
use web_sys::{Event, HtmlInputElement};

use super::form::error_line;
use super::icon::icon;
use crate::api::media;
use crate::words;

/// The tiles and the field that takes more. `images`: in order; the form sends `images[]` and `alts[]`.
pub fn media_tiles(slug: String, images: RwSignal<Vec<ImageView>>, is_awake: ReadSignal<bool>) -> AnyView {
    let uploading = RwSignal::new(None::<u32>);
    let wrong = RwSignal::new(None::<String>);
    let take = move |event: Event| {
        let Some(input) = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok()) else { return };
        let Some(files) = input.files() else { return };
        wrong.set(None);
        for at in 0..files.length() {
            let Some(file) = files.get(at) else { continue };
            uploading.set(Some(0));
            media::upload(
                &slug,
                &file,
                move |percent| uploading.set(Some(percent)),
                move |answer| {
                    uploading.set(None);
                    match answer {
                        Ok(image) => images.update(|images| images.push(image)),
                        Err(refusal) => wrong.set(Some(words::refusal(&refusal))),
                    }
                },
            );
        }
        // The same file can be taken again after it was removed.
        input.set_value("");
    };
    let hint = format!("JPEG or PNG, up to {}", words::size(UPLOAD_MAX));
    view! {
        <ul class="media">
            <For each=move || images.get() key=|image| image.id let:image>
                {tile(image, images)}
            </For>
        </ul>
        <label class="drop">
            <input
                type="file"
                class="drop__input"
                accept="image/jpeg,image/png"
                multiple
                disabled=move || !is_awake.get()
                data-testid="compose-image"
                on:change=take
            />
            {icon("image")}
            <span>"Add pictures"</span>
            <span class="drop__hint">{hint}</span>
        </label>
        <p class="small muted" role="status">
            {move || uploading.get().map(|percent| format!("Uploading: {percent} %"))}
        </p>
        {error_line(wrong.into())}
    }
    .into_any()
}

fn tile(image: ImageView, images: RwSignal<Vec<ImageView>>) -> AnyView {
    let id = image.id;
    let number = move || images.with(|images| images.iter().position(|image| image.id == id).unwrap_or_default() + 1);
    let field = format!("alt-{id}");
    let facts = (image.width > 0).then(|| view! { <p class="media__facts">{format!("{} × {}", image.width, image.height)}</p> });
    view! {
        <li class="media__tile" data-testid="compose-tile">
            <img src=image.url alt="" width="80" height="80"/>
            <div class="media__side">
                <label class="field__label" for=field.clone()>
                    {move || format!("Picture text {}", number())}
                </label>
                <input class="input" id=field name="alts[]" value=image.alt maxlength="500"/>
                <input type="hidden" name="images[]" value=id.to_string()/>
                {facts}
            </div>
            <button
                class="button button--icon button--quiet"
                type="button"
                aria-label=move || format!("Remove picture {}", number())
                on:click=move |_| images.update(|images| images.retain(|image| image.id != id))
            >
                {icon("trash")}
            </button>
        </li>
    }
    .into_any()
}
