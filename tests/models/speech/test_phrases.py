"""Ordinary phrases as a person would say them, and that no amount, date or measure makes a rule fail."""

from __future__ import annotations

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.speech import normalise
from models.speech.clean import clean
from models.speech.normalise import put_in_words, sentences

MONEY = [
    ("The fee is $.50 only.", "The fee is fifty cents only"),
    ("The fee is $.99!", "The fee is ninety-nine cents"),
    ("A fee of $.5", "A fee of fifty cents"),
    ("It's £.99", "It's ninety-nine pence"),
    ("Tickets cost $5-$10.", "Tickets cost five to ten dollars"),
    ("$5-10", "five to ten dollars"),
    ("£3–£4", "three to four pounds"),
    ("20-30€", "twenty to thirty euros"),
    ("$1.50-$2.50", "one dollar and fifty cents to two dollars and fifty cents"),
    ("$1.2-1.5 million", "one point two to one point five million dollars"),
    ("$500K-$1.5M", "five hundred thousand to one point five million dollars"),
    ("I have 5$, no more", "I have five dollars no more"),
    ("5$", "five dollars"),
    ("It costs €2,75 today.", "It costs two euros seventy-five today"),
    ("2,75 €", "two euros seventy-five"),
    ("€1.234,56", "one thousand two hundred thirty-four euros fifty-six"),
    ("39.99 EUR", "thirty-nine euros ninety-nine"),
    ("25 USD", "twenty-five you ess dollars"),
    ("25.50 GBP", "twenty-five pounds fifty"),
    ("CHF 80", "eighty Swiss francs"),
    ("R$ 25", "twenty-five reais"),
    ("C$40, A$45 and NZ$3", "forty Canadian dollars forty-five Australian dollars and three New Zealand dollars"),
    ("₩5000", "five thousand won"),
    ("$20/hour", "twenty dollars per hour"),
    ("$20/hr and $3/lb", "twenty dollars per hour and three dollars per pound"),
    ("$0.05/kWh", "five cents per kilowatt hour"),
    ("€15/person", "fifteen euros per person"),
    ("a $5 bill", "a five dollar bill"),
    ("two $20 bills", "two twenty dollar bills"),
    ("the $3.50 coffee", "the three dollar and fifty cent coffee"),
    ("a $1.4 billion loan", "a one point four billion dollar loan"),
    ("a $20-million deal", "a twenty million dollar deal"),
    ("It is $5 for a day", "It is five dollars for a day"),
    ("the $5 he owes", "the five dollars he owes"),
    ("$-5", "minus five dollars"),
    ("50¢", "fifty cents"),
    ("5.000 €", "five thousand euros"),
    ("Rs. 500 and ₹1,50,000", "five hundred rupees and one hundred fifty thousand rupees"),
    ("500 Kč", "five hundred koruna"),
    ("$5USD", "five you ess dollars"),
]
MEASURES = [
    ("10 x 20 cm", "ten by twenty centimeters"),
    ("a 10 x 20 cm card", "a ten by twenty centimeter card"),
    ("2 × 4 × 8 m", "two by four by eight meters"),
    ("30 cm x 40 cm", "thirty centimeters by forty centimeters"),
    ("1 µm", "one micrometer"),
    ("5 µs", "five microseconds"),
    ("100 Ω", "one hundred ohms"),
    ("4.7 kΩ", "four point seven kiloohms"),
    ("10 mg/kg", "ten milligrams per kilogram"),
    ("100 MB/s", "one hundred megabytes per second"),
    ("30 L/min", "thirty liters per minute"),
    ("2 mg/day", "two milligrams per day"),
    ("60 miles/hour", "sixty miles per hour"),
    ("3 sq. ft.", "three square feet"),
    ("3 cu. ft. of sand", "three cubic feet of sand"),
    ("100 kPa", "one hundred kilopascals"),
    ("12in", "twelve inches"),
    ("a 12 in. pipe", "a twelve inch pipe"),
    ("12 in the room", "twelve in the room"),
    ("a 6-ft fence", "a six foot fence"),
    ("a 5 km run", "a five kilometer run"),
    ("It is 5 km away", "It is five kilometers away"),
    ("9.8 m/s²", "nine point eight meters per second squared"),
    ("5 g/cm³", "five grams per cubic centimeter"),
    ("10 N·m", "ten newton meters"),
    ("5 kg-10 kg", "five to ten kilograms"),
    ("10%-20%", "ten to twenty percent"),
    ("-40°F", "minus forty degrees fahrenheit"),
    ("2 fl oz", "two fluid ounces"),
    ("oven at 350 F", "oven at three hundred fifty degrees fahrenheit"),
    ("10 N of force", "ten newtons of force"),
    ("Room 12 A", "Room twelve A"),
    ('a 12" pizza', "a twelve inch pizza"),
    ('She said "I am 5" today', "She said I am five today"),
    ("2 hrs. later", "two hours later"),
    ("10,5 km", "ten point five kilometers"),
    ("100 000 km", "one hundred thousand kilometers"),
    ("5 ft 9 in tall", "five feet nine inches tall"),
    ("1/4 in. drill", "one quarter inch drill"),
    ("80 kg·m/s", "eighty kilogram meters per second"),
]
DATES = [
    ("We celebrate on the 4th of July.", "We celebrate on the fourth of July"),
    ("The 1st of May", "The first of May"),
    ("on the 21st of June", "on the twenty-first of June"),
    ("4th July", "the fourth of July"),
    ("the 3rd of October 2021", "the third of October, twenty twenty-one"),
    ("born Sun. 9th of Jul. 1916", "born Sunday the ninth of July, nineteen sixteen"),
    ("2024/12/25", "December twenty-fifth, twenty twenty-four"),
    ("25-Dec-2024", "December twenty-fifth, twenty twenty-four"),
    ("2024-12-25T10:30:00Z", "December twenty-fifth, twenty twenty-four, ten thirty"),
    ("May 1-3, 2020", "May first to third, twenty twenty"),
    ("1st-3rd of May", "the first to the third of May"),
    ("Mon.-Fri.", "Monday to Friday"),
    ("Wed., May 5", "Wednesday May fifth"),
    ("in Sept. 2001", "in September two thousand one"),
    ("1990-91", "nineteen ninety to ninety-one"),
    ("7.30pm", "seven thirty pee em"),
    ("7.30 p.m. sharp", "seven thirty pee em sharp"),
    ("9am-5pm", "nine ey em to five pee em"),
    ("9:30-10:45", "nine thirty to ten forty-five"),
    ("16:9", "sixteen to nine"),
    ("1630 hours", "sixteen thirty hours"),
    ("the mid-1990s", "the mid nineteen nineties"),
    ("FY2024", "eff why twenty twenty-four"),
]
NAMES = [
    ("We were met by Mr. and Mrs. Jones.", "We were met by mister and missus Jones"),
    ("Ask Dr. or Prof. for help.", "Ask doctor or professor for help"),
    ("Dr. Smith lives on Elm Dr. now", "doctor Smith lives on Elm drive now"),
    ("Fifth Ave", "Fifth avenue"),
    ("W. 42nd St", "west forty-second street"),
    ("123 N. Main St.", "one hundred twenty-three north Main street"),
    ("St. Peter", "saint Peter"),
    ("Super Bowl LVIII", "Super Bowl fifty-eight"),
    ("Elizabeth II", "Elizabeth the second"),
    ("Act III, Scene II", "Act three Scene two"),
    ("World War I", "World War one"),
    ("MCMXCIX", "nineteen ninety-nine"),
    ("Boston, MA 02134", "Boston em ey, zero two one three four"),
    ("Portland, OR", "Portland oh ar"),
    ("noon EST", "noon ee ess tee"),
    ("Roe v. Wade", "Roe versus Wade"),
    ("Smith et al. said", "Smith et al said"),
    ("est. 1999", "established nineteen ninety-nine"),
    ("Elm St, Boston", "Elm street Boston"),
    ("Ken Griffey Sr. and Sr. Mary", "Ken Griffey senior and sister Mary"),
    ("Richard III's horse", "Richard the third's horse"),
    ("the XXI century", "the twenty-first century"),
    ("Super Bowl L", "Super Bowl fifty"),
]
SUMS = [
    ("3 - 2 = 1", "three minus two equals one"),
    ("10-3=7", "ten minus three equals seven"),
    ("What is 9 - 4?", "What is nine minus four"),
    ("x - y = z", "x minus y equals z"),
    ("pages 10 - 20", "pages ten to twenty"),
    ("won 3-2", "won three to two"),
    ("10^-3", "ten to the minus three"),
    ("10⁻³", "ten to the minus three"),
    ("2^10", "two to the ten"),
    ("2^(n+1)", "two to the n plus one"),
    ("6.02 x 10^23", "six point zero two times ten to the twenty-three"),
    ("8 / 2", "eight divided by two"),
    ("3x faster", "three times faster"),
    ("y = 2x + 1", "y equals two ex plus one"),
    ("E = mc²", "E equals em see squared"),
]
CODES = [
    ("2 1/4 lbs. of flour", "two and one quarter pounds of flour"),
    ("2 qts. water", "two quarts water"),
    ("won by 5 pts today", "won by five points today"),
    ("ran a 10k in 45:30", "ran a ten kay in forty-five thirty"),
    ("a 5K run", "a five kay run"),
    ("in 59:05", "in fifty-nine oh five"),
    ("a ratio of 40:50", "a ratio of forty to fifty"),
    ("2h 5m 30s", "two hours five minutes thirty seconds"),
    ("5m 1s", "five minutes one second"),
    ("WWII and WWI", "World War two and World War one"),
    ("Suite 5B", "Suite five bee"),
    ("a profit of 5B", "a profit of five billion"),
    ("a B.Sc. and an M.Phil.", "a bee ess see and an em fill"),
    ("ISBN 978-3-16", "eye ess bee en nine seven eight, three, one six"),
    ("020 7946 0958", "zero two zero, seven nine four six, zero nine five eight"),
    ("call 911", "call nine one one"),
    ("911 people", "nine hundred eleven people"),
    ("12' x 10'", "twelve feet by ten feet"),
    ("5! = 120", "five factorial equals one hundred twenty"),
    ("the no. of items", "the number of items"),
    ("The Fri. before Xmas", "The Friday before Christmas"),
    ("He sat. It fell.", "He sat It fell"),
    ("Ke$ha and P!nk", "Kesha and Pink"),
    ("the 80/20 rule", "the eighty twenty rule"),
    ("9/10 dentists", "nine out of ten dentists"),
    ("got a C- in art", "got a see minus in art"),
    ("plan C - it works", "plan C it works"),
    ("0,5", "zero point five"),
    ("1,000", "one thousand"),
    ("192.168.0.1:80", "one hundred ninety-two dot one hundred sixty-eight dot zero dot one port eighty"),
]


