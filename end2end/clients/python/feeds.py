"""feedparser with its defaults: reads a feed, and asks for it again.

Prints what it found, as JSON.
"""

import json
import os

import feedparser


def read(url):
    """A feed, and the status when it is asked for again by its tag."""
    feed = feedparser.parse(url)
    again = feedparser.parse(url, etag=feed.etag)
    return {
        "malformed": bool(feed.bozo),
        "version": feed.version,
        "id": feed.feed.get("id"),
        "title": feed.feed.title,
        "entries": [
            {
                "id": entry.id,
                "title": entry.title,
                "link": entry.link,
                "author": entry.get("author"),
                "content": entry.content[0].value,
                "updated": entry.updated,
            }
            for entry in feed.entries
        ],
        "again": again.status,
    }


print(json.dumps([read(url) for url in os.environ["BYLINE_FEEDS"].split()]))
