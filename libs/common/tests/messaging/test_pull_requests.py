"""The count of messages that waiting requests may still bring."""

from pastelka_common.messaging.pull import PullRequests

LONG_AGO = -100.0


def test_deliveries_are_taken_off():
    requests = PullRequests()
    requests.add(3, expires=30)
    requests.add(2, expires=30)
    requests.served()
    assert requests.open == 4


def test_an_ended_request_gives_back_what_it_did_not_bring():
    requests = PullRequests()
    first = requests.add(3, expires=30)
    requests.add(2, expires=30)
    requests.served()
    requests.end(first, 2)
    assert requests.open == 2


def test_a_refused_request_gives_back_all_of_it():
    requests = PullRequests()
    requests.add(3, expires=30)
    requests.end(requests.add(2, expires=30))
    assert requests.open == 3


def test_an_end_counts_once_and_only_for_a_request_of_ours():
    requests = PullRequests()
    number = requests.add(3, expires=30)
    requests.add(4, expires=30)
    requests.end(number)
    requests.end(number)
    requests.end(99, 4)
    assert requests.open == 4


def test_a_request_that_was_dropped_without_a_word_is_given_back_when_its_time_is_over():
    requests = PullRequests()
    requests.add(2, expires=LONG_AGO)
    requests.add(3, expires=30)
    requests.expire()
    assert requests.open == 3


def test_a_request_that_was_served_gives_nothing_back():
    requests = PullRequests()
    requests.add(2, expires=LONG_AGO)
    requests.served()
    requests.served()
    requests.add(3, expires=30)
    requests.expire()
    assert requests.open == 3


def test_forgetting_forgets_late_ends_too():
    requests = PullRequests()
    old = requests.add(5, expires=30)
    requests.clear()
    requests.add(2, expires=30)
    requests.end(old, 5)
    assert requests.open == 2
