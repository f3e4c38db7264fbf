//! The sample: two months of a flower shop, lived through the real thing. Nothing is written into tables by hand: people
//! sign in at the simulated platforms, posts are scheduled and published, and in the end one login has run out.

use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use domain::id::PersonId;
use domain::platform::Platform;
use domain::role::Caller;
use domain::summary::compose::ComposeInput;
use domain::summary::link::ConsentOutcome;
use domain::time::{Timestamp, days, hours};
use secrecy::ExposeSecret;
use service::Services;
use service::auth::NewSession;
use service::consent::Callback;
use service::moments::Zone;

use super::advance::Driver;

const ZONE: &str = "Europe/Berlin";
/// A step of the story may take this long by the wall clock.
const STEP_WITHIN: Duration = Duration::from_secs(120);
/// Mara's Facebook login was made this long before the story's end: it ran out half a day ago (60 days).
const LENGTH: Duration = Duration::from_secs(60 * 86_400 + 13 * 3600);
/// Tom's login was made this much later, so it ends in six days.
const TOM_LATER: Duration = Duration::from_secs(6 * 86_400 + 9 * 3600);

pub(crate) const TULIPS: &[u8] = include_bytes!("../../sample/tulips.jpg");
const WREATH: &[u8] = include_bytes!("../../sample/wreath.jpg");
const BOUQUET: &[u8] = include_bytes!("../../sample/bouquet.jpg");

/// How far before now the story begins, in microseconds.
pub(super) fn length() -> i64 {
    i64::try_from(LENGTH.as_micros()).unwrap_or(i64::MAX)
}

/// Who of the simulated people signs in, and which pages they tick.
pub(crate) struct SignIn<'a> {
    /// Where.
    pub(crate) platform: Platform,
    /// Their slug.
    pub(crate) person: &'a str,
    /// Ids of the pages they tick.
    pub(crate) pages: &'a [&'a str],
}

const SHOP_PAGE: &str = "615548210093371001";
const WEDDINGS_PAGE: &str = "615548210093371002";
const MARA: SignIn<'_> = SignIn { platform: Platform::Facebook, person: "mara-jung", pages: &[WEDDINGS_PAGE] };
const TOM: SignIn<'_> = SignIn { platform: Platform::Facebook, person: "tom-berger", pages: &[SHOP_PAGE] };
const MARA_PINTEREST: SignIn<'_> = SignIn { platform: Platform::Pinterest, person: "mara-jung", pages: &[] };

/// A post: days from the story's end (negative: past), Berlin time, text, where it goes, image.
struct Planned(i64, &'static str, &'static str, &'static [&'static str], Option<(&'static [u8], &'static str)>);

const SHOP: &str = "Blumen Jung";
const WEDDINGS: &str = "Blumen Jung Weddings";
/// The shop's Pinterest account, by its handle.
const PINS: &str = "blumenjung";

const POSTS: &[Planned] = &[
    Planned(-42, "09:00", "Dahlias from our own field, fresh every morning this week.", &[SHOP], Some((BOUQUET, "A bouquet of dahlias"))),
    Planned(
        -35,
        "12:15",
        "How to keep cut flowers alive for ten days: clean water, a slanted cut, no fruit bowl nearby.",
        &[SHOP, WEDDINGS],
        None,
    ),
    Planned(
        -28,
        "17:30",
        "Autumn weddings: warm reds, soft ochre, a little green.",
        &[WEDDINGS, PINS],
        Some((BOUQUET, "A bridal bouquet in autumn colours")),
    ),
    Planned(
        -21,
        "09:00",
        "Tulip bulbs are here. Plant them before the first frost.",
        &[SHOP, PINS],
        Some((TULIPS, "Three tulips in red, yellow and pink")),
    ),
    Planned(-14, "12:15", "We are looking for help on Saturdays. Come in and talk to Tom.", &[SHOP], None),
    Planned(-7, "17:30", "A table in white and green for Lena and Paul.", &[WEDDINGS], Some((BOUQUET, "A table decoration"))),
    Planned(-2, "09:00", "Autumn wreaths are in.", &[SHOP, PINS], Some((WREATH, "A wreath of leaves and berries"))),
    Planned(0, "03:30", "Opening hours in December: Monday to Saturday, 8 to 18.", &[WEDDINGS, SHOP], None),
    Planned(0, "04:15", "Gift cards are back.", &[WEDDINGS], None),
    Planned(
        1,
        "09:00",
        "Advent calendar, door one: a twig of winter jasmine.",
        &[WEDDINGS, PINS],
        Some((WREATH, "A wreath of leaves and berries")),
    ),
    Planned(1, "17:30", "How to keep a poinsettia alive: warm, bright, and never with wet feet.", &[SHOP], None),
    Planned(2, "12:15", "Advent calendar, door two: how we dry hydrangeas.", &[WEDDINGS, SHOP], None),
    Planned(3, "09:00", "Winter weddings have the best light.", &[WEDDINGS, PINS], Some((BOUQUET, "A bridal bouquet"))),
    Planned(5, "17:30", "Behind the counter: Tom and the morning delivery.", &[SHOP], None),
    Planned(8, "09:00", "The last wreaths before the second Advent.", &[SHOP, PINS], Some((WREATH, "A wreath of leaves and berries"))),
    Planned(9, "12:15", "Amaryllis: three colours, one window sill.", &[SHOP], Some((TULIPS, "Three flowers in red, yellow and pink"))),
];