@pytest.mark.parametrize(("written", "spoken"), [*MONEY, *MEASURES, *DATES, *NAMES, *SUMS, *CODES])
def test_is_said_as_a_person_would(written: str, spoken: str) -> None:
    assert put_in_words(written) == spoken


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I live in San Jose, CA. It is warm.", 2),
        ("He works in Denver, CO. She does not.", 2),
        ("The show starts at 8 PM EST. Be there.", 2),
        ("It starts at 2 p.m. EST today.", 1),
        ("Ask Dr. or Prof. for help.", 1),
        ("We were met by Mr. and Mrs. Jones.", 1),
        ("He lives on Main St. She does not.", 2),
        ("He left the U.S. He came back.", 2),
        ("The U.S. Army came.", 1),
        ("Ask the Dr. She knows.", 2),
        ("I saw Dr. Who today.", 1),
        ("She lives on Elm Dr. He does not.", 2),
        ("It is 6 ft. 2 in. tall.", 1),
        ("It took 30 min. We left.", 2),
        ("It was plan B. He left.", 2),
        ("This is the version, etc. Whether it is new, I ask.", 2),
        ("There are fruits:\nApple\nBanana", 3),
        ("She was there… Anna was watching, but… “Um, no.”", 3),
    ],
)
def test_an_abbreviation_ends_its_sentence_only_where_one_ends(text: str, count: int) -> None:
    assert len(list(sentences(clean(text)[0], []))) == count


