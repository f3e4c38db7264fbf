//! People, sessions and the first start (reliability S1, S2, S5, D3), on both databases.

#![allow(clippy::unwrap_used)] // the lint's own exception knows #[test] functions only, not what they call

use std::net::IpAddr;
use std::time::{Duration, Instant};

use domain::role::Role;
use domain::summary::refusal::ErrorCode;
use domain::time::{days, minutes};
use secrecy::{ExposeSecret, SecretString};
use service::ServiceError;
use service::auth::NewOwner;
use testkit::backend::{Backend, PASSWORD};

fn code<T: std::fmt::Debug>(answer: Result<T, ServiceError>) -> ErrorCode {
    answer.unwrap_err().refusal().code
}

fn owner(email: &str) -> NewOwner {
    NewOwner {
        name: "Mara Jung".to_owned(),
        email: email.to_owned(),
        password: SecretString::from(PASSWORD),
        workspace: "Blumen Jung".to_owned(),
        zone: "Europe/Berlin".to_owned(),
    }
}

fn password(text: &str) -> SecretString {
    SecretString::from(text)
}

async fn each() -> Vec<Backend> {
    let mut all = Vec::new();
    for fresh in testkit::db::each().await {
        all.push(Backend::on(fresh).await);
    }
    all
}

#[tokio::test]
async fn the_first_owner_needs_the_printed_code_once() {
    for backend in each().await {
        let services = &backend.services;
        assert!(!services.has_owner().await.unwrap());
        let first = services.new_setup_code().await.unwrap().unwrap();
        let second = services.new_setup_code().await.unwrap().unwrap();
        assert_ne!(first, second);
        assert_eq!(
            code(services.create_first_owner(&first, owner("mara@x.example")).await),
            ErrorCode::WrongCode,
            "a newer one replaced it"
        );
        assert_eq!(code(services.create_first_owner("", owner("mara@x.example")).await), ErrorCode::WrongCode);
        let session = services.create_first_owner(&second.to_lowercase().replace('-', " "), owner("Mara@X.example")).await.unwrap();
        let caller = services.caller_of_session(session.token.expose_secret(), None).await.unwrap().unwrap();
        assert_eq!((caller.role, caller.is_operator), (Role::Owner, true));
        assert!(services.has_owner().await.unwrap());
        assert_eq!(services.new_setup_code().await.unwrap(), None);
        assert_eq!(code(services.create_first_owner(&second, owner("tom@x.example")).await), ErrorCode::OwnerExists);
        assert!(services.sign_in("mara@x.example", password(PASSWORD), None).await.is_ok());
    }
}

#[tokio::test]
async fn of_two_first_starts_at_once_exactly_one_wins() {
    for backend in each().await {
        let services = &backend.services;
        let printed = services.new_setup_code().await.unwrap().unwrap();
        let starts = (0..4).map(|number| {
            let (services, printed) = (services.clone(), printed.clone());
            tokio::spawn(async move { services.create_first_owner(&printed, owner(&format!("p{number}@x.example"))).await.map(drop) })
        });
        let mut won = 0;
        for start in starts.collect::<Vec<_>>() {
            match start.await.unwrap() {
                Ok(()) => won += 1,
                Err(error) => {
                    assert!(matches!(error.refusal().code, ErrorCode::OwnerExists | ErrorCode::WrongCode), "{}: {error:?}", backend.kind)
                }
            }
        }
        assert_eq!(won, 1, "{}", backend.kind);
        let people = services.store.rows::<(i64,)>("select count(*) from people", &[]).await.unwrap();
        assert_eq!(people[0].0, 1);
    }
}

#[tokio::test]
async fn what_cannot_be_an_owner_is_refused() {
    let backend = Backend::new().await;
    let with = |change: fn(&mut NewOwner)| {
        let mut new = owner("mara@x.example");
        change(&mut new);
        new
    };
    for (new, expected) in [
        (with(|new| new.name = "  ".to_owned()), ErrorCode::BadName),
        (with(|new| new.workspace = "x".repeat(101)), ErrorCode::BadName),
        (with(|new| new.email = "mara".to_owned()), ErrorCode::BadEmail),
        (with(|new| new.password = password("short")), ErrorCode::BadPassword),
        (with(|new| new.password = SecretString::from("x".repeat(501))), ErrorCode::BadPassword),
        (with(|new| new.zone = "Mars/Olympus".to_owned()), ErrorCode::BadZone),
    ] {
        assert_eq!(code(backend.services.create_owner(new).await), expected);
    }
    assert!(!backend.services.has_owner().await.unwrap());
}

