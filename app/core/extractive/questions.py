"""What kind of answer a question asks for, and whether a sentence bears such an answer; rules for eight languages."""

from __future__ import annotations

import enum
import re


class Sought(enum.StrEnum):
    """The kind of thing that would answer a question."""

    NUMBER = "number"
    MONEY = "money"
    TIME = "time"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    STEPS = "steps"
    LIST = "list"
    DEFINITION = "definition"
    OTHER = "other"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# In the order they are tried: "how much does it cost" seeks money before it seeks a number.
_QUESTION_CUES: tuple[tuple[Sought, re.Pattern[str]], ...] = (
    (
        Sought.MONEY,
        _any(
            r"\bhow much (?:money|do(?:es)? .{1,60} (?:cost|earn)|is the (?:fee|price|fine))",
            r"\b(?:cost|price|fee|salary|budget)s?\b|\bwie viel kostet|\bwas kostet|\bpreis|\bcuánto cuesta|\bprecio",
            r"\bcombien coûte|\bprix\b|\bquanto costa|\bprezzo|\bquanto custa|\bpreço|сколько стоит|\bцена",
            r"价格|多少钱|いくら|كم سعر|كم تكلفة",
        ),
    ),
    (
        Sought.NUMBER,
        _any(
            r"\bhow (?:many|much|long|far|often|old|big|large|tall|high|deep|fast|heavy|hot|cold|wide|early|soon)\b",
            r"\b(?:what|which) (?:percent|number|proportion|fraction|amount|size|temperature|age|rate|ratio)",
            r"\bwhat (?:is|was|are|were) the (?:\w+ ){0,3}(?:number|percentage|population|rate|limit|maximum|minimum)",
            r"\bwie ?(?:viele?n?|lange|oft|alt|groß|hoch|weit|schnell|schwer)\b|\bcuánt[oa]s?\b|\bcombien\b",
            r"\bquant[eiao]s?\b|\bhoeveel\b|\bhoe (?:lang|vaak|groot|oud|hoog)\b|сколько|как (?:долго|часто)",
            r"多少|几[个次年天月人]|多[大长高久远快]|いくつ|何[人個年回歳日]|どのくらい|몇|얼마|\bكم\b",
        ),
    ),
    (
        Sought.TIME,
        _any(
            r"\bwhen\b|\b(?:what|which|in what) (?:\w+ )?(?:year|date|day|month|century|decade|time|season|era)\b",
            r"\bwann\b|\bwelche[ms]? (?:jahr|tag|monat|jahrhundert|datum)|\bcuándo\b|\bqué (?:año|fecha|día|siglo)",
            r"\bquand\b|\bquelle (?:année|date)|\bquando\b|\bin che anno|\bem que ano|\bwanneer\b|\bкогда\b",
            r"в каком году|什么时候|何时|哪一?年|哪天|几月|いつ|언제|متى|\bأي عام",
        ),
    ),
    (
        Sought.PERSON,
        _any(
            r"\bwho(?:m|se)?\b|\bwer\b|\bwem\b|\bwen\b|\bwessen\b|\bquién(?:es)?\b|\bchi\b|\bquem\b|\bкто\b|\bкого\b",
            r"\bqui (?:a|est|ont|sont|était|fut)\b|\bwie (?:is|was|heeft)\b|谁|誰|누구",
        ),
    ),
    (
        Sought.PLACE,
        _any(
            r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|region|continent|island|county)\b",
            r"\bwo(?:hin|her)?\b|\bdónde\b|\boù\b|\bdove\b|\bonde\b|\bwaar\b|\bгде\b|\bкуда\b",
            r"哪里|哪儿|在哪|どこ|어디|\bأين\b|\bاين\b",
        ),
    ),
    (
        Sought.REASON,
        _any(
            r"\bwhy\b|\bwhat (?:is|was|are|were) the (?:reason|cause|purpose)|\bwhat cause[sd]?\b",
            r"\bwarum\b|\bwieso\b|\bweshalb\b|\bpor qué\b|\bpourquoi\b|\bperché\b|\bwaarom\b|\bпочему\b|\bзачем\b",
            r"为什么|なぜ|왜|لماذا",
        ),
    ),
    (
        Sought.STEPS,
        _any(
            r"\bhow (?:do|can|could|should|would|to|must|does one)\b|\b(?:steps?|instructions|procedure)\b",
            r"\bhow (?:is|are) .{1,40} (?:done|made|installed|set up)\b",
            r"\bwie (?:kann|muss|soll|wird|mache?|installiere?|richte)\b|\bcómo (?:se|puedo|debo)\b",
            r"\bcomment (?:faire|puis|peut|dois|installer)|\bcome (?:si|posso|faccio)\b|\bcomo (?:posso|faço|se)\b",
            r"\bкак (?:мне|можно|сделать|установить)|怎么|如何|どうやって|어떻게|\bكيف\b",
        ),
    ),
    (
        Sought.LIST,
        _any(
            r"\b(?:what|which) (?:\w+ ){0,3}(?:are|were)\b|\b(?:list|name|enumerate)\b",
            r"\b(?:what|which) (?:kind|type|sort|two|three|four|five|\w+s\b)s? ?(?:\w+ ){0,4}"
            r"(?:can|do|did|must|should|have)\b",
            r"\bwelche\b|\bqué (?:son|tipos)|\bcuáles\b|\bquel(?:le)?s\b|\bquali\b|\bquais\b|\bкакие\b|哪些",
        ),
    ),
    (
        Sought.DEFINITION,
        _any(
            r"\bwhat (?:is|was|does .{1,60} mean|is meant by)\b|\bdefin|\bmeaning of\b",
            r"\bwas (?:ist|bedeutet|versteht)\b",
            r"\bqué (?:es|significa)\b|\bqu'est-ce\b|\bche cos'è\b|\bcos'è\b|\bo que é\b|\bwat (?:is|betekent)\b",
            r"\bчто (?:такое|значит|означает)|什么是|是什么|とは|ما هو|ما هي",
        ),
    ),
)

