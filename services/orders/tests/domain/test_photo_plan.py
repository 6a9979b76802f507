"""What becomes of photos when the shop has other ones."""

from pastelka_orders.domain.photo_plan import PhotoPlan, RefetchPolicy, StoredPhotoState, plan_photos

STORED = StoredPhotoState(1, (10, 1), "https://a", is_stored=True, has_failed=False)
WAITING = StoredPhotoState(2, (10, 2), "https://b", is_stored=False, has_failed=False)
FAILED = StoredPhotoState(3, (10, 3), "https://c", is_stored=False, has_failed=True)
ALL = [STORED, WAITING, FAILED]
SAME = {(10, 1): "https://a", (10, 2): "https://b", (10, 3): "https://c"}


def test_an_unchanged_order_yields_an_empty_plan() -> None:
    assert plan_photos(SAME, ALL, RefetchPolicy.NONE).is_empty


def test_new_photos_are_added_and_other_ones_replaced() -> None:
    plan = plan_photos(SAME | {(10, 1): "https://x", (11, 1): "https://y"}, ALL, RefetchPolicy.NONE)
    assert plan == PhotoPlan(added={(11, 1): "https://y"}, replaced={1: "https://x"})


def test_removed_photos_are_dropped_unless_stored() -> None:
    assert plan_photos({}, ALL, RefetchPolicy.MISSING) == PhotoPlan(dropped=(2, 3))


def test_failed_or_missing_photos_are_refetched() -> None:
    assert plan_photos(SAME, ALL, RefetchPolicy.FAILED) == PhotoPlan(refetch={3: "https://c"})
    assert plan_photos(SAME, ALL, RefetchPolicy.MISSING) == PhotoPlan(
        refetch={2: "https://b", 3: "https://c"}
    )


def test_a_replaced_photo_is_not_also_refetched() -> None:
    plan = plan_photos(SAME | {(10, 3): "https://x"}, ALL, RefetchPolicy.MISSING)
    assert plan == PhotoPlan(replaced={3: "https://x"}, refetch={2: "https://b"})


def test_an_uploaded_photo_is_kept() -> None:
    uploaded = StoredPhotoState(1, (10, 1), None, is_stored=True, has_failed=False)
    assert plan_photos({(10, 1): "https://a"}, [uploaded], RefetchPolicy.MISSING).is_empty
