//! What is needed to act on a delivery: the opened login and the job.

use std::sync::Arc;

use domain::delivery::FailedWhy;
use domain::media::ImageFacts;
use domain::policy;
use domain::text::{Content, problems};
use platforms::adapter::{AccountAccess, Image, Job, Step};
use service::access::Acting;
use store::publishing::Claimed;
use tokio::sync::OnceCell;

use super::held::Held;
use crate::WorkerError;

/// The opened login of an account; opened once for all that were claimed together.
pub(super) type SharedAccess = Arc<OnceCell<Option<Arc<Acting>>>>;

/// Everything for one conversation about a delivery.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) acting: Arc<Acting>,
    pub(super) job: Job,
    pub(super) done: Vec<Step>,
}

/// What loading came to.
#[derive(Debug)]
pub(super) enum Load {
    Ready(Box<Loaded>),
    /// Account or login was unlinked meanwhile.
    Unlinked,
    /// The post itself cannot be sent.
    Refused(FailedWhy),
}

/// The opened login.
pub(super) async fn access(held: &Held) -> Result<Option<Arc<Acting>>, WorkerError> {
    let claimed = &held.claimed;
    let open = || async { held.inner.services.acting(claimed.workspace, claimed.account).await.map(|acting| acting.map(Arc::new)) };
    Ok(held.access.get_or_try_init(open).await?.clone())
}

/// The login, the job and the steps done so far.
pub(super) async fn load(held: &Held) -> Result<Load, WorkerError> {
    let Some(acting) = access(held).await? else { return Ok(Load::Unlinked) };
    let images = match images(held).await? {
        Ok(images) => images,
        Err(why) => return Ok(Load::Refused(why)),
    };
    // Only a delivery that was begun before can have steps behind it.
    let steps = if held.is_first_try { Vec::new() } else { held.inner.services.store.steps(held.claimed.id).await? };
    let done = steps.into_iter().map(|(_, kind, result)| Step { kind, result }).collect();
    let account = AccountAccess { remote_id: acting.account.remote_id.clone(), access: acting.account.access.clone() };
    let job = job(&held.claimed, account, images);
    Ok(Load::Ready(Box::new(Loaded { acting, job, done })))
}

/// The images of a delivery, or why it cannot be sent: an image is gone, or the content would be refused.
pub(super) async fn images(held: &Held) -> Result<Result<Vec<Image>, FailedWhy>, WorkerError> {
    let claimed = &held.claimed;
    let mut images = Vec::with_capacity(claimed.content.images.len());
    for image in &claimed.content.images {
        let Some((facts, bytes)) = held.inner.services.stored_image(claimed.workspace, image.id).await? else {
            return Ok(Err(FailedWhy::MediaGone));
        };
        images.push(Image { facts, bytes, alt: image.alt.clone() });
    }
    let facts: Vec<(ImageFacts, String)> = images.iter().map(|image| (image.facts.clone(), image.alt.clone())).collect();
    let content = Content {
        text: &claimed.content.text,
        title: &claimed.content.title,
        link: &claimed.content.link,
        images: &facts,
        board: board(claimed),
    };
    Ok(match problems(&policy::of(claimed.platform).limits, &content).into_iter().next() {
        Some(problem) => Err(FailedWhy::Content(problem)),
        None => Ok(images),
    })
}

fn board(claimed: &Claimed) -> Option<&str> {
    claimed.content.targets.iter().find(|target| target.account == claimed.account).and_then(|target| target.board.as_deref())
}

fn job(claimed: &Claimed, account: AccountAccess, images: Vec<Image>) -> Job {
    Job {
        delivery: claimed.id,
        account,
        text: claimed.content.text.clone(),
        title: claimed.content.title.clone(),
        link: claimed.content.link.clone(),
        board: board(claimed).map(str::to_owned),
        images,
    }
}
