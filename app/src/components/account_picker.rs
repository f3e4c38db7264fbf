//! The accounts of a post, as chips that are checkboxes; a board beside each account that has some.

use domain::id::AccountId;
use domain::policy;
use domain::post::Target;
use domain::summary::compose::ComposeAccount;
use leptos::prelude::*;

use super::icon::avatar;

/// The chips. `targets`: what is picked at first.
pub fn account_picker(accounts: &[ComposeAccount], targets: &[Target]) -> AnyView {
    accounts.iter().map(|account| chip(account, targets.iter().find(|target| target.account == account.id))).collect_view().into_any()
}

fn chip(account: &ComposeAccount, target: Option<&Target>) -> AnyView {
    let id: AccountId = account.id;
    let limits = &policy::of(account.platform).limits;
    let state = if !account.can_post {
        Some(("icon chip__state status--stop", "#stop", "disconnected".to_owned()))
    } else {
        account
            .end
            .as_ref()
            .filter(|_| account.ends_soon)
            .map(|end| ("icon chip__state status--need", "#clock", format!("login until {}", end.moment.day)))
    };
    let state = state.map(|(class, icon, said)| {
        view! {
            <svg class=class aria-hidden="true">
                <use_ href=format!("/icons.svg{icon}")></use_>
            </svg>
            <span class="visually-hidden">{format!(", {said}")}</span>
        }
    });
    view! {
        <div class="picker__account">
            <label class="chip">
                <input
                    class="chip__box"
                    type="checkbox"
                    name="accounts[]"
                    value=id.to_string()
                    checked=target.is_some()
                    data-testid=format!("compose-account-{id}")
                    data-titled=limits.title.is_some().to_string()
                />
                <span class="chip__face">
                    {avatar(account.platform, "avatar--small")} <span class="chip__name">{account.name.clone()}</span>
                    <span class="visually-hidden">{format!(", {}", account.platform.account_word())}</span> {state}
                </span>
            </label>
            {limits.needs_board.then(|| boards(account, target))}
        </div>
    }
    .into_any()
}

/// Shown while the account is picked (`picker.css`), with and without script.
fn boards(account: &ComposeAccount, target: Option<&Target>) -> AnyView {
    let chosen = target.and_then(|target| target.board.as_deref());
    let board = |(board, name): &(String, String)| {
        let value = format!("{}:{board}", account.id);
        view! { <option value=value selected=chosen == Some(board.as_str())>{name.clone()}</option> }
    };
    view! {
        <label class="picker__board">
            <span class="visually-hidden">{format!("Board for {}", account.name)}</span>
            <select class="input" name="boards[]" data-testid=format!("compose-board-{}", account.id)>
                <option value="">"Choose a board"</option>
                {account.boards.iter().map(board).collect_view()}
            </select>
        </label>
    }
    .into_any()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use domain::platform::Platform;
    use domain::summary::{End, Moment};
    use domain::time::Timestamp;

    use super::*;

    fn html(can_post: bool, ends_soon: bool) -> String {
        let day = "Thu 3 Dec".to_owned();
        let moment = Moment { at: Timestamp(10), text: "Thu 3 Dec, 14:02".to_owned(), near: day.clone(), time: "14:02".to_owned(), day };
        let account = ComposeAccount {
            id: AccountId([1; 16]),
            name: "Blumen Jung".to_owned(),
            platform: Platform::Facebook,
            boards: Vec::new(),
            can_post,
            end: Some(End { moment, is_stated: true, is_past: false }),
            ends_soon,
            login_of: "Mara Jung".to_owned(),
        };
        Owner::new().with(|| chip(&account, None).to_html())
    }

    #[test]
    fn a_healthy_login_is_quiet_and_one_that_ends_soon_has_the_clock() {
        assert!(!html(true, false).contains("chip__state"));
        assert!(html(true, true).contains("login until Thu 3 Dec"));
        assert!(html(false, true).contains("disconnected"));
    }
}
