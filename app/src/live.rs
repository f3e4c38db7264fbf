//! Badges and pages that stay true without reloading (design section 6, stack.md 4.14).
//!
//! The server's page names the last event it includes; the stream starts after it. One tab per browser holds the stream
//! (a Web Lock says which) and tells the others over a broadcast channel, because HTTP/1.1 allows six connections. While
//! the stream is down every tab says so and asks for the frame every 15 seconds.

#[cfg(not(feature = "ssr"))]
use domain::summary::shell::Event;
use domain::summary::shell::{Badges, EventKind, Shell};
use domain::time::Timestamp;
use leptos::prelude::*;

/// What changes while a page is open. A context of every signed-in page.
#[derive(Debug, Clone, Copy)]
pub struct Live {
    /// The badges.
    pub badges: RwSignal<Badges>,
    /// The sentence of the strip, while the stream is down.
    pub stale: RwSignal<Option<String>>,
    /// What the page shows is being taken away, and another page comes: nothing is fetched again for it.
    pub is_leaving: RwSignal<bool>,
    /// World time minus the browser's clock, in microseconds; none before the page has woken up.
    ahead: RwSignal<Option<i64>>,
    accounts: RwSignal<u32>,
    posts: RwSignal<u32>,
    inbox: RwSignal<u32>,
}

impl Live {
    /// From what the server's page knows.
    pub fn new(shell: &Shell) -> Self {
        Self {
            badges: RwSignal::new(shell.badges),
            stale: RwSignal::new(None),
            is_leaving: RwSignal::new(false),
            ahead: RwSignal::new(None),
            accounts: RwSignal::new(0),
            posts: RwSignal::new(0),
            inbox: RwSignal::new(0),
        }
    }

    /// A number that grows when something of these kinds happens; follows it.
    pub fn version(&self, kinds: &[EventKind]) -> u32 {
        kinds.iter().map(|kind| self.of(*kind).get()).sum()
    }

    /// As [`version`](Self::version), without following it; none when the page is gone.
    pub fn version_untracked(&self, kinds: &[EventKind]) -> Option<u32> {
        kinds.iter().map(|kind| self.of(*kind).try_get_untracked()).sum()
    }

    const fn of(&self, kind: EventKind) -> RwSignal<u32> {
        match kind {
            EventKind::Accounts | EventKind::Clock => self.accounts,
            EventKind::Posts => self.posts,
            EventKind::Inbox => self.inbox,
        }
    }

    /// Something of this kind changed by this page's own doing: what shows it is fetched again.
    pub fn changed(&self, kind: EventKind) {
        match kind {
            // The clock moves everything.
            EventKind::Clock => {
                for signal in [self.accounts, self.posts, self.inbox] {
                    signal.update(|version| *version += 1);
                }
            }
            kind => self.of(kind).update(|version| *version += 1),
        }
    }

    /// World time now, as the browser counts it from the server's; none before the page has woken up.
    pub fn now(&self) -> Option<Timestamp> {
        self.ahead.get().map(|ahead| Timestamp(wall().saturating_add(ahead)))
    }

    /// As [`now`](Self::now), without following the server's clock.
    pub fn now_untracked(&self) -> Option<Timestamp> {
        self.ahead.get_untracked().map(|ahead| Timestamp(wall().saturating_add(ahead)))
    }

    /// Takes an event of the stream.
    #[cfg(not(feature = "ssr"))]
    fn take(&self, event: &Event) {
        self.set_now(event.now);
        if self.badges.get_untracked() != event.badges {
            self.badges.set(event.badges);
        }
        self.changed(event.kind);
    }

    fn set_now(&self, now: Timestamp) {
        self.ahead.set(Some(now.0.saturating_sub(wall())));
    }

    /// Starts to listen once the page has woken up; ends with the owner.
    pub fn start(self, shell: &Shell) {
        let shell = shell.clone();
        Effect::new(move |_| {
            self.set_now(shell.now);
            #[cfg(not(feature = "ssr"))]
            browser::listen(self, &shell);
        });
        #[cfg(not(feature = "ssr"))]
        Effect::new(move |_| browser::set_app_badge(self.badges.get().unread));
    }
}

/// The browser's clock in microseconds.
fn wall() -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit for 285,000 years")]
    let millis = js_sys::Date::now() as i64;
    Timestamp::from_millis(millis).0
}

#[cfg(not(feature = "ssr"))]
mod browser {
    use std::cell::{Cell, RefCell};
    use std::rc::{Rc, Weak};

    use domain::summary::refusal::ErrorCode;
    use gloo_timers::callback::{Interval, Timeout};
    use js_sys::{Function, Promise, Reflect};
    use leptos::task::spawn_local;
    use wasm_bindgen::prelude::*;
    use web_sys::{BroadcastChannel, EventSource, MessageEvent};

    use super::*;

    /// How long a broken stream may take to come back before the page says so.
    const GRACE_MS: u32 = 3_000;
    /// How long to wait before a stream that the server ended is opened again.
    const AGAIN_MS: u32 = 3_000;
    /// How often the frame is fetched while the stream is down.
    const POLL_MS: u32 = 15_000;

