"""The faults of the replaced system, each with the tests that fail if it returns.

Numbers are those of section 11a of that system's analysis. A test is identified by its file and function;
``python -m tests.faults.report`` does not write the table if one of them is missing.
"""

from dataclasses import dataclass

_COMMON = "libs/common/tests"
_ORDERS = "services/orders/tests"
_COLORING = "services/coloring/tests"
_VECTORIZE = "services/vectorize/tests"
_E2E = "tests/e2e"
_SUITE = "tests/faults/test_short.py"

KILLS = f"{_SUITE}::test_the_system_recovers_from_killed_processes"
FORGETS = f"{_SUITE}::test_the_system_recovers_from_lost_broker_state"
UPGRADE = f"{_SUITE}::test_a_rolling_upgrade_loses_nothing_and_no_request_fails"


@dataclass(frozen=True, slots=True)
class KnownFault:
    """One fault: the former failure, the present behaviour, the tests, and faults that provoke it."""

    number: int
    was: str
    now: str
    tests: tuple[str, ...]
    provoked_by: tuple[str, ...] = ()
    """Faults of the suite (kind and target) whose recovery the table shows."""


KNOWN: tuple[KnownFault, ...] = (
    KnownFault(
        1,
        "The lock had no effect: the row kept its old values in memory.",
        "Every change reads its rows with `SELECT ... FOR UPDATE` in the transaction that writes them; "
        "the status machine decides on these values.",
        (
            f"{_ORDERS}/model/test_status_machine.py::test_postgresql_and_the_domain_model_agree_after_every_step",
            f"{_ORDERS}/concurrency/test_many_at_once.py::test_concurrent_users_cause_no_inconsistency",
        ),
    ),
    KnownFault(
        2,
        "Recovery at boot submitted jobs that a live worker was submitting.",
        "Boot recovers nothing. A job is redelivered when its worker is silent, and the next worker first"
        " asks the previous one whether it still processes the run.",
        (
            f"{_COMMON}/jobs/test_paying.py::test_a_run_active_in_another_worker_is_postponed",
            KILLS,
        ),
        ("kill coloring", "zombie coloring"),
    ),
    KnownFault(
        3,
        "A crash between the provider's acceptance and the commit of the job id paid again.",
        "The worker writes the id to the storage and the bucket before anything else. It records the "
        "remaining window before it sends the request: a loss is counted, shown on the version, and "
        "allowed once per run.",
        (
            f"{_COMMON}/jobs/test_paying.py::test_a_worker_killed_after_its_request_is_detected_by_the_next",
            f"{_COLORING}/test_paying.py::test_a_lost_response_causes_one_more_submission_and_is_reported",
            f"{_COLORING}/test_paying.py::test_two_lost_responses_end_in_an_error_and_report_a_possible_double_payment",
        ),
        ("runpod lost", "kill coloring"),
    ),
    KnownFault(
        4,
        "A job that had failed at the provider could never be retried.",
        "A retry is a new run with its own keys, independent of the failed job.",
        (f"{_COLORING}/test_paying.py::test_a_retry_after_a_failed_job_is_submitted_again",),
    ),
    KnownFault(
        5,
        "A retry of a version whose job had finished stayed in processing forever.",
        "Only facts with the number of the current run end it; a retry returns 409 unless the version is "
        "in error.",
        (
            f"{_ORDERS}/api/test_versions.py::test_a_retry_is_a_new_run",
            f"{_COMMON}/jobs/test_handler.py::test_a_new_run_does_not_use_the_file_of_the_previous_one",
        ),
    ),
    KnownFault(
        6,
        "A crash after the provider had finished was not recovered.",
        "The worker acknowledges the job after its last fact. A redelivered job polls the same provider "
        "job, or finds the stored file and reports it.",
        (
            f"{_COMMON}/jobs/test_handler.py::test_a_redelivery_continues_polling_without_resubmitting",
            f"{_COMMON}/jobs/test_handler.py::test_a_redelivered_job_with_a_stored_file_is_not_done_again",
            KILLS,
        ),
        ("kill coloring", "term coloring"),
    ),
    KnownFault(
        7,
        "SVGs never recovered from a crash in mid-process.",
        "SVGs use the same mechanism as colorings; a redelivered job starts again unless its file exists.",
        (
            f"{_E2E}/test_crashes.py::test_an_order_completes_though_any_service_is_killed",
            f"{_COMMON}/jobs/test_paying.py::test_a_stored_but_unreported_result_is_not_requested_again",
        ),
        ("kill vectorize", "zombie vectorize"),
    ),
    KnownFault(
        8,
        "Automatic retries of SVGs had no effect; a 429 or 500 was final.",
        "Transient failures are retried within the run, with backoff, jitter and Retry-After; the version"
        " stays active and shows the next attempt.",
        (
            f"{_VECTORIZE}/test_service.py::test_a_transient_failure_is_retried",
            f"{_COMMON}/jobs/test_attempts.py::test_failed_attempts_are_counted_and_reported",
        ),
        ("vectorizer 429", "vectorizer 500"),
    ),
    KnownFault(
        9,
        "A network failure was not an error state; the version kept its status.",
        "Every network failure is classified as transient or permanent; no exception leaves a version "
        "active.",
        (
            f"{_COLORING}/runpod/test_faults.py::test_polling_tolerates_a_missing_response",
            f"{_VECTORIZE}/test_vectorizer.py::test_each_failure_maps_to_its_error",
        ),
        ("runpod drop", "vectorizer drop"),
    ),
    KnownFault(
        10,
        "404, 429, 5xx or malformed output of a poll, or a full storage, were dead ends.",
        "Polling continues after every response without the job's state; the worker gives up only on a "
        "job that is unknown for a minute, or silent for longer than results are kept. A permanent "
        "failure ends in `error` with a code, a message and a dead letter.",
        (
            f"{_COLORING}/runpod/test_faults.py::test_polling_tolerates_transient_errors",
            f"{_COLORING}/runpod/test_flow.py::test_an_output_without_a_page_is_a_permanent_error",
            f"{_VECTORIZE}/test_service.py::test_a_storage_failure_after_payment_causes_no_second_request",
            KILLS,
        ),
        ("runpod 429", "runpod 500", "runpod garbage", "vectorizer garbage", "disk full"),
    ),
    KnownFault(
        11,
        "The queue's time limit killed a job without a trace.",
        "The queue has no time limit. A worker extends the deadline of its delivery while it lives; the "
        "provider's time limit starts with the provider's work, ends in `error`, and cancels the job "
        "there. A job that never leaves the provider's queue is cancelled there and submitted again.",
        (
            f"{_COMMON}/messaging/test_consumer_life.py::test_a_long_job_is_kept_by_progress_acks",
            f"{_COLORING}/test_paying.py::test_a_job_timeout_cancels_the_job_at_runpod",
            f"{_COLORING}/runpod/test_queue.py::test_a_hundred_photos_on_three_workers_all_become_pages",
        ),
        ("runpod hang", "vectorizer hang"),
    ),
    KnownFault(
        12,
        "Lock contention acknowledged the message and left the version unchanged.",
        "Transactions wait for their locks and take them in one order. A deadlock is retried; a failed "
        "batch is not acknowledged.",
        (
            f"{_ORDERS}/test_consumers.py::test_facts_are_applied_after_a_database_outage",
            f"{_ORDERS}/concurrency/test_many_at_once.py::test_concurrent_users_cause_no_inconsistency",
        ),
        ("kill postgres",),
    ),
    KnownFault(
        13,
        "A stuck version could not be released.",
        "Cancel works in every status, and a retry afterwards; the reconciler repairs versions that no "
        "message will finish.",
        (
            f"{_ORDERS}/api/test_versions.py::test_a_version_can_be_cancelled_in_every_active_status",
            f"{_ORDERS}/reconciler/test_versions.py::test_a_queued_version_whose_job_is_lost_is_published_again",
        ),
    ),
    KnownFault(
        14,
        "Recovery of orders failed with a TypeError that was swallowed.",
        "Photos to download and requests to the shop are rows; a worker that dies loses its claim, and "
        "another worker takes the row over.",
        (
            f"{_ORDERS}/row_jobs/test_killed_workers.py::test_the_download_of_a_killed_worker_is_taken_over",
            f"{_ORDERS}/test_consumers.py::test_a_photo_is_downloaded_once_and_starts_its_coloring",
            f"{_ORDERS}/row_jobs/test_killed_workers.py::test_the_shop_job_of_a_killed_worker_is_taken_over",
        ),
    ),
    KnownFault(
        15,
        "One lock that was held ended the recovery of everything after it.",
        "The reconciler repairs row by row; a row that cannot be repaired stops no other, and a second "
        "replica skips the pass.",
        (
            f"{_ORDERS}/reconciler/test_versions.py::test_one_replica_reconciles_at_a_time",
            f"{_ORDERS}/handlers/test_facts.py::test_facts_of_a_deleted_version_do_not_block_others",
        ),
    ),
    KnownFault(
        16,
        "Locks had no owner: a late process released the lock of another one.",
        "Locks are PostgreSQL's own and end with their transaction. A record with a revision, changed by "
        "compare and swap, names the owner of a run.",
        (
            f"{_COMMON}/jobs/test_paying.py::test_a_zombie_does_not_submit",
            f"{_COMMON}/jobs/test_paying.py::test_a_zombie_cannot_reject_a_run_owned_by_another_worker",
        ),
        ("zombie coloring", "zombie worker"),
    ),
    KnownFault(
        17,
        "Every boot sent jobs again that were merely waiting in the queue.",
        "The reconciler leaves jobs waiting in `JOBS` alone; the broker drops a second message with the "
        "same id.",
        (
            f"{_ORDERS}/reconciler/test_versions.py::test_a_waiting_job_needs_no_repair",
            UPGRADE,
        ),
        ("term coloring", "term vectorize", "term worker"),
    ),
    KnownFault(
        18,
        "Recovery only at boot: no lease, no heartbeat, no age limit.",
        "Deliveries are leases with a heartbeat; the reconciler runs at an interval, at start, and after "
        "every loss of the broker.",
        (
            f"{_COMMON}/messaging/test_consumer_life.py::test_the_job_of_a_killed_worker_is_redelivered_to_another",
            f"{_ORDERS}/reconciler/test_versions.py::test_an_active_run_is_not_repaired",
            FORGETS,
        ),
        ("kill worker", "broker older", "broker damaged", "broker deleted"),
    ),
    KnownFault(
        19,
        "The commit and the message were two writes; a crash between them lost the job.",
        "A transactional outbox: the message exists exactly if the change does.",
        (
            f"{_ORDERS}/test_outbox.py::test_a_crash_between_publishing_and_deleting_publishes_nothing_twice",
            f"{_ORDERS}/test_outbox.py::test_messages_are_published_after_a_broker_outage",
        ),
        ("kill api", "kill nats"),
    ),
    KnownFault(
        20,
        "A double click, or two users, paid twice.",
        "Under the image's lock, a request with the options of an active version returns that version "
        "instead of a second one.",
        (f"{_ORDERS}/api/test_versions.py::test_concurrent_identical_requests_create_one_version", KILLS),
    ),
    KnownFault(
        21,
        "Two versions got the same number; the second click returned 500.",
        "Numbers are assigned under the image's lock, and are unique in the database.",
        (
            f"{_ORDERS}/concurrency/test_many_at_once.py::test_concurrent_users_cause_no_inconsistency",
            f"{_ORDERS}/api/test_versions.py::test_concurrent_requests_cause_no_server_error",
        ),
    ),
    KnownFault(
        22,
        "After our time limit or an error the provider's job ran on, at a cost.",
        "A time limit, a cancellation and a final error cancel the job at the provider; CANCELLED and "
        "TIMED_OUT are errors with their own codes.",
        (
            f"{_COLORING}/test_paying.py::test_a_job_timeout_cancels_the_job_at_runpod",
            f"{_COMMON}/jobs/test_paying.py::test_a_final_error_cancels_the_provider_job",
            f"{_E2E}/test_statuses.py::test_a_cancelled_coloring_is_cancelled_at_the_provider",
        ),
    ),
    KnownFault(
        23,
        "A finished version overwrote the selection that a user had made meanwhile.",
        "A finished version is selected only where none is; later ones are candidates. An SVG of another page"
        " does not stay selected.",
        (
            f"{_ORDERS}/handlers/test_facts.py::test_a_completed_coloring_is_selected_only_where_none_is",
            f"{_ORDERS}/handlers/test_facts.py::test_a_completed_svg_is_selected_only_if_its_page_is",
        ),
    ),
    KnownFault(
        24,
        "Nothing limited paid calls, or paused them while a provider was failing.",
        "The number of active jobs is limited over all replicas; a circuit breaker pauses calls to a "
        "failing provider, and jobs wait without losing attempts.",
        (
            f"{_COLORING}/test_paying.py::test_jobs_wait_while_the_breaker_pauses_calls_to_runpod",
            f"{_COLORING}/test_paying.py::test_retry_after_is_respected_and_reported",
            f"{_COMMON}/messaging/test_consumer.py::test_the_limit_of_a_consumer_applies_across_replicas",
        ),
        ("runpod 429", "vectorizer 429"),
    ),
    KnownFault(
        25,
        "One queue for everything: generation starved downloads.",
        "Each kind of job has its own consumer and process, and waiting for a provider holds no thread.",
        (
            f"{_COLORING}/test_service.py::test_many_jobs_are_at_runpod_concurrently",
            f"{_COMMON}/messaging/test_topology.py::test_streams_are_as_designed",
        ),
    ),
    KnownFault(
        26,
        "No reason, attempt or history was stored or shown.",
        "A version in error has a code and a message; while it waits it shows the attempt and the time of"
        " the next one; the timeline keeps every change.",
        (
            f"{_ORDERS}/handlers/test_facts.py::test_a_failed_version_shows_its_error",
            f"{_ORDERS}/handlers/test_facts.py::test_a_retry_is_shown_until_the_next_attempt_begins",
            f"{_E2E}/test_statuses.py::test_an_error_is_pushed_with_its_code_and_can_be_retried",
        ),
    ),
    KnownFault(
        27,
        "Times of start and end were missing or wrong.",
        "Start, end and every change have timestamps; the timeline shows the duration of each status.",
        (f"{_ORDERS}/api/test_orders.py::test_the_timeline_lists_every_status_change_with_its_duration",),
    ),
)
