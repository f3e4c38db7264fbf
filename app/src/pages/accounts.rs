//! Linked Accounts: rows by trouble on one shared axis of time.

use domain::grant::RenewedBy;
use domain::id::{AccountId, GrantId};
use domain::summary::accounts::{AccountRow, AccountStatus, AccountsPage as Accounts, LinkablePlatform};
use domain::summary::shell::EventKind;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::api::accounts::list_accounts;
use crate::api::link::StartLink;
use crate::components::account_row::account_row;
use crate::components::empty::empty;
use crate::components::form::{PostForm, form_error, lead_out, workspace_field};
use crate::components::frame::{page_title, slug};
use crate::components::load::load;
use crate::components::login_line::axis;
use crate::components::nav::page_head;
use crate::components::status::status_mark;
use crate::words::Tone;

/// From this many accounts on there is a search.
const MANY: usize = 12;

/// Linked Accounts.
#[component]
pub fn AccountsPage() -> impl IntoView {
    view! {
        {page_title(|| "Linked Accounts".to_owned())}
        <div class="page">
            {page_head(Some("Social › Settings"), "Linked Accounts".to_owned(), view! { <a class="button" href="#link">"Link an account"</a> })}
            {load(slug, list_accounts, &[EventKind::Accounts, EventKind::Posts], show)}
        </div>
    }
}

fn show(data: RwSignal<Accounts>) -> AnyView {
    let slug = StoredValue::new(slug());
    let query = use_query_map();
    let sought = Memo::new(move |_| query.read().get("q").unwrap_or_default().trim().to_lowercase());
    let items = Memo::new(move |_| {
        let sought = sought.get();
        let fits = |row: &&AccountRow| {
            sought.is_empty() || row.name.to_lowercase().contains(&sought) || row.login_of.to_lowercase().contains(&sought)
        };
        data.with(|page| {
            let rows: Vec<&AccountRow> = page.rows.iter().filter(fits).collect();
            if sought.is_empty() && rows.len() > MANY { folded(&rows) } else { rows.iter().map(|row| Item::Row(row.id)).collect() }
        })
    });
    let has_many = Memo::new(move |_| data.with(|page| page.rows.len() > MANY));
    let is_empty = Memo::new(move |_| data.with(|page| page.rows.is_empty()));
    let rights = Memo::new(move |_| data.with(|page| (page.may_manage, page.may_refresh)));
    let platforms = Memo::new(move |_| data.with(|page| page.platforms.clone()));
    let said = RwSignal::new(String::new());
    let row = move |id| {
        let first = data.with_untracked(|page| page.rows.iter().find(|row| row.id == id).cloned())?;
        let row = Memo::new(move |_| {
            // A row that has just gone keeps its last facts until it is taken out.
            data.with(|page| page.rows.iter().find(|row| row.id == id).cloned()).unwrap_or_else(|| first.clone())
        });
        Some(slug.with_value(|slug| account_row(row, slug, rights.get_untracked().1, said)))
    };
    let item = move |item| match item {
        Item::Row(id) => row(id).into_any(),
        Item::Group(grant) => {
            let ids = Memo::new(move |_| {
                data.with(|page| page.rows.iter().filter(|row| is_fine(row, grant)).map(|row| row.id).collect::<Vec<_>>())
            });
            let login_of = data.with_untracked(|page| page.rows.iter().find(|row| row.grant == grant).map(|row| row.login_of.clone()));
            view! {
                <li>
                    <details class="account-group" data-testid="account-group">
                        <summary class="account-group__head">
                            {status_mark(Tone::Ok, "Connected".to_owned())}
                            <span class="account-group__name">{format!("Login of {}", login_of.unwrap_or_default())}</span>
                            <span class="account-group__note">{move || format!("{} accounts, all fine", ids.read().len())}</span>
                        </summary>
                        <ul><For each=move || ids.get() key=|id| *id children=row/></ul>
                    </details>
                </li>
            }
            .into_any()
        }
    };
    view! {
        {move || has_many.get().then(|| search(sought.get()))}
        <p class="visually-hidden" role="status">{move || said.get()}</p>
        {move || {
            if is_empty.get() {
                let action = view! { <a class="button button--primary" href="#link">"Link an account"</a> };
                return empty("No account is linked yet.", action);
            }
            view! {
                <div class="accounts">
                    <div class="accounts__head" aria-hidden="true">
                        <span>"Account"</span>
                        <span>"Status"</span>
                        {move || data.with(|page| page.rows.first().map(|row| axis(&row.line, &page.axis)))}
                        <span></span>
                    </div>
                    <ul><For each=move || items.get() key=|item| *item children=item/></ul>
                </div>
            }
            .into_any()
        }}
        {move || rights.get().0.then(|| platforms.with(|platforms| link_section(platforms)))}
    }
    .into_any()
}