/// Lives through it.
///
/// # Errors
/// When a step of it is refused; what was reached until then stays.
pub(super) async fn tell(services: &Services, driver: &Driver, owner: PersonId) -> anyhow::Result<()> {
    let began = driver.now();
    let end = began + LENGTH;
    let (session, caller) = as_owner(services, owner).await?;
    sign_in(services, &caller, &MARA).await.context("Mara signs in at Facebook")?;
    to(driver, began + hours(2)).await?;
    sign_in(services, &caller, &MARA_PINTEREST).await.context("Mara signs in at Pinterest")?;
    to(driver, began + TOM_LATER).await?;
    sign_in(services, &caller, &TOM).await.context("Tom signs in at Facebook")?;
    // Each post is scheduled two days before it is due, as people do; the last ones two days before the login runs out.
    let mut written = 0;
    for post in POSTS {
        let schedule_at = (day(end, post.0) - days(2)).min(end - days(1));
        to(driver, schedule_at).await?;
        written += usize::from(schedule(services, &caller, end, post).await?);
    }
    to(driver, end).await?;
    services.sign_out(session.token.expose_secret()).await?;
    tracing::info!(posts = written, "the sample is ready");
    Ok(())
}

/// The agency: ten logins with ten Facebook Pages each, for measurements of long lists.
///
/// # Errors
/// When a sign-in is refused.
pub(super) async fn agency(services: &Services, owner: PersonId, platforms_url: &str) -> anyhow::Result<()> {
    let (session, caller) = as_owner(services, owner).await?;
    let client = reqwest::Client::builder().no_proxy().build()?;
    for login in 0..10 {
        let person = format!("client-{login}");
        let pages: Vec<String> = (0..10).map(|page| format!("7155482100933{login}{page}")).collect();
        let page = |(number, id): (usize, &String)| serde_json::json!({ "id": id, "name": format!("Client {login}, shop {number}"), "username": format!("client{login}shop{number}"), "people": [person] });
        let world = serde_json::json!({
            "people": [{ "slug": person, "name": format!("Client {login}"), "id": format!("1022618450392{login:04}"), "username": person }],
            "places": pages.iter().enumerate().map(page).collect::<Vec<_>>(),
        });
        client.post(format!("{platforms_url}/facebook/knobs")).json(&world).send().await?.error_for_status()?;
        let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
        sign_in(services, &caller, &SignIn { platform: Platform::Facebook, person: &person, pages: &pages }).await?;
    }
    services.sign_out(session.token.expose_secret()).await?;
    Ok(())
}

/// A session of the demo owner, and who that is.
///
/// # Errors
/// When the database fails.
pub(crate) async fn as_owner(services: &Services, owner: PersonId) -> anyhow::Result<(NewSession, Caller)> {
    let session = services.session_for(owner).await?;
    let caller = services.caller_of_session(session.token.expose_secret(), None).await?;
    Ok((session, caller.context("the demo owner has no workspace")?))
}

