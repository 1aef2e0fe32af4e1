"""What people read, in both languages. Outcomes are raised in English; `SENTENCES` has their Spanish."""

from tertulia.connectors.contract import Text

SERVER: Text = {"en": "Server", "es": "Servidor"}
SERVER_HELP: Text = {
    "en": "Where your account lives, such as https://mastodon.social: what stands behind the second @ of your name.",
    "es": "Donde está tu cuenta, como https://mastodon.social: lo que va detrás de la segunda @ de tu nombre.",
}
TOKEN: Text = {"en": "Access token", "es": "Token de acceso"}
TOKEN_HELP: Text = {
    "en": "Leave it empty to sign in on your server's own page. Or paste one from Preferences › Development there.",
    "es": "Déjalo vacío para entrar en la página de tu servidor. O pega uno de Preferencias › Desarrollo, allí.",
}
PRIVATE: Text = {
    "en": "It isn't public, so it can't be boosted.",
    "es": "No es público y por eso no se puede impulsar.",
}
REPORT_NOTE: Text = {
    "en": "It goes to the moderators of your server. It can't be taken back.",
    "es": "Llega a quienes moderan tu servidor. No se puede retirar.",
}
BLOCK_NOTE: Text = {
    "en": "They can no longer see or write to the account. Some servers don't let you mute, but all let you block.",
    "es": "Esa persona ya no verá la cuenta ni podrá escribirle. No todo servidor deja silenciar; bloquear, todos.",
}
NOT_REMOVABLE: Text = {
    "en": "Nobody can delete what others wrote: report it, mute its writer or block them.",
    "es": "Nadie puede borrar lo que escriben otros: denúncialo, o silencia o bloquea a quien lo escribe.",
}
NOT_HIDEABLE: Text = {
    "en": "Mastodon has no hiding of answers under one's own posts.",
    "es": "En Mastodon no se pueden ocultar las respuestas a lo que publicas.",
}

SEEN_BY_ALL: Text = {"en": "Everybody", "es": "Todo el mundo"}
SEEN_QUIETLY: Text = {
    "en": "Everybody, but not in the public timelines",
    "es": "Todo el mundo, pero fuera de las líneas públicas",
}
SEEN_BY_FOLLOWERS: Text = {"en": "Only followers", "es": "Solo quienes siguen la cuenta"}

NO_SERVER = "The address of the server is missing: write it in the channel's settings."
NO_ACCESS = "Nobody has signed in yet: connect the account on the server's own page, or paste an access token."
ACCESS_ENDED = "The server no longer takes the access token. Connect the account again."
ACCESS_TOO_NARROW = (
    "The access token doesn't allow that: connect the account again, or make a token that may read and write."
)
TOO_MANY = "The server asks to slow down."
SERVER_TROUBLE = "The server has trouble just now."
NO_WHOLE_ANSWER = "The server gave no answer that can be read."
GONE = "It is no longer there."
NOT_OFFERED = "This server doesn't offer that."
REFUSED = "The server refused."
TOO_LONG = "The answer is too long, counting the name in front of it."
CANNOT_LOOK = "This server doesn't tell whether an answer arrived: look there before sending it again."
SHORT_MEMORY = "This server shows only its latest notifications, so older ones can't be counted."
STILL_AT_IT = "The server is still working at a picture."
NO_CODE = "The server gave no access: begin again."
NOTHING = "There is no message in it."
INCOMPLETE = "A message lacks its name, its writer or its time."

SENTENCES = {
    NO_SERVER: "Falta la dirección del servidor: escríbela en los ajustes del canal.",
    NO_ACCESS: "Nadie ha dado acceso todavía: conecta la cuenta en la página del servidor o pega un token de acceso.",
    ACCESS_ENDED: "El servidor ya no acepta el token de acceso. Vuelve a conectar la cuenta.",
    ACCESS_TOO_NARROW: "El token de acceso no permite eso: vuelve a conectar la cuenta o crea otro que lea y escriba.",
    TOO_MANY: "El servidor pide ir más despacio.",
    SERVER_TROUBLE: "El servidor tiene problemas ahora mismo.",
    NO_WHOLE_ANSWER: "El servidor no ha dado ninguna respuesta que se pueda leer.",
    GONE: "Ya no está allí.",
    NOT_OFFERED: "Este servidor no ofrece eso.",
    REFUSED: "El servidor se ha negado.",
    f"{REFUSED} {{}}": "El servidor se ha negado: {}",
    TOO_LONG: "La respuesta es demasiado larga, contando el nombre que lleva delante.",
    CANNOT_LOOK: "Este servidor no dice si una respuesta llegó: míralo allí antes de enviarla otra vez.",
    SHORT_MEMORY: "Este servidor solo enseña sus últimas notificaciones y las anteriores no se pueden contar.",
    STILL_AT_IT: "El servidor todavía está preparando una imagen.",
    NO_CODE: "El servidor no ha dado acceso: empieza otra vez.",
    NOTHING: "Dentro no hay ningún mensaje.",
    INCOMPLETE: "A un mensaje le falta el nombre, quién lo escribe o la hora.",
}
FACTS: dict[str, Text] = {
    "handle": {"en": "Account there", "es": "Cuenta allí"},
    "name": {"en": "Name there", "es": "Nombre allí"},
    "max_text": {"en": "Longest text", "es": "Texto más largo"},
}
SCOPES: dict[str, Text] = {
    "read": {"en": "Read all that the account sees", "es": "Leer todo lo que ve la cuenta"},
    "write": {"en": "Write in the account's name", "es": "Escribir en nombre de la cuenta"},
    "write:statuses": {"en": "Write and delete posts", "es": "Escribir y borrar publicaciones"},
    "write:media": {"en": "Hand in pictures", "es": "Subir imágenes"},
    "write:favourites": {"en": "Mark posts as favourites", "es": "Marcar favoritos"},
    "write:reports": {"en": "Report to the moderators", "es": "Denunciar a quien modera"},
    "write:blocks": {"en": "Block people", "es": "Bloquear a personas"},
    "write:mutes": {"en": "Mute people", "es": "Silenciar a personas"},
    "follow": {"en": "Follow, mute and block people", "es": "Seguir, silenciar y bloquear a personas"},
    "push": {"en": "Receive push notifications", "es": "Recibir avisos"},
    "profile": {"en": "See who the account is", "es": "Ver de quién es la cuenta"},
}
