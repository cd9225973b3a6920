"""gql for Python with its defaults: asks by HTTP, asks and listens by WebSocket.

Prints what it was told, as JSON.
"""

import asyncio
import json
import os

from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport
from gql.transport.websockets import WebsocketsTransport

ENDPOINT = os.environ["BYLINE_ENDPOINT"]
KEY = {"x-api-key": os.environ["BYLINE_KEY"]}
TOKEN = {"authorization": os.environ["BYLINE_TOKEN"]}

CREATE = gql("mutation { createPost(input: { title: \"By gql\" }) { id title } }")
# Other tests make posts on the same site at the same time.
LISTEN = gql("subscription { onCreatePost(filter: { title: { eq: \"By gql\" } }) { id title } }")
NAME = gql("{ __typename }")


def by_http(headers):
    """A client that posts its documents."""
    return Client(transport=RequestsHTTPTransport(url=ENDPOINT, headers=headers))


async def heard():
    """A post that is made while a subscription listens for it, as it is told."""
    transport = WebsocketsTransport(url=ENDPOINT.replace("http", "ws", 1), init_payload=KEY)
    async with Client(transport=transport) as session:
        told = asyncio.ensure_future(anext(session.subscribe(LISTEN)))
        # Messages of a connection are taken in order: by then the subscription listens.
        asked = await session.execute(NAME)
        made = await asyncio.to_thread(by_http(TOKEN).execute, CREATE)
        told = await asyncio.wait_for(told, timeout=60)
    return {
        "asked": asked,
        "made": made["createPost"],
        "told": told["onCreatePost"],
    }


print(json.dumps({"http": by_http(KEY).execute(NAME), "socket": asyncio.run(heard())}))
