//! The frame around every signed-in page.

use domain::role::Action;
use domain::summary::shell::Shell;
use leptos::prelude::*;
use leptos::suspense::Unsuspend;
use leptos_meta::Title;
use leptos_router::components::Outlet;
use leptos_router::hooks::use_params_map;

use super::icon::icon;
use super::load::{failed, loading};
use super::{nav, rehearsal};
use crate::api::shell::shell as load_shell;
use crate::live::Live;

/// Where the person is. A context of every signed-in page.
#[derive(Debug, Clone, Copy)]
pub struct Here(StoredValue<Shell>);

/// The frame's facts, as they were when it was loaded; what changes is in [`Live`].
pub fn here() -> Shell {
    expect_context::<Here>().0.get_value()
}

/// The slug of the workspace that is open, for links and forms; empty outside the frame.
pub fn slug() -> String {
    use_context::<Here>().map(|here| here.0.with_value(|shell| shell.workspace.slug.clone())).unwrap_or_default()
}

/// Whether the person's role in the workspace that is open allows `action`. The server decides; this only hides buttons.
pub fn may(action: Action) -> bool {
    use_context::<Here>().is_some_and(|here| here.0.with_value(|shell| shell.workspace.role.may(action)))
}

/// The name of the workspace that is open.
pub fn workspace_name() -> String {
    use_context::<Here>().map(|here| here.0.with_value(|shell| shell.workspace.name.clone())).unwrap_or_default()
}

/// An address in the workspace that is open.
pub fn link(path: &str) -> String {
    crate::words::href(&slug(), path)
}

/// The title of a page: "(2) Linked Accounts · Stayposted".
pub fn page_title(name: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    let badges = use_context::<Live>().map(|live| live.badges);
    let text = move || {
        let unread = badges.map(|badges| badges.get().unread).unwrap_or_default();
        if unread == 0 { format!("{} · Stayposted", name()) } else { format!("({unread}) {} · Stayposted", name()) }
    };
    // The server writes the head last, when what a page was built from may be gone.
    #[cfg(feature = "ssr")]
    let text = {
        let now = untrack(text);
        move || now.clone()
    };
    view! { <Title text=text/> }.into_any()
}

/// The frame: rail and bars around the page of the route.
#[component]
pub fn Frame() -> impl IntoView {
    let params = use_params_map();
    let slug = Memo::new(move |_| params.read().get("slug").unwrap_or_default());
    let shell = Resource::new(move || slug.get(), load_shell);
    view! {
        <Transition fallback=loading>
            {move || Suspend::new(async move {
                match shell.await {
                    // The server walks what stands under a Suspense up to three times before it renders it, and each walk
                    // would build the page anew and load its data again; this is built once.
                    Ok(shell) => Unsuspend::new(move || framed(shell)).into_any(),
                    Err(error) => view! { <div class="plain"><main class="plain__main" id="main">{failed(&error)}</main></div> }.into_any(),
                }
            })}
        </Transition>
    }
}

fn framed(shell: Shell) -> AnyView {
    let live = Live::new(&shell);
    live.start(&shell);
    provide_context(live);
    provide_context(Here(StoredValue::new(shell.clone())));
    view! {
        {shell.rehearsal.clone().map(rehearsal::strip)}
        <div role="status">
            {move || live.stale.get().map(|said| view! { <p class="strip strip--stale">{icon("trying")}" "{said}</p> })}
        </div>
        <div class="shell">
            {nav::topbar(&shell)}
            {nav::rail(&shell, live)}
            <main class="main" id="main" tabindex="-1"><Outlet/></main>
            {nav::bottombar(&shell, live)}
        </div>
    }
    .into_any()
}
