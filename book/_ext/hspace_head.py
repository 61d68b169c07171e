"""What others see of a page before they open it: description, social card, icons; and where to report a mistake."""

from html import escape
from urllib.parse import quote, urlencode, urlparse

from docutils import nodes

LONGEST = 200  # characters of a description
CARD = ("_static/social.png", 1200, 630, "Cat people drawn by the book's own renderer, one of them a puppet")


def describe(doctree):
    """The page's first paragraph of its own, as one line cut at a word. Dialogue and pictures do not count."""
    for paragraph in doctree.findall(nodes.paragraph):
        if not isinstance(paragraph.parent, (nodes.section, nodes.document)) or "story" in paragraph["classes"]:
            continue
        text = " ".join(paragraph.astext().split())
        if len(text) > LONGEST:
            text = text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;:—– ") + " …"
        if text:
            return text
    return ""


def site_address(config):
    """Where the site will stand: `html_baseurl`, or GitHub Pages of the repository; "" while neither is known."""
    if config.html_baseurl:
        return config.html_baseurl.rstrip("/") + "/"
    parts = urlparse(config.html_theme_options.get("repository_url") or "")
    owner_name = parts.path.strip("/").split("/")
    if parts.netloc != "github.com" or len(owner_name) != 2:
        return ""
    owner, name = owner_name
    host = f"https://{owner.lower()}.github.io/"
    return host if f"{owner}.github.io".lower() == name.lower() else f"{host}{name}/"


def tags(title, site, description, page, card):
    """The head's lines about a page. page: its address, or "" while that is not known. card: the picture's address."""
    properties = {
        "og:type": "article",
        "og:site_name": site,
        "og:title": title,
        "og:description": description,
        "og:url": page,
        "og:image": card,
        "og:image:width": str(CARD[1]),
        "og:image:height": str(CARD[2]),
        "og:image:alt": CARD[3],
    }
    named = {"description": description, "twitter:card": "summary_large_image"}
    lines = [f'<meta property="{key}" content="{escape(value)}">' for key, value in properties.items() if value]
    lines += [f'<meta name="{key}" content="{escape(value)}">' for key, value in named.items() if value]
    if page:
        lines.append(f'<link rel="canonical" href="{escape(page)}">')
    return lines


def mistake_address(repository, title, page):
    """A new issue that names the page; "" while the repository has no address."""
    if not repository:
        return ""
    body = f"Page: {page or title}\nSentence or number:\nWhat it should be:\n"
    return f"{repository.rstrip('/')}/issues/new?" + urlencode({"title": f"Mistake: {title}", "body": body})


def add_head(app, pagename, templatename, context, doctree):
    site, base = app.config.html_title, site_address(app.config)
    title = app.env.titles[pagename].astext() if pagename in app.env.titles else context.get("title", site)
    page = base + quote(app.builder.get_target_uri(pagename)) if base else ""
    card = base + CARD[0] if base else context["pathto"](CARD[0], 1)
    lines = tags(title, site, describe(doctree) if doctree else "", page, card)
    lines.append(f'<link rel="apple-touch-icon" href="{context["pathto"]("_static/touch.png", 1)}">')
    context["metatags"] = context.get("metatags", "") + "\n    " + "\n    ".join(lines)
    repository = app.config.html_theme_options.get("repository_url") or ""
    context["mistake_address"] = mistake_address(repository, title, page) if doctree else ""


def setup(app):
    app.connect("html-page-context", add_head)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