_NUMBER_WORDS = (
    r"two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|twenty|thirty|forty|fifty|sixty|hundred|thousand|"
    r"million|billion|half|third|quarter|once|twice|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|hundert|tausend|"
    r"dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|deux|trois|quatre|cinq|sept|huit|neuf|dix|cent|mille|"
    r"дв[аеу]\w*|три|четыр\w+|пять|шесть|семь|восемь|девять|десять"
)
_MONTHS = (
    r"jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch|s|zo)?|märz|apr(?:il)?|may|mai|june?|juni|juin|july?|juli|juillet|"
    r"aug(?:ust)?|août|agosto|sept?(?:ember|embre)?|o[ck]t(?:ober|ubre|obre)?|nov(?:ember|embre|iembre)?|"
    r"de[cz](?:ember|embre)?|diciembre|décembre|enero|février|janvier|январ\w+|феврал\w+|март\w*|апрел\w+|ма[йя]|июн\w+|"
    r"июл\w+|август\w*|сентябр\w+|октябр\w+|ноябр\w+|декабр\w+"
)
_ANSWER_CUES: dict[Sought, re.Pattern[str]] = {
    Sought.MONEY: _any(
        r"[$€£¥₹₽₩]\s?\d|\d\s?[€£¥₹₽]|\b\d+p\b|[元円]|рубл",
        r"\b(?:usd|eur|gbp|dollars?|euros?|pounds?|francs?|yen|cents?|free)\b",
    ),
    Sought.NUMBER: _any(rf"\d|\b(?:{_NUMBER_WORDS})\b|[一二三四五六七八九十百千万亿两]"),
    Sought.TIME: _any(
        rf"\b(?:1\d|20)\d\ds?\b|\b(?:{_MONTHS})\b|\b\d{{1,2}}[:.]\d\d\b|[年月日]",
        r"\bcentur|jahrhundert|siglo|siècle|век[аеу]?\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day",
    ),
    Sought.PLACE: re.compile(
        r"\b(?:in|at|near|from|to|on|of|der|von|en|de|à|au|di|в|на|из) (?:the |los |las |der |den |la |el )?[A-ZÀ-ÞА-Я]"
        r"|[省市县国州洲]"
    ),
    Sought.REASON: _any(
        r"\bbecause\b|\bsince\b|\bdue to\b|\bso that\b|\btherefore\b|\bin order\b|\bas a result\b|\bcaused?\b|\breason",
        r"\bthus\b|\bweil\b|\bdenn\b|\bdaher\b|\bdamit\b|\bporque\b|\bdebido\b|\bcar\b|\bparce\b|\bafin\b|\bperché\b",
        r"\bpoiché\b|потому|поскольку|так как|因为|由于|所以|ため|لأن|بسبب",
    ),
}
_NAME = re.compile(
    r"(?<=[^.!?:\s] )[\"'“„«(]?[A-ZÀ-ÞА-ЯЁ][\w’'-]+|\b[A-ZÀ-ÞА-ЯЁ][\w’'-]+ (?:[a-z]{1,3} )?[A-ZÀ-ÞА-ЯЁ]|·"
)


def sought(question: str) -> Sought:
    """What `question` asks for; OTHER when nothing tells."""
    for kind, cue in _QUESTION_CUES:
        if cue.search(question):
            return kind
    return Sought.OTHER


def bears(kind: Sought, sentence: str, question: str) -> bool:
    """Whether `sentence` holds something of the kind sought that `question` does not already say."""
    said = question.casefold()
    if kind in {Sought.PERSON, Sought.PLACE}:
        for name in _NAME.findall(sentence):
            if any(part.strip("\"'“„«(·").casefold() not in said for part in name.split()):
                return True
    cue = _ANSWER_CUES.get(kind)
    return cue is not None and any(found.group().casefold().strip() not in said for found in cue.finditer(sentence))
