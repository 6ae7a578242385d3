# SPDX-License-Identifier: EUPL-1.2
"""`cuvar review alerts …` against a running gateway, as officer and reviewer type it."""

import json
import re
import time
from pathlib import Path

import httpx2
import pytest
from click.testing import CliRunner

from audit.errors import ContextError, LogUnavailableError
from gateway.commands.review import review
from gateway.commands.review.alerts import named
from gateway.commands.review.posting import StepRefusedError
from gateway.commands.review.scanning import NoSuchAlertError
from gateway.commands.token import STRONG
from gateway.identity import DevIssuer
from tests.gateway import house as houses
from tests.gateway.reviews.reviewing import LOOK, OFFICER

PAGE = Path(__file__).parents[4] / "docs/review-alerts.md"
USERS = "officer,unit,owner,reference,document,surnames,forenames,born\n"


class Bureau:
    """A data-protection officer's desk beside a running gateway."""

    def __init__(self, folder, url, desk, officer=OFFICER):
        self.folder, self.url, self.desk = folder, url, desk
        self.origin = None
        self.context = desk / "files"
        self.context.mkdir(parents=True)
        issuer = DevIssuer(folder / "issuer", issuer=houses.ISSUER, audience=houses.AUDIENCE)
        self.officer = issuer.issue(
            org="BA-BP", country="BA", roles=("border_officer",), officer=officer, unit="unit-a"
        )
        self.token = desk / "token"
        self.token.write_text(
            issuer.issue(
                org="BA-DO",
                country="BA",
                roles=("dpo",),
                officer="dpo-BA",
                acr=STRONG,
                auth_time=int(time.time()),
            )
        )
        (desk / "text").write_text("why?", encoding="utf-8")

    def asks(self, method, path, body=None):
        headers = {"authorization": f"Bearer {self.officer}"}
        answer = httpx2.request(method, f"{self.url}/v1/{path}", json=body, headers=headers)
        if answer.headers.get("audit-entry"):
            self.origin = answer.headers["audit-entry"].split(",")[0].rpartition("/")[0]
        return answer

    def run(self, *arguments, posting=False, context=False):
        more = ["--log", f"sqlite:///{self.folder}/log.sqlite", "--origin", self.origin]
        more += ["--key", str(self.folder / "dpo/BA.key"), "--index", str(self.desk / "ba.idx")]
        more += ["--gateway", self.url, "--token-file", str(self.token)] if posting else []
        more += ["--context", str(self.context)] if context else []
        return CliRunner().invoke(review, ["alerts", *arguments, *more])

    def ask(self, *arguments, **more):
        done = self.run(*arguments, **more)
        assert done.exit_code == 0, (done.output, done.exception)
        return json.loads(done.stdout) if "--json" in arguments else done.stdout


@pytest.fixture(scope="module")
def served(house_template, tmp_path_factory, unused_tcp_port_factory):
    """A gateway, started once for these tests."""
    folder = tmp_path_factory.mktemp("served")
    folder, url = houses.serve_at(house_template, folder, unused_tcp_port_factory())
    process = houses.start(folder)
    try:
        for _ in range(600):
            assert process.poll() is None, (folder / "stderr.log").read_text()
            try:
                httpx2.get(f"{url}/healthz")
                break
            except httpx2.TransportError:
                time.sleep(0.05)
        yield folder, url
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture
def bureau(served, tmp_path):
    found = Bureau(*served, tmp_path / "desk")
    # Refused, for nobody attested a presence: a try is an access too.
    assert found.asks("POST", "find", LOOK).status_code == 403
    return found


