"""Texts as words that can be compared and still be told: each as it is written, folded, and as a stem.

Stems serve to find what belongs together. What people read is always a run of the words as somebody wrote them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import snowballstemmer

from tertulia.core.folding import fold

LOOKED_AT: Final = 1_500
"""Characters of a text: what it is about is said by then."""
LONGEST_PHRASE: Final = 5
"""Words, those without a meaning of their own included."""

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|\S")
_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
_NO_WORDS = re.compile(r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+|(?<!\w)[@#][\w.]*\w|\{\w+\}")
_VOSOTROS = re.compile(r"(?:ais|eis|is)\Z")
_ACCENTED: Final = {"ais": "áis", "eis": "éis", "is": "ís"}
_STEMMERS: Final = {
    "es": "spanish", "en": "english", "pt": "portuguese", "fr": "french", "it": "italian", "de": "german",
    "ca": "catalan",
}  # fmt: skip

NEGATIONS: Final = frozenset({
    "no", "ni", "sin", "nunca", "not", "never", "without", "nao", "sem", "pas", "sans", "non", "senza", "nicht", "kein",
    "keine", "ohne",
})  # fmt: skip
"""May begin a phrase: «no funciona la web», «sin gluten»."""

_EMPTY: Final = {
    "es": """
a al algo alguien algun alguna algunas alguno algunos ante antes aqui asi aun aunque bajo bien bueno buena buenas
buenos cada casi como con contra cosa cosas cual cuales cuando cuanta cuantas cuanto cuantos cuesta cuestan de debe
deben del desde despues dia dias dice dicen dicho donde dos durante e el ella ellas ello ellos en entonces entre era
eran es esa esas ese eso esos esta estaba estaban estado estais estamos estan estar estas este esto estos estoy etc
fue fueron gente gracias ha habeis haber habia habian habra hace hacen hacer haceis hacemos haces hacia han has hasta
hay haya he hecho hemos hola hoy igual ir iba ayer jaja jajaja jeje la las le les lo los luego manana mas me mejor
menos mi mia mio mis misma mismo mismos momento mucha muchas mucho muchos muy nada nadie ni ningun ninguna no nos
nosotros nuestra nuestras nuestro nuestros nunca o os osea otra otras otro otros para parece pero poca poco pocos
podeis podemos poder podria podriais podrian podriamos por porfa porfavor porque pronto pude puede pueden puedes puedo
pues q que queria quien quienes quiero quisiera saber sabeis sabe saben salud saludo saludos se sea sean seguro ser
sera si sido siempre siendo sin sobre sois solo somos son soy su sus tal tambien tampoco tan tanta tanto te tendra
tendran tendreis tendria teneis tenemos tener tengo tenia tenian tenido tiene tienen tienes ti todavia toda todas todo
todos tras tu tuve tuvo tus un una unas uno unos usted ustedes va vais vale vamos van varias varios vas veces ver
verdad vez voy vosotros vuestra vuestras vuestro vuestros x xq y ya yo tarde tardes noche noches favor oye perdon
perdona disculpa disculpad pregunta duda gustaria queremos gusta encanta encantan creo digo dijo dijeron sigo sigue
siguen llevo llevamos lleva vengo viene venir vino pasa paso pasado pone poner ponen puesto dan dar dais dado doy deja
dejan dejado dejar quedan queda quedo llegar llego llega llegan llegado hora horas semana semanas mes meses ano anos
lunes martes miercoles jueves viernes sabado sabados domingo domingos ahora mientras ademas aparte hice hizo hicieron
quiere quieren sabia alla alli ahi esque cuyo quiza quizas tipo parte veo dadme decidme decirme dime siquiera diez
once doce quince veinte treinta cien mil perfecto genial estaria seria encima venia venian compre pedi mejores peor
fuera dentro unico unica numero nombre persona personas senor senora senores estimados buen primera primero segunda
segundo tres cuatro cinco euros euro ayuda informacion enhorabuena deje dejeis dejaron visto confirmo confirma
confirmar confirmado
""",
    "en": """
a about above after again all also always am an and any anybody anyone anything are as ask at back be because been
before being best better both but by bye came can cannot cant cheers come could couldn d day days did didn do does
doesn doing don done down each either else even ever every everything few first for from get gets getting give given
go goes going gone good got great had has hasn have haven having hello help her here hers hey hi him his how i if im
in into is isn it its ive just keep kind know last let like ll long look looking lot lots love m made make many may me
might mine more most much must my need never new next nice no nobody not nothing now of off often oh ok okay on once
one only or other our ours out over own people please put question quite re really said same saw say says see seems
she should shouldn since so some someone something soon still such sure take tell than thank thanks that the their
them then there these they thing things think this those though thought three through time times to today tomorrow
tonight too tried try trying two u under until up us use used using ve very want wanted was wasn way we week weeks
well went were weren what whats when where which while who why will wish with without won wonder wondering would
wouldn yes yesterday yet you four five six seven eight nine ten half past perfect your yours month months year years
hour hours ago morning afternoon evening monday tuesday wednesday thursday friday saturday sunday around anyway maybe
already
""",
    "pt": """
a ao aos as ate bom boa com como da das de do dos e ela ele eles em entre era essa esse esta este eu foi fui ha isso
isto ja la lhe lo mais mas me meu meus minha muito na nas nao nem no nos nossa nosso num numa o obrigada obrigado ola
onde os ou para pela pelo pode podem por porque qual quando que quem se sem ser seu seus sim so sua suas sao tambem te
tem temos tenho tudo um uma voces voce vos hoje bem dia boas tarde
""",
    "fr": """
