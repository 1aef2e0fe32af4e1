"""How a Spanish text addresses its reader: tú (or vos), vosotros, usted or ustedes.

Only what can hardly be meant otherwise counts. "su", "le" and most verbs speak of others as often as of the reader, so
they count where the words around them leave no doubt; what somebody else says between quotes never does. A text that
shows nothing of the kind, or isn't in Spanish, is answered with silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

Form = Literal["tú", "vosotros", "usted", "ustedes"]
"""vos counts as tú."""
LONGEST = 5_000
"""Characters that are looked at."""
SPAIN = frozenset({"ES", "GQ"})
"""Where "ustedes" is formal; elsewhere it is how everybody says it to several."""

_SILENT = re.compile(
    r"«[^»]*»|“[^”]*”|\"[^\"]*\"|(?:https?://|www\.)\S+|[@#][\w.]+|\S{1,64}@\S+|\w{40,}"
    r"|\b(?:de|a) (?:tú|usted)(?= (?:o|a|y) de\b| en\b)", re.IGNORECASE,
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
_SPANISH = """
el los las y con una por del al lo nuestro nuestra nuestros nuestras hay ya muy pero cuando su sus más sin para que en
es se
"""
_FOREIGN = """
the and of we is are our this with you for
amb els i per avui fem és teu teva teus teves dels als nostre nostra
com não você uma é nosso nossa nossos
et avec pour des vous nous est notre
il di che gli è della nostro sono
coa unha non noso nosa
"""
"""Small words that only one of them has: English, Catalan, Portuguese, French, Italian, Galician."""


def _any(words: str) -> str:
    return "(?:" + "|".join(words.split()) + ")"


# What begins a sentence, where a verb in this form asks the reader for something. Empty lines are not gone through
# from each of them: the last one begins it.
_BEGIN = (
    r"(?:(?:^|[.!?¡¿…:;\n\u2022\u2013\u2014\u2600-\U0001faff])(?:[^\S\n]|[\ufe0f(])*+"
    r"|(?:,? por favor,|\b[Ss]i [^.!?\n]{3,80},)[\s\ufe0f(]*+)"
)
_THINGS = r"(?:tus?|un[ao]?s?|l[ao]s?|el|nuestr[ao]s?)"

# tú and vos

_YOU_DO = _any(
    "tienes puedes quieres eres estás sabes vas vienes necesitas prefieres encuentras buscas llevas haces dices crees "
    "piensas debes sueles sientes pides recibes eliges conoces recuerdas imaginas entras decides "
    "quieras puedas tengas vengas hagas sepas necesites busques prefieras salgas termines llegues vayas elijas pidas "
    "desayunes podrías querrías deberías tendrías "
    "compraste pediste viniste fuiste hiciste dejaste dijiste probaste olvidaste escribiste reservaste estuviste "
    "pudiste quisiste tuviste recibiste perdiste elegiste ganaste conociste "
    "tenés podés querés sos sabés vení mirá contá hacé reservá llamá probá entrás necesitás buscás preferís "
    "dinos dime danos dilo hazlo hazte haznos ponte vente"
)
_DONT = r"no (?:te )?" + _any(
    "esperes olvides pierdas dudes dejes quedes tires corras digas hagas compres pagues busques faltes tardes cargues"
)
_TE = r"te (?:" + _any(
    "lo la los las ha han va van espera esperan gusta gustan gustará gustaría apetece interesa invita invitan animas "
    "apuntas vienes quedas queda cuenta regala"
) + r"\b|\w+(?:amos|emos|imos)\b)"  # fmt: skip
_ASKED = _any(
    "pide haz descubre elige escribe comparte participa regala anota disfruta aprovecha pulsa rellena envía indica "
    "trae usa busca encuentra conoce vive recoge encarga consulta recuerda mira lee pon deja"
)
_ASKED_NOUNS = _any("reserva visita compra prueba descarga escucha llama guarda apunta entra suma cuenta")
_TU_CLITICS = (
    r"\w*(?:" + _any("visít llám cuént contáct mánd déj llév cómpr enséñ pregúnt avís envía recomiénd etiquét prúeb")
    + r"a|" + _any("escríb sígu descúbr píd compárt elíg léel tráel pón") + r"e?)(?:nos|l[ao]s?|me)"
)  # fmt: skip
_TU = (
    r"(?<!\bde )tú|contigo|vos(?= \w)",
    r"(?:para|a|de|por|en|sin|sobre) ti",
    r"(?:lo|la|los|las|es|son|algo) tuy[ao]s?",
    r"(?-i:[Tt]us? (?=[a-zñáéíóú]))(?:\w+)",
    _YOU_DO, _DONT, _TE, _TU_CLITICS,
    r"has (?:\w+[ai]do|hecho|visto|dicho|puesto|escrito|vuelto|abierto)",
    r"(?!(?:a|de|con)?trás\b)\w{2,}rás",
    r"\w*[áéíóú]\w{1,3}[ae]te",
)  # fmt: skip
_TU_BEGINS = (
    rf"{_ASKED}(?= (?:ya|hoy|ahora|aquí|antes|{_THINGS}|en|con|por|al?|y|(?<!indica )que|qué|cómo|más|cita)\b)",
    rf"{_ASKED_NOUNS}(?= (?:ya|hoy|ahora|aquí|{_THINGS}) )(?! la atención)",
    r"ven(?= (?:al?|con|y|este|esta|por|hoy|mañana|el)\b)",
)
_GAIN = r"(?<=y )(?:gana|pide|ven|llévate|disfruta)(?= (?:un[ao]?|cita|al?|con|de)\b)"

# vosotros

_VOSOTROS = (
    r"vosotr[ao]s", r"vuestr[ao]s?",
    r"(?!(?:dieci|veinti)séis\b)\w+(?:áis|éis)", r"sois",
    r"os (?:\w+(?:amos|emos|imos)|" + _any("lo la los las ha han va espera gusta apetece animáis") + r")\b",
    _any("avisadnos contadnos decidnos escribidnos llamadnos seguidnos visitadnos"),
)  # fmt: skip
_VOSOTROS_BEGINS = (_any("venid reservad pedid mirad escribid llamad traed contad elegid apuntaos animaos acercaos"),)

# usted and ustedes

_WE_DO = _any(
    "rogamos recordamos informamos invitamos esperamos atendemos atenderemos llamaremos avisaremos escribiremos "
    "contestaremos responderemos enviamos enviaremos remitimos ofrecemos agradecemos deseamos animamos proponemos "
    "pedimos ayudamos ayudaremos mantendremos devolveremos daremos comunicamos confirmamos"
)
_USTED_VERBS = (
    "reserve pida visite llame escriba consulte descubra pruebe recoja elija compre rellene envíe indique participe "
    "comparta pulse descargue regale anote guarde aproveche disfrute acceda solicite contacte confirme conozca escuche "
    "lea mire vea recuerde introduzca seleccione siga encargue acuda traiga conteste responda añada disculpe perdone "
    "presente"
)
_ASKED_FORMALLY = _any(_USTED_VERBS)
_ASKED_FORMALLY_MANY = _any(" ".join(f"{verb}n" for verb in _USTED_VERBS.split()))
_USTED_CLITICS = (
    r"(?:" + _any("visíte lláme cuénte contácte mánde déje lléve cómpre enséñe pregúnte avíse envíe")
    + "|" + _any("escríba síga descúbra pída compárta elíja díga permíta tráiga recója acompáñe prué")
    + r")(n?)(?:nos|l[ao]s?|me|le)"
)  # fmt: skip
_SU = "(?:compra|confianza|visita|paciencia|opinión|comprensión|colaboración|interés|pedido|reserva|cita|mensaje|apoyo)"
_OTHERS = re.compile(
    r"\b(?:al|a (?!las? \d)(?:el|la|los|las|un|una|su|sus|nuestr\w+|todos|quien\w*|cada|[A-ZÁÉÍÓÚÑ]\w+)"
    r"|A (?:los|las|la|nuestr\w+|quien\w*|[A-ZÁÉÍÓÚÑ]\w+)|[Aa]yer|[Aa]noche)\b"
)  # fmt: skip
"""Somebody else whom a "le" may be about, or a day on which "invitamos" has happened."""
_USTED = (
    r"(?<!\bde )usted", r"(?-i:[UV]d)\b\.?",
    _USTED_CLITICS.replace("(n?)", ""),
    r"(?!(?:véase|léase|érase|entiéndase|dígase)\b)\w*[áéíóú]\w{1,4}[ae]se",
    r"(?<!que )no (?:dude en|olvide|espere más|se pierda (?!nada))(?= |\b)",
    rf"(?:gracias por|agradecemos|esperamos|recibido|conocer|sabemos que|lamentamos) sus? {_SU}",
    r"(?:estamos|quedamos|seguimos|siempre) a su disposición",
    r"(?:placer|encantad[ao]s? de|queremos|podemos|estamos para|nos gustaría) \w+[aei]rle",
    r"qué le (?:pareció|parece|ha parecido)(?! a )",
)  # fmt: skip
_USTED_BEGINS = (
    rf"(?:no )?{_ASKED_FORMALLY}(?= )",
    r"(?:venga (?:al?|con|por)|pase por|pase a (?=\w+r)|haga (?:clic|su|sus|una?|el))(?= |\b)",
    r"(?:ya puede (?!ser |haber |estar )\w+[aei]r|puede \w+[aei]r sus?)(?= )",
    rf"su {_SU} (?:nos|está|ya|ha|llegará|es importante)",
)  # fmt: skip
_USTED_ASKS = (
    r"le \w+(?! a )(?= )",
    r"(?:sabía|quiere|necesita|desea|prefiere|conoce|busca)(?= (?:que|usted|\w+r|ayuda|más|nuestr\w+|un[ao]?|algo)\b)",
    r"tiene(?= (?:hambre|dudas|preguntas|planes|reserva|alguna)\b)",
)
_IF_FORMAL = (
    r"si (?:no )?(?:lo |la )?(?:desea|prefiere|necesita|quiere|puede|tiene)(?= (?:\w+r|que|alguna|dudas|más)\b)"
)
_USTEDES = (
    r"ustedes", r"(?-i:[UV]ds)\b\.?",
    _USTED_CLITICS.replace("(n?)", "n"),
    r"\w*[áéíóú]\w{1,4}[ae]nse",
    r"no (?:duden|olviden|esperen|se pierdan|dejen de|tarden)(?= )",
    r"(?:placer|encantad[ao]s? de|queremos|podemos|estamos para|nos gustaría) \w+[aei]rles",
)  # fmt: skip
_USTEDES_BEGINS = (
    rf"(?:no )?{_ASKED_FORMALLY_MANY}(?= )",
    r"(?:vengan (?:al?|con|por)|pasen (?:por|a)|hagan (?:clic|su|sus|una?|el))(?= |\b)",
    r"(?:ya )?pueden (?!ser |haber |estar )\w+[aei]r(?= a| sus? )",
)


def _compiled(anywhere: tuple[str, ...], begins: tuple[str, ...] = (), asks: tuple[str, ...] = ()) -> re.Pattern[str]:
    ways = [rf"\b(?P<a>{'|'.join(anywhere)})\b"] if anywhere else []
    ways += [rf"{_BEGIN}(?P<b>{'|'.join(begins)})"] if begins else []
    ways += [rf"¿(?P<c>{'|'.join(asks)})"] if asks else []
    return re.compile("|".join(ways), re.IGNORECASE)


_FORMS: dict[Form, re.Pattern[str]] = {
    "tú": _compiled((*_TU, _GAIN), _TU_BEGINS),
    "vosotros": _compiled(_VOSOTROS, _VOSOTROS_BEGINS),
    "usted": _compiled((*_USTED, _IF_FORMAL), _USTED_BEGINS, _USTED_ASKS),
    "ustedes": _compiled(_USTEDES, _USTEDES_BEGINS),
}
_LE = re.compile(rf"\ble(?P<many>s?) {_WE_DO}\b", re.IGNORECASE)


def read(text: str) -> dict[Form, list[str]]:
    """The words by which a text addresses its reader, by form; nothing where that can't be told."""
    plain = _SILENT.sub(" \ufffc ", text[:LONGEST])
    if not _may_be_spanish(plain):
        return {}
    found = {form: [_said(match) for match in pattern.finditer(plain)] for form, pattern in _FORMS.items()}
    for form, said in _to_whom(plain):
        found[form].append(said)
    return {form: list(dict.fromkeys(some)) for form, some in found.items() if some}


