"""Messages to partners as e-mail: sent by SMTP when a server is configured, else written as .eml files."""

from __future__ import annotations

import csv
import io
import os
import smtplib
import ssl
from collections.abc import Callable
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from scm.core.deliveries import Envelope
from web.delivery import DeliveryFailed

SECONDS = 20.0
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


class PostOffice(Protocol):
    """Takes letters."""

    def send(self, letter: EmailMessage, *, message_key: str) -> None:
        """This function will hand one letter over. Raises `DeliveryFailed`."""


class Folder:
    """Writes each letter to a file named by its message key: sent twice it is still one file."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def send(self, letter: EmailMessage, *, message_key: str) -> None:
        """This function will write the file whole or not at all."""
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            draft = self._directory / f".{message_key}.part"
            draft.write_bytes(letter.as_bytes())
            os.replace(draft, self._directory / f"{message_key}.eml")
        except OSError as error:
            raise DeliveryFailed(f"{self._directory} cannot be written to ({error.strerror})") from error


class SmtpServer:
    """Hands letters to the SMTP server of an address like smtp://USER:PASSWORD@HOST:587."""

    def __init__(self, url: str, *, connect: Callable[..., smtplib.SMTP] | None = None) -> None:
        parts = urlsplit(url)
        self._secure = parts.scheme == "smtps"
        self._host, self._port = parts.hostname or "", parts.port or (465 if self._secure else 587)
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._connect = connect or self._open

    def send(self, letter: EmailMessage, *, message_key: str) -> None:
        """This function will send one letter; with a password only over an encrypted connection."""
        if "@" not in letter["To"]:
            raise DeliveryFailed(f"{letter['To']} has no e-mail address: add one to the partner", for_good=True)
        try:
            with self._connect(self._host, self._port) as server:
                if not self._secure and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                elif self._user and not self._secure:
                    raise DeliveryFailed(f"{self._host} offers no encryption, so the password is not sent")
                if self._user:
                    server.login(self._user, self._password)
                server.send_message(letter)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            raise DeliveryFailed(
                f"{self._host} refuses the recipient ({codes[0]})", for_good=all(code >= 550 for code in codes)
            ) from error
        except smtplib.SMTPResponseException as error:
            raise DeliveryFailed(f"{self._host} answered {error.smtp_code}") from error
        except (OSError, smtplib.SMTPException) as error:
            raise DeliveryFailed(f"{self._host} could not be reached ({type(error).__name__})") from error

    def _open(self, host: str, port: int) -> smtplib.SMTP:
        if self._secure:
            return smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=ssl.create_default_context())
        server = smtplib.SMTP(host, port, timeout=SECONDS)
        server.ehlo()
        return server


def letter_of(envelope: Envelope, *, mail_from: str) -> EmailMessage:
    """This function will write the letter of a message; its Message-ID is the message's key, at every attempt."""
    letter = EmailMessage(policy=policy.SMTP)
    letter["From"] = mail_from
    letter["To"] = _one_line(envelope.recipient)
    letter["Date"] = format_datetime(envelope.created_at)
    letter["Message-ID"] = f"<{envelope.message_key}@{mail_from.rpartition('@')[2]}>"
    letter["Auto-Submitted"] = "auto-generated"
    payload = envelope.payload
    number = _one_line(str(payload.get("number", envelope.document_id)))
    letter["Subject"] = f"Purchase order {number} / 采购订单 {number}"
    lines = payload.get("lines", [])
    letter.set_content(
        f"Please deliver purchase order {number} as in the attached table ({len(lines)} lines, "
        f"{payload.get('currency')}). Please confirm quantities and dates.\n\n"
        f"请按附表交付采购订单 {number}，并确认数量和日期。\n"
    )
    letter.add_attachment(_table(lines).encode("utf-8-sig"), maintype="text", subtype="csv", filename=f"{number}.csv")
    return letter


def _table(lines: list[dict[str, object]]) -> str:
    names = ("sku", "quantity", "unit_price", "due_date")
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    writer.writerows([_defused(str(line.get(name, ""))) for name in names] for line in lines)
    return text.getvalue()


def _defused(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula is marked as text."""
    return f"'{cell}" if cell.startswith(FORMULA_SIGNS) else cell


def _one_line(text: str) -> str:
    return " ".join(text.split())
