"""The text front end: what is said, how it is split, and that no text makes it fail."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.speech import text as front_end
from models.speech.clean import clean
from models.speech.normalise import sentences
from models.speech.pronounce import inventory_sounds
from models.speech.split import split
from models.speech.symbols import BOS, EOS, PUNCTUATION, SYMBOL_IDS, WORD_BREAK
from models.speech.text import SpokenText, iter_utterances, phonemize, to_utterances, warm_up

NOTHING_TO_SAY = "no word in the text that can be spoken"


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    warm_up()


def said(text: str) -> str:
    """Return a text as it is said, in words."""
    units = [unit for sentence in sentences(clean(text)[0], []) for unit in sentence.units]
    return " ".join(unit.spoken for unit in units)


def sounds(text: str) -> str:
    """All the symbols of a text in one string."""
    return "".join("".join(utterance.symbols) for utterance in to_utterances(text).utterances)


def check(spoken: SpokenText, max_symbols: int = 160) -> None:
    """Whatever holds for every text."""
    assert spoken.utterances
    for utterance in spoken.utterances:
        symbols = utterance.symbols
        assert all(symbol in SYMBOL_IDS for symbol in symbols)
        assert (symbols[0], symbols[-1]) == (BOS, EOS)
        assert symbols[-2] in PUNCTUATION
        assert len(symbols) <= max_symbols
        assert 0 <= utterance.pause_s <= 1
        assert utterance.words
        end = looked = 0
        for word in utterance.words:
            assert end < word.start < word.end < len(symbols)
            assert word.text
            end = word.end
            looked = utterance.text.index(word.text, looked) + len(word.text)


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("5", "five"),
        ("1,234,567", "one million two hundred thirty-four thousand five hundred sixty-seven"),
        ("3.14", "three point one four"),
        (".5", "zero point five"),
        ("-5 below", "minus five below"),
        ("007", "zero zero seven"),
        ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
        ("1st, 22nd and 103rd", "first twenty-second and one hundred third"),
        ("in 1999", "in nineteen ninety-nine"),
        ("in 2005", "in two thousand five"),
        ("in 2024", "in twenty twenty-four"),
        ("the 1990s and '80s", "the nineteen nineties and eighties"),
        ("1914–1918", "nineteen fourteen to nineteen eighteen"),
        ("10-20%", "ten to twenty percent"),
        ("$12.50", "twelve dollars and fifty cents"),
        ("$1", "one dollar"),
        ("$0.99", "ninety-nine cents"),
        ("£3", "three pounds"),
        ("€1.01", "one euro and one cent"),
        ("$3.5 million", "three point five million dollars"),
        ("$2bn", "two billion dollars"),
        ("-$5", "minus five dollars"),
        ("Jan. 5, 2020", "January fifth, twenty twenty"),
        ("March 3rd", "March third"),
        ("5 January 2020", "January fifth, twenty twenty"),
        ("2024-01-15", "January fifteenth, twenty twenty-four"),
        ("12/25/1999", "December twenty-fifth, nineteen ninety-nine"),
        ("25/12/1999", "December twenty-fifth, nineteen ninety-nine"),
        ("10:05 p.m.", "ten oh five pee em"),
        ("at 5pm", "at five pee em"),
        ("10:00", "ten o'clock"),
        ("17:30", "seventeen thirty"),
        ("3/4 cup", "three quarters cup"),
        ("2½ cups", "two and a half cups"),
        ("1/2", "one half"),
        ("5 kg", "five kilograms"),
        ("1 km", "one kilometer"),
        ("100km/h", "one hundred kilometers per hour"),
        ("-5°C", "minus five degrees celsius"),
        ("20 m²", "twenty square meters"),
        ("x²", "x squared"),
        ("5'11\"", "five feet eleven inches"),
        ("4x4", "four by four"),
        ("10k and 5M", "ten thousand and five million"),
        ("Dr. Smith", "doctor Smith"),
        ("Mr. and Mrs. Jones", "mister and missus Jones"),
        ("St. Louis", "saint Louis"),
        ("on Main St. now", "on Main street now"),
        ("e.g. this, i.e. that", "for example this that is that"),
        ("cats, dogs, etc.", "cats dogs et cetera"),
        ("No. 5", "number five"),
        ("No. I will not.", "No I will not"),
        ("J. K. Rowling", "jay kay Rowling"),
        ("the U.S. Army", "the you ess Army"),
        ("a Ph.D. in it", "a pee aitch dee in it"),
        ("NASA and FBI", "nasa and eff bee eye"),
        ("CDs and the FBI's", "see dee's and the eff bee eye's"),
        ("STOP RIGHT NOW", "stop right now"),
        ("from the US", "from the you ess"),
        ("TELL US ALL", "tell us all"),
        ("Louis XIV", "Louis the fourteenth"),
        ("World War II", "World War two"),
        ("COVID-19 and MP3", "covid nineteen and em pee three"),
        ("H2O", "aitch two oh"),
        ("YouTube", "YouTube"),
        ("bob.smith@example.com", "bob dot smith at example dot com"),
        ("https://www.example.com/the/path?x=1#y", "example dot com slash the slash path"),
        ("example.org.", "example dot org"),
        ("192.168.0.1", "one hundred ninety-two dot one hundred sixty-eight dot zero dot one"),
        ("version 1.2.3", "version one point two point three"),
        ("555-123-4567", "five five five, one two three, four five six seven"),
        ("(555) 123-4567", "five five five, one two three, four five six seven"),
        ("+44 20 7946 0958", "plus four four, two zero, seven nine four six, zero nine five eight"),
        ("R&D & more", "ar and dee and more"),
        ("2 + 2 = 4", "two plus two equals four"),
        ("#1 and #music", "number one and hashtag music"),
        ("@bob", "at bob"),
        ("here @ 5", "here at five"),
        ("/home/bob.", "slash home slash bob"),
        ("£5/kg", "five pounds per kilogram"),
        ("5 < 6", "five less than six"),
        ("C++ or C#", "see plus plus or see sharp"),
        ("and/or w/o", "and or without"),
        ("3 × 4", "three times four"),
        ("π is 3.14", "pi is three point one four"),
        ("café naïve Ærø straße", "cafe naive Aero strasse"),
        ("“Don’t,” he said", "Don't he said"),
        ("the students' books", "the students books"),
        ("ｆｕｌｌ ① ﬁn", "full one fin"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("5 > 3 &amp; <b>bold</b>", "five greater than three and bold"),
        ("a\x00b\x07c", "a b c"),
        ("rock 'n' roll", "rock n roll"),
        ("24/7", "twenty-four seven"),
        ("1e-5", "one times ten to the minus five"),
    ],
)
def test_is_said_as_a_person_would(written: str, spoken: str) -> None:
    assert said(written) == spoken


def test_symbols_of_a_plain_sentence_stay_as_the_weights_learned_them() -> None:
    assert "".join(phonemize("The apple, the hour — a well-known café.")) == (
        "^ði ˈæpəl, ði ˈaʊɚ, ə wˈɛl nˈoʊn kæfˈeɪ.~"
    )
    assert "".join(phonemize('he said "hello," and left?! "Wait..." (no) [x]; a: b')) == (
        "^hˈi sˈɛd hɛlˈoʊ, ˈænd lˈɛft? wˈeɪt. nˈoʊ, ˈɛks; ə: bˈi.~"
    )
    assert "".join(phonemize("in being comparatively modern,")) == "^ˈɪn bˈiɪŋ kəmpˈɛɹɪtɪvli mˈɑdɚn,~"
    assert phonemize("One. Two!")[-2:] == ("!", EOS)
    with pytest.raises(ValueError, match="no word"):
        phonemize("...")


@pytest.mark.parametrize(
    "text", ["Hello world.", "Printing differs from most, if not from all, the arts and crafts.", "Is it late?"]
)
def test_a_plain_sentence_is_read_as_in_training(text: str) -> None:
    (utterance,) = to_utterances(text).utterances
    assert utterance.symbols == phonemize(text)
    assert utterance.text == text


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("A record.", "ɹˈɛkɚd"),
        ("They will record it.", "ɹɪkˈɔɹd"),
        ("They record it.", "ɹɪkˈɔɹd"),
        ("I will read it.", "ɹˈid"),
        ("It was read by all.", "ɹˈɛd"),
        ("They present a gift.", "pɹɪzˈɛnt"),
        ("This is the present.", "pɹˈɛzənt"),
        ("Live music.", "lˈaɪv"),
        ("They live here.", "lˈɪv"),
        ("Their lives were saved.", "lˈaɪvz"),
        ("She lives here.", "lˈɪvz"),
        ("The imports rose.", "ˈɪmpɔɹts"),
        ("The leading houses at home.", "hˈaʊzɪz"),
    ],
)
def test_words_of_two_sounds(text: str, sound: str) -> None:
    assert sound in sounds(text)


def test_letters_are_named() -> None:
    assert sounds("ABC FHW") == "^ˈeɪ bˈi sˈi ˈɛf ˈeɪt͡ʃ dˈʌbəl jˈu.~"


def test_sounds_that_the_inventory_lacks_are_replaced() -> None:
    assert inventory_sounds(["ɜ˞", "ˈɜː", "ɑ̃", "ɾ", "☃", "ˈaː", "n̩"]) == ["ɚ", "ˈɚ", "ɑ", "t", "ˈɑ", "ə", "n"]


def test_words_are_as_written_over_all_their_sounds() -> None:
    (utterance,) = to_utterances("It is $12.50 (really) at bob@b.com!").utterances
    words = {word.text: "".join(utterance.symbols[word.start : word.end]) for word in utterance.words}
    assert list(words) == ["It", "is", "$12.50", "really", "at", "bob@b.com"]
    assert words["$12.50"] == "twˈɛlv dˈɑlɚz ˈænd fˈɪfti sˈɛnts"
    assert words["really"] == "ɹˈɪli"
    assert words["bob@b.com"].count(WORD_BREAK) == 4


def test_sentences_paragraphs_and_clauses_pause() -> None:
    spoken = to_utterances('One is here. "Two," she said. Mr. Three came at 5 p.m. Four went.\n\nFive\n- Six')
    assert [(u.text, u.pause_s) for u in spoken.utterances] == [
        ("One is here.", 0.35),
        ('"Two," she said.', 0.35),
        ("Mr. Three came at 5 p.m.", 0.35),
        ("Four went.", 0.6),
        ("Five", 0.35),
        ("Six", 0.35),
    ]


def test_a_dash_is_a_short_pause() -> None:
    for dash in ("—", " — ", " -- ", " - ", " – "):
        assert sounds(f"It will{dash}go.") == "^ˈɪt wˈɪl, ɡˈoʊ.~"


def test_a_quoted_question_and_an_ellipsis_do_not_end_the_sentence() -> None:
    spoken = to_utterances('"What?" he asked. It was ... fine.')
    assert [u.text for u in spoken.utterances] == ['"What?" he asked.', "It was ... fine."]


def test_a_long_sentence_is_parted_at_its_clauses() -> None:
    text = (
        "For although the Chinese took impressions from wood blocks engraved in relief for centuries before the "
        "woodcutters of the Netherlands, by a similar process produced the block books; these were the immediate "
        "predecessors of the true printed book, and the invention of movable metal letters came in the middle of the "
        "fifteenth century."
    )
    spoken = to_utterances(text)
    check(spoken)
    assert " ".join(u.text for u in spoken.utterances) == text
    inner = [u.text[-1] for u in spoken.utterances[:-1]]
    assert any(mark in ";," for mark in inner)
    assert {u.pause_s for u in spoken.utterances[:-1]} <= {0.05, 0.12, 0.2}


def test_the_first_utterance_of_a_long_sentence_is_its_first_clause() -> None:
    text = "When the sun had risen, the people of the village went out to the fields and worked until the evening."
    first, *others = to_utterances(text).utterances
    assert first.text == "When the sun had risen,"
    assert first.pause_s == 0.12
    assert len(others) == 1


def test_an_endless_word_is_cut_with_a_note() -> None:
    spoken = to_utterances("a" * 300 + " yes " + "7" * 200, max_symbols=60)
    check(spoken, 60)
    assert len(spoken.notes) == 2
    assert "300 characters" in spoken.notes[0]


def test_what_cannot_be_said_is_left_out_with_a_note() -> None:
    spoken = to_utterances("Hello 你好 world 😀, привет مرحبا :) and \ud800 bye")
    assert [word.text for u in spoken.utterances for word in u.words] == ["Hello", "world", "and", "bye"]
    notes = " ".join(spoken.notes)
    for left_out in ("Chinese", "你好", "Cyrillic", "привет", "Arabic", "emoji", "😀", ":)", "cannot be shown"):
        assert left_out in notes


def test_notes_stay_short() -> None:
    (note,) = to_utterances("word " + " ".join("你" * 40 + str(i) for i in range(50)) + " 好 们").notes
    assert len(note) < 200


@pytest.mark.parametrize(
    "text", ["", "   \n\t", "😀🎉👍", "你好，世界。", "مرحبا", "...", "\x00\x01\x1b", "<br>", "-- ()", "'"]
)
def test_nothing_to_say_is_one_plain_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=NOTHING_TO_SAY):
        to_utterances(text)


@pytest.mark.parametrize(
    "text",
    [
        "'; DROP TABLE users; -- SELECT * FROM a WHERE b='c'",
        "<script>alert('hi')</script><p class=\"x\">Hello <b>there</b> &copy; &nbsp;&#0;</p>",
        "Null\x00byte and \x1b[31mcolour\x7f",
        '{"key": [1, 2.5, null], "b": "\\u00e9"}',
        "def f(x): return x**2 if x >= 0 else -x  # comment",
        "../../etc/passwd; rm -rf /",
        "1/0 and 99:99 and 31/31/2020 and 0/0 and 00:00 and 2020-13-45",
        "A. B. C. D. E.F.G. h.i. ... .5. 5. -.5 $ $$ $.5 £ % # @ & * ^ ~ ` | \\ / ' \"",
        "Ⅻ ㎏ ½½ ²³ ™ ℃ № ﷽ a\u0301\u0301\u0301",
    ],
)
def test_odd_text_is_read(text: str) -> None:
    check(to_utterances(text))


def test_html_is_not_read_aloud() -> None:
    spoken = to_utterances("<script>var a = 1;</script><p>Hello <b>there</b>.</p><p>Bye</p>")
    assert [u.text for u in spoken.utterances] == ["Hello there.", "Bye"]


def test_a_long_text_is_pronounced_only_as_far_as_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "The quick brown fox, which Dr. Smith saw at 5 p.m., paid $12.50 for it. " * 700
    assert len(text) > 50_000
    watched = Mock(wraps=front_end._pronounce)
    monkeypatch.setattr(front_end, "_pronounce", watched)
    utterances = iter_utterances(text)
    next(utterances)
    next(utterances)
    assert 1 <= watched.call_count <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["a-", "a.", "1,111,", "<a ", "(555) ", "a@", "http://", "1/", "'", "½", "A", "7", ":)"]
)
def test_repeated_text_is_cleaned_and_split_whatever_its_length(piece: str) -> None:
    readable, _ = clean(piece * (20_000 // len(piece)))
    assert all(sentence.units for sentence in sentences(readable, []))


def test_lazy_and_whole_are_equal() -> None:
    text = "One sentence, and then another; it is longer than the first of them all. Then 你 a third."
    notes: list[str] = []
    lazy = tuple(iter_utterances(text, notes=notes))
    assert to_utterances(text) == SpokenText(lazy, tuple(notes))


def test_too_few_symbols_is_refused() -> None:
    with pytest.raises(ValueError, match="max_symbols is 3"):
        to_utterances("Hello.", max_symbols=3)


SOME_EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
DIFFICULT = (
    "a the Dr. $5 5,000.5 10:30 e.g. NASA FBI's bob@x.com don't 'quoted' (aside) end. what? and, but; 😀 你 x-y <b>"
    " &amp; & % 1/2 May 5th -3 \n \n\n \x00 antidisestablishmentarianism 2020-02-30 U.S. ... —"
)
PLAIN = "one two, three; and because seven. eight elephants $12.50 why?"
WORDS = st.sampled_from(DIFFICULT.split(" "))


@SOME_EXAMPLES
@given(st.text(max_size=120), st.sampled_from([16, 40, 160]))
def test_any_text_is_read_or_refused(text: str, max_symbols: int) -> None:
    try:
        spoken = to_utterances(text, max_symbols)
    except ValueError as error:
        assert NOTHING_TO_SAY in str(error)
    else:
        check(spoken, max_symbols)


@SOME_EXAMPLES
@given(st.lists(WORDS, min_size=1, max_size=60), st.sampled_from([24, 80, 160]))
def test_any_row_of_difficult_words_is_read_or_refused(words: list[str], max_symbols: int) -> None:
    try:
        spoken = to_utterances(" ".join(words), max_symbols)
    except ValueError as error:
        assert NOTHING_TO_SAY in str(error)
    else:
        check(spoken, max_symbols)


@SOME_EXAMPLES
@given(
    st.lists(st.sampled_from(PLAIN.split()), min_size=1),
    st.sampled_from([40, 160]),
)
def test_splitting_covers_every_word_once(words: list[str], max_symbols: int) -> None:
    spoken = to_utterances(" ".join(words), max_symbols)
    check(spoken, max_symbols)
    assert " ".join(u.text for u in spoken.utterances) == " ".join(words)
    assert [w.text for u in spoken.utterances for w in u.words] == [word.rstrip(",;.?") for word in words]


@given(st.lists(st.tuples(st.integers(1, 10), st.integers(-1, 3)), max_size=60), st.integers(10, 40))
def test_split_covers_the_row_within_the_limit(row: list[tuple[int, int]], limit: int) -> None:
    costs = [cost for cost, _ in row]
    pieces = split(costs, [strength for _, strength in row], limit)
    assert [index for start, end in pieces for index in range(start, end)] == list(range(len(row)))
    assert all(start < end and sum(costs[start:end]) <= limit for start, end in pieces)
