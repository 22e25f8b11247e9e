"""The shop's e-mails about an order, put into a Maildir as a mail server would."""

from __future__ import annotations

import mailbox
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from html import escape
from pathlib import Path

SENDER = "Bazaar <orders@bazaar.example>"


class Letters:
    """Writes what the shop sends; to nobody, where there is no Maildir.

    Parameters
    ----------
    maildir
        Of all buyers together. Made if it is not there.
    """

    def __init__(self, maildir: Path | None) -> None:
        self._box = None if maildir is None else mailbox.Maildir(maildir, create=True)

    def confirm(self, to: str, number: str, title: str, total: str, address: str) -> None:
        """Confirm an order."""
        self._send(
            to,
            f"Your order {number}",
            f"Thank you for your order.\n\nOrder number: {number}\nItem: {title}\nQuantity: 1\n"
            f"Total: {total}\n\nWe send it to:\n{address}\n",
        )

    def ship(self, to: str, number: str, carrier: str, tracking: str) -> None:
        """Say that an order is on its way."""
        self._send(
            to,
            f"Your order {number} is on its way",
            f"Order number: {number}\nCarrier: {carrier}\nTracking number: {tracking}\n",
        )

    def _send(self, to: str, subject: str, text: str) -> None:
        if self._box is None or not to:
            return
        letter = EmailMessage()
        letter["From"], letter["To"], letter["Subject"] = SENDER, _line(to), subject
        letter["Date"] = format_datetime(datetime.now(UTC))
        letter["Message-ID"] = make_msgid(domain="bazaar.example")
        # As the buyer's mail server would say on receipt.
        letter["Authentication-Results"] = (
            "mx.buyer.example; spf=pass smtp.mailfrom=bazaar.example; "
            "dkim=pass header.d=bazaar.example"
        )
        letter.set_content(text)
        rows = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line)
        letter.add_alternative(f"<html><body>{rows}</body></html>", subtype="html")
        self._box.add(letter)


def _line(text: str) -> str:
    """What somebody typed, as one line of a header."""
    return "".join(c for c in text if c.isprintable())[:200]
