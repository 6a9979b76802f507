"""What each status means, and that the plan's values are kept to the letter."""

import pytest

from pastelka_common.contracts.statuses import (
    STATUS_ENUMS,
    ColoringProcessingStatus,
    Meaning,
    SvgProcessingStatus,
    VersionStatus,
)

ALL = [*ColoringProcessingStatus, *SvgProcessingStatus]


def test_values_are_those_of_the_plan():
    assert [s.value for s in ColoringProcessingStatus] == [
        "pending",
        "queued",
        "processing",
        "runpod_submitting",
        "runpod_submitted",
        "runpod_queued",
        "runpod_processing",
        "completed",
        "error",
    ]
    assert [s.value for s in SvgProcessingStatus] == [
        "pending",
        "queued",
        "processing",
        "vectorizer_processing",
        "completed",
        "error",
    ]


@pytest.mark.parametrize("status", ALL)
def test_every_status_is_exactly_one_of_startable_in_flight_final(status: VersionStatus):
    assert [status.is_startable, status.is_in_flight, status.is_final].count(True) == 1


@pytest.mark.parametrize("status", ALL)
def test_status_properties_match_the_flags(status: VersionStatus):
    assert status.is_startable == (Meaning.STARTABLE in status.meaning)
    assert status.is_in_flight == (Meaning.IN_FLIGHT in status.meaning)
    assert status.is_awaiting_provider == (Meaning.AWAITING_PROVIDER in status.meaning)
    assert status.is_final == (Meaning.FINAL in status.meaning)
    assert status.is_retryable == (Meaning.RETRYABLE in status.meaning)
    assert status.is_active != status.is_final


def test_only_a_provider_status_awaits_a_provider():
    awaiting = {status.value for status in ALL if status.is_awaiting_provider}
    assert awaiting == {
        "runpod_submitting",
        "runpod_submitted",
        "runpod_queued",
        "runpod_processing",
        "vectorizer_processing",
    }
    assert all(status.is_in_flight for status in ALL if status.is_awaiting_provider)


def test_only_an_error_is_retryable():
    assert {status.value for status in ALL if status.is_retryable} == {"error"}


def test_enums_by_type():
    assert {"coloring": ColoringProcessingStatus, "svg": SvgProcessingStatus} == STATUS_ENUMS
