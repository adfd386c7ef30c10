"""Everyday sentences without end, for a teacher to speak: questions, calls, orders, messages, news, numbers, names.

Old books alone teach a voice neither questions nor "See you at half past six!". A small grammar writes sentences whose
sense does not matter but whose words, lengths and melodies do.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence

_SLOT = re.compile(r"\{(\w+)\}")

RULES: dict[str, str] = {
    # whole utterances
    "question": (
        "What time does the {event} start?|Where did you put the {thing}?|Have you seen my {thing} anywhere?|"
        "Do you want {food} or {food}?|Why is the {thing} so {adjective}?|Who left the {thing} {place}?|"
        "How much is the {adjective} {thing}?|How many {things} do we need for {day}?|Could you {act}, please?|"
        "Would you like to {act} {when}?|Is {name} coming to the {event}?|When will {name} {act}?|"
        "Are you sure that {clause}?|Did {name} really {act}?|Can we {act} after the {event}?|"
        "What did {name} say about the {thing}?|Isn't it too {adjective} to {act}?|Which {thing} is yours?|"
        "What happens if we {act}?|Does anybody know why {clause}?|Has {name} ever been to {city}?|"
        "Shall we meet {place} at {time}?|Whose {thing} is this?|How far is it from {city} to {city}?|"
        "You don't mind if I {act}, do you?|What would you do with {number} {things}?|Really?|Are you all right?|"
        "What's wrong with the {thing}?|Will it be {weather} {when}?|Why not?|How do you feel about {gerund}?"
    ),
    "call": (
        "What a {adjective} {thing}!|Watch out for the {thing}!|I can't believe that {clause}!|Happy birthday, {name}!|"
        "Congratulations on the {adjective} {thing}!|Come here, {name}!|That's {adjective}!|How {adjective}!|No way!|"
        "Don't touch the {thing}!|Hurry up, the {event} has already started!|Thank you so much for the {thing}!|"
        "We did it!|Oh no, {clause}!|Look, {clause}!|Stop {gerund}!|Welcome to {city}!|Good luck with the {event}!|"
        "Never {act} again!|Wow, {number} {things}!|Be careful, the {thing} is {adjective}!|Let's {act}!|Fantastic!"
    ),
    "order": (
        "Please {act} before {time}.|Turn {turn} at the {building}, then go straight on.|Put the {thing} {place}.|"
        "Bring {number} {things} and a {thing}.|Don't forget to {act}.|Set a timer for {number} minutes.|"
        "Call {name} {when}.|Remind me to {act} at {time}.|Add {food}, {food} and {food} to the list.|"
        "Open the {thing}.|"
        "Turn the {thing} off.|Play something {adjective}.|Take the {adjective} {thing} to {name}.|"
        "Wait for me {place}.|"
        "Read the {ordinal} page again.|Mix the {food} with the {food}, and stir for {number} minutes.|"
        "Keep the {thing} away from the {thing}.|Please sign here, and here.|Check the {thing} twice."
    ),
    "message": (
        "Hi {name}, {clause}, so I'll be {number} minutes late.|Just a quick note to say that {clause}.|"
        "Thanks for your {thing}, it's {adjective}.|I'm sorry, but I can't {act} {when}.|See you {when} at {time}.|"
        "The {event} has been moved to {day}, the {ordinal} of {month}.|Your {thing} is ready to collect.|"
        "I think {clause}, but I'm not sure.|Let me know if you'd rather {act}.|We're out of {food} again.|"
        "My number is {digits}.|Your code is {digits}.|The password has {number} letters.|"
        "I'll call you back at {time}.|"
        "Good morning, {name}. Did you sleep well?|Good evening, and thank you for calling.|Sorry, wrong number.|"
        "Your appointment with Doctor {surname} is on {day} at {time}.|Happy to help.|I miss you.|On my way.|"
        "Your order of {number} {things} comes to {money}.|Please hold the line, {name} will be with you shortly."
    ),
    "news": (
        "Officials in {city} said on {day} that {clause}.|The price of {food} rose by {number} per cent in {month}.|"
        "More than {big} people visited the {building} in {year}.|"
        "Scientists have found that {things} can be {adjective}.|"
        "{name} {surname}, who is {number} years old, won the {event} in {city}.|"
        "Trains to {city} will be delayed until {time}.|"
        "It will be {weather} in {city}, with a high of {number} degrees.|"
        "The {building} closed in {year} and never reopened.|"
        "A spokesman for {surname} and {surname} declined to comment.|"
        "The {event} drew {big} visitors, the most since {year}.|"
        "Police are looking for a {adjective} {thing} that disappeared from the {building}.|"
        "The company will hire {big} people over the next {number} years.|Voters in {city} go to the polls on {day}.|"
        "According to a new report, {clause}.|The bridge, built in {year}, is {number} metres long."
    ),
    "story": (
        "{name} put the {thing} {place} and sighed.|When {name} opened the {thing}, {clause}.|{Clause}, and {clause}.|"
        "{Clause}, but nobody noticed.|After the {event}, {name} wanted to {act}.|Although {clause}, {name} smiled.|"
        '"{Clause}," said {name}.|"Would you {act}?" asked {name}.|"{call}" shouted {name}.|'
        '"Yes," said {name}, "{clause}."|'
        "Once, {place}, there lived a {adjective} {person} who loved {gerund}.|{Clause} because {clause}.|"
        "The {person} looked at the {adjective} {thing} and began to laugh.|"
        "It was {time}, and the {building} was empty.|"
        "{name} was {adjective}, {adjective} and a little {adjective}.|If {clause}, we will have to {act}.|"
        "There were {number} {things} {place}, each of them more {adjective} than the last.|"
        "Every {day}, {name} would {act}."
    ),
    "short": (
        "Yes.|No.|Good.|Okay.|Maybe.|Hello.|Goodbye.|Thanks.|Sure.|Right.|Well done.|Not yet.|Of course.|Never mind.|"
        "Good night.|See you soon.|{name}.|{city}.|{day}.|{month}.|{Things}.|{number}.|The {thing}.|"
        "A {adjective} {thing}.|"
        "{name} {surname}.|{money}.|{time}.|Next, please.|{Place}.|{ordinal}.|{food}.|"
        "{number}, {number}, {number}.|Excuse me.|"
        "{name} and {name}.|No, thank you.|I see.|Exactly.|{adjective}.|Go on.|One moment.|"
        "Chapter {number}.|Page {number}.|"
        "{year}.|{weather}.|Come in.|After you.|I don't know.|Me too.|Ready?|Anything else?|Says who?|Stop.|Wait!"
    ),
    # clauses and phrases
    "clause": (
        "the {thing} is {place}|{name} has lost the {thing}|the {things} were {adjective}|we need more {food}|"
        "the {event} was {adjective}|{name} wants to {act}|nobody remembered the {thing}|I left my {thing} {place}|"
        "the {person} never {acted}|they {acted} {when}|she {acted} with the {person}|he {acted} for {number} hours|"
        "it has been {weather} since {day}|you should {act}|the {building} is closed {when}|my {relative} {acted}|"
        "there is a {thing} {place}|we are going to {act}|the {person} gave me {number} {things}|"
        "{gerund} is harder than it looks|the {adjective} {person} asked for {food}|I would rather {act}|"
        "her {relative} bought a {adjective} {thing} in {city}|the {thing} costs {money}|{name} lives in {city}"
    ),
    "act": (
        "wash the {things}|feed the {animal}|paint the {thing}|write to {name}|visit the {building}|fix the {thing}|"
        "learn to swim|borrow your {thing}|bake some {food}|walk the {animal}|catch the early bus|sell the {thing}|"
        "take a picture of the {animal}|order {food}|talk to the {person}|change the {ordinal} word|"
        "wake {name}|join us|"
        "stay at home|read it aloud|move to {city}|turn the volume down|choose a colour|throw the {thing} away|help me|"
        "cross the river|measure the {thing}|send {number} {things}|explain the rules|"
        "wear a {adjective} hat|finish early|"
        "pay {money} for the {thing}|sing for the {person}|look for {things}|drive to the {building}|share the {food}"
    ),
    "acted": (
        "washed the {things}|waited {place}|laughed at the {thing}|fell asleep|painted the {thing}|arrived at {time}|"
        "chose the {adjective} one|asked for help|went to {city}|watched the {animal}|drank some {food}|played outside|"
        "found {number} {things}|broke the {thing}|thought about {gerund}|returned the {thing}|moved to {city}|"
        "saw a {animal}|cooked {food}|wrote a letter|joined the {event}|stood {place}|heard the {animal}|"
        "measured everything"
    ),
    "gerund": (
        "swimming|cooking|gardening|waiting|teaching|dancing|running|painting {things}|reading aloud|"
        "travelling|singing|"
        "flying|fishing|sleeping late|drawing|playing the {instrument}|working at night|climbing|"
        "writing letters|driving"
    ),
    "when": (
        "tomorrow|today|tonight|on {day}|next week|this afternoon|in {month}|at {time}|after lunch|before the {event}|"
        "in {number} days|every morning|later|again|at the weekend|on the {ordinal} of {month}|in {year}|right now|soon"
    ),
    "place": (
        "under the table|on the {ordinal} floor|behind the {building}|in the {thing}|near the river|"
        "next to the {building}|"
        "at the {building}|by the window|in the kitchen|on the roof|between the chairs|outside|upstairs|in the garden|"
        "over the bridge|around the corner|at the bus stop|in front of the {building}|beyond the hills|"
        "in {city}|at home"
    ),
    "turn": "left|right|round|left or right",
    "event": (
        "meeting|concert|wedding|lecture|race|party|exam|game|film|interview|festival|picnic|lesson|election|auction|"
        "rehearsal|breakfast|funeral|conference|match|show|voyage|parade|debate|storm|workshop|ceremony"
    ),
    "building": (
        "library|station|hospital|museum|bakery|church|theatre|airport|school|bank|hotel|factory|"
        "lighthouse|castle|post office|"
        "market|garage|chemist|town hall|university|harbour|bookshop|café|zoo|stadium|supermarket|"
        "pharmacy|warehouse|embassy"
    ),
    "thing": (
        "key|umbrella|bicycle|letter|camera|kettle|lamp|suitcase|phone|guitar|blanket|engine|mirror|"
        "ladder|window|newspaper|"
        "basket|clock|jacket|candle|hammer|map|pencil|radio|scarf|ticket|wallet|bottle|button|carpet|"
        "drawer|envelope|fridge|"
        "glove|helmet|iron|jar|knife|laptop|mattress|necklace|oven|parcel|quilt|ring|sofa|towel|vase|"
        "wheel|yacht|zip|chain|"
        "password|keyboard|photograph|calendar|microphone|treasure|machine|measure|garage door|toothbrush|"
        "wheelbarrow|boiler|"
        "battery|passport|recipe|screwdriver|sculpture|telescope|thermometer|violin|washing machine|"
        "whistle|zebra crossing|"
        "shoe box|fire alarm|cushion|vision|bridge|judge's chair|joystick|thread|feather|bath|path|throne|moth|cloth"
    ),
    "things": (
        "apples|boxes|chairs|dishes|eggs|flowers|glasses|horses|islands|jackets|knives|lemons|mushrooms|napkins|onions|"
        "pages|questions|roses|spoons|tickets|uniforms|villages|windows|yards|zebras|oranges|strawberries|cups|shoes|"
        "teeth|mice|leaves|wolves|children|photographs|languages|decisions|vegetables|measures|months|"
        "clothes|wishes|judges"
    ),
    "food": (
        "bread|cheese|rice|soup|coffee|tea|chocolate|fish|pasta|salad|butter|honey|milk|orange juice|"
        "yoghurt|garlic|ginger|"
        "pizza|pancakes|cereal|chicken|beans|olive oil|vinegar|sugar|salt and pepper|ice cream|toast|jam|"
        "water|lemonade|"
        "carrots|potatoes|spinach|broccoli|cinnamon|vanilla|sausages|curry|noodles|biscuits|almonds|cabbage|beef|tuna"
    ),
    "animal": (
        "dog|cat|horse|parrot|goose|rabbit|tortoise|cow|pigeon|squirrel|goat|donkey|owl|dolphin|spider|fox|"
        "giraffe|mouse"
    ),
    "instrument": "piano|violin|guitar|flute|drums|trumpet|cello|harp|saxophone|clarinet|accordion",
    "person": (
        "doctor|teacher|baker|driver|nurse|captain|engineer|farmer|judge|lawyer|pilot|waiter|singer|"
        "soldier|student|thief|"
        "neighbour|gardener|plumber|queen|stranger|tourist|uncle|writer|young man|old woman|child|"
        "policeman|receptionist"
    ),
    "relative": (
        "mother|father|sister|brother|aunt|uncle|cousin|grandmother|grandfather|daughter|son|wife|husband|niece"
    ),
    "adjective": (
        "beautiful|broken|cheap|dangerous|easy|famous|gentle|heavy|important|jealous|kind|lovely|modern|"
        "narrow|old|perfect|"
        "quiet|rusty|strange|tiny|useful|valuable|warm|young|bright|cold|difficult|empty|fresh|huge|loud|"
        "nervous|orange|"
        "polite|rough|sharp|thick|ugly|wonderful|yellow|brave|clever|delicious|enormous|foolish|generous|"
        "hungry|impossible|"
        "lazy|muddy|noisy|patient|ridiculous|slippery|terrible|unusual|wooden|excellent|smooth|purple|"
        "thorough|genuine|grey"
    ),
    "weather": "sunny|cloudy|windy|rainy|foggy|cold and dry|very hot|stormy|mild|freezing|humid|snowing|rather warm",
    "name": (
        "Anna|Ben|Charlotte|David|Emily|Frank|Grace|Henry|Isabel|James|Katie|Liam|Maria|Noah|Olivia|Peter|"
        "Rachel|Sam|Thomas|"
        "Victoria|William|Zoe|George|Hannah|Jack|Lucy|Michael|Sophie|Daniel|Chloe|Ahmed|Priya|Yuki|Carlos|"
        "Fatima|Ivan|Elena|"
        "Oscar|Ruth|Walter|Joyce|Hugh|Vivian|Theo|Audrey|Jude|Shirley|Ethan|Beth|Nathaniel|Giovanni|"
        "Ingrid|Joshua|Matthew"
    ),
    "surname": (
        "Smith|Jones|Taylor|Brown|Wilson|Evans|Johnson|Roberts|Walker|Wright|Robinson|Thompson|White|"
        "Hughes|Edwards|Green|"
        "Hall|Wood|Harris|Lewis|Martin|Jackson|Clarke|Turner|Hill|Cooper|Ward|Morris|Baker|King|Watson|"
        "Young|Mitchell|Garcia"
    ),
    "city": (
        "London|Paris|New York|Tokyo|Berlin|Madrid|Rome|Chicago|Boston|Sydney|Toronto|Vienna|Dublin|Cairo|"
        "Moscow|Athens|"
        "Oxford|Bristol|Houston|Seattle|Denver|Philadelphia|Montreal|Lisbon|Prague|Warsaw|Geneva|Hamburg|"
        "Edinburgh|Leeds|"
        "Bangkok|Delhi|Shanghai|Jerusalem|Nairobi|Buenos Aires|Vancouver|San Francisco|Los Angeles|Birmingham|Budapest"
    ),
    "day": "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
    "month": "January|February|March|April|May|June|July|August|September|October|November|December",
}

KINDS: tuple[tuple[str, int], ...] = (
    *(
        ("question", 20),
        ("call", 9),
        ("order", 13),
        ("message", 15),
        ("news", 12),
        ("story", 17),
        ("short", 8),
        ("words", 6),
    ),
)
"""Kinds of utterances and their shares in a hundred."""


class EverydayTexts:
    """A writer of everyday sentences from a seed.

    Args:
        words: rare words to be said on their own and in rows, from a lexicon or a book.
    """

    def __init__(self, seed: int, words: Sequence[str] = ()) -> None:
        self.random = random.Random(seed)
        self.words = words
        self.rules = {key: value.split("|") for key, value in RULES.items()}
        self.makers = {
            "number": self._write_number,
            "big": lambda: str(self.random.choice([120, 350, 900, 1200, 4500, 15000, 48000, 130000, 2000000])),
            "digits": lambda: " ".join(str(self.random.randrange(10)) for _ in range(self.random.randint(3, 8))),
            "year": lambda: str(self.random.randint(1650, 2040)),
            "time": self._write_time,
            "money": self._write_money,
            "ordinal": self._write_ordinal,
            "words": self._write_words,
        }

    def write(self) -> str:
        """Write one text of one or more sentences."""
        names, weights = zip(*KINDS, strict=True)
        kind = self.random.choices(names, weights)[0]
        text = self.expand(kind)
        return text[:1].upper() + text[1:]

    def iter_texts(self, count: int) -> Iterator[str]:
        """Yield `count` different texts."""
        seen: set[str] = set()
        while len(seen) < count:
            text = self.write().replace("..", ".")
            if text not in seen:
                seen.add(text)
                yield text

    def expand(self, slot: str) -> str:
        """Write a slot: a rule's name, with a capital where its first letter is to be one, or that of a maker."""
        if slot in self.makers:
            return self.makers[slot]()
        rule = slot if slot in self.rules else slot.lower()
        text = _SLOT.sub(lambda match: self.expand(match[1]), self.random.choice(self.rules[rule]))
        text = re.sub(r"\b([Aa]) (?=[aeiouAEIOU])(?!u[ns]|one|eu|Eu|Un)", r"\1n ", text)
        return text[:1].upper() + text[1:] if slot != rule else text

    def _write_number(self) -> str:
        return str(
            self.random.choice([self.random.randint(2, 20), self.random.randint(2, 99), self.random.randint(100, 999)])
        )

    def _write_time(self) -> str:
        hour, minute = self.random.randint(1, 12), self.random.choice([0, 5, 10, 15, 20, 25, 30, 40, 45, 50, 55])
        exact = f"{hour}:{minute:02}" + self.random.choice(["", "", " a.m.", " p.m."])
        return self.random.choice(
            [exact, exact, f"half past {hour}", f"a quarter to {hour}", f"{hour} o'clock", "noon"]
        )

    def _write_money(self) -> str:
        amount = self.random.choice([self.random.randint(2, 60), self.random.randint(100, 5000)])
        cents = f".{self.random.choice([25, 49, 50, 75, 99])}" if amount < 60 and self.random.random() < 0.6 else ""
        return self.random.choice("$$£€") + f"{amount:,}{cents}"

    def _write_ordinal(self) -> str:
        number = self.random.randint(1, 31)
        ending = "th" if 10 < number < 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
        return f"{number}{ending}"

    def _write_words(self) -> str:
        """Write a row of rare words, or a phrase of two."""
        words = self.random.sample(list(self.words), min(len(self.words), self.random.choice([1, 2, 3, 3, 4, 5])))
        if not words:
            return self.expand("short")
        if len(words) == 2:
            return f"{words[0]} {self.random.choice(['and', 'or', 'of', 'in', 'with the', 'for a'])} {words[1]}."
        return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1] + self.random.choice("...?!")
