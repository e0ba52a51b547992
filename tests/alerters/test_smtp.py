"""Mails under the contract and from a real server: what they say, who gets them, and every way it can go wrong."""

import contextlib
import csv
import dataclasses
import io
import re
import socket
import threading
import time

import pytest
from rigs.smtp import Mailbox, smtp_server

from ridgeline import alerters
from ridgeline.alerters import Message, Secret
from ridgeline.alerters.smtp import SmtpSettings, build
from ridgeline.alerters.testing import ALERT, Authority, Contract, group, hostile, soon, storm

PICTURE = b"\x89PNG\r\n\x1a\n picture"
TO = ("ops@example.org", "web@example.org", "dba@example.org")


def mailer(port, **settings):
    ready = {
        "sender": "ridgeline@example.org",
        "default_recipients": TO[:1],
        "security": "none",
        "port": port,
        **settings,
    }
    return build(SmtpSettings(**ready))


class TestContract(Contract):
    @contextlib.contextmanager
    def receiver(self):
        with smtp_server() as box:
            yield mailer(box.port), lambda: box.texts

    def unreachable(self):
        return mailer(1)


class TestWithLogin(Contract):
    @pytest.fixture(autouse=True)
    def _authority(self, tmp_path):
        self.authority = Authority(tmp_path)

    def login(self, port):
        secret = {"username": "me", "password": Secret(self.SECRET)}
        return mailer(port, security="starttls", ca_file=self.authority.ca_file, **secret)

    @contextlib.contextmanager
    def receiver(self):
        with smtp_server(Mailbox(password=self.SECRET), starttls=self.authority.good()) as box:
            yield self.login(box.port), lambda: box.texts

    def unreachable(self):
        return self.login(1)


def sent(*messages, **settings):
    with smtp_server() as box:
        made = mailer(box.port, **settings)
        for message in messages:
            outcome = made.send(message, soon(20))
            assert outcome.kind == "sent", outcome
    return box.mails


def to(*recipients, message=None):
    return dataclasses.replace(message or Message.of(ALERT), recipients=recipients)


def test_one_mail_one_transaction_first_in_to_others_in_cc():
    with smtp_server() as box:
        outcome = mailer(box.port).send(to(*TO), soon())
    assert (outcome.kind, outcome.delivered) == ("sent", TO)
    (envelope,), (mail,) = box.envelopes, box.mails
    assert envelope.rcpt_tos == list(TO)
    assert envelope.mail_from == mail["From"] == "ridgeline@example.org"
    assert mail["To"] == TO[0]
    assert [str(address) for address in mail["Cc"].addresses] == list(TO[1:])
    assert mail["Subject"] == "stats.web01.requests is anomalous: 1523"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_the_message_id_is_that_of_strategy_metric_and_time():
    later = dataclasses.replace(ALERT, timestamp=ALERT.timestamp + 60)
    others = [dataclasses.replace(ALERT, metric="other"), dataclasses.replace(ALERT, strategy="other"), later]
    first, again, *rest = sent(Message.of(ALERT), to(TO[1]), *map(Message.of, others), Message.of(ALERT, "resolved"))
    assert first["Message-ID"] == again["Message-ID"]
    assert len({mail["Message-ID"] for mail in [first, *rest]}) == 5
    assert first["References"] == rest[2]["References"], "repeats about one metric are one conversation"


