//! Whole conversations of an adapter. The first byte is the call; what follows are answers with a 0xff between them, each a
//! status and a body.

use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Duration;

use domain::id::DeliveryId;
use domain::platform::Platform;
use platforms::adapter::{AccountAccess, Adapter, App, CallError, Committed, Endpoints, Job, Looked, Tokens};
use platforms::secret::{AccessToken, AppSecret, AuthorizationCode, PkceVerifier, RefreshToken};
use platforms::{Patience, Registry, adapters_with};
use tokio::runtime::{Builder, Runtime};
use url::Url;

use crate::answers::{NOW, sane, status};
use crate::stub::Stub;

/// Stands in every secret, and must stand in no error.
const CANARY: &str = "canary";
/// No call asks a platform more often than this.
const ASKED_MOST: usize = 64;

struct Stage {
    runtime: Runtime,
    stub: Stub,
    adapters: Registry,
}

thread_local! {
    static STAGE: OnceCell<Stage> = const { OnceCell::new() };
}

fn stage() -> Stage {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let stub = runtime.block_on(Stub::start());
    let second = Duration::from_secs(1);
    let adapters = adapters_with(&Patience { connect: second, answer: second, upload: second }).expect("the adapters");
    Stage { runtime, stub, adapters }
}

pub(crate) fn check(platform: Platform, bytes: &[u8]) {
    let [call, rest @ ..] = bytes else { return };
    let answer = |part: &[u8]| part.split_first().map(|(code, body)| (status(*code), body.to_vec()));
    let answers = rest.split(|byte| *byte == 0xff).filter_map(answer).take(ASKED_MOST).collect();
    STAGE.with(|cell| {
        let Stage { runtime, stub, adapters } = cell.get_or_init(stage);
        stub.tell(answers);
        let adapter = Arc::clone(adapters.get(platform));
        runtime.block_on(talk(adapter, *call, &stub.url));
        assert!(stub.tell(std::collections::VecDeque::new()) <= ASKED_MOST, "it asks without end");
    });
}

fn access() -> AccessToken {
    AccessToken::new(format!("{CANARY}-access"))
}

fn job() -> Job {
    Job {
        delivery: DeliveryId([1; 16]),
        account: AccountAccess { remote_id: "1001".into(), access: access() },
        text: "Wreaths".into(),
        title: String::new(),
        link: String::new(),
        board: Some("77".into()),
        images: Vec::new(),
    }
}

async fn talk(adapter: Arc<dyn Adapter>, call: u8, url: &Url) {
    let app = App {
        client_id: "1".into(),
        secret: AppSecret::new(format!("{CANARY}-secret")),
        endpoints: Endpoints { browser: url.clone(), api: url.clone() },
        redirect_uri: "https://app.example/callback".parse().expect("an address"),
    };
    let access = access();
    let account = AccountAccess { remote_id: "1001".into(), access: self::access() };
    match call % 10 {
        0 => {
            let (code, verifier) = (AuthorizationCode::new(format!("{CANARY}-code")), PkceVerifier::new(format!("{CANARY}-verifier")));
            tokens(adapter.exchange(&app, &code, &verifier, NOW).await);
        }
        1 => tokens(adapter.renew(&app, &RefreshToken::new(format!("{CANARY}-refresh")), NOW).await),
        2 => {
            if let Some(identity) = fine(adapter.identify(&app, &access, NOW).await) {
                assert!(!identity.remote_id.is_empty());
            }
        }
        3 => {
            for found in fine(adapter.accounts(&app, &access, NOW).await).unwrap_or_default() {
                assert!(!found.remote_id.is_empty());
            }
        }
        4 => drop(fine(adapter.probe(&app, &account, NOW).await)),
        5 => committed(adapter.commit(&app, &job(), &[], NOW).await),
        6 => {
            let attempted_at = NOW - Duration::from_secs(40);
            if let Some(Looked::Matches(matches)) = fine(adapter.look(&app, &job(), &[], attempted_at, NOW).await) {
                for found in matches {
                    assert!(!found.remote_id.is_empty() && found.created_at >= attempted_at - Duration::from_secs(120));
                }
            }
        }
        7 => {
            if let Some(outcome) = fine(adapter.follow(&app, &job(), "5", NOW).await) {
                committed(outcome);
            }
        }
        8 => drop(fine(adapter.read_back(&app, &account, "5", NOW).await)),
        _ => drop(fine(adapter.revoke(&app, &access, "9", NOW).await)),
    }
}

/// The success; an error is looked at first.
fn fine<T>(outcome: Result<T, CallError>) -> Option<T> {
    match outcome {
        Ok(value) => Some(value),
        Err(error) => {
            assert!(!format!("{error} {error:?}").contains(CANARY), "an error shows a secret");
            if let CallError::Answered { verdict, wait } = error {
                sane(&verdict, wait);
            }
            None
        }
    }
}

fn tokens(outcome: Result<Tokens, CallError>) {
    let Some(tokens) = fine(outcome) else { return };
    assert!(!tokens.access.to_seal().is_empty());
    assert!(tokens.refresh.is_none_or(|refresh| !refresh.to_seal().is_empty()));
    let century = Duration::from_secs(100 * 366 * 86_400);
    assert!([tokens.access_lives, tokens.refresh_lives].into_iter().flatten().all(|life| !life.is_zero() && life < century));
}

fn committed(outcome: Committed) {
    match outcome {
        Committed::Published { remote_id, .. } => assert!(!remote_id.is_empty()),
        Committed::Processing { handle } => assert!(!handle.is_empty()),
        Committed::Refused { verdict, wait } => sane(&verdict, wait),
        Committed::NotSent(error) => assert!(!error.to_string().contains(CANARY)),
        Committed::Unknown { evidence, error } => {
            evidence.iter().for_each(|verdict| sane(verdict, None));
            assert!(!format!("{error:?}").contains(CANARY));
        }
    }
}