/// A line of a long list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Item {
    /// An account.
    Row(AccountId),
    /// The accounts behind one login that are fine.
    Group(GrantId),
}

fn is_fine(row: &AccountRow, grant: GrantId) -> bool {
    row.grant == grant && row.status == AccountStatus::Connected
}

/// Rows in their order; the fine ones behind one login fold into one line.
fn folded(rows: &[&AccountRow]) -> Vec<Item> {
    let mut items = Vec::new();
    for row in rows {
        let is_group = rows.iter().filter(|other| is_fine(other, row.grant)).count() > 1;
        let item = if is_group && is_fine(row, row.grant) { Item::Group(row.grant) } else { Item::Row(row.id) };
        if !items.contains(&item) {
            items.push(item);
        }
    }
    items
}

fn search(sought: String) -> AnyView {
    view! {
        <form class="filters" method="get" role="search">
            <input class="input filters__search" type="search" name="q" value=sought aria-label="Search accounts" placeholder="Search"/>
            <button class="button" type="submit">"Show"</button>
        </form>
    }
    .into_any()
}

/// One row per platform: how long a login lasts, who renews.
fn link_section(platforms: &[LinkablePlatform]) -> AnyView {
    let rows: Vec<_> = platforms.iter().map(link_row).collect();
    view! {
        <section class="block" id="link" aria-labelledby="link-title">
            <h2 class="block__title" id="link-title">"Link an account"</h2>
            <ul>{rows}</ul>
        </section>
    }
    .into_any()
}

fn link_row(linkable: &LinkablePlatform) -> AnyView {
    let platform = linkable.platform;
    let name = platform.name();
    let lasts = match (linkable.is_set_up, linkable.renewed_by, linkable.lasts_days) {
        (false, ..) => "Not set up on this server.".to_owned(),
        (_, RenewedBy::Us, _) => "Renews by itself.".to_owned(),
        (_, RenewedBy::Person, Some(days)) => format!("A login lasts {days} days; then somebody signs in again. We remind you."),
        (_, RenewedBy::Person, None) => "Somebody has to sign in from time to time. We remind you.".to_owned(),
        (_, RenewedBy::Nobody, _) => "A login does not end.".to_owned(),
    };
    let button = linkable.is_set_up.then(|| {
        let action = ServerAction::<StartLink>::new();
        lead_out(action);
        let pending = action.pending();
        view! {
            <PostForm action=action>
                {workspace_field()}
                <input type="hidden" name="platform" value=platform.code()/>
                <button
                    class="button"
                    type="submit"
                    data-testid="link-platform"
                    data-platform=platform.code()
                    aria-busy=move || pending.get().to_string()
                >
                    {format!("Link {name}")}
                </button>
                {form_error(action)}
            </PostForm>
        }
    });
    view! {
        <li class="setting">
            <div class="setting__text"><strong>{name}</strong><p class="small muted">{lasts}</p></div>
            {button}
        </li>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::components::account_row::tests::lost;

    #[test]
    fn fine_accounts_of_one_login_fold_and_lost_ones_stay() {
        let row = |id, grant, is_fine: bool| {
            let mut row = lost("Riverside");
            (row.id, row.grant) = (AccountId([id; 16]), GrantId([grant; 16]));
            if is_fine {
                row.status = AccountStatus::Connected;
            }
            row
        };
        let rows = [row(1, 7, false), row(2, 7, true), row(3, 7, true), row(4, 8, true)];
        let rows: Vec<&AccountRow> = rows.iter().collect();
        let expected = [Item::Row(AccountId([1; 16])), Item::Group(GrantId([7; 16])), Item::Row(AccountId([4; 16]))];
        assert_eq!(folded(&rows), expected);
    }
}