def strays(text: str, *, treatment: str, country: str) -> list[str]:
    """The words that address the reader otherwise than a brand does.

    `treatment` "tu" or "usted"; `country` (ISO 3166, two letters) decides whether "ustedes" is formal there.
    """
    wrong: dict[str, tuple[Form, ...]] = {
        "tu": ("usted", "ustedes") if country in SPAIN else ("usted",),
        "usted": ("tú", "vosotros"),
    }
    found = read(text)
    return [said for form in wrong[treatment] for said in found.get(form, [])]


def _said(match: re.Match[str]) -> str:
    return next(said for said in match.groupdict().values() if said).strip()


def _to_whom(text: str) -> Iterator[tuple[Form, str]]:
    """ "le esperamos", where nobody else is in sight."""
    for match in _LE.finditer(text):
        begin = max(text.rfind(sign, 0, match.start()) for sign in ".!?\n") + 1
        if not _OTHERS.search(text[begin : match.start()]) and not re.match(r" al? (?!\w+r\b)", text[match.end() :]):
            yield ("ustedes" if match["many"] else "usted"), match[0]


def _may_be_spanish(text: str) -> bool:
    words = {word.lower() for word in _WORD.findall(text)}
    return len(words.intersection(_FOREIGN.split())) <= len(words.intersection(_SPANISH.split()))
