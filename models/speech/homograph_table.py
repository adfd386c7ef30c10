"""The sounds of homographs and where each is meant; see `models.speech.homographs`."""

from __future__ import annotations

import re
from dataclasses import dataclass

_DET = r"(?:an?|the|this|that|his|her|my|your|our|their|its|every|each|some|no|one|two|three)/\S+ "
_TO = (
    r"(?:to|will|would|can|could|should|must|may|might|shall|not|n't|don't|didn't|doesn't|won't|"
    r"can't|cannot|let's)/\S+ "
)
_PRONOUN = r"(?:i|you|we|they|who|people|and|he|she|it)/\S+ "
_ADV = r"(?:\S+/RB )?"
_BE = r"(?:is|are|was|were|be|been|being|am|'s|'re|looks?|seem(?:s|ed)?|became|become|felt|feels?|stays?|remained)/\S+ "
_HAVE = r"(?:has|have|had|having|'ve|'d)/\S+ (?:\S+/(?:RB|PRP) )?"
_PAST = r"\b(?:yesterday|ago|last|earlier|once|then|before|when|after|was|were|had|did|in/IN (?:1[5-9]|20)\S+)/"


@dataclass(frozen=True)
class Sense:
    """A sound, and where it is meant: patterns of what stands before and after, and of the word's tag."""

    sound: str
    before: str = ""
    after: str = ""
    tag: str = ""

    def fits(self, before: str, after: str, tag: str) -> bool:
        """Whether this sound is meant between these words; `before` ends and `after` begins next to the word."""
        return (
            (not self.before or re.search(rf"(?:^|(?<=\s))(?:{self.before})$", before) is not None)
            and (not self.after or re.match(f"(?:{self.after})", after) is not None)
            and (not self.tag or re.fullmatch(self.tag, tag) is not None)
        )


def _near(words: str) -> str:
    """Return a pattern of what stands before or after, for any of these words within the sentence."""
    return rf".*\b(?:{words})\w{{0,3}}/.*"


_LEAD_THINGS = (
    r"(?:pipes?|paint|poison\w*|weights?|pencils?|shot|bullets?|ore|mines?|acid|batter\w+|solder|"
    r"oxide|crystal|balloon|glass|levels|exposure|foil|sheet|lined|free|based|content|in/IN (?:it|"
    r"the/DT (?:water|paint|air|soil))|is/\S+ (?:an?/\S+ )?(?:heavy|soft|toxic|poison\w*|dense))\b"
)
_WATER = "ship|boat|vessel|deck|stern|hull|yacht|sail|crew|sea|waves|anchor|ferry|canoe"
_FISH = (
    "fish|caught|catch|lake|river|sea|striped|largemouth|grill|fry|fried|baked|rice|angler|rod|"
    "hook|pond|bait|trout|fillet"
)

