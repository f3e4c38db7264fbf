//! Faults that somebody asked for: what they are, and which call they strike.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum $name { $($variant),+ }

        impl $name {
            pub(crate) const NAMES: &'static [&'static str] = &[$($text),+];

            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            fn parse(text: &str) -> Option<Self> {
                match text { $($text => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

named! {
    /// What goes wrong (design section 8).
    Kind {
        Expire = "expire",
        Revoke = "revoke",
        ChangePassword = "change_password",
        RemoveScope = "remove_scope",
        RemoveRole = "remove_role",
        Checkpoint = "checkpoint",
        DeleteAccount = "delete_account",
        PolicyBlock = "policy_block",
        RetireVersion = "retire_version",
        RateLimit = "rate_limit",
        ServerError = "server_error",
        Slow = "slow",
        BrokenJson = "broken_json",
        DropBeforeAccept = "drop_before_accept",
        DropAfterAccept = "drop_after_accept",
        ErrorAfterAccept = "error_after_accept",
        RotateAndLose = "rotate_and_lose",
        ListingLag = "listing_lag",
    }
}

named! {
    /// What a call is for.
    Op {
        Token = "token",
        Profile = "profile",
        Prepare = "prepare",
        Commit = "commit",
        Read = "read",
    }
}

impl Kind {
    /// Whether it changes the platform's world rather than one answer.
    pub(crate) const fn is_change_of_world(self) -> bool {
        matches!(
            self,
            Self::Expire
                | Self::Revoke
                | Self::ChangePassword
                | Self::RemoveScope
                | Self::RemoveRole
                | Self::Checkpoint
                | Self::DeleteAccount
                | Self::PolicyBlock
                | Self::RetireVersion
        )
    }
}

/// A fault that waits for its calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    pub(crate) op: Option<Op>,
    /// Remote id of a person, Page or board.
    pub(crate) account: Option<String>,
    /// Matching calls to let pass first.
    pub(crate) after: u64,
    /// Matching calls still to strike.
    pub(crate) times: u64,
    /// `slow`: how long. `listing_lag`: how long.
    pub(crate) seconds: Option<u64>,
    /// `rate_limit`: seconds until calls are taken again, as the answer says.
    pub(crate) retry_after: Option<u64>,
    /// `remove_scope`: which.
    pub(crate) scope: Option<String>,
    /// `expire`: `access` leaves the refresh token alive.
    pub(crate) part: Option<String>,
}

/// What a call is about, as far as faults ask.
#[derive(Debug, Clone)]
pub(crate) struct Aim {
    pub(crate) op: Op,
    /// Remote ids: the first is what the call log names.
    pub(crate) accounts: Vec<String>,
    /// Whether it trades a token for a fresh one.
    pub(crate) is_renewal: bool,
}

impl Fault {
    /// Reads a request body. The error is the body of the refusal.
    pub(crate) fn from_request(body: &Value) -> Result<Self, Value> {
        let refuse = |why: String| {
            json!({ "error": why, "kinds": Kind::NAMES, "ops": Op::NAMES,
                    "fields": ["kind", "op", "account", "after", "times", "seconds", "retry_after", "scope", "part"] })
        };
        let Some(fields) = body.as_object() else {
            return Err(refuse("the body is not a JSON object".to_owned()));
        };
        let known = ["kind", "op", "account", "after", "times", "seconds", "retry_after", "scope", "part"];
        if let Some(name) = fields.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(refuse(format!("unknown field {name:?}")));
        }
        let text = |name: &str| match &body[name] {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Number(number) if name == "account" => Ok(Some(number.to_string())),
            other => Err(refuse(format!("{name} is not text: {other}"))),
        };
        let count = |name: &str| match &body[name] {
            Value::Null => Ok(None),
            value => match value.as_u64() {
                Some(number) => Ok(Some(number)),
                None => Err(refuse(format!("{name} is not a whole number: {value}"))),
            },
        };
        let kind = text("kind")?.unwrap_or_default();
        let kind = Kind::parse(&kind).ok_or_else(|| refuse(format!("unknown kind {kind:?}")))?;
        let op = match text("op")? {
            None => None,
            Some(name) => Some(Op::parse(&name).ok_or_else(|| refuse(format!("unknown op {name:?}")))?),
        };
        Ok(Self {
            kind,
            op,
            account: text("account")?.filter(|account| !account.is_empty()),
            after: count("after")?.unwrap_or(0),
            times: count("times")?.unwrap_or(1).max(1),
            seconds: count("seconds")?,
            retry_after: count("retry_after")?,
            scope: text("scope")?,
            part: text("part")?,
        })
    }

    /// Whether it happens the moment it is asked for.
    pub(crate) fn is_at_once(&self) -> bool {
        self.kind.is_change_of_world() && self.op.is_none() && self.after == 0
    }

    fn matches(&self, aim: &Aim) -> bool {
        let op = match self.kind {
            Kind::ListingLag => aim.op == Op::Commit,
            Kind::RotateAndLose => aim.is_renewal,
            _ => self.op.is_none_or(|op| op == aim.op),
        };
        op && self.account.as_ref().is_none_or(|account| aim.accounts.contains(account))
    }

    /// Counts a call. Returns whether it is struck; a fault with no `times` left is to be removed.
    pub(crate) fn strikes(&mut self, aim: &Aim) -> bool {
        if self.times == 0 || !self.matches(aim) {
            return false;
        }
        if self.after > 0 {
            self.after -= 1;
            return false;
        }
        self.times -= 1;
        true
    }
}

/// The faults that strike one call.
#[derive(Debug, Default)]
pub(crate) struct Plan(pub(crate) Vec<Fault>);

impl Plan {
    pub(crate) fn find(&self, kind: Kind) -> Option<&Fault> {
        self.0.iter().find(|fault| fault.kind == kind)
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.find(kind).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aim(op: Op) -> Aim {
        Aim { op, accounts: vec!["1".to_owned()], is_renewal: false }
    }

    #[test]
    fn every_name_reads_back() {
        for name in Kind::NAMES {
            assert_eq!(Kind::parse(name).map(Kind::name), Some(*name));
        }
        assert_eq!(Kind::NAMES.len(), 18);
    }

    #[test]
    fn a_fault_skips_and_then_strikes_its_times() {
        let mut fault = Fault::from_request(&json!({ "kind": "server_error", "op": "commit", "after": 1, "times": 2 })).expect("valid");
        let struck: Vec<bool> = (0..5).map(|_| fault.strikes(&aim(Op::Commit))).collect();
        assert_eq!(struck, [false, true, true, false, false]);
        assert!(!fault.strikes(&aim(Op::Read)));
    }

    #[test]
    fn another_account_is_left_alone() {
        let mut fault = Fault::from_request(&json!({ "kind": "slow", "account": "2" })).expect("valid");
        assert!(!fault.strikes(&aim(Op::Read)));
        assert_eq!(fault.times, 1);
    }

    #[test]
    fn an_unknown_kind_is_told_which_ones_exist() {
        let refusal = Fault::from_request(&json!({ "kind": "explode" })).expect_err("unknown");
        assert_eq!(refusal["kinds"].as_array().map(Vec::len), Some(18));
    }
}