fn day(end: Timestamp, offset: i64) -> Timestamp {
    let length = days(offset.unsigned_abs());
    if offset < 0 { end - length } else { end + length }
}

async fn to(driver: &Driver, moment: Timestamp) -> anyhow::Result<()> {
    let by = moment.since(driver.now());
    let target = driver.go_on(by);
    if !driver.settled(target, STEP_WITHIN).await {
        bail!("the clock did not arrive in time");
    }
    Ok(())
}

/// Does what the person's browser does: opens the platform's page, continues, and comes back.
///
/// # Errors
/// When the sign-in is refused or leads nowhere.
pub(crate) async fn sign_in(services: &Services, caller: &Caller, who: &SignIn<'_>) -> anyhow::Result<()> {
    let started = services.start_link(caller, who.platform).await?;
    let url: url::Url = started.going_to.url.parse()?;
    let scopes = url.query_pairs().find(|(name, _)| name == "scope").map(|(_, value)| value.into_owned()).unwrap_or_default();
    let mut form = vec![("person", who.person.to_owned()), ("decision", "continue".to_owned())];
    form.extend(scopes.split([',', ' ']).filter(|scope| !scope.is_empty()).map(|scope| ("scope", scope.to_owned())));
    form.extend(who.pages.iter().map(|page| ("page", (*page).to_owned())));
    let browser = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build()?;
    let answer = browser.post(url).form(&form).send().await?;
    let location = answer.headers().get(http::header::LOCATION).context("the consent page does not lead back")?;
    let back: url::Url = location.to_str()?.parse()?;
    let value = |wanted: &str| back.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let callback = Callback {
        state: value("state"),
        code: value("code"),
        error: value("error"),
        error_description: value("error_description"),
        iss: None,
        flow: Some(started.flow.expose_secret().to_owned()),
    };
    let consent = services.finish_consent(caller, who.platform, callback).await?;
    let mut result = services.consent_result(caller, consent).await?;
    if let ConsentOutcome::Choose { choices, .. } = &result.outcome {
        let chosen = choices.iter().map(|choice| choice.remote_id.clone()).collect();
        result = services.link_chosen(caller, consent, chosen).await?;
    }
    match result.outcome {
        ConsentOutcome::AllBack { .. } => Ok(()),
        other => bail!("the sign-in ended otherwise: {other:?}"),
    }
}

async fn schedule(services: &Services, caller: &Caller, end: Timestamp, post: &Planned) -> anyhow::Result<bool> {
    let Planned(offset, time, text, names, image) = post;
    let page = services.compose_page(caller, None, None).await?;
    let is_meant = |name: &str, platform| names.contains(&name) || (platform == Platform::Pinterest && names.contains(&PINS));
    let accounts: Vec<_> = page.accounts.iter().filter(|account| is_meant(&account.name, account.platform)).collect();
    let boards = accounts.iter().filter_map(|account| Some(format!("{}:{}", account.id, account.boards.first()?.0))).collect();
    let mut input = ComposeInput {
        text: (*text).to_owned(),
        title: text.split(['.', ':']).next().unwrap_or_default().to_owned(),
        accounts: accounts.iter().map(|account| account.id.to_string()).collect(),
        boards,
        date: Zone::named(ZONE).map_err(|code| anyhow::anyhow!(code.as_str()))?.wall(day(end, *offset)).0,
        time: (*time).to_owned(),
        zone: ZONE.to_owned(),
        then: "schedule".to_owned(),
        ..ComposeInput::default()
    };
    if let Some((bytes, alt)) = image {
        let stored = services.upload_image(caller, Bytes::from_static(bytes)).await?;
        input.images.push(stored.id.to_string());
        input.alts.push((*alt).to_owned());
    }
    match services.compose(caller, input).await {
        Ok(_) => Ok(true),
        // Depending on the hour at which the rehearsal starts, a time of its last day may have passed.
        Err(service::ServiceError::Refused(refusal)) if refusal.code == domain::summary::refusal::ErrorCode::TimePassed => Ok(false),
        Err(error) => Err(error).with_context(|| format!("the post {text:?} is refused")),
    }
}
