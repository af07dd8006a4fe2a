"""What an archive takes: the arithmetic, what is seen of it here, the command and the page."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.utils.timezone import now

from archive.models import Asset, Collection, Frame, Kind, Rendition, Space, Status, Step, Work, WorkState
from archive.plan import Sizes, Volume, bare_bytes, bill_for, look_around, pace_here, seen
from archive.plan.words import size, span
from tests.cast import make_user
from tests.prepared import make_encoded, random_rows
from workers.costs import ESTIMATE, MEASURED, ROUGH, UNKNOWN, choices
from workers.spaces import make_space

pytestmark = pytest.mark.django_db
SIZES = Sizes(row=1710, node=2050, photo=300_000, hour=1e7, still=20_000, shots_a_minute=6)
SUM = "1,000,000 x 768 x 4 bytes"


def run(**asked: Any) -> str:
    out = StringIO()
    call_command("plan", stdout=out, **asked)
    return out.getvalue()


def plan(**asked: Any) -> Any:
    return json.loads(run(json=True, **asked))


def make_film(collection: Collection, *, seconds: int, every: int, name: str = "film.mp4") -> Asset:
    """A prepared video: a frame each second, a shot each `every` seconds, 1,000 bytes of renditions a second."""
    film = Asset.objects.create(
        collection=collection,
        kind=Kind.VIDEO,
        status=Status.READY,
        sha256=name,
        original=name,
        filename=name,
        media_type="video/mp4",
        size=1,
        duration=seconds,
    )
    Frame.objects.bulk_create(Frame(asset=film, at=at, representative=at % every == 0) for at in range(seconds))
    Rendition.objects.create(
        asset=film, spec="preview", key=name, media_type="image/webp", width=1, height=1, size=1000 * seconds
    )
    return film


def encoded_in_turn(space: Space, assets: list[Asset], *, each: float) -> None:
    """Work that was done in batches of ten, a batch each `each` seconds."""
    end = now()
    Work.objects.bulk_create(
        Work(
            asset=asset,
            step=Step.ENCODE,
            target=space.slug,
            state=WorkState.DONE,
            done_at=end + timedelta(seconds=each * (n // 10)),
        )
        for n, asset in enumerate(assets)
    )


# ---- arithmetic --------------------------------------------------------------------------------


def test_a_million_frames_of_768_floats_are_3_07_gb() -> None:
    assert bare_bytes(1_000_000, 768) == 3_072_000_000
    assert size(bare_bytes(1_000_000, 768)) == "3.07 GB"


def test_an_hour_of_video_is_3600_frames_of_which_the_shots_are_indexed() -> None:
    bill = bill_for(Volume(photos=400, hours=1, fps=1), SIZES, 768, pace=50)
    assert (bill.frames, bill.indexed) == (4000, 400 + 360)
    assert bill.floats == 4000 * 768 * 4
    assert bill.rows == 4000 * 1710
    assert (bill.index, bill.index_of_all) == (760 * 2050, 4000 * 2050)
    assert bill.stills == 360 * 20_000
    assert bill.renditions == 400 * 300_000 + 10_000_000
    assert bill.seconds == 80
    assert bill.total == bill.rows + bill.index + bill.stills + bill.renditions


def test_there_are_never_more_shots_than_frames() -> None:
    assert bill_for(Volume(0, 1, 0.05), SIZES, 768).indexed == 180


def test_without_a_pace_nobody_knows_how_long_it_takes() -> None:
    assert bill_for(Volume(10, 0, 1), SIZES, 768).seconds is None


@pytest.mark.parametrize(
    ("count", "told"),
    [(512, "512 bytes"), (1_999, "2.00 kB"), (999_999, "1.00 MB"), (3_072_000_000, "3.07 GB"), (2.5e12, "2.50 TB")],
)
def test_bytes_are_told_in_the_unit_that_fits(count: float, told: str) -> None:
    assert size(count) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0.2, "less than a second"), (100, "100 seconds"), (150, "2.5 minutes"), (7200, "2.0 hours")],
)
def test_times_are_told_in_the_largest_unit_of_which_there_are_two(seconds: float | None, told: str) -> None:
    assert span(seconds) == told


# ---- what is seen here -------------------------------------------------------------------------


def test_an_empty_archive_is_reckoned_with_what_was_seen_elsewhere(fake_space: Space) -> None:
    found = look_around(Asset.objects.all(), fake_space)
    assert (found.assets, found.volume.frames) == (0, 0)
    assert found.sizes == seen.ELSEWHERE
    assert found.assumed == set(vars(seen.ELSEWHERE))


def test_shots_frames_and_renditions_are_those_of_the_videos_here(harbour: Collection, fake_space: Space) -> None:
    make_film(harbour, seconds=120, every=4)
    make_film(harbour, seconds=60, every=6, name="other.mp4")
    found = look_around(Asset.objects.all(), fake_space)
    assert (found.videos, found.volume.hours, found.volume.fps) == (2, 0.05, 1.0)
    assert found.sizes.shots_a_minute == pytest.approx(40 / 3)
    assert found.sizes.hour == 3_600_000
    assert found.assumed == {"row", "node", "photo", "still"}


def test_a_minute_of_video_is_too_short_to_be_a_rule(harbour: Collection, fake_space: Space) -> None:
    make_film(harbour, seconds=30, every=1)
    assert "shots_a_minute" in look_around(Asset.objects.all(), fake_space).assumed


def test_rows_are_weighed_where_there_are_enough(
    harbour: Collection, fake_space: Space, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "ENOUGH_ROWS", 200)
    make_encoded(harbour, fake_space, random_rows(400))
    with connection.cursor() as cursor:
        partition = f"archive_embedding_{fake_space.pk}"
        cursor.execute(
            f"CREATE INDEX {partition}_hnsw ON {partition} USING hnsw (vector halfvec_ip_ops) WHERE representative"
        )
    found = look_around(Asset.objects.all(), fake_space)
    assert not {"row", "node"} & found.assumed
    assert 1600 < found.sizes.row < 1900
    assert 1600 < found.sizes.node < 3000


def test_the_pace_is_that_of_the_work_that_was_done(harbour: Collection, fake_space: Space) -> None:
    encoded_in_turn(fake_space, make_encoded(harbour, fake_space, random_rows(110)), each=2.0)
    pace = pace_here(fake_space)
    assert pace
    assert pace.rate == pytest.approx(5.0)
    assert "the last 100 photos" in pace.source


def test_a_night_without_uploads_slows_nobody_down(harbour: Collection, fake_space: Space) -> None:
    encoded_in_turn(fake_space, make_encoded(harbour, fake_space, random_rows(110)), each=2.0)
    late = list(Work.objects.order_by("-pk").values_list("pk", flat=True)[:30])
    Work.objects.filter(pk__in=late).update(done_at=now() + timedelta(hours=9))
    pace = pace_here(fake_space)
    assert pace
    assert pace.rate == pytest.approx(5.0)


def test_a_few_uploads_say_less_than_an_evaluation(harbour: Collection, fake_space: Space) -> None:
    encoded_in_turn(fake_space, make_encoded(harbour, fake_space, random_rows(20)), each=2.0)
    assert pace_here(fake_space) is None
    fake_space.evaluation = {"pictures_a_second": 12.5, "at": "2026-11-25T10:00:00+00:00"}
    pace = pace_here(fake_space)
    assert pace
    assert (pace.rate, pace.source) == (12.5, "by the last evaluation, in one process")


# ---- models ------------------------------------------------------------------------------------


def test_models_are_compared_by_their_operations_with_one_that_was_measured(drawn_space: Space) -> None:
    Space.objects.update(evaluation={"pictures_a_second": 2000.0})
    found = {one.name: one for one in choices(Space.objects.active())}
    searched = found["drawn-scenes"]
    assert (searched.active, searched.known, searched.pace) == (True, MEASURED, 2000.0)
    like, unlike = found["everyday-things"], found["ViT-B-32-openai"]
    assert like.known == ESTIMATE
    assert like.pace == pytest.approx(2000 * 0.04 / 0.77)
    assert unlike.known == ROUGH
    assert unlike.pace
    assert like.pace
    assert unlike.pace > like.pace * 0.77 / 8.82
    big = found["ViT-L-14-openai"].pace
    assert big
    assert unlike.pace / big == pytest.approx(162.03 / 8.82)


def test_nothing_is_guessed_where_nothing_was_measured(drawn_space: Space) -> None:
    assert {one.known for one in choices(drawn_space)} == {UNKNOWN}


def test_a_live_space_is_measured_by_itself(drawn_space: Space) -> None:
    make_space("second", "fake")
    Space.objects.filter(slug="second").update(evaluation={"pictures_a_second": 7.0})
    found = {one.space: one for one in choices(drawn_space)}
    assert (found["second"].pace, found["second"].known) == (7.0, MEASURED)


# ---- the command -------------------------------------------------------------------------------


def test_the_command_reckons_with_a_million_frames(fake_space: Space) -> None:
    said = run()
    assert SUM in said
    assert "3,072,000,000  = 3.07 GB" in said
    assert "HNSW of shots only, 6 a minute" in said
    told = plan()["million"]
    assert (told["floats"], told["shots"]) == (3_072_000_000, 100_000)
    assert told["rows"] < told["floats"]
    assert told["index"] == told["index_of_all"] / 10


def test_the_command_plans(harbour: Collection, fake_space: Space) -> None:
    make_film(harbour, seconds=120, every=4)
    found = plan(photos="1000", hours="10")
    here, planned = found["plans"]
    assert (here["name"], here["photos"], here["frames"], here["indexed"]) == ("as it is", 0, 120, 30)
    assert (planned["photos"], planned["fps"], planned["frames"]) == (1000, 1.0, 37_000)
    assert planned["indexed"] == 1000 + 9000
    assert plan(hours="10", fps="0.5")["plans"][1]["frames"] == 18_000
    assert len(plan()["plans"]) == 1


@pytest.mark.parametrize(
    ("asked", "said"),
    [({"photos": "many"}, "--photos: Enter a whole number."), ({"fps": "0"}, "--fps: "), ({"hours": "-1"}, "--hours")],
)
def test_what_cannot_be_planned_is_refused_with_a_reason(asked: dict[str, str], said: str, db: None) -> None:
    with pytest.raises(CommandError, match=said):
        run(**asked)


def test_an_archive_without_a_space_can_plan_too(db: None) -> None:
    found = plan(photos="1000000")
    assert found["plans"][1]["seconds"] is None
    assert found["plans"][1]["bytes"]["floats"] == 3_072_000_000


# ---- the page ----------------------------------------------------------------------------------


def test_the_page_reckons_and_plans(client: Client, alice: User, fake_space: Space) -> None:
    client.force_login(alice)
    page = client.get("/admin/plan/?photos=1000000&hours=2").content.decode()
    assert SUM in page
    assert "= 3.07 GB" in page
    assert "1,007,200" in page
    assert 'href="/admin/plan/"' in client.get("/admin/").content.decode()


def test_the_page_says_what_it_cannot_plan_with(client: Client, alice: User, fake_space: Space) -> None:
    client.force_login(alice)
    answer = client.get("/admin/plan/?photos=many&fps=nan")
    assert answer.status_code == 200
    assert answer.content.decode().count("errorlist") == 2


def test_staff_see_the_cost_of_what_they_see(client: Client, harbour: Collection, fake_space: Space) -> None:
    make_encoded(harbour, fake_space, random_rows(7))
    dora = make_user("dora")
    dora.is_staff = True
    dora.save()
    client.force_login(dora)
    rows = {row[0]: row[1] for row in client.get("/admin/plan/").context["tables"][1].rows}
    assert rows["photos"] == "0"
    client.force_login(User.objects.get(username="alice"))
    rows = {row[0]: row[1] for row in client.get("/admin/plan/").context["tables"][1].rows}
    assert rows["photos"] == "7"


def test_who_is_not_on_the_staff_does_not_see_it(client: Client, bob: User) -> None:
    client.force_login(bob)
    assert client.get("/admin/plan/", follow=True).status_code == 403
