//! A row of Linked Accounts.

use domain::summary::accounts::{AccountRow, AccountStatus};
use leptos::prelude::*;

use super::countdown::countdown;
use super::form::{Refresh, refresh_button};
use super::icon::{avatar, icon};
use super::login_line::login_line;
use crate::words::{self, Tone, account_path};

/// The status for tests and styles.
pub const fn status_code(status: AccountStatus) -> &'static str {
    match status {
        AccountStatus::Disconnected { .. } => "disconnected",
        AccountStatus::Blocked { .. } => "blocked",
        AccountStatus::Gone { .. } => "gone",
        AccountStatus::Trouble { .. } => "trouble",
        AccountStatus::EndsSoon => "ends_soon",
        AccountStatus::Paused => "paused",
        AccountStatus::Connected => "connected",
    }
}

/// Icon and word. The `!` is the mark of a disconnected account.
pub fn account_status(row: &AccountRow, class: &'static str) -> AnyView {
    let (tone, word) = words::account_status(row);
    let mark = if tone == Tone::Stop {
        view! {
            <svg class="icon" role="img" aria-label="!" data-testid="disconnected-mark"><use_ href=format!("/icons.svg#{}", tone.icon())/></svg>
        }
        .into_any()
    } else {
        icon(tone.icon())
    };
    let left = match row.status {
        AccountStatus::Trouble { retry_at } => Some(retry_at),
        AccountStatus::EndsSoon => row.act_by.as_ref().map(|end| end.moment.at),
        _ => None,
    };
    let wrap = if tone == Tone::Wait { "" } else { " nowrap" };
    view! { <p class=format!("{} {class}{wrap}", tone.class())>{mark}{word}{left.map(countdown)}</p> }.into_any()
}

/// "Facebook Page, login of Mara Jung".
pub fn account_kind(row: &AccountRow) -> String {
    let kind = row.platform.account_word();
    if row.login_of.is_empty() || row.login_of == row.name { kind.to_owned() } else { format!("{kind}, login of {}", row.login_of) }
}

/// Whether and how Refresh Credentials is offered.
pub fn refresh_of(row: &AccountRow) -> Option<Refresh> {
    row.can_refresh.then(|| Refresh { is_primary: row.status.is_disconnected(), ..Refresh::new(row.grant, row.platform, &row.name) })
}

/// The row. It stays where it is; only what changed is drawn again. A changed status is said once in `said`.
pub fn account_row(row: Memo<AccountRow>, slug: &str, may_refresh: bool, said: RwSignal<String>) -> AnyView {
    let first = row.get_untracked();
    let line = Memo::new(move |_| row.with(|row| (row.line.clone(), row.status, row.cost.clone())));
    let state = Memo::new(move |_| row.with(|row| (row.status, row.act_by.clone())));
    let cost = Memo::new(move |_| row.with(words::account_cost));
    let refresh = Memo::new(move |_| row.with(|row| row.can_refresh.then(|| row.status.is_disconnected())));
    Effect::new(move |before: Option<&'static str>| {
        let code = row.with(|row| status_code(row.status));
        if before.is_some_and(|before| before != code) {
            said.set(row.with_untracked(|row| format!("{}: {}", row.name, words::account_status(row).1)));
        }
        code
    });
    let kind = account_kind(&first);
    view! {
        <li
            class="account"
            id=format!("account-{}", first.id)
            data-testid="account-row"
            data-account=first.id.to_string()
            data-platform=first.platform.code()
            data-status=move || state.with(|(status, _)| status_code(*status))
        >
            <a class="account__who" href=account_path(slug, first.id)>
                {avatar(first.platform, "")}
                <span>
                    <span class="account__name">{move || row.with(|row| row.name.clone())}</span>
                    <span class="account__kind">{kind}</span>
                </span>
            </a>
            {move || {
                state.track();
                row.with_untracked(|row| account_status(row, "account__status"))
            }}
            {move || {
                line.track();
                row.with_untracked(|row| login_line(row, "account__line"))
            }}
            <p class="account__cost" data-testid="account-cost">{move || cost.get()}</p>
            <div class="account__actions">
                {move || {
                    refresh.track();
                    row.with_untracked(|row| refresh_of(row).filter(|_| may_refresh).map(refresh_button))
                }}
            </div>
        </li>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
pub(crate) mod tests {
    use domain::cause::Cause;
    use domain::grant::RenewedBy;
    use domain::id::{AccountId, GrantId};
    use domain::platform::Platform;
    use domain::summary::accounts::{Cost, LoginLine};
    use domain::summary::{End, Moment};
    use domain::time::Timestamp;

    use super::*;

    const DAY: i64 = 86_400_000_000;

    fn moment(at: i64, near: &str) -> Moment {
        Moment {
            at: Timestamp(at),
            text: "Fri 20 Nov, 20:41".to_owned(),
            day: "Fri 20 Nov".to_owned(),
            time: "20:41".to_owned(),
            near: near.to_owned(),
        }
    }

    pub(crate) fn lost(name: &str) -> AccountRow {
        AccountRow {
            id: AccountId([7; 16]),
            grant: GrantId([8; 16]),
            platform: Platform::Facebook,
            name: name.to_owned(),
            handle: None,
            status: AccountStatus::Disconnected { since: Timestamp(15 * DAY), cause: Cause::Expired },
            login_of: "Mara Jung".to_owned(),
            siblings: Vec::new(),
            renewed_by: RenewedBy::Person,
            act_by: Some(End { moment: moment(15 * DAY, "Fri 20:41"), is_stated: true, is_past: true }),
            renews_next: None,
            cost: Cost { will_not_go_out: 7, next: Some(moment(16 * DAY, "tomorrow 09:00")), ..Cost::default() },
            line: LoginLine {
                from: Timestamp(0),
                now: Timestamp(15 * DAY),
                to: Timestamp(75 * DAY),
                began: Timestamp(0),
                end: Some(Timestamp(15 * DAY)),
                renewals: Vec::new(),
                next_renewal: None,
                posts: vec![Timestamp(16 * DAY)],
            },
            can_refresh: true,
            is_paused: false,
        }
    }

    fn html(row: AccountRow, may_refresh: bool) -> String {
        let owner = Owner::new();
        owner.with(|| account_row(Memo::new(move |_| row.clone()), "blumen-jung", may_refresh, RwSignal::new(String::new())).to_html())
    }

    #[test]
    fn a_lost_login_shows_the_mark_the_cost_and_the_button() {
        let html = html(lost("Blumen Jung"), true);
        assert!(html.contains("data-testid=\"disconnected-mark\""), "{html}");
        assert!(html.contains("Login expired Fri 20:41. 7 posts will not go out; the next is tomorrow 09:00."), "{html}");
        assert!(html.contains("Refresh Credentials"), "{html}");
        assert!(html.contains("action=\"/api/v1/link/refresh\""), "{html}");
        assert!(html.contains("href=\"/w/blumen-jung/social/settings/accounts/07"), "{html}");
        assert!(!html.contains("style="), "the page's policy forbids inline style: {html}");
    }

    #[test]
    fn who_may_not_refresh_gets_no_button() {
        assert!(!html(lost("Blumen Jung"), false).contains("Refresh Credentials"));
    }

    #[test]
    fn a_hostile_name_stays_text() {
        let html = html(lost("</span><script>alert(1)</script>"), true);
        assert!(!html.contains("<script"), "{html}");
    }
}
