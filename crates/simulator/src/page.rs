//! The HTML of the rehearsal: one frame with the striped banner, and the consent dialog.

use std::fmt::Write;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, StatusCode, header};

/// Text for HTML, in elements and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A whole page. `prefix` is the path of the router, `form_origin` where a form may end up after its redirect.
pub(crate) fn page(status: u16, prefix: &str, network: &str, title: &str, main: &str, form_origin: Option<&str>) -> Response {
    let theme = network.to_ascii_lowercase();
    let (title, network) = (escape(title), escape(network));
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title} – rehearsal</title><link rel=\"stylesheet\" href=\"{prefix}/style.css\"></head>\
         <body class=\"{theme}\"><header class=\"banner\" data-testid=\"rehearsal-banner\">\
         <strong>Rehearsal</strong> – this is not {network}</header>{main}</body></html>",
        prefix = escape(prefix),
    );
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' {}; base-uri 'none'; frame-ancestors 'self'",
        form_origin.unwrap_or_default()
    );
    let mut response = Response::new(Body::from(html));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// A page with a heading and one paragraph.
pub(crate) fn notice(status: u16, prefix: &str, network: &str, title: &str, text: &str) -> Response {
    let main = format!("<main class=\"sheet\"><h1>{}</h1><p data-testid=\"notice\">{}</p></main>", escape(title), escape(text));
    page(status, prefix, network, title, &main, None)
}

/// A box to tick.
pub(crate) struct Tick {
    pub(crate) field: &'static str,
    pub(crate) value: String,
    pub(crate) label: String,
    pub(crate) note: String,
    pub(crate) is_ticked: bool,
    /// Shown ticked, and cannot be changed.
    pub(crate) is_fixed: bool,
    pub(crate) test_id: String,
}

/// Somebody who may sign in here.
pub(crate) struct Face {
    pub(crate) slug: String,
    pub(crate) name: String,
    pub(crate) note: String,
    pub(crate) is_chosen: bool,
}

/// The consent dialog of either platform.
pub(crate) struct Dialog {
    pub(crate) prefix: String,
    pub(crate) network: &'static str,
    pub(crate) app: String,
    pub(crate) people: Vec<Face>,
    /// The query of the page without `person`, for the links that choose one.
    pub(crate) query: String,
    pub(crate) places_heading: &'static str,
    pub(crate) places: Vec<Tick>,
    pub(crate) scopes: Vec<Tick>,
    pub(crate) notes: Vec<String>,
    pub(crate) form_origin: String,
    /// Where the app lives, as people read it.
    pub(crate) returns_to: String,
}

impl Dialog {
    pub(crate) fn response(&self) -> Response {
        let mut main = String::from("<main class=\"sheet\">");
        let chosen = self.people.iter().find(|face| face.is_chosen);
        let heading = match chosen {
            Some(face) => format!("Continue as {}?", escape(&face.name)),
            None => format!("Sign in to {}", self.network),
        };
        let _ = write!(
            main,
            "<p class=\"mark\" aria-hidden=\"true\">{}</p><h1>{heading}</h1><p class=\"lead\"><strong>{}</strong> asks for access through {}.</p>",
            &self.network[..1].to_ascii_lowercase(),
            escape(&self.app),
            self.network
        );
        for note in &self.notes {
            let _ = write!(main, "<p class=\"note\">{}</p>", escape(note));
        }
        self.people(&mut main);
        main.push_str("<form method=\"post\">");
        if let Some(face) = chosen {
            let _ = write!(main, "<input type=\"hidden\" name=\"person\" value=\"{}\">", escape(&face.slug));
            ticks(&mut main, self.places_heading, &self.places);
            ticks(&mut main, &format!("What {} may do", escape(&self.app)), &self.scopes);
        }
        main.push_str("<div class=\"buttons\">");
        // First in the source, so that Enter continues.
        if chosen.is_some() {
            main.push_str("<button name=\"decision\" value=\"continue\" data-testid=\"continue\">Continue</button>");
        }
        main.push_str("<button class=\"quiet\" name=\"decision\" value=\"cancel\" data-testid=\"cancel\">Cancel</button>");
        let _ = write!(main, "</div></form><p class=\"small\">Afterwards you return to {}.</p></main>", escape(&self.returns_to));
        page(200, &self.prefix, self.network, &format!("Sign in to {}", self.network), &main, Some(&self.form_origin))
    }

    fn people(&self, main: &mut String) {
        main.push_str("<nav aria-label=\"Who signs in\"><h2>Who signs in</h2><ul class=\"people\">");
        for face in &self.people {
            let current = if face.is_chosen { " aria-current=\"true\"" } else { "" };
            let _ = write!(
                main,
                "<li><a href=\"?{query}&amp;person={slug}\" data-testid=\"person-{slug}\"{current}><span class=\"face\" aria-hidden=\"true\">{initials}</span>\
                 <span><strong>{name}</strong><small>{note}</small></span></a></li>",
                query = escape(&self.query),
                slug = escape(&face.slug),
                initials = escape(&initials(&face.name)),
                name = escape(&face.name),
                note = escape(&face.note),
            );
        }
        main.push_str("</ul></nav>");
    }
}

fn ticks(main: &mut String, heading: &str, rows: &[Tick]) {
    if rows.is_empty() {
        return;
    }
    let _ = write!(main, "<fieldset><legend>{heading}</legend>");
    for row in rows {
        let ticked = if row.is_ticked { " checked" } else { "" };
        let fixed = if row.is_fixed { " disabled" } else { "" };
        let _ = write!(
            main,
            "<label class=\"tick\"><input type=\"checkbox\" name=\"{}\" value=\"{}\" data-testid=\"{}\"{ticked}{fixed}><span>{}<small>{}</small></span></label>",
            row.field,
            escape(&row.value),
            escape(&row.test_id),
            escape(&row.label),
            escape(&row.note),
        );
    }
    main.push_str("</fieldset>");
}

/// `MJ` for `Mara Jung`.
pub(crate) fn initials(name: &str) -> String {
    name.split_whitespace().filter_map(|word| word.chars().next()).take(2).collect()
}

/// The one style file of all rehearsal pages.
pub(crate) const STYLE: &str = include_str!("style.css");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_stays_text() {
        assert_eq!(escape("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
    }
}