    /// A listener of the channel or of the stream, kept for as long as it is wanted.
    type OnMessage = Closure<dyn FnMut(MessageEvent)>;

    struct Stream {
        live: Live,
        slug: String,
        seq: Cell<i64>,
        is_over: Cell<bool>,
        is_leader: Cell<bool>,
        channel: Option<BroadcastChannel>,
        source: RefCell<Option<EventSource>>,
        /// Gives the Web Lock back.
        release: RefCell<Option<Function>>,
        timer: RefCell<Option<Timeout>>,
        poll: RefCell<Option<Interval>>,
        kept: RefCell<Vec<OnMessage>>,
        kept_plain: RefCell<Vec<Closure<dyn FnMut()>>>,
    }

    /// Listens until the owner ends.
    pub(super) fn listen(live: Live, shell: &Shell) {
        let name = format!("stayposted-{}-{}", shell.workspace.slug, shell.person.id);
        let stream = Rc::new(Stream {
            live,
            slug: shell.workspace.slug.clone(),
            seq: Cell::new(shell.event_seq),
            is_over: Cell::new(false),
            is_leader: Cell::new(false),
            channel: BroadcastChannel::new(&name).ok(),
            source: RefCell::default(),
            release: RefCell::default(),
            timer: RefCell::default(),
            poll: RefCell::default(),
            kept: RefCell::default(),
            kept_plain: RefCell::default(),
        });
        stream.hear_others();
        stream.stand_for_leader(&name);
        let stored = StoredValue::new_local(stream);
        on_cleanup(move || {
            stored.try_with_value(|stream| stream.end());
        });
    }

    /// The number on the icon of the installed app, where the browser has one.
    pub(super) fn set_app_badge(unread: u32) {
        let navigator: JsValue = window().navigator().into();
        let of = |from: &JsValue, name: &str| Reflect::get(from, &name.into()).ok().and_then(|found| found.dyn_into::<Function>().ok());
        let Some(answer) = of(&navigator, "setAppBadge").and_then(|set| set.call1(&navigator, &unread.into()).ok()) else { return };
        // An app that is not installed has no icon, and says so by a rejection that nobody needs to see.
        if let Some(catch) = of(&answer, "catch") {
            let _ = catch.call1(&answer, &Closure::once_into_js(|_: JsValue| {}));
        }
    }

    impl Stream {
        fn hear_others(self: &Rc<Self>) {
            let Some(channel) = &self.channel else { return };
            let weak = Rc::downgrade(self);
            let heard = Closure::new(move |message: MessageEvent| {
                if let (Some(stream), Some(text)) = (weak.upgrade(), message.data().as_string()) {
                    stream.heard(&text);
                }
            });
            channel.set_onmessage(Some(heard.as_ref().unchecked_ref()));
            self.kept.borrow_mut().push(heard);
            // The leader answers with where it stands, so that nothing falls between our page and its next event.
            self.tell("hello");
        }

        fn tell(&self, text: &str) {
            if let Some(channel) = &self.channel {
                let _ = channel.post_message(&JsValue::from_str(text));
            }
        }

        fn heard(self: &Rc<Self>, text: &str) {
            match text {
                "hello" if self.is_leader.get() => self.tell_where_we_stand(),
                "hello" => {}
                "down" => self.set_down(true),
                "up" => self.set_down(false),
                event => self.take(event),
            }
        }

        fn tell_where_we_stand(&self) {
            let badges = self.live.badges.get_untracked();
            let now = self.live.now_untracked().unwrap_or_default();
            let event = Event { seq: self.seq.get(), kind: EventKind::Clock, now, badges };
            if let Ok(text) = serde_json::to_string(&event) {
                self.tell(&text);
            }
            if self.poll.borrow().is_some() {
                self.tell("down");
            }
        }

        fn take(&self, text: &str) {
            if let Ok(event) = serde_json::from_str::<Event>(text)
                && event.seq > self.seq.get()
                && !self.is_over.get()
            {
                self.seq.set(event.seq);
                self.live.take(&event);
            }
        }

        /// Waits for the lock; who has it opens the stream. Without locks (plain http) every tab has its own stream.
        fn stand_for_leader(self: &Rc<Self>, name: &str) {
            let navigator: JsValue = window().navigator().into();
            let locks = Reflect::get(&navigator, &"locks".into()).ok().filter(JsValue::is_object);
            let request = locks.as_ref().and_then(|locks| Reflect::get(locks, &"request".into()).ok()?.dyn_into::<Function>().ok());
            let (Some(locks), Some(request)) = (locks, request) else {
                self.lead();
                return;
            };
            let weak = Rc::downgrade(self);
            let granted = Closure::once_into_js(move || -> JsValue {
                let Some(stream) = weak.upgrade().filter(|stream| !stream.is_over.get()) else { return JsValue::UNDEFINED };
                stream.lead();
                // The lock is ours until this promise ends, or the tab does.
                Promise::new(&mut |resolve, _| {
                    stream.release.replace(Some(resolve));
                })
                .into()
            });
            if request.call2(&locks, &name.into(), &granted).is_err() {
                self.lead();
            }
        }

