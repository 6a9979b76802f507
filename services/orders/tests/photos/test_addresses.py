"""Which addresses count as public, and which URLs may be asked for."""

import socket

import pytest
from yarl import URL

from pastelka_common.errors import PermanentError
from pastelka_orders.photos.urls import RefusedAddressError, UrlRules, is_public, public_socket


@pytest.mark.parametrize(
    "address",
    ["23.227.38.65", "1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101"],
)
def test_public_addresses_are_recognized(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.10",
        "0.0.0.0",  # noqa: S104 - to be refused
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::101:101",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:101:101::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "100::1",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "localhost",
        "",
    ],
)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


def test_a_socket_is_made_for_public_addresses_only():
    with public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("1.1.1.1", 80))) as made:
        assert made.type == socket.SOCK_STREAM
    with pytest.raises(RefusedAddressError):
        public_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80)))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fotka.jpg",
        "//example.com/a.jpg",
        "ftp://example.com/a.jpg",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "gopher://example.com/",
        "http://",
        "http://example.com:22/",
        "http://example.com:99999/",
        "http://example.com:port/",
        "http://jana:heslo@example.com/a.jpg",
        "http://[::1/a.jpg",
        "https://example.com/" + "a" * 9000,
    ],
)
def test_disallowed_urls_are_refused(url):
    with pytest.raises(PermanentError) as caught:
        UrlRules().checked(url)
    assert caught.value.code == "photo_url_refused"
    assert "heslo" not in caught.value.message


def test_a_signed_url_is_kept_unchanged():
    signed = "https://example.com/a%2fb.jpg?X-Signature=a%2Bb%3d&y=%7e+"
    assert str(UrlRules().checked(signed)) == signed


def test_a_url_with_spaces_and_accents_is_encoded():
    url = UrlRules().checked("https://example.com/Žlutý kůň.jpg")
    assert url.raw_path == "/%C5%BDlut%C3%BD%20k%C5%AF%C5%88.jpg"
    assert url.name == "Žlutý kůň.jpg"


@pytest.mark.parametrize(
    ("url", "is_allowed"),
    [
        ("http://files.internal/a", True),
        ("https://FILES.internal/a", True),
        ("http://minio:9000/a", True),
        ("http://[::1]:8080/a", True),
        ("http://minio/a", False),
        ("http://files.internal.example.com/a", False),
        ("http://other/a", False),
    ],
)
def test_allowed_hosts_match_name_and_port(url, is_allowed):
    rules = UrlRules(allowed_hosts=["Files.internal", "minio:9000", "[::1]:8080"])
    assert rules.is_allowed_host(URL(url)) is is_allowed
