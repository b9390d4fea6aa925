"""A data card's Markdown as markup: what is HTML in it is shown as text, and nothing in it is loaded from elsewhere."""

from __future__ import annotations

from markupsafe import Markup


def render(text: str) -> Markup:
    """Headings become `h4` and below, so that they fit under a section's."""
    import mistune

    class Card(mistune.HTMLRenderer):
        def heading(self, text: str, level: int, **attributes: object) -> str:
            return super().heading(text, min(level + 3, 6))

        def link(self, text: str, url: str, title: str | None = None) -> str:
            """Followed only by whoever presses it; anything but the web is text."""
            if not url.startswith(("https://", "http://")):
                return text
            return f'<a href="{mistune.escape(url)}" rel="noopener noreferrer">{text}</a>'

        def image(self, text: str, url: str, title: str | None = None) -> str:
            return text

    return Markup(mistune.create_markdown(renderer=Card(escape=True))(text))
