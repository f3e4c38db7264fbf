//! What will not go out: logins' ends joined to the plan (design section 4, Forecast).

use crate::grant::{GrantState, RenewedBy};
use crate::time::Timestamp;

/// From when on posts to an account will not go out, if nobody acts. `None`: nothing stands in their way.
pub fn blocked_from(
    grant: GrantState,
    renewed_by: RenewedBy,
    act_by: Option<Timestamp>,
    account_blocked_since: Option<Timestamp>,
) -> Option<Timestamp> {
    let login = match grant {
        GrantState::SignInNeeded { since, .. } => Some(since),
        GrantState::Live | GrantState::Retrying { .. } if renewed_by == RenewedBy::Person => act_by,
        GrantState::Live | GrantState::Retrying { .. } | GrantState::Unlinked => None,
    };
    match (login, account_blocked_since) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;

    #[test]
    fn a_login_that_we_renew_blocks_nothing_ahead() {
        let end = Some(Timestamp(100));
        assert_eq!(blocked_from(GrantState::Live, RenewedBy::Us, end, None), None);
        assert_eq!(blocked_from(GrantState::Live, RenewedBy::Person, end, None), end);
    }

    #[test]
    fn the_earlier_of_login_and_account_counts() {
        let lost = GrantState::SignInNeeded { since: Timestamp(50), cause: Cause::Expired };
        assert_eq!(blocked_from(lost, RenewedBy::Person, None, Some(Timestamp(40))), Some(Timestamp(40)));
    }
}