#[tokio::test]
async fn names_of_workspaces_may_be_the_same_and_their_addresses_are_not() {
    for backend in each().await {
        let mut slugs = Vec::new();
        for _ in 0..3 {
            let caller = backend.owner().await;
            slugs.push(backend.services.shell(&caller).await.unwrap().workspace.slug);
        }
        assert_eq!(slugs, ["blumen-jung", "blumen-jung-2", "blumen-jung-3"]);
    }
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_when_it_is_old_and_when_told() {
    for backend in each().await {
        let services = &backend.services;
        backend.owner().await;
        let sign_in = async || services.sign_in("mara0@blumenjung.example", password(PASSWORD), None).await.unwrap();
        let is_alive = async |token: &SecretString| services.caller_of_session(token.expose_secret(), None).await.unwrap().is_some();
        let session = sign_in().await;
        assert_eq!(session.token.expose_secret().len(), 43, "256 bits");
        assert!(is_alive(&session.token).await);
        // The world clock moves nobody out.
        backend.world.advance(days(400));
        assert!(is_alive(&session.token).await);
        for _ in 0..4 {
            backend.wall.advance(days(6));
            assert!(is_alive(&session.token).await, "used every six days");
        }
        backend.wall.advance(days(6));
        assert!(!is_alive(&session.token).await, "thirty days in any case");
        let idle = sign_in().await;
        backend.wall.advance(days(7) + minutes(1));
        assert!(!is_alive(&idle.token).await);
        let told = sign_in().await;
        let other = sign_in().await;
        assert_ne!(told.token.expose_secret(), other.token.expose_secret(), "a new id at each sign-in");
        services.sign_out(told.token.expose_secret()).await.unwrap();
        assert!(!is_alive(&told.token).await);
        assert!(is_alive(&other.token).await);
        for forged in ["", "x", &"A".repeat(43), &"A".repeat(100_000)] {
            assert!(services.caller_of_session(forged, None).await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn passwords_cannot_be_tried_for_ever() {
    for backend in each().await {
        let services = &backend.services;
        backend.owner().await;
        let home: IpAddr = "192.0.2.7".parse().unwrap();
        let email = "mara0@blumenjung.example";
        for _ in 0..10 {
            assert_eq!(code(services.sign_in(email, password("wrong password"), Some(home)).await), ErrorCode::WrongPassword);
        }
        assert_eq!(code(services.sign_in(email, password(PASSWORD), Some(home)).await), ErrorCode::TooManyTries, "even with the right one");
        backend.wall.advance(minutes(16));
        assert!(services.sign_in(email, password(PASSWORD), Some(home)).await.is_ok());
        assert_eq!(code(services.sign_in(email, SecretString::from("x".repeat(1_000_000)), None).await), ErrorCode::WrongPassword);
    }
}

#[tokio::test]
async fn one_source_cannot_try_many_people() {
    let backend = Backend::new().await;
    let mut refused = 0;
    for number in 0..55_u32 {
        let source: IpAddr = format!("2001:db8:1:2::{number:x}").parse().unwrap();
        let answer = backend.services.sign_in(&format!("p{number}@x.example"), password("wrong password"), Some(source)).await;
        refused += u32::from(code(answer) == ErrorCode::TooManyTries);
    }
    assert_eq!(refused, 5, "a /64 is one source");
}

#[tokio::test]
async fn unknown_people_take_as_long_as_known_ones() {
    let backend = Backend::new().await;
    backend.owner().await;
    let time = async |email: &str| {
        let mut best = Duration::MAX;
        for _ in 0..4 {
            let began = Instant::now();
            assert_eq!(code(backend.services.sign_in(email, password("wrong password"), None).await), ErrorCode::WrongPassword);
            best = best.min(began.elapsed());
        }
        best
    };
    let (known, unknown) = (time("mara0@blumenjung.example").await, time("nobody@x.example").await);
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "{known:?} and {unknown:?}");
}

#[tokio::test]
async fn a_workspace_of_others_is_not_found_and_a_lowered_role_counts_at_once() {
    for backend in each().await {
        let services = &backend.services;
        let mara = backend.owner().await;
        let tom = backend.owner().await;
        let session = services.session_for(mara.person).await.unwrap();
        let token = session.token.expose_secret();
        let theirs = services.shell(&tom).await.unwrap().workspace.slug;
        assert_eq!(code(services.caller_of_session(token, Some(&theirs)).await), ErrorCode::NotFound);
        assert_eq!(code(services.caller_of_session(token, Some("nowhere")).await), ErrorCode::NotFound);
        let mut tx = services.store.begin().await.unwrap();
        tx.add_membership(tom.workspace, mara.person, Role::Viewer, backend.now()).await.unwrap();
        tx.commit().await.unwrap();
        let there = services.caller_of_session(token, Some(&theirs)).await.unwrap().unwrap();
        assert_eq!((there.workspace, there.role), (tom.workspace, Role::Viewer));
        let again = services.caller_of_session(token, None).await.unwrap().unwrap();
        assert_eq!(again.workspace, tom.workspace, "the last used one");
        assert_eq!(services.shell(&again).await.unwrap().workspaces.len(), 2);
        assert_eq!(code(services.start_link(&again, domain::platform::Platform::Facebook).await), ErrorCode::NotAllowed);
    }
}
