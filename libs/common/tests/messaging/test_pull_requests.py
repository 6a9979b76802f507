"""The count of messages that waiting requests may still bring."""

from pastelka_common.messaging.pull import PullRequests

LONG_AGO = -100.0


def test_deliveries_reduce_the_open_count():
    requests = PullRequests()
    requests.add(3, expires=30)
    requests.add(2, expires=30)
    requests.served()
    assert requests.open == 4


def test_an_ended_request_releases_its_undelivered_count():
    requests = PullRequests()
    first = requests.add(3, expires=30)
    requests.add(2, expires=30)
    requests.served()
    requests.end(first, 2)
    assert requests.open == 2


def test_a_rejected_request_releases_its_whole_count():
    requests = PullRequests()
    requests.add(3, expires=30)
    requests.end(requests.add(2, expires=30))
    assert requests.open == 3


def test_the_end_of_a_request_counts_once_and_unknown_requests_are_ignored():
    requests = PullRequests()
    number = requests.add(3, expires=30)
    requests.add(4, expires=30)
    requests.end(number)
    requests.end(number)
    requests.end(99, 4)
    assert requests.open == 4


def test_an_expired_request_releases_its_count():
    requests = PullRequests()
    requests.add(2, expires=LONG_AGO)
    requests.add(3, expires=30)
    requests.expire()
    assert requests.open == 3


def test_a_served_request_releases_nothing():
    requests = PullRequests()
    requests.add(2, expires=LONG_AGO)
    requests.served()
    requests.served()
    requests.add(3, expires=30)
    requests.expire()
    assert requests.open == 3


def test_late_ends_are_ignored_after_clear():
    requests = PullRequests()
    old = requests.add(5, expires=30)
    requests.clear()
    requests.add(2, expires=30)
    requests.end(old, 5)
    assert requests.open == 2
