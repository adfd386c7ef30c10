"""What the library's script is answered, over real requests."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from studio.io.marking import studio_marker
from studio.library.owners import OWNER_HEADER
from studio.library.store import Library
from studio.library_tab.cards import describe_card
from studio.library_tab.repeats import UNKNOWN, Repeat, find_repeat
from studio.library_tab.routes import MOST_IN_ZIP, folder_names, routes
from studio.library_tab.verify import NOTHING
from studio.music_video.media_field import Media
from studio.page.fields import REQUIRED, FieldList, Upload
from studio.page.places import Intake, Opener, Places, Workplace
from studio.page.runs import RunBoard, new_job
from tests.studio.library.results import keep_tone, write_tone


def load_speech(path: str) -> tuple[dict[str, object], str]:
    if not path.endswith(".wav"):
        raise ValueError("not mine")
    return {}, ""


PLACES = Places(
    [Intake("song", "Song", "mv-song", ("Music Video",), ("sound", "film"))],
    [Opener("speech", ("Speech",), load_speech)],
)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library")


@pytest.fixture
def client(library: Library) -> TestClient:
    return TestClient(Starlette(routes=routes(library, PLACES, RunBoard(library.jobs))))


def test_cards_come_page_by_page_and_the_state_tells_of_changes(
    client: TestClient, library: Library, tmp_path: Path
) -> None:
    before = client.get("/library/state").json()["version"]
    made = [keep_tone(library, tmp_path, seed) for seed in range(5)]
    state = client.get("/library/state").json()
    assert state["version"] > before
    assert state["count"] == 5
    assert state["bytes"] == sum(each.bytes for each in made)
    assert state["kinds"] == [{"kind": "speech", "name": "Speech", "count": 5}]
    first = client.get("/library/items", params={"most": 3}).json()["items"]
    rest = client.get("/library/items", params={"most": 3, "before": first[-1]["id"]}).json()["items"]
    assert [each["id"] for each in first + rest] == [each.id for each in made[::-1]]
    assert first[0] == describe_card(made[-1])
    assert client.get("/library/items", params={"kinds": "music"}).json()["items"] == []


def test_all_of_one_item_is_told(client: TestClient, library: Library, tmp_path: Path) -> None:
    parent = keep_tone(library, tmp_path, 1, "The first")
    child = keep_tone(library, tmp_path, 2, "The second", parents=(parent.id,))
    told = client.get("/library/item", params={"id": child.id}).json()
    assert (told["prompt"], told["seed"], told["model"]) == ("The second", 2, "speech/debug")
    assert told["settings"] == [["Text", "The second"]]
    assert told["open"] == {"prefix": "speech", "path": ["Speech"], "name": child.files[0].name}
    assert told["edges"] == [[parent.id, child.id]]
    assert client.get("/library/intakes").json()["intakes"][0]["media"] == ["sound", "film"]


def test_a_file_is_played_in_parts_and_taken_away(client: TestClient, library: Library, tmp_path: Path) -> None:
    made = keep_tone(library, tmp_path, 3)
    data = (tmp_path / "tone-3.wav").read_bytes()
    whole = client.get(f"/library/file/{made.id}/tone-3.wav")
    assert whole.content == data
    assert whole.headers["content-type"] == "audio/wav"
    assert whole.headers["x-content-type-options"] == "nosniff"
    part = client.get(f"/library/file/{made.id}/tone-3.wav", headers={"range": "bytes=10-19"})
    assert (part.status_code, part.content) == (206, data[10:20])
    taken = client.get(f"/library/file/{made.id}/tone-3.wav", params={"download": "1"})
    assert taken.headers["content-disposition"] == 'attachment; filename="tone-3.wav"'
    for name in ("item.json", "..%2fitem.json", "none.wav"):
        assert client.get(f"/library/file/{made.id}/{name}").status_code == 404


def test_changes_deletion_and_undo(client: TestClient, library: Library, tmp_path: Path) -> None:
    made = keep_tone(library, tmp_path, 4)
    told = client.post("/library/change", json={"id": made.id, "title": "New", "favourite": True, "tags": ["a", " b "]})
    assert (told.json()["title"], told.json()["favourite"], told.json()["tags"]) == ("New", True, ["a", "b"])
    refused = client.post("/library/change", json={"id": made.id, "title": "   "})
    assert (refused.status_code, refused.json()) == (404, {"problem": "The title is empty; type one."})
    assert client.post("/library/delete", json={"ids": [made.id]}).json() == {"ids": [made.id]}
    assert client.get("/library/state").json()["count"] == 0
    assert client.post("/library/restore", json={"ids": [made.id]}).json() == {"ids": [made.id]}
    assert client.get("/library/state").json()["count"] == 1


def test_ten_are_packed_and_nothing_is_left_behind(client: TestClient, library: Library, tmp_path: Path) -> None:
    made = [keep_tone(library, tmp_path, seed, "The same words") for seed in range(10)]
    answer = client.get("/library/zip", params={"ids": ",".join(each.id for each in made)})
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        assert len({name.split("/")[0] for name in packed.namelist()}) == 10
        inside = packed.read("the-same-words (1)/tone-0.wav")
    assert inside == (tmp_path / "tone-0.wav").read_bytes()
    assert list((library.folder / "arriving").iterdir()) == []
    assert folder_names(made[:1]) == ["the-same-words"]
    for ids in ("", "nothing", ",".join(["x"] * (MOST_IN_ZIP + 1))):
        assert client.get("/library/zip", params={"ids": ids}).status_code == 400


def test_everything_is_the_owners_alone(client: TestClient, library: Library, tmp_path: Path) -> None:
    made = keep_tone(library, tmp_path, 5)
    other = {OWNER_HEADER: "somebody"}
    assert client.get("/library/items", headers=other).json()["items"] == []
    assert client.get("/library/item", params={"id": made.id}, headers=other).status_code == 404
    assert client.get(f"/library/file/{made.id}/tone-5.wav", headers=other).status_code == 404
    assert client.get("/library/zip", params={"ids": made.id}, headers=other).status_code == 400
    assert client.post("/library/delete", json={"ids": [made.id]}, headers=other).json() == {"ids": []}
    assert client.post("/library/change", json={"id": made.id, "title": "x"}, headers=other).status_code == 404


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"ids": "all"}', b'{"ids": [1]}', b" " * 300_000])
def test_a_question_that_makes_no_sense_is_refused(body: bytes, client: TestClient) -> None:
    answer = client.post("/library/delete", content=body)
    assert answer.status_code == 400
    assert answer.json()["problem"]


def test_another_sites_page_changes_nothing(client: TestClient, library: Library, tmp_path: Path) -> None:
    made = keep_tone(library, tmp_path, 6)
    answer = client.post("/library/delete", json={"ids": [made.id]}, headers={"sec-fetch-site": "cross-site"})
    assert answer.status_code == 400
    assert library.find("local") == [made]


def test_a_dropped_file_tells_where_it_comes_from(client: TestClient, library: Library, tmp_path: Path) -> None:
    recipe = write_tone(tmp_path / "mine.wav", 8, "Hello")
    studio_marker().mark(tmp_path / "mine.wav", recipe)
    data = (tmp_path / "mine.wav").read_bytes()

    def ask(content: bytes, name: str = "any.wav") -> list[str]:
        answer = client.post("/library/verify", params={"name": name}, content=content).json()
        return list(answer["said"])

    said = ask(data)
    assert said[0].endswith("with speech/debug, seed 8.")
    assert said[1:] == [
        "It says that a trained model generated it.",
        "It was signed by this studio, and was not changed since.",
    ]
    at = data.index(b"data") + 40
    assert "changed after it was signed" in ask(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])[-1]
    assert ask(b"nothing at all", "../../x.mp4") == [NOTHING]
    made = keep_tone(library, tmp_path, 9)
    answer = client.post("/library/verify", params={"name": "x.wav"}, content=(tmp_path / "tone-9.wav").read_bytes())
    assert answer.json()["item"] == made.id
    assert list((library.folder / "arriving").iterdir()) == []
    foreign = client.post("/library/verify", content=data, headers={"sec-fetch-site": "cross-site"})
    assert foreign.status_code == 400


FILM_FIELDS = FieldList(
    (
        Upload(name="song", label="Song", default=REQUIRED),
        Media(name="media", label="Photos"),
        Upload(name="mark", label="Mark"),
    )
)


def test_four_more_are_made_of_what_a_result_was_made_from(library: Library, tmp_path: Path) -> None:
    begun: list[dict[str, Any]] = []

    def begin(_owner: str, _browser: str, _starter: int, values: dict[str, Any]) -> Any:
        begun.append(values)
        return SimpleNamespace(job=SimpleNamespace(id=str(len(begun))))

    path = ("Music Video",)
    work = {"mvmake": Workplace("mv", path, ("mv-make",), frozenset(), begin, "song", FILM_FIELDS)}
    places = Places(PLACES.intakes, [Opener("mv", path, load_speech)], work)
    page = TestClient(Starlette(routes=routes(library, places, RunBoard(library.jobs))))
    song = keep_tone(library, tmp_path, 1, "The song")
    film = keep_tone(library, tmp_path, 2, "The film", parents=(song.id,))
    assert [page.get("/library/item", params={"id": each.id}).json()["repeats"] for each in (film, song)] == [
        True,
        False,
    ]
    assert page.post("/library/more", json={"id": film.id}).json() == {"jobs": ["1", "2", "3", "4"]}
    heard = str(library.path(film.owner, song.id, song.files[0].name))
    assert begun == [{"song": heard}] * 4
    assert "needs more" in page.post("/library/more", json={"id": song.id}).json()["problem"]

    def repeat_of(settings: dict[str, Any]) -> Repeat:
        assert film.recipe is not None
        found = find_repeat(
            library, replace(film, recipe=replace(film.recipe, settings=settings)), places, places.openers[0]
        )
        assert found is not None
        return found

    assert repeat_of({}) == Repeat(work["mvmake"], {"song": heard})
    for kind in ("media_names", "file_names"):  # files of one's own, and nobody knows any more where they were
        assert repeat_of({kind: "mine.png"}).missing.startswith("mine.png is not here any more")
    assert repeat_of({"mark": "own file"}).missing == UNKNOWN

    photos = [tmp_path / "a.png", tmp_path / "b.png"]
    for each in photos:
        each.write_bytes(b"a photo")
    job = new_job(
        film.owner, "", "mvmake", 0, "The film", {"media": list(map(str, photos)), "song": None, "mark": None}
    )
    library.jobs.add(job)
    library.jobs.end(job.id, "done", items=["another", film.id])
    named = {"media_names": "a.png, b.png"}
    assert repeat_of(named) == Repeat(work["mvmake"], {"song": heard, "media": list(map(str, photos))})
    begun.clear()
    page.post("/library/more", json={"id": film.id})
    assert begun == [{"song": heard, "media": list(map(str, photos))}] * 4
    for each in photos:
        each.unlink()
    told = page.get("/library/item", params={"id": film.id}).json()
    assert not told["repeats"] and told["missing"].startswith("a.png, b.png are not here any more")
    assert page.post("/library/more", json={"id": film.id}).json()["problem"] == told["missing"]
