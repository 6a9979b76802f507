"""NetworkPolicies allow exactly the arrows of the architecture."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from tests.chart.chart import COMPONENTS, SERVICES, Rendered, rendered

INTERNET = "internet"
ANYBODY = "anybody"
_SOMETIMES = {"migration", "backup-record", "after-restore"}
"""Pods of Jobs, which some cases lack."""


class Arrow(NamedTuple):
    """An allowed connection: source, target, ports."""

    source: str
    target: str
    port: int


def _components(labels: Mapping[str, str], case: Rendered) -> list[str]:
    pods = case.pods()
    return [name for name, pod in pods.items() if labels.items() <= pod["metadata"]["labels"].items()]


def _peers(peers: list[Mapping[str, Any]] | None, case: Rendered) -> Iterator[str]:
    if not peers:
        yield ANYBODY
    for peer in peers or []:
        if "ipBlock" in peer:
            block = peer["ipBlock"]
            yield INTERNET if block["cidr"] in {"0.0.0.0/0", "2000::/3"} else block["cidr"]
        elif "namespaceSelector" in peer:
            yield str(peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"])
        else:
            labels = peer["podSelector"]["matchLabels"]
            found = _components(labels, case)
            assert len(found) == 1 or labels["app.kubernetes.io/component"] in _SOMETIMES, peer
            yield from found


def arrows(case: Rendered) -> tuple[set[Arrow], set[Arrow]]:
    """Connections allowed by egress rules, and those allowed by ingress rules."""
    out, into = set[Arrow](), set[Arrow]()
    for policy in case.of("NetworkPolicy").values():
        spec = policy["spec"]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        for name in _components(spec["podSelector"]["matchLabels"], case):
            for rule in spec.get("egress") or []:
                for peer in _peers(rule.get("to"), case):
                    out |= {Arrow(name, peer, port["port"]) for port in rule["ports"]}
            for rule in spec.get("ingress") or []:
                for peer in _peers(rule.get("from"), case):
                    into |= {Arrow(peer, name, port["port"]) for port in rule["ports"]}
    return out, into


_DNS = {Arrow(name, "kube-system", 53) for name in (*SERVICES, "gateway", "migration")}
_METRICS = {Arrow("monitoring", name, 8000) for name in SERVICES}
_INSIDE = {
    Arrow("gateway", "orders-api", 8000),
    Arrow("gateway", "hub", 8000),
    Arrow("notifier", "hub", 8000),
}
_FETCHING = {Arrow("orders-worker", INTERNET, 80), Arrow("orders-worker", INTERNET, 443)}
_TO_NATS = ("orders-api", "orders-worker", "coloring", "vectorize", "notifier")
_TO_POSTGRESQL = ("orders-api", "orders-worker", "migration")


def test_the_arrows_with_servers_elsewhere() -> None:
    out, into = arrows(rendered("external"))
    assert out == {
        *_DNS,
        *_INSIDE,
        *_FETCHING,
        *(Arrow(name, "10.20.0.15/32", 5432) for name in _TO_POSTGRESQL),
        *(Arrow(name, "messaging", 4222) for name in _TO_NATS),
    }
    assert into == {
        *_INSIDE,
        *_METRICS,
        Arrow("ingress-nginx", "gateway", 8080),
        Arrow("ingress-nginx", "gateway", 8081),
    }


def test_the_arrows_with_servers_of_this_chart() -> None:
    out, into = arrows(rendered("try-out", "--set", "keda.enabled=true"))
    servers = {
        *(Arrow(name, "postgresql", 5432) for name in ("orders-api", "orders-worker")),
        *(Arrow(name, "nats", 4222) for name in _TO_NATS),
    }
    assert out == {*(_DNS - {Arrow("migration", "kube-system", 53)}), *_INSIDE, *_FETCHING, *servers}
    assert into == {
        *_INSIDE,
        *_METRICS,
        *servers,
        Arrow("keda", "nats", 8222),
        Arrow(ANYBODY, "gateway", 8080),
        Arrow(ANYBODY, "gateway", 8081),
    }


def test_paid_providers_are_reached_over_https_only() -> None:
    out, _ = arrows(rendered("gpu-runpod"))
    for name in ("coloring", "vectorize"):
        assert {arrow for arrow in out if arrow.source == name and arrow.target == INTERNET} == {
            Arrow(name, INTERNET, 443)
        }


def test_local_providers_reach_nothing_but_nats() -> None:
    out, _ = arrows(rendered("minimal"))
    for name in ("coloring", "vectorize"):
        assert {arrow for arrow in out if arrow.source == name} == {
            Arrow(name, "kube-system", 53),
            Arrow(name, ANYBODY, 4222),
        }


def test_traces_have_their_arrow() -> None:
    out, _ = arrows(rendered("everything"))
    assert {arrow.source for arrow in out if arrow.target == "observability"} == set(SERVICES)


def test_every_internal_egress_has_a_matching_ingress(case: Rendered) -> None:
    out, into = arrows(case)
    pods = set(case.pods())
    assert {arrow for arrow in out if arrow.target in pods} == {
        arrow for arrow in into if arrow.source in pods
    }


def test_every_pod_denies_all_traffic_by_default(case: Rendered) -> None:
    (deny,) = [
        one for one in case.of("NetworkPolicy").values() if one["metadata"]["name"].endswith("default-deny")
    ]
    assert set(_components(deny["spec"]["podSelector"]["matchLabels"], case)) == set(case.pods())
    assert not {"ingress", "egress"} & set(deny["spec"])
    assert set(COMPONENTS) <= set(case.of("NetworkPolicy"))


@pytest.mark.parametrize("version", [4, 6])
def test_the_internet_is_public_addresses_only(version: int) -> None:
    """The service downloads photos from addresses that third parties supply."""
    (block,) = [
        peer["ipBlock"]
        for rule in rendered("minimal").of("NetworkPolicy")["orders-worker"]["spec"]["egress"]
        for peer in rule.get("to") or []
        if "ipBlock" in peer and ipaddress.ip_network(peer["ipBlock"]["cidr"]).version == version
    ]
    refused = [ipaddress.ip_network(one) for one in block["except"]]
    inside = {
        4: ["10.1.2.3", "172.31.0.1", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.1.2.3"],
        6: ["::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "ff02::1"],
    }[version]
    outside = {4: ["1.1.1.1", "172.32.0.1", "100.128.0.1"], 6: ["2606:4700::1111"]}[version]
    whole = ipaddress.ip_network(block["cidr"])

    def reached(address: str) -> bool:
        one = ipaddress.ip_address(address)
        return one in whole and not any(one in network for network in refused)

    assert [address for address in inside if reached(address)] == []
    assert [address for address in outside if not reached(address)] == []
    assert all(network.subnet_of(whole) for network in refused)  # type: ignore[arg-type]


def test_network_policies_can_be_disabled() -> None:
    assert not rendered("external", "--set", "networkPolicy.enabled=false").of("NetworkPolicy")
