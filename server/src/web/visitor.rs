//! Who is calling: read from the cookie and the connection, once per request.

use std::net::{IpAddr, SocketAddr};

use app::context::Visitor;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use axum_extra::extract::CookieJar;
use http::HeaderMap;

use super::Web;

/// Puts the [`Visitor`] into the request.
pub(crate) async fn read(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let jar = CookieJar::from_headers(request.headers());
    let token = jar.get(app::context::session_cookie(web.is_https())).map(|cookie| cookie.value().to_owned());
    let source = source(peer, request.headers(), &web.trusted_proxies);
    request.extensions_mut().insert(Visitor { token, source });
    next.run(request).await
}

/// The address a request came from: the peer's, unless the peer is a proxy that we trust; then the last address in
/// `X-Forwarded-For` that is not such a proxy. The header of anybody else is ignored (reliability S5).
fn source(peer: Option<IpAddr>, headers: &HeaderMap, trusted: &[IpAddr]) -> Option<IpAddr> {
    let peer = peer?;
    if !trusted.contains(&peer) {
        return Some(peer);
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<IpAddr> = forwarded.flat_map(|text| text.split(',')).filter_map(|hop| hop.trim().parse().ok()).collect();
    hops.into_iter().rev().find(|hop| !trusted.contains(hop)).or(Some(peer))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forwarded(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([("x-forwarded-for".parse().unwrap(), value.parse().unwrap())])
    }

    #[test]
    fn a_forwarded_address_is_believed_only_from_a_trusted_proxy() {
        let (proxy, client) = ("10.0.0.1".parse().unwrap(), "203.0.113.9".parse().unwrap());
        let stranger = "198.51.100.7".parse().unwrap();
        assert_eq!(source(Some(stranger), &forwarded("203.0.113.9"), &[proxy]), Some(stranger));
        assert_eq!(source(Some(proxy), &forwarded("1.2.3.4, 203.0.113.9"), &[proxy]), Some(client));
        assert_eq!(source(Some(proxy), &HeaderMap::new(), &[proxy]), Some(proxy));
    }
}
