"""Re-phrasings from a writer: the plan, the cache, a server that fails now and then, and a local model."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from isophrase.api.paraphrase import planned, rephrase
from isophrase.errors import ConfigError
from isophrase.models.writing import Reply
from isophrase.models.writing_server import ServerOptions, ServerWriter
from isophrase.paraphrase.generate import Prices, estimate, generate
from isophrase.paraphrase.plan import STYLES, WritingPlan, clean, wanted
from isophrase.sources.instructions import read_instruction_set
from isophrase.types import Instruction, OutputForm
from tests.tiny_models import tiny_model

REFERENCE = Instruction("ref", "Positive or negative? {{ input }}", "reference", OutputForm.LABEL)
PLAN = WritingPlan(count=4, languages=("en", "de"), labels=("positive", "negative"))


class Echo:
    """A writer that answers from a list."""

    name = "echo"

    def __init__(self, *texts):
        self.texts, self.asked = texts, []

    def write(self, requests):
        start = len(self.asked)
        self.asked += requests
        return [Reply(self.texts[(start + i) % len(self.texts)], 100, 50) for i in range(len(requests))]


def test_a_plan_goes_through_styles_temperatures_languages_and_seeds():
    requests = list(wanted([REFERENCE], PLAN))
    assert len(requests) == 8
    assert [item.register for item in requests[:4]] == [name for name, _ in STYLES[:4]]
    assert [item.request.temperature for item in requests[:4]] == [0.7, 1.0, 1.2, 0.7]
    assert [item.request.seed for item in requests] == list(range(8))
    text = requests[4].request.messages[0].content
    assert "in German" in text
    assert "{{ input }}" in text
    assert "positive, negative" in text
    with pytest.raises(ConfigError, match="languages among"):
        list(wanted([REFERENCE], replace(PLAN, languages=("xx",))))


@pytest.mark.parametrize(
    "text",
    ["A {{input}} b", '"A {{ input }} b"', "```\nA {{ input }} b\n```", "Here is the new one:\n\nA {{{ input }}} b"],
)
def test_what_writers_put_around_a_wording_is_taken_off(text):
    assert clean(text) == "A {{ input }} b"


def test_replies_are_cached_counted_and_priced(tmp_path):
    requests = list(wanted([REFERENCE], PLAN))
    writer = Echo("Negative or positive? {{ input }}", "{{ broken", "")
    members, usage, notes = generate(requests, writer, tmp_path, Prices(2.0, 10.0))
    assert (usage.requests, usage.cached, usage.failed) == (8, 0, 0)
    assert usage.cost == pytest.approx((800 * 2 + 400 * 10) / 1e6)
    assert len(members) == 3
    assert len(notes) == 5
    assert members[0].collection == "generated"
    assert members[0].author == "echo"
    again = Echo()
    same, usage, _ = generate(requests, again, tmp_path, Prices(2.0, 10.0))
    assert (usage.cached, usage.cost, again.asked) == (8, 0.0, [])
    assert same == members


def test_a_dry_run_asks_nobody():
    requests, usage = planned("sentiment", replace(PLAN, count=2), Prices(1.0, 1.0))
    assert usage == estimate(requests, Prices(1.0, 1.0))
    assert usage.prompt_tokens > 100
    assert usage.cost > 0


def test_what_passes_the_gate_becomes_a_set_beside_its_audit(tmp_path, monkeypatch):
    monkeypatch.setenv("ISOPHRASE_CACHE", str(tmp_path / "cache"))
    writer = Echo("{{ input }}\nIs the opinion negative or positive?", "Not positive or not negative? {{ input }}")
    out = tmp_path / "mine.yaml"
    plan = WritingPlan(count=1, labels=("positive", "negative"))
    written = rephrase("sentiment", writer, out, plan=plan)
    found = read_instruction_set(out)
    assert {item.id for item in found.instructions} >= set(written.kept)
    assert len(written.kept) < len(written.judged)
    audit = (tmp_path / "mine.audit.csv").read_text()
    assert "negation" in audit
    with pytest.raises(ConfigError, match="yaml"):
        rephrase("sentiment", writer, tmp_path / "mine.txt", plan=plan)


@pytest.fixture
def server():
    """A loopback server; `answers` are (status, body, headers) in turn."""
    answers, seen = [], []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            seen.append(
                (self.path, dict(self.headers), json.loads(self.rfile.read(int(self.headers["content-length"]))))
            )
            status, body, headers = answers.pop(0) if len(answers) > 1 else answers[0]
            content = json.dumps(body).encode() if not isinstance(body, bytes) else body
            self.send_response(status)
            for key, value in {"content-length": str(len(content)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}/v1", answers, seen
    running.shutdown()
    running.server_close()
    thread.join()


def ask(address, waits, **options):
    writer = ServerWriter(address, "m", ServerOptions(**{"parallel": 1, "seconds": 5, **options}), waits.append)
    (wish,) = list(wanted([REFERENCE], WritingPlan(count=1)))
    return writer.write([wish.request])[0]


GOOD = {"choices": [{"message": {"content": "x {{ input }}"}}], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}


def test_a_server_is_asked_again_after_an_answer_that_may_pass(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    address, answers, seen = server
    answers += [(429, {}, {"retry-after": "7"}), (500, b"oops", {}), (200, GOOD, {})]
    waits = []
    assert ask(address, waits) == Reply("x {{ input }}", 7, 3)
    assert waits[0] == 7
    assert 2 <= waits[1] <= 3
    path, headers, body = seen[0]
    assert path == "/v1/chat/completions"
    assert headers["Authorization"] == "Bearer secret"
    assert (body["model"], body["temperature"], body["seed"]) == ("m", 0.7, 0)


@pytest.mark.parametrize(
    ("answer", "words", "tries"),
    [
        ((401, {"error": "no key"}, {}), "HTTP 401", 1),
        ((503, b"busy", {}), "HTTP 503: busy", 3),
        ((200, {"choices": []}, {}), "without choices", 1),
        ((200, b"<html>", {}), "without choices", 1),
        ((200, {"choices": [{"message": {"content": None}}]}, {}), "without text", 1),
    ],
)
def test_a_server_that_refuses_says_why(server, answer, words, tries):
    address, answers, seen = server
    answers.append(answer)
    reply = ask(address, [], retries=2)
    assert words in reply.failed
    assert len(seen) == tries


def test_no_server_at_all():
    assert "no answer" in ask("http://127.0.0.1:9/v1", [], retries=1).failed


def test_a_local_model_writes(tmp_path):
    pytest.importorskip("torch", reason="needs isophrase[local]")
    from isophrase.api.paraphrase import writer_of

    writer = writer_of(str(tiny_model(tmp_path / "tiny")), None)
    (wish,) = list(wanted([REFERENCE], WritingPlan(count=1)))
    request = replace(wish.request, max_new_tokens=5)
    first, second = writer.write([request, request])
    assert first == second
    assert 0 < first.completion_tokens <= 5
    assert first.prompt_tokens > 0
    (long,) = writer.write([replace(request, max_new_tokens=100_000)])
    assert "tokens" in long.failed
