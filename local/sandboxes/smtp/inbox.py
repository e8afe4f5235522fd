"""The mail stand-in's inbox."""

import mailbox
from pathlib import Path


def messages_about(inbox: Path, message_id: str) -> list[str]:
    """The subjects of the messages with an id in the inbox."""
    found = []
    for message in mailbox.Maildir(inbox, create=False):
        if message["Message-ID"].strip("<>") == message_id:
            found.append(str(message["Subject"]))
    return found
