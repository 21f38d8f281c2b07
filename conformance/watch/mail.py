"""Send a notice by mail: to the local ``sendmail``, or by SMTP.

The program gets the recipients as arguments, never from the text, and no shell. A password is
sent over TLS only.
"""

from __future__ import annotations

import smtplib
import ssl
import subprocess
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr

from conformance.report.sanitize import cut, line
from conformance.watch.channels import Channel, without_links
from conformance.watch.notice import Notice, Titles, subject_of, text_of

SECONDS = 60
MAX_SUBJECT_CHARS = 200
TLS_PORT = 465
"""The port at which SMTP begins with TLS (RFC 8314); at others it is asked for by STARTTLS."""


class MailError(Exception):
    """A mail could not be handed over; the message is one sentence without secrets."""


def mail_of(channel: Channel, notice: Notice, at: datetime, titles: Titles) -> EmailMessage:
    """Return a notice as a mail. No text can end a header, because none has a line break."""
    mail = EmailMessage()
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.recipients)
    mail["Subject"] = cut(line(subject_of(notice, channel.language)), MAX_SUBJECT_CHARS)
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = make_msgid(domain=parseaddr(channel.sender)[1].rpartition("@")[2])
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    mail.set_content(text_of(notice, channel.language, titles, without_links))
    return mail


def hand_over(mail: EmailMessage, channel: Channel, password: str | None) -> None:
    """Give a mail to the program or the server of a channel.

    Raises:
        MailError: it was not taken.
    """
    try:
        if channel.sendmail is not None:
            _to_program(mail, channel)
        else:
            _to_server(mail, channel, password)
    except subprocess.TimeoutExpired:
        raise MailError(f"{channel.sendmail} did not end within {SECONDS} s") from None
    except smtplib.SMTPResponseException as error:
        raise MailError(f"the mail server answered with code {error.smtp_code}") from None
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise MailError(f"the mail was not taken ({type(error).__name__})") from None


def _to_program(mail: EmailMessage, channel: Channel) -> None:
    program = channel.sendmail
    assert program is not None  # noqa: S101 - the caller has looked
    # -i: a line with a single dot does not end the mail.
    command = [program, "-i", "-f", parseaddr(channel.sender)[1], "--"]
    command += [parseaddr(one)[1] for one in channel.recipients]
    done = subprocess.run(  # noqa: S603 - the user's program, without a shell
        command, input=mail.as_bytes(), capture_output=True, timeout=SECONDS, check=False
    )
    if done.returncode:
        raise MailError(f"{program} ended with exit code {done.returncode}")


def _to_server(mail: EmailMessage, channel: Channel, password: str | None) -> None:
    assert channel.smtp is not None  # noqa: S101 - a channel has one of both
    host, port = channel.smtp
    context = ssl.create_default_context()
    if port == TLS_PORT:
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=SECONDS)
    with server:
        server.ehlo()
        is_private = port == TLS_PORT
        if not is_private and server.has_extn("starttls"):
            server.starttls(context=context)
            server.ehlo()
            is_private = True
        if password is not None:
            if not is_private:
                raise MailError("the mail server offers no TLS, so the password is not sent")
            server.login(channel.user or "", password)
        server.send_message(mail)