def test_a_finding_goes_through_the_queue_to_its_end(bureau):
    users = USERS + "officer-2,unit-b,,,,Zvončićanary,,1985-04-03\n"
    (bureau.context / "officers.csv").write_text(users, encoding="utf-8")
    (log,) = bureau.ask("scan", "--json", context=True)
    alert = next(a for a in log["alerts"] if a["rule"] == "colleague")
    assert (alert["new"], alert["raised"], alert["officer"]) == (True, False, OFFICER)
    assert alert["tried"][0]["why_not"] == "not known: vetting.csv is not there"
    assert "Zvon" not in json.dumps(log, ensure_ascii=False)
    told = bureau.ask("raise", alert["id"], "--json", posting=True, context=True)
    assert (told["state"], told["entry"].rpartition("/")[0]) == ("open", bureau.origin)
    text = ("--text", str(bureau.desk / "text"))
    assert ": asked, next step due " in bureau.ask("ask", told["alert"], *text, posting=True)
    (question,) = bureau.asks("GET", "reviews/mine").json()["questions"]
    assert question["question"] == "why?"
    body = {"alert": told["alert"], "text": "I vetted her"}
    assert bureau.asks("POST", "reviews/answer", body).status_code == 200
    closing = ("close", told["alert"], "--outcome", "unjustified", *text)
    done = bureau.run(*closing, posting=True)
    assert ": closed; entry " in done.stdout
    assert "72 hours" in done.stderr
    assert isinstance(bureau.run(*closing, posting=True).exception, StepRefusedError)
    (item,) = bureau.ask("queue", "--json")
    assert (item["state"], item["outcome"], item["rule"]) == ("closed", "unjustified", "colleague")
    assert len(item["steps"]) == 4
    assert bureau.ask("queue", "--open").strip() == "no alerts"
    assert "colleague: closed (unjustified)" in bureau.ask("queue")
    (log,) = bureau.ask("scan", "--json", context=True)
    assert log["alerts"] == []
    shown = bureau.ask("scan", "--all", context=True)
    assert "[raised]" in shown
    assert "not explained by duty-to-vet: not known" in shown
    assert "new" not in shown


def test_an_alert_about_more_ranges_than_an_entry_names_can_still_be_raised():
    assert named([1, 2, 3, 7]) == (["1-3", "7"], [])
    about, (told,) = named(range(0, 4000, 2))
    assert (len(about), about[0], about[-1]) == (512, "0", "1022")
    assert "of 2000 entries" in told


def test_what_cannot_be_done_is_told_with_the_next_step(bureau):
    text = ("--text", str(bureau.desk / "text"))
    missing = bureau.run("raise", "0" * 32, posting=True, context=True)
    assert isinstance(missing.exception, NoSuchAlertError)
    asked = bureau.run("ask", "019ab5f0-0000-7000-8000-000000000001", *text, posting=True)
    assert isinstance(asked.exception, NoSuchAlertError)
    (bureau.context / "swaps.csv").write_text("x\n", encoding="utf-8")
    assert isinstance(bureau.run("scan", context=True).exception, ContextError)
    (bureau.context / "swaps.csv").unlink()
    (bureau.desk / "ba.idx.alerts").write_text("[]", encoding="utf-8")
    assert isinstance(bureau.run("scan", context=True).exception, NoSuchAlertError)
    key, place = str(bureau.folder / "dpo/BA.key"), f"sqlite:///{bureau.folder}/log.sqlite"
    several = CliRunner().invoke(review, ["alerts", "queue", "--log", place, "--key", key])
    assert isinstance(several.exception, LogUnavailableError)


@pytest.mark.parametrize(
    ("gateway", "token", "words"),
    [
        (None, "t", "give --gateway"),
        ("http://cuvar.example", "t", "https://"),
        ("https://cuvar.example", "two words", "no access token"),
        ("http://127.0.0.1:9", "t", "does not answer"),
    ],
)
def test_a_step_goes_nowhere_without_a_safe_address_and_a_token(tmp_path, gateway, token, words):
    from gateway.commands.review.desk import Desk
    from gateway.commands.review.posting import post

    (tmp_path / "token").write_text(token)
    files = (tmp_path / name for name in ("key", "idx"))
    desk = Desk("", (), *files, gateway, tmp_path / "token", None)
    with pytest.raises(StepRefusedError, match=words):
        post(desk, "close", {})


def test_the_pages_first_scan_is_what_a_scan_shows(served, tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    users, vetting = re.findall(r"```csv\n(.*?)```", page, re.DOTALL)
    (wanted,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    bureau = Bureau(*served, tmp_path / "desk", officer="officer-17")
    look = {**LOOK, "subject": {"doc_number": "AB123456"}}
    del look["case_no"]
    assert bureau.asks("POST", "find", look).status_code == 403
    (bureau.context / "officers.csv").write_text(users, encoding="utf-8")
    shown = bureau.ask("scan", context=True)
    found = [line for line in shown.splitlines()[1:] if "similar" not in line]
    masked = [re.sub(r"^[0-9a-f]{32}|entries \S+ from \S+;", "*", line.strip()) for line in found]
    expected = [
        re.sub(r"^[0-9a-f]{32}|entries \S+ from \S+;", "*", line.strip())
        for line in wanted.splitlines()
    ]
    place = masked.index(expected[0])
    assert masked[place : place + len(expected)] == expected
    (bureau.context / "vetting.csv").write_text(vetting, encoding="utf-8")
    assert "colleague" not in bureau.ask("scan", "--all", context=True)
