"""What a visitor is told, in both languages. The refusals say neither tú nor usted and suit every brand."""

import re

ORIGINS_HELP = {
    "en": "One a line, like https://www.example.com. No other page can open the chat.",
    "es": "Una por línea, como https://www.ejemplo.es. El chat no se abrirá en ninguna otra página.",
}
GREETING_HELP = {
    "en": "The first line of the chat. Leave it empty for the usual one.",
    "es": "La primera línea del chat. Si la dejas vacía saldrá la habitual.",
}
DELETE = {
    "en": "The news item is taken off the page and out of the feed; its address says that it is gone.",
    "es": "La noticia se quita de la página y del canal RSS; su dirección dice que ya no está.",
}
EMPTY = {
    "en": "There is no text in the message.",
    "es": "El mensaje no tiene texto.",
}
ROBOT = {
    "en": "A hidden field was filled in, as programs do. Reload the page and send the message again.",
    "es": "Se ha rellenado un campo oculto, como hacen los programas. Basta con recargar la página y reenviarlo.",
}
TOO_SOON = {
    "en": "That was faster than anyone types. Wait two seconds and send it again.",
    "es": "Ha llegado más deprisa de lo que nadie escribe. Basta con esperar dos segundos y volver a enviarlo.",
}
TOO_LATE = {
    "en": "The page has been open for too long. Reload it and send the message again: the text stays.",
    "es": "La página lleva demasiado tiempo abierta. Basta con recargarla y volver a enviarlo: el texto no se pierde.",
}


def too_long(limit: int) -> dict[str, str]:
    return {
        "en": f"The message is longer than {limit:,} characters. Split it into two.",
        "es": f"El mensaje pasa de {limit:,} caracteres. Hay que partirlo en dos.".replace(",", "."),
    }


def widget(language: str, *, is_formal: bool) -> dict[str, str]:
    """The widget's own words; `%` stands for what it fills in."""
    chosen = WIDGET.get(language, WIDGET["en"])
    return {key: re.sub(r"\{(.*?)\|(.*?)\}", r"\2" if is_formal else r"\1", text) for key, text in chosen.items()}


WIDGET = {
    "en": {
        "open": "Open the chat",
        "close": "Close the chat",
        "log": "Conversation",
        "hello": "Hello! How can we help?",
        "here": "Somebody is here",
        "soon": "Nobody is at the desk right now. We answer as soon as we can.",
        "back": "We are back on %.",
        "form": "Leave your message: the answer will appear right here.",
        "name": "Name (optional)",
        "email": "E-mail, in case you don’t come back to this page (optional)",
        "write": "Write your message",
        "send": "Send",
        "sending": "Sending…",
        "failed": "Not sent.",
        "retry": "Try again",
        "long": "That is % characters and 10,000 fit. Split it into two.",
        "deleted": "Message withdrawn",
        "news": "An answer has arrived",
        "you": "You",
    },
    # In braces: with tú, with usted.
    "es": {
        "open": "Abrir el chat",
        "close": "Cerrar el chat",
        "log": "Conversación",
        "hello": "¡Hola! ¿En qué {te|le} podemos ayudar?",
        "here": "Hay alguien al otro lado",
        "soon": "Ahora mismo no hay nadie delante. Contestamos en cuanto podamos.",
        "back": "Volvemos el %.",
        "form": "{Déjanos tu|Déjenos su} mensaje: la respuesta aparecerá aquí mismo.",
        "name": "Nombre (opcional)",
        "email": "Correo, por si no {vuelves|vuelve} a esta página (opcional)",
        "write": "{Escribe tu|Escriba su} mensaje",
        "send": "Enviar",
        "sending": "Enviando…",
        "failed": "No se ha enviado.",
        "retry": "Reintentar",
        "long": "Son % caracteres y caben 10.000. Hay que partirlo en dos.",
        "deleted": "Mensaje retirado",
        "news": "Ha llegado una respuesta",
        "you": "{Tú|Usted}",
    },
}

SENTENCES = {
    "The signing key is missing: make a new one in the channel's settings.": (
        "Falta la clave de firma: crea una nueva en los ajustes del canal."
    ),
    "The answer is longer than {} characters.": "La respuesta tiene más de {} caracteres.",
    "This chat has no signing key.": "Este chat no tiene clave de firma.",
    "The visitor's token isn't ours.": "La credencial del visitante no es nuestra.",
    "The body is larger than {} kB.": "El contenido pasa de {} kB.",
    "The body isn't JSON in UTF-8.": "El contenido no es JSON en UTF-8.",
    "The body isn't a JSON object.": "El contenido no es un objeto JSON.",
    "“{}” isn't a text.": "«{}» no es un texto.",
    "“id” isn't a UUID.": "«id» no es un UUID.",
}
