"""Number of pods: who sets it, and from which metric."""

import pytest

from pastelka_common.messaging.names import Names
from pastelka_common.messaging.topology import COLORING_CONSUMER, JOBS, VECTORIZE_CONSUMER
from tests.chart.chart import Rendered, rendered

CONSUMERS = {"coloring": COLORING_CONSUMER, "vectorize": VECTORIZE_CONSUMER}


def test_keda_queries_existing_consumers() -> None:
    for name in ("external", "everything", "gpu-runpod"):
        scaled = rendered(name).of("ScaledObject")
        assert set(scaled) == set(CONSUMERS)
        for component, one in scaled.items():
            (trigger,) = one["spec"]["triggers"]
            assert trigger["type"] == "nats-jetstream"
            assert trigger["metadata"]["stream"] == CONSUMERS[component].stream
            assert trigger["metadata"]["consumer"] == CONSUMERS[component].name


def test_a_scaled_object_names_its_deployment(case: Rendered) -> None:
    deployments = {one["metadata"]["name"] for one in case.of("Deployment").values()}
    for kind in ("ScaledObject", "HorizontalPodAutoscaler"):
        for one in case.of(kind).values():
            assert one["spec"]["scaleTargetRef"]["name"] in deployments


def test_replicas_are_unset_where_an_autoscaler_sets_them(case: Rendered) -> None:
    """An upgrade must not reset the number that KEDA or the autoscaler has set."""
    scaled = {*case.of("ScaledObject"), *case.of("HorizontalPodAutoscaler")}
    for component, one in case.of("Deployment").items():
        assert ("replicas" in one["spec"]) == (component not in scaled), component


def test_a_lost_consumer_starts_one_worker() -> None:
    """Only a worker creates its consumer: without it there is no lag, and no worker would ever start."""
    for one in rendered("external").of("ScaledObject").values():
        assert one["spec"]["minReplicaCount"] == 0
        assert one["spec"]["fallback"]["replicas"] == 1
        assert one["spec"]["fallback"]["behavior"] == "currentReplicasIfHigher"


def test_one_pod_is_enough_to_keep_a_worker_for_its_last_job() -> None:
    for one in rendered("external").of("ScaledObject").values():
        assert one["spec"]["triggers"][0]["metadata"]["activationLagThreshold"] == "0"


def test_keda_values_arrive() -> None:
    one = rendered(
        "external",
        "--set",
        "keda.pollingInterval=7,keda.cooldownPeriod=60,keda.coloring.maxReplicas=3,keda.vectorize.minReplicas=1",
    ).of("ScaledObject")
    coloring, vectorize = one["coloring"]["spec"], one["vectorize"]["spec"]
    assert (coloring["pollingInterval"], coloring["cooldownPeriod"]) == (7, 60)
    assert (coloring["minReplicaCount"], coloring["maxReplicaCount"]) == (0, 3)
    assert vectorize["minReplicaCount"] == 1
    assert not {"pollingInterval", "cooldownPeriod"} & set(vectorize)


@pytest.mark.parametrize(
    ("arguments", "endpoint"),
    [
        (("external",), "nats.messaging.svc:8222"),
        (("try-out", "--set", "keda.enabled=true"), "shop-pastelka-nats.default.svc:8222"),
    ],
)
def test_keda_queries_the_configured_nats(arguments: tuple[str, ...], endpoint: str) -> None:
    one = rendered(*arguments).of("ScaledObject")["coloring"]
    assert one["spec"]["triggers"][0]["metadata"]["natsServerMonitoringEndpoint"] == endpoint


def test_keda_queries_the_stream_with_its_prefix() -> None:
    case = rendered("external", "--set", "nats.prefix=shop")
    for component in ("coloring", "vectorize"):
        metadata = case.of("ScaledObject")[component]["spec"]["triggers"][0]["metadata"]
        assert (metadata["stream"], metadata["consumer"]) == (Names("shop").stream(JOBS), component)