        fn lead(self: &Rc<Self>) {
            self.is_leader.set(true);
            self.open();
        }

        fn open(self: &Rc<Self>) {
            if self.is_over.get() {
                return;
            }
            let url = format!("/events?after={}&workspace={}", self.seq.get(), self.slug);
            let Ok(source) = EventSource::new(&url) else { return };
            let message = self.on_message(|stream, text| {
                stream.take(text);
                stream.tell(text);
            });
            let message: &Function = message.unchecked_ref();
            source.set_onmessage(Some(message));
            let _ = source.add_event_listener_with_callback("change", message);
            let opened = self.on_plain(|stream| {
                stream.timer.replace(None);
                stream.set_down(false);
                stream.tell("up");
            });
            source.set_onopen(Some(opened.unchecked_ref()));
            let broke = self.on_plain(Self::broke);
            source.set_onerror(Some(broke.unchecked_ref()));
            if let Some(old) = self.source.replace(Some(source)) {
                old.close();
            }
        }

        /// The stream broke. The browser tries again by itself, unless the server ended it.
        fn broke(self: &Rc<Self>) {
            if self.is_over.get() || self.timer.borrow().is_some() {
                return;
            }
            let weak = Rc::downgrade(self);
            let wait = if self.poll.borrow().is_some() { AGAIN_MS } else { GRACE_MS };
            self.timer.replace(Some(Timeout::new(wait, move || {
                let Some(stream) = Weak::upgrade(&weak) else { return };
                stream.timer.replace(None);
                let state = stream.source.borrow().as_ref().map(EventSource::ready_state);
                if state == Some(EventSource::OPEN) {
                    return;
                }
                stream.set_down(true);
                stream.tell("down");
                // Ended by the server: perhaps because the session did.
                if state != Some(EventSource::CONNECTING) {
                    stream.ask();
                    stream.kept.borrow_mut().truncate(1);
                    stream.open();
                }
            })));
        }

        fn set_down(self: &Rc<Self>, is_down: bool) {
            if !is_down {
                self.poll.replace(None);
                if self.live.stale.get_untracked().is_some() {
                    self.live.stale.set(None);
                }
                return;
            }
            if self.poll.borrow().is_some() || self.is_over.get() {
                return;
            }
            let now = js_sys::Date::new_0();
            let clock = format!("{:02}:{:02}", now.get_hours(), now.get_minutes());
            let said = if window().navigator().on_line() {
                format!("Not live since {clock}, reconnecting.")
            } else {
                format!("No connection. You see {clock}. What you write is kept.")
            };
            self.live.stale.set(Some(said));
            let weak = Rc::downgrade(self);
            self.poll.replace(Some(Interval::new(POLL_MS, move || {
                if let Some(stream) = weak.upgrade()
                    && !document().hidden()
                {
                    stream.ask();
                }
            })));
        }

        /// Asks for the frame, as the fallback of the stream.
        fn ask(self: &Rc<Self>) {
            let stream = Rc::clone(self);
            spawn_local(async move {
                let answer = crate::api::shell::shell(stream.slug.clone()).await;
                if stream.is_over.get() {
                    return;
                }
                match answer {
                    Ok(shell) if shell.event_seq > stream.seq.get() => {
                        stream.seq.set(shell.event_seq);
                        stream.live.take(&Event { seq: shell.event_seq, kind: EventKind::Clock, now: shell.now, badges: shell.badges });
                    }
                    // Signed out, perhaps in another tab.
                    Err(error) if error.code() == ErrorCode::NotSignedIn => crate::components::load::sign_in_again(),
                    _ => {}
                }
            });
        }

        fn on_message(self: &Rc<Self>, then: fn(&Rc<Self>, &str)) -> JsValue {
            let weak = Rc::downgrade(self);
            let closure = Closure::new(move |message: MessageEvent| {
                if let (Some(stream), Some(text)) = (weak.upgrade(), message.data().as_string()) {
                    then(&stream, &text);
                }
            });
            let function = closure.as_ref().clone();
            self.kept.borrow_mut().push(closure);
            function
        }

        fn on_plain(self: &Rc<Self>, then: fn(&Rc<Self>)) -> JsValue {
            let weak = Rc::downgrade(self);
            let closure = Closure::new(move || {
                if let Some(stream) = weak.upgrade() {
                    then(&stream);
                }
            });
            let function = closure.as_ref().clone();
            self.kept_plain.borrow_mut().push(closure);
            function
        }

        fn end(&self) {
            self.is_over.set(true);
            self.timer.replace(None);
            self.poll.replace(None);
            if let Some(source) = self.source.take() {
                source.close();
            }
            if let Some(channel) = &self.channel {
                channel.close();
            }
            if let Some(release) = self.release.take() {
                let _ = release.call0(&JsValue::UNDEFINED);
            }
        }
    }
}
