//! The pages as routes that bring their code with them: the browser loads a bundle of the WASM when one of its pages is
//! opened. Decision 11 says what is bundled, and why not each page alone.

use leptos::prelude::*;
use leptos_router::LazyRoute;

use crate::pages;

/// Pages that are loaded together: a function that shows one of them, and a route for each. `$preload` is what `#[lazy]`
/// calls the function that only loads.
macro_rules! bundle {
    ($load:ident, $preload:ident, $bundle:ident { $($route:ident => $page:path,)* }) => {
        #[derive(Debug, Clone, Copy)]
        enum $bundle {
            $($route,)*
        }

        #[lazy]
        fn $load(page: $bundle) -> AnyView {
            match page {
                $($bundle::$route => $page().into_any(),)*
            }
        }

        $(
            #[derive(Debug)]
            pub(crate) struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_this: Self) -> AnyView {
                    $load($bundle::$route).await
                }

                async fn preload() {
                    #[cfg(target_arch = "wasm32")]
                    $preload().await;
                    #[cfg(feature = "ssr")]
                    crate::context::announce_part(stringify!($load));
                }
            }
        )*
    };
}

bundle!(plain_pages, __preload_plain_pages, PlainPages {
    GoingTo => pages::going_to::GoingToPage,
    SignIn => pages::sign_in::SignInPage,
    Stopped => pages::stopped::StoppedPage,
    Welcome => pages::welcome::WelcomePage,
});

bundle!(accounts_page, __preload_accounts_page, AccountsPage {
    Accounts => pages::accounts::AccountsPage,
});

bundle!(account_pages, __preload_account_pages, AccountPages {
    Account => pages::account::AccountPage,
    ConsentResult => pages::consent_result::ConsentResultPage,
});

bundle!(post_pages, __preload_post_pages, PostPages {
    Calendar => pages::calendar::CalendarPage,
    Compose => pages::compose::ComposePage,
    Missed => pages::missed::MissedPage,
    Post => pages::post::PostPage,
    Posts => pages::posts::PostsPage,
});

bundle!(inbox_pages, __preload_inbox_pages, InboxPages {
    Inbox => pages::inbox::InboxPage,
    Overview => pages::overview::OverviewPage,
    Thread => pages::thread::ThreadPage,
});
