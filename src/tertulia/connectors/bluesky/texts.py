"""What people read of this channel: sentences of its outcomes, and the texts of its table in both languages."""

from __future__ import annotations

from tertulia.connectors.contract import Act, Text

NO_SESSION = "Bluesky has to be signed in to again."
WRONG_PASSWORD = (
    "Bluesky doesn't accept the handle or the app password. Make a new app password there and enter it here."  # noqa: S105
)
REAL_PASSWORD = (
    "That is the password of the account itself. Make an app password in Bluesky's settings and enter that one."  # noqa: S105
)
SUSPENDED = "Bluesky has suspended or deactivated this account. Sign in at bsky.app to see why."
TOO_MANY = "Bluesky asks to wait: too many requests."
BUSY = "Bluesky has trouble at the moment."
NOT_READABLE = "Bluesky's answer can't be read."
NOT_OFFERED = "This Bluesky server doesn't offer that."
TOO_LONG = "The answer is longer than Bluesky allows: 300 characters as people count them, and 3,000 bytes."
TOO_LONG_DIRECT = "The message is longer than Bluesky allows: 1,000 characters as people count them, and 10,000 bytes."
NO_POST = "What this belongs to on Bluesky isn't known."
NOT_OURS = "Only answers under one's own posts can be hidden."
OTHER_RECORD = "Another text already stands where this answer belongs. Write it again."
HIDDEN_FULL = "300 answers are hidden under this post already; Bluesky allows no more."
TOO_BUSY_THREAD = "The hidden answers of this post are being changed by somebody else. It is tried again."
NO_DIRECT = "Direct messages aren't read: make an app password that may read them and enter it here."
NO_DIRECT_NOW = "Direct messages can't be read here at the moment; everything else works."

SENTENCES = {
    NO_SESSION: "Hay que volver a entrar en Bluesky.",
    WRONG_PASSWORD: "Bluesky no acepta el usuario o la contraseña de aplicación. Crea allí otra y escríbela aquí.",
    REAL_PASSWORD: "Esa es la contraseña de la cuenta. Crea una de aplicación en los ajustes de Bluesky y escribe esa.",
    SUSPENDED: "Bluesky ha suspendido o desactivado esta cuenta. Entra en bsky.app para ver por qué.",
    TOO_MANY: "Bluesky pide esperar: demasiadas peticiones.",
    BUSY: "Bluesky tiene problemas en este momento.",
    NOT_READABLE: "La respuesta de Bluesky no se puede leer.",
    NOT_OFFERED: "Este servidor de Bluesky no ofrece eso.",
    TOO_LONG: "La respuesta pasa de lo que permite Bluesky: 300 caracteres visibles y 3.000 bytes.",
    TOO_LONG_DIRECT: "El mensaje pasa de lo que permite Bluesky: 1.000 caracteres visibles y 10.000 bytes.",
    NO_POST: "No se sabe a qué pertenece esto en Bluesky.",
    NOT_OURS: "Solo se pueden ocultar las respuestas a lo que publicas tú.",
    OTHER_RECORD: "Donde va esta respuesta ya hay otro texto. Escríbela otra vez.",
    HIDDEN_FULL: "Bajo esta publicación ya hay 300 respuestas ocultas; Bluesky no permite más.",
    TOO_BUSY_THREAD: "Alguien más está cambiando las respuestas ocultas de esta publicación. Se intenta otra vez.",
    NO_DIRECT: "No se leen los mensajes directos: crea una contraseña de aplicación que lo permita y escríbela.",
    NO_DIRECT_NOW: "Ahora mismo aquí no se pueden leer los mensajes directos; todo lo demás funciona.",
    "Bluesky refused it.": "Bluesky se ha negado.",
    "Bluesky refused it: {}": "Bluesky se ha negado: {}",
    "This post can't be read.": "Esta publicación no se puede leer.",
}

SERVICE: Text = {"en": "Server", "es": "Servidor"}
SERVICE_HELP: Text = {
    "en": "Leave it as it is, unless your account lives on a server of its own.",
    "es": "Déjalo como está, salvo que tu cuenta viva en un servidor propio.",
}
HANDLE: Text = {"en": "Handle", "es": "Nombre de usuario"}
HANDLE_HELP: Text = {
    "en": "The name behind the @, whole: bakery.bsky.social",
    "es": "El que va detrás de la @, entero: panaderia.bsky.social",
}
PASSWORD: Text = {"en": "App password", "es": "Contraseña de aplicación"}
PASSWORD_HELP: Text = {
    "en": "Made at bsky.app: Settings, Privacy and security, App passwords. Tick “Allow access to your direct messages”"
    " if they are to be read here. Never your own password.",
    "es": "Se crea en bsky.app: Ajustes, Privacidad y seguridad, Contraseñas de aplicación. Marca «Permitir acceso a"
    " tus mensajes directos» si quieres leerlos aquí. Nunca tu propia contraseña.",
}

HIDE_NOTE: Text = {
    "en": "It moves behind “Show hidden replies”; its writer and everybody else can still open it.",
    "es": "Pasa a estar detrás de «Mostrar respuestas ocultas»; quien la escribió y cualquiera puede abrirla.",
}
BLOCK_NOTE: Text = {
    "en": "Anyone can see whom you have blocked. What they write no longer comes in.",
    "es": "Cualquiera puede ver a quién has bloqueado. Lo que escriba deja de llegar.",
}
MUTE_NOTE: Text = {
    "en": "Nobody else learns of it. What they write in public no longer comes in.",
    "es": "Nadie más se entera. Lo que escriba en público deja de llegar.",
}
REPORT_NOTE: Text = {
    "en": "It goes to Bluesky's moderators, with your reason.",
    "es": "Llega a quienes moderan Bluesky, con tu motivo.",
}
DELETE_NOTE: Text = {
    "en": "Public answers only: a direct message stays where it was received.",
    "es": "Solo respuestas públicas: un mensaje directo se queda donde se recibió.",
}

CANNOT: dict[Act, Text] = {
    "remove": {
        "en": "On Bluesky nobody can delete what somebody else wrote. It can be hidden under your own post.",
        "es": "En Bluesky nadie borra lo que ha escrito otra persona. Bajo una publicación tuya se puede ocultar.",
    },
    "ban": {
        "en": "There is no page to shut anybody out of. Block them instead.",
        "es": "No hay una página de la que expulsar a nadie. En su lugar puedes bloquear.",
    },
    "spam": {
        "en": "Bluesky has no mark for spam. Report it instead.",
        "es": "Bluesky no tiene marca de correo basura. En su lugar puedes denunciarlo.",
    },
}
REASONS: dict[str, Text] = {
    "not_ours": {
        "en": "It stands under somebody else's post: only they can hide it.",
        "es": "Está bajo la publicación de otra persona: solo ella puede ocultarlo.",
    },
    "closed": {
        "en": "Its writer has closed this thread to answers.",
        "es": "Quien lo escribió no permite respuestas en este hilo.",
    },
    "blocked": {
        "en": "They have blocked this account, so an answer would be seen by nobody.",
        "es": "Esa persona ha bloqueado esta cuenta, así que nadie vería la respuesta.",
    },
}


def refused(said: str) -> str:
    return f"Bluesky refused it: {said}" if said else "Bluesky refused it."
