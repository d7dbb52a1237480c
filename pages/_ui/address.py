"""Where other machines of the network find this server: what a class types into its browsers."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

import streamlit as st

ELSEWHERE = ("192.0.2.1", 9)  # reserved for documentation (RFC 5737): nothing is there, and nothing is sent


def on_this_machine(url: str | None) -> bool:
    """Tell whether a page of that address is open in a browser on the server's own machine."""
    try:
        return urlsplit(url or "").hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:  # the address comes from outside
        return False


def in_network() -> str | None:
    """Return the address of this server in its network; None where it serves this machine alone or is in none."""
    host = st.get_option("server.address") or "0.0.0.0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            if not ipaddress.ip_address(host).is_unspecified:
                return None
            probe.connect(ELSEWHERE)  # chooses the way out, and so the address at its beginning
        except (ValueError, OSError):
            return None
        return f"http://{probe.getsockname()[0]}:{st.get_option('server.port')}"