a ai ainsi alors apres as au aucun aussi autre aux avant avec avez avoir avons bien bon bonjour bonsoir c ca car ce
cela ces cet cette chez comme d dans de des deux donc du elle elles en encore est et ete etes etre eu faire fait fois
ici il ils j je jour l la le les leur leurs lui m ma mais me meme merci mes moi mon n ne nos notre nous on ont ou par
pas peu peut plus pour pourquoi pouvez qu quand que quel quelle qui quoi s sa sans se ses si son sont sous sur svp ta
te tes toi ton tout toute tous tres tu un une va vais vers vos votre vous y
""",
    "it": """
a ad ai al alla alle anche ancora avere avete c che chi ci ciao come con cosa cui da dal dalla dei del della delle di
dove due e ed era essere fa fare fatto gli grazie ha hanno ho i il in io la le lei li lo loro ma me mi mia mio molto
ne nei nel nella no noi non nostro o oggi per perche piu poi posso puo qua quando quanto quello questa questo qui se
sei si sia siamo siete solo sono sta su sua suo sul sulla ti tra tu tutti tutto un una uno va vi voi vorrei buongiorno
salve
""",
    "de": """
ab aber alle als also am an auch auf aus bei bin bis bitte da danke dann das dass dem den der des die dir doch du ein
eine einem einen einer er es etwas euch euer eure fur gibt gut hab habe haben habt hallo hat hatte heute hier ich ihr
ihre im in ist ja kann kein keine konnen man mein meine mich mir mit muss nach nicht nichts noch nun nur ob oder ohne
schon sehr sein seit sich sie sind so tag uber um und uns unser unsere vom von vor war was wann warum wegen weil wenn
wer werden wie wieder wir wird wo wurde zu zum zur
""",
    "ca": """
a al als amb aquest aquesta aqui avui be bon bona com de del dels des dia dos el els em en ens entre era es esta fa
fer fins gracies ha han he hem hi hola i ja jo la les li lo mes meu meva moltes molt ni no nos on o os pel per perque
podeu pot puc quan quant que qui sense ser seva si som son sota sou tambe te teniu tinc tot tots tres un una unes uns
us va vaig vos
""",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a text, and side by side their stems: empty where a word has no meaning of its own."""

    written: tuple[str, ...]
    folded: tuple[str, ...]
    stems: tuple[str, ...]
    """A punctuation mark is a word without a stem that is folded to nothing: no phrase goes across it."""

    def content(self) -> list[str]:
        return [stem for stem in self.stems if stem]


def words_of(text: str, language: str = "") -> Words:
    """The words of the beginning of a text. Links, addresses, handles and variables in braces are left out."""
    written = _WORD.findall(_HYPHEN.sub(" ", _NO_WORDS.sub(" . ", text[:LOOKED_AT])))
    known = [_word(word, language if language in _STEMMERS else "") for word in written]
    return Words(tuple(written), tuple(each[0] for each in known), tuple(each[1] for each in known))


def pairs(words: Words) -> Iterator[str]:
    """Each two words of meaning that follow one another, whatever stands between them but a punctuation mark."""
    before = ""
    for folded, stem in zip(words.folded, words.stems, strict=True):
        if not folded:
            before = ""
        elif stem:
            if before:
                yield f"{before} {stem}"
            before = stem


def phrases(words: Words) -> Iterator[tuple[tuple[str, ...], int, int]]:
    """The runs of words that could name something: their stems, where they begin and where they end."""
    size = len(words.written)
    for first in range(size):
        if not words.stems[first] and words.folded[first] not in NEGATIONS:
            continue
        stems: list[str] = [] if words.stems[first] else [words.folded[first]]
        if stems and (first + 1 == size or not words.folded[first + 1]):
            continue
        for last in range(first, min(first + LONGEST_PHRASE, size)):
            if not words.folded[last]:
                break
            if words.stems[last]:
                stems.append(words.stems[last])
                yield tuple(stems), first, last + 1


def said(words: Words, first: int, end: int) -> str:
    """The words as they are written; small at the beginning, unless they are a name or shouted ones."""
    text = " ".join(words.written[first:end])
    starts = first == 0 or not words.folded[first - 1]
    if text.isupper() or (starts and words.written[first][1:].islower()):
        return text.lower() if text.isupper() else text[0].lower() + text[1:]
    return text


def most_written(forms: Sequence[str]) -> str:
    """Of several ways to write the same the most frequent; of two as frequent the one with more accents."""
    counted = Counter(forms)
    return min(counted, key=lambda form: (-counted[form], form.isascii(), form))


@lru_cache(maxsize=100_000)
def _word(word: str, language: str) -> tuple[str, str]:
    folded = max(fold(word).split(), key=len, default="")  # of l'entrega what it names
    if not any(map(str.isalnum, folded)):
        return "", ""
    if len(folded) < 2 or folded.isdigit() or folded in _without_meaning(language):
        return folded, ""
    return folded, stem_of(folded, language)


def stem_of(folded: str, language: str = "") -> str:
    """What the forms of a word have in common; as in Spanish if the language isn't ours. Of verbs in *vosotros* too."""
    language = language if language in _STEMMERS else "es"
    if language == "es":
        folded = _VOSOTROS.sub(lambda end: _ACCENTED[end[0]], folded)
    stem: str = snowballstemmer.stemmer(_STEMMERS[language]).stemWord(folded)  # one keeps its word: not for two threads
    return fold(stem)


@cache
def _without_meaning(language: str) -> frozenset[str]:
    """Of the language and the two that stand in every other; of an unknown language, of all."""
    known = _EMPTY if not language else {"es", "en", language}
    return frozenset(word for each in known for word in _EMPTY[each].split())
