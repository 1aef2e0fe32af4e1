"""What a visitor is told, in both languages. Neither tú nor usted: it suits every brand."""

ORIGINS_HELP = {
    "en": "One a line, like https://www.example.com. No other page can open the chat.",
    "es": "Una por línea, como https://www.ejemplo.es. El chat no se abrirá en ninguna otra página.",
}
GREETING_HELP = {
    "en": "The first line of the chat. Leave it empty for the usual one.",
    "es": "La primera línea del chat. Si la dejas vacía saldrá la habitual.",
}
EMPTY = {
    "en": "There is no text in the message.",
    "es": "El mensaje no tiene texto.",
}
ROBOT = {
    "en": "A hidden field was filled in, as programs do. Reload the page and send the message again.",
    "es": "Se ha rellenado un campo oculto, como hacen los programas. Basta con recargar la página y volver a enviarlo.",
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
