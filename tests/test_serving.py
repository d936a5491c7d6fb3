"""The server: this machine alone, with the token alone, reading alone."""

import http.client
import socket

import pytest

from isophrase.errors import ConfigError, StoreError
from isophrase.serving import Served


def site(words, query):
    if words == ("broken",):
        raise StoreError("a run", got="<script>none</script>", remedy="measure one")
    return f"<p>{'/'.join(words)}?{query.get('a', '')}" if not words or words[0] == "run" else None


@pytest.fixture
def served():
    found = Served(site)
    yield found
    found.close()


def ask(served, path, *, method="GET", host=None, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    connection.request(method, path, body=body, headers={"Host": host} if host else {})
    answer = connection.getresponse()
    found = answer.status, answer.read().decode(), answer.headers
    connection.close()
    return found


def test_the_token_opens_every_page_and_nothing_else_does(served):
    assert ask(served, f"/{served.token}/")[:2] == (200, "<p>?")
    assert ask(served, f"/{served.token}/run/a%2Fb?a=1")[:2] == (200, "<p>run/a/b?1")
    for path in (
        "/",
        "/run/x",
        "/wrong/",
        f"/{served.token}",
        f"/{served.token[:-1]}/",
        "/%00/",
        "//",
        f"/{'x' * 5000}/",
    ):
        status, text, _ = ask(served, path)
        assert status == 404
        assert served.token not in text
    assert len(served.token) >= 20


def test_it_listens_on_loopback_alone(served):
    assert served.address.startswith("http://127.0.0.1:")
    own = socket.gethostbyname(socket.gethostname())
    if not own.startswith("127."):
        with socket.socket() as other:
            other.settimeout(1)
            assert other.connect_ex((own, served.port)) != 0


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1"])
def test_another_name_for_this_machine_is_refused(served, host):
    status, text, _ = ask(served, f"/{served.token}/", host=host.format(port=served.port))
    assert status == 403
    assert "<p>" not in text


def test_localhost_is_this_machine(served):
    assert ask(served, f"/{served.token}/", host=f"localhost:{served.port}")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_but_reading(served, method):
    assert ask(served, f"/{served.token}/", method=method, body="x")[0] == 501


def test_a_head_has_no_body(served):
    status, text, headers = ask(served, f"/{served.token}/", method="HEAD")
    assert (status, text, headers["Content-Length"]) == (200, "", "4")


def test_answers_may_not_be_kept_framed_or_sniffed(served):
    headers = ask(served, f"/{served.token}/")[2]
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"


def test_an_error_is_a_message_without_markup(served):
    status, text, _ = ask(served, f"/{served.token}/broken")
    assert status == 200
    assert "&lt;script&gt;none&lt;/script&gt;; measure one" in text


def test_a_port_that_is_taken_is_one_clear_error(served):
    with pytest.raises(ConfigError, match="a port that is free"):
        Served(site, served.port)


def test_two_servers_have_two_tokens(served):
    other = Served(site)
    assert other.token != served.token
    other.close()