def test_a_rule_that_fails_makes_way_for_the_next(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(match: object) -> str:
        raise IndexError("a rule with a fault")

    broken = [(pattern, fail) for pattern, _ in normalise.OTHER_RULES]
    monkeypatch.setattr(normalise, "OTHER_RULES", [*broken, *normalise.OTHER_RULES])
    assert put_in_words("It costs $5 today.") == "It costs five dollars today"
    assert "front end failed" in caplog.text


SOME = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
NUMBER = st.one_of(
    st.from_regex(r"[0-9]{0,12}[.,]?[0-9]{0,4}", fullmatch=True),
    st.from_regex(r"[0-9]{1,3}(,[0-9]{3}){1,4}(\.[0-9]{0,3})?", fullmatch=True),
    st.sampled_from([".", "00", "0.0", "½", "1/0", "0/0", "9" * 40, "1e999", "-0", "٣", "²"]),
)
SIGNS = (
    "$ £ € ¥ R$ C$ US$ ₿ USD EUR CHF ¢ % °C km kg/m^3 m/s² x^-1 sq.ft. Ω µm in. /hour /kg MB/s",
    "July Jul. Mon. the of th st 4th p.m. AM CA Dr. Mr. VIII MCM a bill No. ca. et al. v. '90s BC hours LVIII",
)
SIGN, WORD = (st.sampled_from(signs.split()) for signs in SIGNS)
JOINT = st.sampled_from(["", " ", "-", " - ", "–", "/", ".", ":", "x", " x ", "^", "^-", "=", " of ", "to", ",", "e"])


@pytest.mark.slow
@SOME
@given(st.lists(st.one_of(NUMBER, SIGN, JOINT, WORD), min_size=1, max_size=9))
def test_no_amount_date_or_measure_makes_a_rule_fail(parts: list[str]) -> None:
    failures: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = failures.append  # type: ignore[assignment,method-assign]
    normalise.log.addHandler(handler)
    try:
        put_in_words("".join(parts))
    finally:
        normalise.log.removeHandler(handler)
    assert not failures, failures[0].exc_info
