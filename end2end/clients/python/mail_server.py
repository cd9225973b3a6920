"""A mail server by aiosmtpd, which behaves as the name of a recipient says.

Prints its port, then each mail that it takes, a line of JSON each.
"""

import asyncio
import json
import sys
from email import message_from_bytes, policy

from aiosmtpd.smtp import SMTP

# A test has failed by then; nothing of it stays.
SECONDS = 300


def say(value):
    print(json.dumps(value), flush=True)


class Handler:
    """What goes wrong at other people's mail servers."""

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused"):
            return "550 5.1.1 No such mailbox"
        if address.startswith("busy"):
            return "451 4.3.2 Come again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if to.startswith("vanishes"):
            server.transport.abort()
            return "451 Nobody hears it"
        if to.startswith("slow"):
            await asyncio.sleep(3)
        mail = message_from_bytes(envelope.original_content, policy=policy.default)
        say({
            "from": envelope.mail_from,
            "to": to,
            "subject": mail["subject"],
            "defects": [str(defect) for part in mail.walk() for defect in part.defects],
            "plain": mail.get_body(("plain",)).get_content(),
            "html": mail.get_body(("html",)).get_content(),
        })
        return "250 OK"


async def main():
    handler = Handler()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(handler, enable_SMTPUTF8=True), "127.0.0.1", 0
    )
    say({"port": server.sockets[0].getsockname()[1]})
    await asyncio.sleep(SECONDS)


try:
    asyncio.run(main())
except KeyboardInterrupt:
    sys.exit(0)
