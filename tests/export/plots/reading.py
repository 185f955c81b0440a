"""What figures say."""

import html


def said(figure):
    """Title and caption as they are read."""
    return html.unescape(figure.layout.title.text.replace("<br>", " "))
