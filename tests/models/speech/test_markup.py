"""Speech markup, Markdown, pronunciations and the dictionary: what is said, how, and that damage never raises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.contracts import SpeechRequest
from models.speech.markup import to_plain
from models.speech.preview import read_aloud
from models.speech.pronunciations import check_dictionary, parse_sounds
from models.speech.ssml import Prosody, Tag, read_break_s, read_prosody
from models.speech.symbols import SYMBOL_IDS
from models.speech.text import iter_utterances, to_utterances

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('<speak>Hello <break time="500ms"/> world.</speak>', "Hello [0.5 s] world."),
        ("Hello <break time=“700ms”/> world", "Hello [0.7 s] world."),
        ("Hi <break time='1s'/><break time='0.5s'/>there", "Hi [1.5 s] there."),
        ("<break time='2s'/>Hi there <break time='3s'/>", "[2 s] Hi there [3 s]"),
        ('<speak>One<break strength="none"/> two</speak>', "One two."),
        ("<speak><s>One</s><s>Two</s></speak>", "One. Two."),
        ('<speak><sub alias="World Wide Web Consortium">W3C</sub> rules</speak>', "World Wide Web Consortium rules."),
        ("H<sub>2</sub>O and <b>bold</b>", "H two O and bold."),
        ('<say-as interpret-as="characters">SOS 12</say-as>', "S O S one two."),
        ('<say-as interpret-as="digits">2024</say-as>', "two zero two four."),
        ('<say-as interpret-as="ordinal">3</say-as>', "third."),
        ('<say-as interpret-as="cardinal">1999</say-as>', "one thousand nine hundred ninety-nine."),
        ('<say-as interpret-as="fraction">2/3</say-as>', "two thirds."),
        ('<say-as interpret-as="telephone">555-0199</say-as>', "five five five, zero one nine nine."),
        ('<say-as interpret-as="date" format="dmy">10/12/2024</say-as>', "December tenth, twenty twenty-four."),
        ('<say-as interpret-as="date" format="mdy">10/12/2024</say-as>', "October twelfth, twenty twenty-four."),
        ('<say-as interpret-as="time">2:30pm</say-as>', "two thirty P M."),
        ('<say-as interpret-as="no such kind">$5</say-as>', "five dollars."),
        ('<phoneme alphabet="ipa" ph="təˈmeɪtoʊ">tomato</phoneme> soup', "tomato soup."),
        (
            '<speak>A <foo bar="1">strange</foo> <voice name="x">tag</voice> &amp; more</speak>',
            "A strange tag and more.",
        ),
        ('<mstts:express-as style="sad">Sad</mstts:express-as> if a < b', "Sad if a less than b."),
        ("<speak>Hello <break time='1s' world.</speak>", "Hello [1 s] world."),
        ("<speak>Hello </emphasis> world <prosody rate=", "Hello world."),
        ("<speak>Hello <say-as interpret-as='characters'>AB", "Hello A B."),
        ("<speak>Hello <!-- not this --> world", "Hello world."),
        ("> This is a quote.", "This is a quote."),
        ("get the [Plugin](https://www.example.com/x.html)", "get the Plugin."),
        ("Don`t", "Don't."),
        ("# Title\nSome *soft* and **bold** `code`.", "Title. Some soft and bold code."),
        ("- one\n- two", "one. two."),
        ("1. first\n2. second", "first. second."),
        ("1984. It was cold.", "nineteen eighty-four. It was cold."),
        ("- [x] done\n- [ ] open", "done. open."),
        ("![A cat](cat.png) sleeps. See <https://example.com>.", "A cat sleeps. See example dot com."),
        ("~~old~~ [new][1]\n\n[1]: http://example.com", "old new."),
        ("| a | b |\n|---|---|\n| one | two |", "a, b. one, two."),
        ("5 * 3 * 2 and snake_case_name", "five times three times two and snake case name."),
        ("Fruits:\nApple\nBanana", "Fruits: Apple. Banana."),
        ("[tuple](/ˈtʌpəl/) and [docs](/docs/)", "tuple and docs."),
        ("The FBI paid $5 at 8 PM. See you.", "The F B I paid five dollars at eight P M. See you."),
    ],
)
def test_is_read_aloud(text: str, read: str) -> None:
    assert read_aloud(text) == read


def test_a_break_is_silence_of_exactly_its_length() -> None:
    first, last = to_utterances('<speak>Hello <break time="2.5s"/> world.</speak>').utterances
    assert (first.text, first.pause_s, first.pause_is_asked) == ("Hello", 2.5, True)
    assert first.symbols[-2] == ","  # the sentence goes on
    assert not last.pause_is_asked
    (only,) = to_utterances("<break time='1s'/>Hi.<break time='2s'/>").utterances
    assert (only.lead_s, only.pause_s, only.pause_is_asked) == (1.0, 2.0, True)


def test_prosody_and_emphasis_turn_their_stretch_of_the_sentence() -> None:
    text = 'He <emphasis level="strong">really did</emphasis> say <prosody rate="slow" pitch="+2st">so</prosody>.'
    (utterance,) = to_utterances(text).utterances
    assert utterance.text == "He really did say so."
    spans = {word.text: (word.start, word.end) for word in utterance.words}
    strong, slow = utterance.turns
    assert (strong.start, strong.end) == (spans["really"][0], spans["did"][1])
    assert strong.prosody.volume_db > 0
    assert (slow.start, slow.end) == spans["so"]
    assert slow.prosody == Prosody(0.8, 2.0, 0.0)


def test_stretches_lie_within_each_other() -> None:
    text = '<prosody rate="50%">one <prosody volume="+3dB">two</prosody> three</prosody> four'
    (utterance,) = to_utterances(text).utterances
    assert [turn.prosody for turn in utterance.turns] == [Prosody(0.5), Prosody(0.5, 0.0, 3.0), Prosody(0.5)]


@pytest.mark.parametrize(
    ("attributes", "prosody"),
    [
        ({"rate": "fast"}, Prosody(1.25)),
        ({"rate": "+20%"}, Prosody(1.2)),
        ({"rate": "80%"}, Prosody(0.8)),
        ({"pitch": "-3st"}, Prosody(1.0, -3.0)),
        ({"pitch": "x-high"}, Prosody(1.0, 4.0)),
        ({"volume": "soft"}, Prosody(1.0, 0.0, -4.0)),
        ({"volume": "-6dB"}, Prosody(1.0, 0.0, -6.0)),
    ],
)
def test_prosody_is_read(attributes: dict[str, str], prosody: Prosody) -> None:
    notes: list[str] = []
    assert read_prosody(Tag("prosody", attributes), notes) == prosody
    assert not notes


def test_prosody_that_cannot_be_read_is_noted() -> None:
    notes: list[str] = []
    assert read_prosody(Tag("prosody", {"pitch": "+20Hz", "rate": "quickly"}), notes) == Prosody()
    assert len(notes) == 2
    assert "semitones" in notes[1]


@pytest.mark.parametrize(
    ("attributes", "seconds"),
    [({"time": "500ms"}, 0.5), ({"time": "1,5 s"}, 1.5), ({"time": "2"}, 2.0), ({"time": "500"}, 0.5), ({}, 0.4)],
)
def test_a_time_is_read(attributes: dict[str, str], seconds: float) -> None:
    assert read_break_s(Tag("break", attributes)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("text", "sounds"),
    [
        ("/ˌkubɚˈnɛtiz/", "k ˌu b ɚ n ˈɛ t i z"),
        ("K UW2 B ER0 N EH1 T IY0 Z", "k ˌu b ɚ n ˈɛ t i z"),
        ("/dʒɪf/", "d͡ʒ ɪ f"),
        ("/ˈstɹɪŋ/", "s t ɹ ˈɪ ŋ"),
        ("/ˈʃtʁaːsə/", "ʃ t ˈɑ s ə"),
    ],
)
def test_sounds_are_read(text: str, sounds: str) -> None:
    (word,) = parse_sounds(text) or ()
    assert " ".join(word) == sounds
    assert all(sound in SYMBOL_IDS for sound in word)


def test_a_respelling_is_no_row_of_sounds() -> None:
    assert parse_sounds("koo-ber-NET-eez") is None
    assert parse_sounds("T V") is None


def sounds_of(text: str, *dictionary: tuple[str, str]) -> dict[str, str]:
    """Return the sounds of each word as written."""
    return {
        word.text: "".join(utterance.symbols[word.start : word.end])
        for utterance in to_utterances(text, dictionary=dictionary).utterances
        for word in utterance.words
    }


def test_the_dictionary_says_words_as_the_person_does() -> None:
    said = sounds_of(
        "My Kubernetes and kubernetes's pods run nginx, not Polish SQL.",
        ("Kubernetes", "/ˌkubɚˈnɛtiz/"),
        ("nginx", "engine ex"),
        ("SQL", "S IY1 K W AH0 L"),
    )
    assert said["Kubernetes"] == "kˌubɚnˈɛtiz"
    assert said["kubernetes's"] == "kˌubɚnˈɛtizɪz"
    assert said["nginx"] == "ˈɛnd͡ʒən ˈɛks"
    assert said["SQL"] == "sˈikwəl"


def test_an_english_word_with_a_capital_is_found_only_as_written() -> None:
    said = sounds_of("Polish it, US and us", ("US", "/ˈju ɛs ˈeɪ/"))
    assert said["US"] != said["us"]


def test_an_entry_is_no_part_of_another_word_or_of_an_address() -> None:
    said = sounds_of("nodes at node.js.org and mynode", ("node", "/x/"))
    assert "k" not in said["mynode"] and "k" not in said["node.js.org"]
    assert said["nodes"] == "kz" or said["nodes"] == "ks"


def test_inline_sounds_win_and_keep_the_word() -> None:
    said = sounds_of("I like [GIF](/dʒɪf/)s and [data](/ˈdætə/)'s shape.")
    assert said["GIF"] == "d͡ʒɪf"
    assert said["data's"] == "dˈætəz"


def test_an_entry_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ValueError, match="Foo"):
        check_dictionary([("Foo", "/§§/")])
    with pytest.raises(ValueError, match="Foo"):
        next(iter_utterances("Hello.", dictionary=[("Foo", "?!")]))


@pytest.mark.parametrize(
    "dictionary", [[("a", "b")], (("a",),), (("a", 1),), (("", "b"),), (("a", " "),), (("a", "b" * 300),)]
)
def test_a_request_checks_its_dictionary(dictionary: object) -> None:
    with pytest.raises(ValueError, match="dictionary"):
        SpeechRequest("Hello.", dictionary=dictionary)  # type: ignore[arg-type]


def test_other_models_get_plain_text() -> None:
    notes: list[str] = []
    text = "<speak>Hello <break time='1s'/> <emphasis>Kubernetes</emphasis>.</speak>"
    assert to_plain(text, [("Kubernetes", "koo-ber-net-eez")], notes) == [("Hello ", 1.0), (" koo ber net eez.", None)]
    assert "<emphasis>" in notes[0]
    assert to_plain("Guten Tag, 5 € bitte.") == [("Guten Tag, 5 € bitte.", None)]


def test_the_command_line_prints_the_words_last() -> None:
    command = [sys.executable, "-m", "models.speech.text", "Pay $.50 to Mr. Jones 😀."]
    made = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    lines = made.stdout.splitlines()
    assert lines[-1] == "Pay fifty cents to mister Jones."
    assert "emoji" in lines[0]


SOME = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
PARTS = st.sampled_from(
    [
        *("<speak>", "</speak>", "<speak", "<break time='1s'/>", "<break time=", "<break/>", "</break>", "<emphasis>"),
        *("</emphasis>", "<prosody rate='slow'>", "<prosody pitch='+1e9st' rate='-500%' volume='nan'>", "</prosody>"),
        *(
            "<say-as interpret-as='date'>",
            "<say-as interpret-as='ordinal'>",
            "</say-as>",
            "<sub alias='x y'>",
            "</sub>",
        ),
        *(
            "<phoneme ph='§'>",
            "<phoneme ph='tɛst'>",
            "</phoneme>",
            "<p>",
            "<!--",
            "-->",
            "<![CDATA[",
            "<x y='",
            ">",
            "<",
        ),
        *("Hello", "$5", "12/12", "world.", "\n\n", "# ", "- ", "**", "`", "[a](/a/)", "[b](", "](/ˈ/)", "|", "&amp;"),
        *("\U000f0000", "\U00100001", "\x1e", "'s", "1. ", "```", "=====", "kube"),
    ]
)


@pytest.mark.slow
@SOME
@given(st.lists(PARTS, min_size=1, max_size=14))
def test_damaged_markup_never_raises(parts: list[str]) -> None:
    text = " ".join(parts)
    try:
        spoken = to_utterances(text, dictionary=[("kube", "koob")])
    except ValueError as error:
        assert "no word in the text" in str(error)
        return
    for utterance in spoken.utterances:
        assert all(symbol in SYMBOL_IDS for symbol in utterance.symbols)
        assert all(0 <= turn.start < turn.end <= len(utterance.symbols) for turn in utterance.turns)
        assert all(ord(char) < 0xE000 for char in utterance.text)
    assert read_aloud(text, [("kube", "koob")])


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["<speak>", "<break/>", "[a](/", "<a b='", "**", "> ", "- ", "[", "`", "<!--", "<prosody>"]
)
def test_repeated_marks_are_read_whatever_their_number(part: str) -> None:
    assert read_aloud("word " + part * (10_000 // len(part))).startswith("word")