TABLE: dict[str, tuple[Sense, ...]] = {
    "used": (
        Sense("j ˈu z d", before=r"\b(?:is|are|was|were|be|been|being|it's)/\S+ (?:\S+/RB )?", after=r"to/\S+ \S+/VB "),
        Sense("j ˈu s t", after="to/"),
        Sense("j ˈu z d"),
    ),
    "tear": (
        Sense("t ˈɛ ɹ", before=r"wear/\S+ and/\S+ "),
        Sense("t ˈɪ ɹ", after=r"(?:gas|duct|drops?|stained|glands?|jerker)\b"),
        Sense(
            "t ˈɛ ɹ",
            after=(
                r"(?:in|through|across|along|at|on)/IN (?:the|her|his|my|its|a|your|our|their)/\S+ (?!(?:eye|"
                r"cheek|face)s?/)"
            ),
        ),
        Sense("t ˈɪ ɹ", before=_near("shed|wip|eye|cheek|cry|cri|weep|wept|sad|grief|single")),
        Sense("t ˈɪ ɹ", after=_near("eye|cheek|face|roll|fell|trickl|stream|cry|cried|wept")),
        Sense("t ˈɛ ɹ", tag="VB|VBP|VBZ|NNP"),
        Sense("t ˈɛ ɹ", before=rf"{_TO}|{_PRONOUN}"),
        Sense(
            "t ˈɪ ɹ",
            before=r"(?:a|the|another|each|every|one|his|her)/\S+ ",
            after=r"(?:\S+/VB|for|of/IN (?:joy|grief|relief|sorrow)|over|$)",
        ),
    ),
    "tears": (
        Sense("t ˈɛ ɹ z", tag="VBZ"),
        Sense("t ˈɛ ɹ z", before=r"(?:he|she|it|who|that)/\S+ "),
        Sense("t ˈɛ ɹ z", after=r"in/IN (?:the|her|his|my|its)/\S+ (?!(?:eye)s?/)"),
        Sense("t ˈɪ ɹ z"),
    ),
    "wound": (
        Sense("w ˈu n d", before=rf"{_TO}|(?:did|does|do)/\S+ "),
        Sense("w ˈaʊ n d", before=r"(?:i|you|he|she|it|we|they|who|which|that|road|path|river|trail|stream)/\S+ "),
        Sense("w ˈaʊ n d", before=rf"(?:{_BE}|{_HAVE}){_ADV}"),
        Sense(
            "w ˈaʊ n d",
            after=r"(?:around|up|down|through|round|back|its|his|her|tightly|along|into)/",
            before=r"^(?!.*\b(?:a|the|this)/\S+ $).*",
        ),
        Sense("w ˈu n d", before=_DET),
        Sense("w ˈaʊ n d", tag="VBD|VBN"),
        Sense("w ˈu n d"),
    ),
    "lead": (
        Sense("l ˈɛ d", after=_LEAD_THINGS),
        Sense("l ˈɛ d", before=r"(?:pencil|roof|church|sheet|melted|window)/\S+ "),
        Sense(
            "l ˈɛ d",
            before=r"^",
            after=r"(?:melts?|poison\w*|is|was|contamina\w*|and/\S+ (?:zinc|tin|copper|mercury))/",
        ),
        Sense(
            "l ˈɛ d",
            before=(
                r"(?:of|with|contains?|containing|contained|from|than|molten|metal|like|gold|tin|zinc|copper|"
                r"mercury|toxic|pure|melted)/\S+ (?:\S+/(?:JJ|CC) )?"
            ),
            after=r"(?!(?:to|role|singer|time)/)(?:\S/|in/|and/|or/|is/|was/|pipe|$|,|\.)",
        ),
        Sense("l ˈi d"),
    ),
    "minute": (
        Sense(
            "m aɪ n ˈu t",
            after=(
                r"(?:\S+/JJ )?(?:details?|amounts?|quantit\w+|traces?|particles?|differences?|inspection|"
                r"examination|fractions?|changes?|specks?|creatures?|organisms?|crystals?|holes?|cracks?|"
                r"droplets?|parts?|doses?|grains?|insects?|print|scale|variations?|fragments?|attention)/"
            ),
        ),
        Sense(
            "m aɪ n ˈu t",
            before=(
                r"\b(?:is|are|was|were|seem(?:s|ed)?|looks?|so|very|too|extremely|incredibly|rather|almost|"
                rf"most|how)/\S+ {_ADV}"
            ),
            after=r"(?:[.,;:!?]|and/|but/|in/|that/|compared/|as/|to/|$)",
        ),
        Sense("m ˈɪ n ɪ t"),
    ),
    "live": (
        Sense(
            "l ˈaɪ v",
            before=(
                r"\b(?:played|play|plays|perform(?:ed|s)?|go|goes|going|went|broadcast|stream(?:ed|s|ing)?|"
                r"recorded|watch(?:ed)?|see|sang|sing|shown|aired|airs|sung|you/PRP|us/PRP|come|coming|"
                r"reporting|report)/\S+ "
            ),
            after=r"(?:[.,;:!?]|on/|at/|from/|in/IN (?:front|concert|the/DT studio)|to/|via/|tonight|today|$)",
        ),
        Sense(
            "l ˈaɪ v",
            before=r"(?:me|us|them|him|her|it|you|band|singer|\S+/NNP)/\S+ ",
            after=r"(?:in/IN concert|on/IN (?:stage|tv|television|air|radio)|at/IN the/)",
        ),
        Sense("l ˈaɪ v", before=r"^", after=r"from/"),
        Sense(
            "l ˈaɪ v",
            after=(
                r"(?:\S+/JJ )?(?:show|music|concert|audience|broadcast|stream|band|performance|album|wire|"
                r"bait|animals?|ammunition|coverage|updates?|television|tv|radio|event|chat|demo|recording|"
                r"footage|feed|video|blog|rounds?|births?|game|match|cattle|streaming|stock|sport|sports|"
                r"version|set|act|entertainment|weather|report)s?/"
            ),
        ),
        Sense("l ˈɪ v", tag="VB|VBP"),
        Sense("l ˈaɪ v", before=rf"(?:{_DET}|{_BE})", tag="JJ|NN|RB"),
        Sense("l ˈɪ v", before=rf"{_TO}|{_PRONOUN}|\S+/NNS "),
    ),
    "read": (
        Sense(
            "ɹ ˈɛ d",
            before=(
                rf"(?:{_HAVE}|(?:is|are|was|were|be|been|being|get|got|well|widely|never|just|"
                rf"already)/\S+ {_ADV})(?:(?:you|he|she|they|we|i)/\S+ )?"
            ),
        ),
        Sense(
            "ɹ ˈɛ d",
            before=(
                r"\b(?:have|has|had)/\S+ (?:you|he|she|they|we|i|\S+/NNP?)(?:/\S+)? (?:ever/\S+ |never/\S+ |"
                r"already/\S+ )?"
            ),
        ),
        Sense(
            "ɹ ˈi d",
            before=(
                rf"(?:{_TO}|(?:do|did|does|please|let|me|us|just/RB)/\S+ (?:(?:you|we|they|i|he|she|it|them|"
                r"him|her)/\S+ )?(?:\S+/RB )?)"
            ),
        ),
        Sense("ɹ ˈi d", before=r"^"),
        Sense("ɹ ˈɛ d", before=r"\b(?:he|she|it)/\S+ (?:\S+/RB )?"),
        Sense("ɹ ˈɛ d", before=rf".*{_PAST}.*"),
        Sense("ɹ ˈɛ d", after=r".*\b(?:yesterday|ago|last|earlier|once)/"),
        Sense(
            "ɹ ˈi d",
            before=r"\b(?:i|you|we|they|people|children|students|who|many|to)/\S+ (?:\S+/RB )?",
            after=r".*\b(?:every|often|always|usually|each|daily|never|sometimes|books/\S+ (?:\.|$)|aloud)\b",
        ),
        Sense("ɹ ˈi d", before=r".*\b(?:often|always|usually|never|every)/\S+ "),
        Sense(
            "ɹ ˈɛ d", before=r"\b(?:i|we|they)/\S+ ", after=r"(?:it|the|a|an|that|about|this|his|her|somewhere|your)/"
        ),
    ),
    "close": (
        Sense(
            "k l ˈoʊ z",
            before=r"\b(?:at|by|near|before|until|to|drew/\S+ to|came/\S+ to)/\S+ (?:the|a)/\S+ ",
            after=r"(?:of/|[.,]|$)",
        ),
        Sense(
            "k l ˈoʊ z",
            before=rf"(?:{_TO}|^|please/\S+ |and/\S+ )",
            after=r"(?:the|your|my|his|her|it|that|this|all|up|down|\S+/NNS|on|out|in/IN $)(?:/|$)",
        ),
        Sense(
            "k l ˈoʊ s", after=r"(?:to|by|enough|together|at/IN hand|range|friends?|race|call|relatives?|shave|up/)\S*/"
        ),
        Sense(
            "k l ˈoʊ s",
            before=rf"(?:{_BE}|(?:very|so|too|how|as|quite|that|pretty|really|stay|come|get|came|got|a)/\S+ ){_ADV}",
        ),
        Sense("k l ˈoʊ z", before=r"\S+/(?:NNS|PRP) ", tag="VB|VBP|NN|JJ|RB"),
    ),
    "bass": (
        Sense("b ˈæ s", before=_near(_FISH)),
        Sense("b ˈæ s", after=_near(_FISH)),
        Sense("b ˈeɪ s"),
    ),
    "bow": (
        Sense(
            "b ˈaʊ",
            before=(
                r"\b(?:take|took|takes|taking|made|make|with|final|deep|low|polite|slight|gave|"
                r"gives?)/\S+ (?:(?:a|his|her|the|your|my|their)/\S+ )(?:(?:final|deep|low|polite|slight|last|"
                r"little|quick|formal)/\S+ )?"
            ),
            after=r"(?!(?:and/\S+ arrow|tie))",
        ),
        Sense("b ˈaʊ", before=_near(_WATER)),
        Sense("b ˈaʊ", after=_near(_WATER)),
        Sense(
            "b ˈaʊ",
            before=rf"(?:{_TO}|(?:i|you|we|they|people|men|must|must/\S+ not|and|please|did|do)/\S+ )",
            after=r"(?:to|before|down|out|your|his|her|their|my|low|deeply|and|politely|in/IN respect|[.,!?]|$)",
        ),
        Sense("b ˈaʊ", before=r"^", after=r"(?:to|before|down|your)/"),
        Sense("b ˈoʊ"),
    ),
    "bows": (
        Sense("b ˈaʊ z", tag="VBZ", after=r"(?:to|before|down|out|his|her|low|deeply|and|[.,!?]|$)"),
        Sense("b ˈaʊ z", before=r"\b(?:he|she|it|who|took|take)/\S+ (?:(?:a|several|many|their)/\S+ )?"),
        Sense("b ˈoʊ z"),
    ),
    "does": (
        Sense(
            "d ˈoʊ z",
            before=(
                r"\b(?:two|three|four|five|six|several|some|many|bucks|female|wild|few|of|"
                r"stags?)/\S+ (?:and/\S+ )?(?:(?:two|three|female|wild|young)/\S+ )?"
            ),
            after=r"(?!n't|not|it/|he/|she/|this/|that/|the/)",
        ),
        Sense(
            "d ˈoʊ z",
            before=r"\b(?:the|these|those)/\S+ (?:\S+/JJ )?",
            after=r"(?:and/|with/|ran|run|graz|were|are|fled|leap|had|have|in/IN the/DT (?:field|forest|wood))",
        ),
        Sense("d ˈʌ z"),
    ),
    "dove": (
        Sense(
            "d ˈoʊ v",
            after=(
                r"(?:in|into|off|under|down|for|headfirst|deep|straight|over|behind|from|through|beneath|"
                r"toward\w*|to)/"
            ),
            before=r"^(?!.*\b(?:a|the|white|this|one)/\S+ $).+",
        ),
        Sense("d ˈʌ v"),
    ),
    "object": (
        Sense(
            "ə b d͡ʒ ˈɛ k t",
            before=(
                rf"(?:{_TO}|(?:i|you|we|they|who|do|did|does|anyone|anybody|everyone|everybody|someone|no-one|"
                r"nobody)/\S+ (?:\S+/RB )?|\S+/NNS )"
            ),
        ),
        Sense("ˈɑ b d͡ʒ ɛ k t"),
    ),
    "content": (
        Sense(
            "k ə n t ˈɛ n t",
            before=rf"(?:{_BE}|(?:feel|felt|very|quite|perfectly|more|not|so|being)/\S+ ){_ADV}",
            after=r"(?:with|to|[.,!?;]|and|in|here|just|$)",
        ),
        Sense("k ə n t ˈɛ n t", before=r"^", after=r"with/"),
        Sense("k ˈɑ n t ɛ n t", tag="NN|NNP|NNS"),
    ),
    "desert": (
        Sense("d ɪ z ˈɚ t", before=rf"(?:{_TO}|(?:i|you|we|they|who|do|did|never|soldiers|men)/\S+ )"),
        Sense("d ˈɛ z ɚ t"),
    ),
    "refuse": (
        Sense("ɹ ˈɛ f j u s", before=r"(?:the|this|household|garden|of|collects?|collect|burn|dump)/\S+ "),
        Sense("ɹ ɪ f j ˈu z", tag="VB|VBP", after=r"(?!(?:collect\w*|bins?|sacks?|trucks?|heaps?|is|was|dump)/)"),
        Sense("ɹ ɪ f j ˈu z", before=rf"(?:{_TO}|(?:i|you|we|they|who)/\S+ )"),
        Sense("ɹ ˈɛ f j u s"),
    ),
    "sewer": (
        Sense("s ˈoʊ ɚ", after=_near("sew|stitch|thread|hem|needle|fabric|cloth|quilt|garment|dress")),
        Sense("s ˈoʊ ɚ", before=_near("sew|stitch|thread|needle|fabric|cloth|quilt|garment|skilled|talented")),
        Sense("s ˈu ɚ"),
    ),
    "invalid": (
        Sense(
            "ˈɪ n v ə l ɪ d",
            before=r"(?:the|an|a|his|her|poor|old|chronic|helpless|wounded|elderly)/\S+ ",
            after=r"(?:\S+/(?:VB\S?|MD|RB|IN|CC|WP)|[.,]|and/|$)",
        ),
        Sense("ɪ n v ˈæ l ɪ d"),
    ),
    "wind": (
        Sense(
            "w ˈaɪ n d",
            before=rf"(?:{_TO}|(?:i|you|we|they|roads|paths|rivers|please)/\S+ )",
            after=r"(?!farm|turbine|power|energy|speed)",
        ),
        Sense(
            "w ˈaɪ n d",
            after=(
                r"(?:up|down|the/\S+ (?:clock|watch|toy|spring|rope|yarn|wool|thread|bobbin|tape)|it|your|"
                r"back|around)(?:/|$)"
            ),
            before=r"^(?!.*\b(?:the|a|strong|this|cold|no|of)/\S+ $).*",
        ),
        Sense("w ˈɪ n d"),
    ),
    "row": (
        Sense("ɹ ˈaʊ", before=_near("huge|blazing|bitter|terrible|angry|heated|noisy|furious")),
        Sense(
            "ɹ ˈaʊ",
            before=(
                r"\b(?:had|have|having|big|in|after|political|diplomatic)/\S+ a/\S+ (?:big/\S+ )?|"
                r"\ba/\S+ (?:big|political|diplomatic|family|drunken)/\S+ "
            ),
            after=r"(?:about|over|with|between|broke|erupted|[.!]|$)",
        ),
        Sense("ɹ ˈoʊ"),
    ),
    "sow": (
        Sense("s ˈaʊ", before=rf"{_DET}(?:\S+/JJ )?", after=r"(?!seeds?|the/)"),
        Sense("s ˈoʊ"),
    ),
    "polish": (Sense("p ˈɑ l ɪ ʃ", before=r"^", after=r"(?:the|your|it|my|his|her|all|until|with|these)/"),),
    "perfect": (
        Sense("p ɚ f ˈɛ k t", before=rf"(?:{_TO}|^)", after=r"(?:the|your|my|his|her|their|our|it|this|that|its)/"),
        Sense("p ˈɚ f ɪ k t"),
    ),
    "blessed": (Sense("b l ˈɛ s ɪ d", before=rf"{_DET}|^", after=r"(?:\S+/NN|are/|is/)"),),
    "aged": (
        Sense(
            "ˈeɪ d͡ʒ ɪ d",
            before=rf"{_DET}",
            after=(
                r"(?:\S+/JJ )?(?:man|woman|men|women|parents?|mother|father|people|couple|relative|king|queen|"
                r"aunt|uncle)\b"
            ),
        ),
        Sense("ˈeɪ d͡ʒ ɪ d", before=r"\b(?:the|care/\S+ for/\S+ the)/\S+ ", after=r"(?:[.,]|and/|$|need|are)"),
    ),
    "conflict": (
        Sense(
            "k ə n f l ˈɪ k t",
            before=rf"(?:{_TO}|(?:these|those|facts|reports|stories|accounts|dates|they|views|interests|that)/\S+ )",
            after=r"(?:with|[.,]|$)",
        ),
    ),
    "contract": (
        Sense(
            "k ə n t ɹ ˈæ k t",
            before=rf"(?:{_TO}|\S+/NNS |they/\S+ |you/\S+ )",
            after=r"(?!(?:worker|law|killer|negot|is|was|end))",
        ),
        Sense("k ˈɑ n t ɹ æ k t"),
    ),
    "entrance": (Sense("ɛ n t ɹ ˈæ n s", before=rf"{_TO}"), Sense("ˈɛ n t ɹ ə n s")),
    "number": (Sense("n ˈʌ m ɚ", after=r"than/"), Sense("n ˈʌ m b ɚ")),
    "resume": (
        Sense(
            "ɹ ˈɛ z ʊ m ˌeɪ",
            before=r"\b(?:your|my|his|her|a|their|the|our|updated?|impressive)/\S+ (?:\S+/(?:JJ|VBN) )?",
        ),
        Sense("ɹ ɪ z ˈu m"),
    ),
    "moped": (Sense("m ˈoʊ p ɛ d", before=rf"{_DET}"),),
    "axes": (Sense("ˈæ k s i z", before=_near("coordinate|both|horizontal|vertical|x|y|graph|plot|rotat|symmetr")),),
    "putting": (Sense("p ˈʌ t ɪ ŋ", after=r"(?:green|range|greens)/"), Sense("p ˈʊ t ɪ ŋ")),
}
