//! Faults that change a platform's world: what happened to the people, their logins and their pages.

use std::collections::BTreeSet;

use domain::time::Timestamp;

use crate::faults::{Fault, Kind};
use crate::world::{Consent, Death, Realm, TokenKind};

/// Lets it happen. Returns how many logins, people or places it met.
pub(crate) fn strike(realm: &mut Realm, fault: &Fault, now: Timestamp) -> usize {
    let account = fault.account.as_deref();
    let hit = consents_of(realm, account);
    match fault.kind {
        Kind::Expire => {
            let only_access = fault.part.as_deref() == Some("access");
            realm.tokens.update(|_, token| {
                let is_alive = token.death.is_none() && token.expires_at.is_none_or(|end| end > now);
                let is_meant = hit.contains(&token.consent) && !(only_access && token.kind == TokenKind::Refresh);
                if is_alive && is_meant {
                    token.expires_at = Some(now);
                }
                is_alive && is_meant
            });
            hit.len()
        }
        Kind::Revoke => {
            for consent in &hit {
                revoke(realm, consent);
            }
            hit.len()
        }
        Kind::ChangePassword => {
            let slugs = people_of(realm, &hit, account);
            let all: BTreeSet<String> = consents_where(realm, |consent| slugs.contains(&consent.person));
            kill(realm, &all, Death::PasswordChanged);
            slugs.len()
        }
        Kind::RemoveScope => {
            let default = if realm.name == "facebook" { "pages_manage_posts" } else { "pins:write" };
            let scope = fault.scope.as_deref().unwrap_or(default);
            realm.consents.update(|key, consent| {
                let had = hit.contains(key) && consent.scopes.remove(scope);
                if had {
                    consent.declined.insert(scope.to_owned());
                }
                had
            })
        }
        Kind::RemoveRole => {
            let slugs = people_of(realm, &hit, None);
            let person_id = account.filter(|id| realm.person_by_id(id).is_some());
            let place = account.filter(|_| person_id.is_none());
            realm.places.update(|_, row| {
                if place.is_some_and(|id| id != row.id) {
                    return false;
                }
                let leaving: Vec<String> =
                    row.people.iter().filter(|slug| slugs.contains(*slug) && !row.lost.contains(*slug)).cloned().collect();
                row.lost.extend(leaving.iter().cloned());
                !leaving.is_empty()
            })
        }
        Kind::Checkpoint => {
            let slugs = people_of(realm, &hit, account);
            realm.people.update(|slug, person| slugs.contains(slug) && !std::mem::replace(&mut person.checkpoint, true))
        }
        Kind::DeleteAccount => {
            let places = places_of(realm, &hit, account);
            if realm.name == "facebook" && !places.is_empty() {
                return realm.places.update(|id, place| places.contains(id) && !std::mem::replace(&mut place.gone, true));
            }
            let slugs = people_of(realm, &hit, account);
            realm.people.update(|slug, person| slugs.contains(slug) && !std::mem::replace(&mut person.gone, true))
        }
        Kind::PolicyBlock => {
            let places = places_of(realm, &hit, account);
            if realm.name == "facebook" && !places.is_empty() {
                return realm.places.update(|id, place| places.contains(id) && !std::mem::replace(&mut place.blocked, true));
            }
            let slugs = people_of(realm, &hit, account);
            realm.people.update(|slug, person| slugs.contains(slug) && !std::mem::replace(&mut person.blocked, true))
        }
        Kind::RetireVersion => {
            realm.set_retired(true);
            1
        }
        _ => 0,
    }
}

/// Ends one consent: the person removed the app. Its tokens die with it.
pub(crate) fn revoke(realm: &mut Realm, consent: &str) {
    kill(realm, &BTreeSet::from([consent.to_owned()]), Death::Revoked);
    if let Some(consent) = realm.consents.get_mut(consent) {
        consent.scopes.clear();
        consent.places.clear();
    }
}

/// Ends the tokens of these consents that are not dead yet.
pub(crate) fn kill(realm: &mut Realm, consents: &BTreeSet<String>, death: Death) {
    realm.tokens.update(|_, token| {
        let is_met = token.death.is_none() && consents.contains(&token.consent);
        if is_met {
            token.death = Some(death);
        }
        is_met
    });
}

/// Takes back what a platform can take back: checkpoints, blocks, lost roles, deletions, the retired version.
/// Tokens stay dead; they need a new sign-in.
pub(crate) fn lift(realm: &mut Realm) {
    realm.faults.clear();
    realm.set_retired(false);
    realm.people.update(|_, person| {
        let was = person.checkpoint || person.blocked || person.gone;
        (person.checkpoint, person.blocked, person.gone) = (false, false, false);
        was
    });
    realm.places.update(|_, place| {
        let was = place.blocked || place.gone || !place.lost.is_empty();
        (place.blocked, place.gone) = (false, false);
        place.lost.clear();
        was
    });
}

fn consents_where(realm: &Realm, is_meant: impl Fn(&Consent) -> bool) -> BTreeSet<String> {
    realm.consents.iter().filter(|(_, consent)| is_meant(consent)).map(|(key, _)| key.clone()).collect()
}

fn consents_of(realm: &Realm, account: Option<&str>) -> BTreeSet<String> {
    consents_where(realm, |consent| account.is_none_or(|id| realm.serves(consent, id)))
}

/// The people behind these consents, and the one whose id it is.
fn people_of(realm: &Realm, consents: &BTreeSet<String>, account: Option<&str>) -> BTreeSet<String> {
    let behind = consents.iter().filter_map(|key| Some(realm.consents.get(key)?.person.clone()));
    let named = account.and_then(|id| realm.person_by_id(id)).map(|person| person.slug.clone());
    behind.chain(named).collect()
}

/// The places that are served by these consents, or the one whose id it is; none where `account` is a person.
fn places_of(realm: &Realm, consents: &BTreeSet<String>, account: Option<&str>) -> BTreeSet<String> {
    match account {
        Some(id) => realm.places.get(id).map(|place| place.id.clone()).into_iter().collect(),
        None => consents.iter().filter_map(|key| realm.consents.get(key)).flat_map(|c| c.places.clone()).collect(),
    }
}
