"""What the server says of where it is to be found."""

import re
import socket

import pytest

from pages._ui import address


@pytest.fixture
def options(monkeypatch):
    values = {"server.address": "0.0.0.0", "server.port": 8501}
    monkeypatch.setattr(address.st, "get_option", values.get)
    return values


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://localhost:8501/", True),
        ("http://127.0.0.1:8501/draw", True),
        ("http://[::1]:8501/", True),
        ("http://192.168.0.7:8501/", False),
        ("https://localhost.example/", False),
        ("http://[", False),
        (None, False),
    ],
)
def test_a_browser_on_the_server_s_own_machine(url, here):
    assert address.on_this_machine(url) is here


@pytest.mark.parametrize("url", ["http://localhost:8501/", "http://192.168.0.7:8501/"])
def test_home_says_to_the_server_s_own_machine_alone_where_others_join(visit, monkeypatch, url):
    monkeypatch.setattr(address, "in_network", lambda: "http://192.168.0.7:8501")
    monkeypatch.setattr(type(address.st.context), "url", url)
    said = [caption.value for caption in visit("home").caption if "192.168.0.7" in caption.value]
    assert said == ["Others on the same LAN or Wi-Fi join at **http://192.168.0.7:8501**"] * ("localhost" in url)


@pytest.mark.parametrize("host", ["0.0.0.0", None])
def test_a_server_for_everybody_is_found_in_its_network(options, host, monkeypatch):
    options["server.address"] = host
    monkeypatch.setattr(address, "ELSEWHERE", ("127.0.0.1", 9))  # the way there exists on every machine
    assert address.in_network() == "http://127.0.0.1:8501"


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.0.7", "localhost", "unix:///run/kasane.sock"])
def test_a_server_at_one_address_says_no_other(options, host):
    options["server.address"] = host
    assert address.in_network() is None


def test_a_machine_in_no_network_has_no_address_there(options, monkeypatch):
    def unreachable(*_):
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(address.socket, "socket", lambda *_: Probe(unreachable))
    assert address.in_network() is None


class Probe:
    def __init__(self, connect):
        self.connect = connect

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def test_nothing_is_sent_to_find_it_out(options, monkeypatch):
    kinds = []
    make = socket.socket

    def record(family, kind):
        kinds.append(kind)
        return make(family, kind)

    monkeypatch.setattr(address.socket, "socket", record)
    said = address.in_network()
    assert kinds == [socket.SOCK_DGRAM]  # connecting one only looks the way up
    assert said is None or re.fullmatch(r"http://[\d.]+:8501", said)