def test_text_html_and_picture():
    (mail,) = sent(
        Message.of(dataclasses.replace(ALERT, picture=PICTURE, links=(("graph", "https://g.example/?a=1&b=2"),)))
    )
    assert mail.get_content_type() == "multipart/alternative"
    html = mail.get_body(("related", "html"))
    page = html.get_body(("html",)).get_content() if html.is_multipart() else html.get_content()
    for word in ("1523", "900 to 1100", "grubbs", "stats.", 'href="https://g.example/?a=1&amp;b=2"'):
        assert word in page
    (image,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert image.get_content() == PICTURE
    assert f"cid:{image['Content-ID'].strip('<>')}" in page
    assert image.get_content_disposition() == "inline"


def test_no_name_writes_html_or_headers():
    with smtp_server() as box:
        for alert in hostile():
            assert mailer(box.port).send(Message.of(alert), soon()).kind == "sent"
    for mail, envelope in zip(box.mails, box.envelopes, strict=True):
        html = mail.get_body(("html",)).get_content()
        assert "<script" not in html
        assert {"Subject", "From", "To", "Date", "Message-ID"} <= set(mail.keys())
        assert len(mail.get_all("Subject")) == len(mail.get_all("From")) == 1
        assert mail.get_all("Bcc") is None
        assert not mail.defects
        assert max(map(len, envelope.original_content.split(b"\r\n"))) <= 998


def test_a_storm_attaches_the_whole_list():
    message = storm(500)
    names = [dataclasses.replace(message.alerts[0], metric=name) for name in ("=cmd()", "a,b", 'q"uote', "n\nl")]
    (mail,) = sent(dataclasses.replace(message, alerts=(*names, *message.alerts[4:])))
    (table,) = [part for part in mail.walk() if part.get_filename() == "anomalies.csv"]
    rows = list(csv.DictReader(io.StringIO(table.get_content())))
    assert len(rows) == 500
    assert [row["metric"] for row in rows[:4]] == ["'=cmd()", "a,b", 'q"uote', "n\\nl"]
    assert rows[9]["value"] == "1991.0"
    assert not [part for part in sent(group(3))[0].walk() if part.get_filename()]


@pytest.mark.parametrize(
    ("answers", "kind", "fates"),
    [
        (["250 OK", "550 no such user", "250 OK"], "sent", "d-d"),
        (["250 OK", "451 greylisted", "550 no"], "retry", "dr-"),
        (["550 no", "550 no", "550 no"], "rejected", "---"),
        (["450 later", "450 later", "450 later"], "retry", "rrr"),
        (["250 OK", "250 OK", "452 too many recipients"], "retry", "ddr"),
    ],
)
def test_each_recipient_has_a_fate_of_its_own(answers, kind, fates):
    box = Mailbox(rcpt=dict(zip(TO, answers, strict=True)))
    with smtp_server(box):
        outcome = mailer(box.port).send(to(*TO), soon())
    assert outcome.kind == kind
    expected = {fate: tuple(name for name, is_ in zip(TO, fates, strict=True) if is_ == fate) for fate in "dr-"}
    assert (outcome.delivered, outcome.deferred, outcome.refused) == (expected["d"], expected["r"], expected["-"])
    assert [envelope.rcpt_tos for envelope in box.envelopes] == ([list(expected["d"])] if expected["d"] else [])
    assert bool(outcome.reason) == (fates != "ddd")


@pytest.mark.parametrize(
    ("word", "kind"), [("451 later", "retry"), ("554 spam", "rejected"), ("552 too large", "rejected")]
)
def test_a_refused_mail(word, kind):
    box = Mailbox(data=word)
    with smtp_server(box):
        outcome = mailer(box.port).send(to(*TO), soon())
    assert outcome.kind == kind
    assert word[:3] in outcome.reason


def test_a_drop_after_data_is_unknown():
    box = Mailbox(drop_after_data=True)
    with smtp_server(box):
        assert mailer(box.port).send(Message.of(ALERT), soon()).kind == "unknown"


@contextlib.contextmanager
def scripted(*says, drip=0.0):
    """A server that says each line in turn, whatever it hears, then nothing more."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError), listener.accept()[0] as peer:
                for line in says:
                    for piece in [bytes([byte]) for byte in line] if drip else [line]:
                        peer.sendall(piece)
                        time.sleep(drip)
                    if not peer.recv(65536):
                        return
                peer.settimeout(5)
                while peer.recv(65536):
                    pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(5)


@pytest.mark.parametrize(
    "says",
    [
        (),
        (b"220 hi\r\n",),
        (b"220 hi\r\n", b"250 me\r\n"),
        (b"220 hi\r\n", b"250 me\r\n", b"250 OK\r\n", b"250 OK\r\n"),
        (b"220 hi\r\n", b"250 me\r\n", b"250 OK\r\n", b"250 OK\r\n", b"354 go\r\n"),
    ],
    ids=["no greeting", "no ehlo", "no mail", "no data", "no end"],
)
def test_a_server_that_falls_silent_costs_no_more_than_the_deadline(says):
    with scripted(*says) as port:
        began = time.monotonic()
        outcome = mailer(port).send(Message.of(ALERT), soon(0.4))
        assert time.monotonic() - began < 15
    if says[-1:] == (b"354 go\r\n",):
        assert outcome.kind == "unknown"
    else:
        assert (outcome.kind, outcome.reason) == ("retry", f"127.0.0.1:{port} did not answer in time")


def test_a_server_that_hangs_up_is_said_to():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up():
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        outcome = mailer(listener.getsockname()[1]).send(Message.of(ALERT), soon(5))
        thread.join(5)
    assert outcome.kind == "retry"
    assert re.search("hung up|Connection reset", outcome.reason)


def test_a_server_that_drips_costs_no_more_than_the_deadline():
    with scripted(b"220-" + b"x" * 1000, drip=0.02) as port:
        began = time.monotonic()
        assert mailer(port).send(Message.of(ALERT), soon(0.4)).kind == "retry"
        assert time.monotonic() - began < 15


@pytest.mark.parametrize(
    ("greeting", "kind"),
    [
        (b"554 go away\r\n", "rejected"),
        (b"421 busy\r\n", "retry"),
        (b"SSH-2.0-x\r\n", "retry"),
        (b"\x00\xff\r\n", "retry"),
    ],
)
def test_a_greeting_that_is_none(greeting, kind):
    with scripted(greeting) as port:
        assert mailer(port).send(Message.of(ALERT), soon(2)).kind == kind


def test_certificates_are_verified_either_way(tmp_path):
    authority = Authority(tmp_path)
    for security in ("starttls", "tls"):
        with smtp_server(**{security: authority.good()}) as box:
            trusting = mailer(box.port, security=security, ca_file=authority.ca_file)
            assert trusting.send(Message.of(ALERT), soon()).kind == "sent", security
            assert mailer(box.port, security=security).send(Message.of(ALERT), soon()).kind == "rejected"
        for what, context in authority.bad().items():
            with smtp_server(**{security: context}) as box:
                outcome = mailer(box.port, security=security, ca_file=authority.ca_file).send(Message.of(ALERT), soon())
                assert outcome.kind == "rejected", f"{security}, {what}: {outcome}"
                assert box.envelopes == []


def test_starttls_is_never_done_without():
    with smtp_server() as box:
        outcome = mailer(box.port, security="starttls").send(Message.of(ALERT), soon())
    assert outcome.kind == "rejected"
    assert "no STARTTLS" in outcome.reason
    assert box.envelopes == []


def test_a_wrong_password_is_told_without_it(tmp_path):
    authority = Authority(tmp_path)
    with smtp_server(Mailbox(password="right"), starttls=authority.good()) as box:
        wrong = {"username": "me", "password": Secret("wr0ng-pass")}
        outcome = mailer(box.port, security="starttls", ca_file=authority.ca_file, **wrong).send(
            Message.of(ALERT), soon()
        )
    assert outcome.kind == "rejected"
    assert "username or password" in outcome.reason
    assert "wr0ng" not in outcome.reason


def test_nobody_to_mail_is_said():
    with smtp_server() as box:
        made = mailer(box.port, default_recipients=())
        assert made.send(Message.of(ALERT), soon()).kind == "rejected"
        assert made.send(to("no_email"), soon()).kind == "rejected"
        assert made.send(to("no_email", TO[0]), soon()).kind == "sent"
        assert made.send(to("a@b\r\nRCPT TO:<x@y>"), soon()).kind == "rejected"
    assert [envelope.rcpt_tos for envelope in box.envelopes] == [[TO[0]]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"security": "ssl"}, "security"),
        ({"port": 70000}, "port"),
        ({"host": "a b"}, "host"),
        ({"sender": "a b@c"}, "sender"),
        ({"sender": "a@b\nX: y"}, "sender"),
        ({"default_recipients": ("ops@example.org, web@example.org",)}, "default_recipients"),
        ({"recipients": {".": ("nope nope",)}}, "recipients"),
        ({"username": "me"}, "username"),
        ({"username": "me", "password": Secret("x"), "security": "none"}, "username"),
        ({"timeout": 0}, "timeout"),
    ],
)
def test_settings_that_could_never_send_are_refused(wrong, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        SmtpSettings(**{"sender": "a@example.org", **wrong})


def test_ports_follow_the_security():
    assert [build(SmtpSettings("a@b.c", security=kind)).server.port for kind in ("starttls", "tls", "none")] == [
        587,
        465,
        25,
    ]
    assert alerters.load()["smtp"].takes_recipients
