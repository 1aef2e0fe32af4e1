"""What people read of this connector. Outcomes are raised in English; `SENTENCES` has their Spanish."""

from tertulia.connectors.contract import Act, Text

ACCEPT = "application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.8, text/html;q=0.5, */*;q=0.1"

ADDRESS_HELP = {
    "en": "Of a feed, or of any page of the blog, forum or newspaper: its feed is looked for there.",
    "es": "La de un canal RSS o la de cualquier página del blog, foro o periódico: ahí se busca su canal.",
}
COMMENTS_HELP = {
    "en": "What people write under your posts then arrives in the inbox, and you answer on the page itself.",
    "es": "Lo que la gente escribe bajo tus entradas llega entonces a la bandeja, y se contesta en la propia página.",
}
OURS_HELP = {
    "en": "One a line. What is signed so is yours and doesn't wait for an answer. Only for comments.",
    "es": "Uno por línea. Lo que lleve esa firma es vuestro y no espera respuesta. Solo para comentarios.",
}
BY_HAND_NOTE = {
    "en": "A feed can only be read: the comment's page is opened, you paste the answer there and say that it is done.",
    "es": "Un canal RSS solo se puede leer: se abre la página del comentario, pegas la respuesta y lo das por hecho.",
}
CANNOT: dict[Act, Text] = {
    act: {
        "en": "A feed can only be read. Do it on the page itself.",
        "es": "Un canal RSS solo se puede leer. Hay que hacerlo en la propia página.",
    }
    for act in ("like", "delete", "remove", "hide", "approve", "spam", "block")
}

NO_ADDRESS = "The address is missing: write it in the channel's settings."
GONE = "The feed no longer exists: its server says so. Look for its new address, or remove the channel."
CLOSED = "The server lets only its own readers in."
NOT_FOUND = "There is nothing at this address."
IN_TROUBLE = "The server asks to wait, or has trouble of its own."
ODD_ANSWER = "The server's answer can't be read."
TOO_MANY_REDIRECTS = "The address leads on and on, and never to a feed."
NOT_A_FEED = "There is no feed at this address, and its page names none."
ODD_ITEM = "An item of the feed has neither a title nor a text nor a link."
ANSWER_THERE = "A feed can't be answered: paste the answer on the comment's page."
FOLLOWS = "The page names a feed, which is read from now on."

SENTENCES = {
    NO_ADDRESS: "Falta la dirección: escríbela en los ajustes del canal.",
    GONE: "El canal RSS ya no existe: lo dice su servidor. Busca su dirección nueva o quita el canal.",
    CLOSED: "El servidor solo deja entrar a sus propios lectores.",
    NOT_FOUND: "En esta dirección no hay nada.",
    IN_TROUBLE: "El servidor pide esperar o tiene problemas.",
    ODD_ANSWER: "La respuesta del servidor no se puede leer.",
    TOO_MANY_REDIRECTS: "La dirección lleva de una a otra y nunca a un canal RSS.",
    NOT_A_FEED: "En esta dirección no hay ningún canal RSS y su página no nombra ninguno.",
    ODD_ITEM: "Una entrada del canal RSS no tiene ni título ni texto ni enlace.",
    ANSWER_THERE: "A un canal RSS no se le puede contestar: pega la respuesta en la página del comentario.",
    FOLLOWS: "La página nombra un canal RSS, que se lee desde ahora.",
    "It is neither a feed nor a page that names one.": "No es ni un canal RSS ni una página que nombre alguno.",
}
