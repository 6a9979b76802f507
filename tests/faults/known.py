"""The faults of the system that Pastelka replaces, each with the test that fails if it comes back.

Numbers are those of section 11a of the analysis of that system. A test is named by its file and its
function; ``python -m tests.faults.report`` refuses to write the table if one of them is not there.
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
class Known:
    """One fault: what went wrong there, what happens here, the tests, and what provokes it in the suite."""

    number: int
    was: str
    now: str
    tests: tuple[str, ...]
    provoked_by: tuple[str, ...] = ()
    """Faults of the suite (kind and target) whose recovery the table shows."""


KNOWN: tuple[Known, ...] = (
    Known(
        1,
        "A lock protected nothing: the row kept its old values in memory.",
        "Every change reads its rows with `SELECT ... FOR UPDATE` in the transaction that writes them; "
        "the status machine decides on what was just read.",
        (
            f"{_ORDERS}/model/test_status_machine.py::test_postgresql_and_the_domain_agree_after_every_step",
            f"{_ORDERS}/concurrency/test_many_at_once.py::test_many_people_at_once",
        ),
    ),
    Known(
        2,
        "Recovery at boot submitted what a living worker was submitting.",
        "Nothing is recovered at boot. A job is redelivered when its worker is silent, and the "
        "next worker first asks the former holder whether it is still paying.",
        (f"{_COMMON}/jobs/test_paying.py::test_while_the_one_who_pays_is_alive_nobody_else_does", KILLS),
        ("kill coloring", "zombie coloring"),
    ),
    Known(
        3,
        "A crash between the provider's acceptance and the commit of its id paid again.",
        "The id is stored in the storage and the bucket before anything else. The window that is left is "
        "recorded before the request goes out: it is counted, shown on the version, and taken once a run.",
        (
            f"{_COMMON}/jobs/test_paying.py::test_a_worker_that_died_while_it_paid_is_noticed_by_the_next",
            f"{_COLORING}/test_paying.py::test_a_lost_answer_leads_to_one_more_submission_which_is_shown",
            f"{_COLORING}/test_paying.py::test_two_lost_answers_end_in_an_error_that_says_what_it_may_have_cost",
        ),
        ("runpod lost", "kill coloring"),
    ),
    Known(
        4,
        "A job that had failed at the provider could never be retried.",
        "A retry is a new run with keys of its own; it knows nothing of the failed job.",
        (f"{_COLORING}/test_paying.py::test_a_persons_retry_after_a_failed_job_is_submitted_anew",),
    ),
    Known(
        5,
        "A retry of a version whose job had finished stayed in processing for good.",
        "A run ends by the facts of its own number only; a retry is answered 409 unless the "
        "version is in error.",
        (
            f"{_ORDERS}/api/test_versions.py::test_a_retry_is_a_new_run",
            f"{_COMMON}/jobs/test_handler.py::test_a_new_run_does_not_take_the_file_of_the_one_before",
        ),
    ),
    Known(
        6,
        "A crash after the provider had finished was not recovered.",
        "The job is acknowledged after its last fact. Redelivered, it polls the same provider job, or "
        "finds the stored file and says so.",
        (
            f"{_COMMON}/jobs/test_handler.py::test_a_redelivery_polls_on_without_submitting_or_stepping_back",
            f"{_COMMON}/jobs/test_handler.py::test_a_job_that_comes_back_after_its_file_was_stored_is_not_done_again",
            KILLS,
        ),
        ("kill coloring", "term coloring"),
    ),
    Known(
        7,
        "SVGs in the middle of their work never recovered.",
        "SVGs go the same way as colorings; a redelivered one begins again, unless its file is there.",
        (
            f"{_E2E}/test_crashes.py::test_an_order_completes_though_any_service_is_killed",
            f"{_COMMON}/jobs/test_paying.py::test_a_stored_answer_that_was_not_told_is_not_paid_again",
        ),
        ("kill vectorize", "zombie vectorize"),
    ),
    Known(
        8,
        "Automatic retries of SVGs did nothing; a 429 or 500 was final.",
        "Transient faults are tried again inside the run, with backoff, jitter and Retry-After; the "
        "version stays in hand and shows the next attempt.",
        (
            f"{_VECTORIZE}/test_service.py::test_what_may_pass_is_tried_again",
            f"{_COMMON}/jobs/test_attempts.py::test_attempts_that_fail_count_and_are_announced",
        ),
        ("vectorizer 429", "vectorizer 500"),
    ),
    Known(
        9,
        "A network failure was not an error state; the version stayed where it was.",
        "Every fault on the wire is told apart as transient or permanent; no exception leaves a "
        "version in hand.",
        (
            f"{_COLORING}/runpod/test_faults.py::test_a_poll_without_an_answer_is_ridden_out",
            f"{_VECTORIZE}/test_vectorizer.py::test_each_failure_has_its_error",
        ),
        ("runpod drop", "vectorizer drop"),
    ),
    Known(
        10,
        "404, 429, 5xx or malformed output of a poll, or a full storage, were dead ends.",
        "Polls ride out every answer without the job's state; only a job that is unknown for a minute, or "
        "unheard of for as long as results are kept, is given up. What cannot pass ends in `error` with a "
        "code, a sentence and a dead letter.",
        (
            f"{_COLORING}/runpod/test_faults.py::test_polls_ride_out_what_may_pass",
            f"{_COLORING}/runpod/test_flow.py::test_output_that_is_no_page_is_permanent",
            f"{_VECTORIZE}/test_service.py::test_a_full_disk_is_not_paid_for_twice",
            KILLS,
        ),
        ("runpod 429", "runpod 500", "runpod garbage", "vectorizer garbage", "disk full"),
    ),
    Known(
        11,
        "The queue's time limit killed a job without a trace.",
        "No job has a time limit of the queue. A worker extends its deadline while it lives; the provider's "
        "time limit counts from the beginning of its work and ends in `error`, and the job is cancelled "
        "there. One that never left the provider's queue is cancelled there and submitted again.",
        (
            f"{_COMMON}/messaging/test_consumer_life.py::test_a_long_job_stays_with_its_worker",
            f"{_COLORING}/test_paying.py::test_our_timeout_cancels_the_job_at_runpod",
            f"{_COLORING}/runpod/test_queue.py::test_a_hundred_photos_on_three_workers_all_become_pages",
        ),
        ("runpod hang", "vectorizer hang"),
    ),
    Known(
        12,
        "Lock contention acknowledged the message and left the version.",
        "Transactions wait for their locks, in one order. A deadlock is done again; a batch that "
        "fails is not "
        "acknowledged.",
        (
            f"{_ORDERS}/test_consumers.py::test_facts_wait_for_a_database_that_is_away",
            f"{_ORDERS}/concurrency/test_many_at_once.py::test_many_people_at_once",
        ),
        ("kill postgres",),
    ),
    Known(
        13,
        "A stuck version could not be released.",
        "Cancel works in every state, then retry; and the reconciler repairs what no message will finish.",
        (
            f"{_ORDERS}/api/test_versions.py::test_cancelling_in_every_state",
            f"{_ORDERS}/reconciler/test_versions.py::test_a_queued_version_whose_job_is_lost_is_published_again",
        ),
    ),
    Known(
        14,
        "Recovery of orders failed with a TypeError and was swallowed.",
        "Photos to download and requests to the shop are rows; a worker that dies loses its claim, and "
        "another worker takes the row over.",
        (
            f"{_ORDERS}/test_row_jobs.py::test_a_worker_takes_over_the_download_of_one_that_was_killed",
            f"{_ORDERS}/test_consumers.py::test_a_photo_is_downloaded_once_and_what_is_wanted_starts",
            f"{_ORDERS}/test_row_jobs.py::"
            "test_a_worker_takes_over_the_request_to_the_shop_of_one_that_was_killed",
        ),
    ),
    Known(
        15,
        "One lock that was taken ended the recovery of all that came after it.",
        "The reconciler repairs row by row; one that cannot be repaired stops no other, and a second "
        "replica passes over.",
        (
            f"{_ORDERS}/reconciler/test_versions.py::test_one_replica_at_a_time",
            f"{_ORDERS}/handlers/test_facts.py::test_a_deleted_version_does_not_hold_up_the_others",
        ),
    ),
    Known(
        16,
        "Locks had no owner: a late process released the lock of another one.",
        "Locks are PostgreSQL's own and end with their transaction. Who has a run is a record with a "
        "revision, changed by compare and swap.",
        (
            f"{_COMMON}/jobs/test_paying.py::test_a_zombie_does_not_submit",
            f"{_COMMON}/jobs/test_paying.py::test_a_zombie_cannot_give_up_what_another_has",
        ),
        ("zombie coloring", "zombie worker"),
    ),
    Known(
        17,
        "Every boot sent again what was merely waiting in the queue.",
        "What waits in `JOBS` is left alone; a second message of the same id is dropped by the broker.",
        (
            f"{_ORDERS}/reconciler/test_versions.py::test_a_job_that_waits_is_left_alone",
            UPGRADE,
        ),
        ("term coloring", "term vectorize", "term worker"),
    ),
    Known(
        18,
        "Recovery only at boot: no lease, no heartbeat, no age limit.",
        "Deliveries are leases with a heartbeat; the reconciler looks regularly, at start, and whenever the "
        "broker was away.",
        (
            f"{_COMMON}/messaging/test_consumer_life.py::test_the_job_of_a_dead_worker_goes_to_another",
            f"{_ORDERS}/reconciler/test_versions.py::test_what_a_worker_has_in_hand_is_left_to_it",
            FORGETS,
        ),
        ("kill worker", "broker older", "broker damaged", "broker deleted"),
    ),
    Known(
        19,
        "The commit and the message were two writes; a crash between them lost the job.",
        "A transactional outbox: the message exists exactly if the change does.",
        (
            f"{_ORDERS}/test_outbox.py::test_a_crash_between_publishing_and_deleting_publishes_nothing_twice",
            f"{_ORDERS}/test_outbox.py::test_while_the_broker_is_away_everything_waits_and_then_goes_out",
        ),
        ("kill api", "kill nats"),
    ),
    Known(
        20,
        "A double click, or two people, paid twice.",
        "What is in hand with the same options is answered instead of a second version, under the "
        "image's lock.",
        (f"{_ORDERS}/api/test_versions.py::test_pressed_by_many_at_once_it_is_one_version", KILLS),
    ),
    Known(
        21,
        "Two versions got one number; the second click answered 500.",
        "Numbers are given under the image's lock, and are unique in the database.",
        (
            f"{_ORDERS}/concurrency/test_many_at_once.py::test_many_people_at_once",
            f"{_ORDERS}/api/test_versions.py::test_clicks_of_many_people_at_once_never_fail",
        ),
    ),
    Known(
        22,
        "After our time limit or an error the provider's job ran on, at a cost.",
        "A time limit, a cancellation and a final error cancel the job at the provider; CANCELLED and "
        "TIMED_OUT are errors with a code of their own.",
        (
            f"{_COLORING}/test_paying.py::test_our_timeout_cancels_the_job_at_runpod",
            f"{_COMMON}/jobs/test_paying.py::test_a_final_error_cancels_what_may_still_run",
            f"{_E2E}/test_statuses.py::test_a_cancelled_coloring_is_cancelled_at_the_provider",
        ),
    ),
    Known(
        23,
        "A finished version overwrote the choice that a person had made meanwhile.",
        "It is chosen only if nothing was chosen since it was asked for; an SVG of another page "
        "does not stay chosen.",
        (
            f"{_ORDERS}/handlers/test_facts.py::test_a_finished_coloring_is_chosen_unless_somebody_chose_meanwhile",
            f"{_ORDERS}/handlers/test_facts.py::test_a_finished_svg_is_chosen_only_with_its_page",
        ),
    ),
    Known(
        24,
        "Nothing limited paid calls, or spared a provider that was failing.",
        "Jobs in hand are bounded over all replicas; a circuit breaker leaves a failing provider alone, and "
        "jobs wait without losing attempts.",
        (
            f"{_COLORING}/test_paying.py::test_while_runpod_fails_it_is_left_alone_and_jobs_wait",
            f"{_COLORING}/test_paying.py::test_retry_after_is_kept_to_and_told",
            f"{_COMMON}/messaging/test_consumer.py::test_the_bound_over_all_replicas_is_the_consumers",
        ),
        ("runpod 429", "vectorizer 429"),
    ),
    Known(
        25,
        "One queue for everything: generation starved downloads.",
        "Each kind of job has a consumer and a process of its own, and waiting for a provider "
        "holds no thread.",
        (
            f"{_COLORING}/test_service.py::test_many_jobs_wait_at_runpod_together",
            f"{_COMMON}/messaging/test_topology.py::test_streams_are_as_designed",
        ),
    ),
    Known(
        26,
        "No reason, attempt or history was stored or shown.",
        "A version in error has a code and a sentence; while it waits it shows attempt and next "
        "try; the timeline "
        "keeps every change.",
        (
            f"{_ORDERS}/handlers/test_facts.py::test_an_error_says_why",
            f"{_ORDERS}/handlers/test_facts.py::test_a_retry_is_shown_until_the_next_attempt_begins",
            f"{_E2E}/test_statuses.py::test_an_error_is_pushed_with_its_code_and_can_be_retried",
        ),
    ),
    Known(
        27,
        "Times of start and end were missing or wrong.",
        "Start, end and every change have their times; the timeline shows how long each status lasted.",
        (f"{_ORDERS}/api/test_orders.py::test_the_timeline_tells_every_change_with_its_duration",),
    ),
)
