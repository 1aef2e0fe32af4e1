"""What people read of this connector. Outcomes are raised in English; `SENTENCES` has their Spanish."""

from tertulia.connectors.contract import Act, Text

HOMESERVER_HELP = {
    "en": "The part after the colon in the account's name, or the address of its server: https://matrix.example.com.",
    "es": "Lo que va detrás de los dos puntos en el nombre de la cuenta, o la dirección de su servidor: "
    "https://matrix.ejemplo.es.",
}
TOKEN_HELP = {
    "en": "In Element: All settings, Help & About, Access Token. Leave it empty if you give user and password.",
    "es": "En Element: Todos los ajustes, Ayuda y acerca de, Token de acceso. "
    "Déjalo vacío si pones usuario y contraseña.",
}
USER_HELP = {
    "en": "Like @bakery:example.com. Only with a password.",
    "es": "Como @horno:ejemplo.es. Solo con contraseña.",
}
PASSWORD_HELP = {
    "en": "Tertulia signs in with it and keeps it encrypted. Not needed with an access token.",
    "es": "Tertulia entra con ella y la guarda cifrada. Con un token de acceso no hace falta.",
}
ROOMS_HELP = {
    "en": "One a line, like #plaza:example.com. Empty: every room the account is in. Private talks are always read.",
    "es": "Una por línea, como #plaza:ejemplo.es. Vacío: todas las salas donde está la cuenta. "
    "Las conversaciones privadas se leen siempre.",
}
NEWS_HELP = {
    "en": "Where posts are published, like #news:example.com. The account has to be in it and may write there.",
    "es": "Donde salen las publicaciones, como #novedades:ejemplo.es. La cuenta tiene que estar en ella y poder "
    "escribir.",
}
INVITERS_HELP = {
    "en": "One a line, like @ana:example.com. Other invitations stay unanswered in your Matrix app.",
    "es": "Una por línea, como @ana:ejemplo.es. Las demás quedan sin contestar en tu aplicación de Matrix.",
}

REMOVE_NOTE = {
    "en": "The text disappears for everybody, the server's administrators included; here it stays to be read.",
    "es": "El texto desaparece para todos, también para quien administra el servidor; aquí se sigue leyendo.",
}
KICK_NOTE = {
    "en": "They can come back to the room if it is open to everybody.",
    "es": "Si la sala está abierta a todos, puede volver a entrar.",
}
REPORT_NOTE = {
    "en": "The server's administrators read it, not the room's moderators.",
    "es": "Lo lee quien administra el servidor, no quien modera la sala.",
}
MUTE_NOTE = {
    "en": "The account ignores them: what they write in any room no longer arrives here, not even to be moderated.",
    "es": "La cuenta pasa a ignorarle: lo que escriba en cualquier sala ya no llega aquí, ni para moderarlo.",
}

CANNOT: dict[Act, Text] = {
    "hide": {
        "en": "Matrix hides nothing: a message is there for everybody or for nobody. Remove it instead.",
        "es": "En Matrix no se puede ocultar: un mensaje está para todos o para nadie. Puedes retirarlo.",
    },
    "boost": {
        "en": "Matrix doesn't pass messages on in somebody's name.",
        "es": "En Matrix no se difunden mensajes de otros.",
    },
    "block": {
        "en": "Matrix knows only ignoring somebody (mute) and banning them from a room.",
        "es": "En Matrix solo existe ignorar a alguien (silenciar) y expulsarlo para siempre de una sala.",
    },
    "approve": {
        "en": "Rooms show every message at once: there is nothing to approve.",
        "es": "Las salas muestran cada mensaje al momento: no hay nada que aprobar.",
    },
}
REASONS: dict[str, Text] = {
    "encrypted": {
        "en": "The room is encrypted and Tertulia can neither read nor write there. Answer in your Matrix app.",
        "es": "La sala está cifrada y Tertulia no puede leer ni escribir en ella. Contesta en tu aplicación de Matrix.",
    },
    "power": {
        "en": "The account has too little power in this room: ask an administrator of the room to make it a moderator.",
        "es": "La cuenta no tiene permiso en esta sala: pide a quien la administra que la haga moderadora.",
    },
    "rank": {
        "en": "They stand as high in this room as the account, or higher.",
        "es": "En esta sala tiene el mismo rango que la cuenta, o más.",
    },
    "private": {
        "en": "It is a private talk: there is nobody to put out of it.",
        "es": "Es una conversación privada: no hay de dónde expulsar a nadie.",
    },
}
ENCRYPTED_MESSAGE = (
    "🔒 Mensaje cifrado: aquí no se puede leer. Ábrelo en tu aplicación de Matrix.\n"
    "🔒 Encrypted message: it can't be read here. Open it in your Matrix app."
)

NO_ADDRESS = "The address of the Matrix server is missing: write it in the channel's settings."
NO_CREDENTIALS = "Matrix no longer accepts the access token. Paste a new one into the channel's settings."
NO_LOGIN = "The Matrix server doesn't accept this user and password. Correct them in the channel's settings."
NO_PASSWORD_LOGIN = "The Matrix server takes no passwords. Paste an access token into the channel's settings."  # noqa: S105
NOT_MATRIX = "There is no Matrix server at this address."
NOT_IN_ROOMS = "The account isn't in some of the rooms to follow: open your Matrix app with it and join them."
ENCRYPTED_ROOM = "The room is encrypted and Tertulia can't write there. Answer in your Matrix app."
TOO_LONG = "The answer is too long for Matrix: shorten it or split it into two."
TOO_MANY = "The Matrix server asks to wait."
IN_TROUBLE = "The Matrix server has trouble of its own."
UNREADABLE = "The Matrix server's answer can't be read."
ODD_EVENT = "An event isn't as the Matrix specification says."
NO_NEWS_ROOM = "It isn't said in which room to publish, or there is none of that name: see the channel's settings."
NO_ROOM = "It isn't known to which room this belongs."

SENTENCES = {
    NO_ADDRESS: "Falta la dirección del servidor de Matrix: escríbela en los ajustes del canal.",
    NO_CREDENTIALS: "Matrix ya no acepta el token de acceso. Pega uno nuevo en los ajustes del canal.",
    NO_LOGIN: "El servidor de Matrix no acepta este usuario y contraseña. Corrígelos en los ajustes del canal.",
    NO_PASSWORD_LOGIN: "El servidor de Matrix no admite contraseñas. Pega un token de acceso en los ajustes del canal.",
    NOT_MATRIX: "En esta dirección no hay ningún servidor de Matrix.",
    NOT_IN_ROOMS: "La cuenta no está en alguna de las salas que seguir: entra en ellas desde tu aplicación de Matrix.",
    ENCRYPTED_ROOM: "La sala está cifrada y Tertulia no puede escribir en ella. Contesta en tu aplicación de Matrix.",
    TOO_LONG: "La respuesta es demasiado larga para Matrix: acórtala o divídela en dos.",
    TOO_MANY: "El servidor de Matrix pide esperar.",
    IN_TROUBLE: "El servidor de Matrix tiene problemas.",
    UNREADABLE: "La respuesta del servidor de Matrix no se puede leer.",
    ODD_EVENT: "Un suceso no es como manda la especificación de Matrix.",
    NO_NEWS_ROOM: "No consta en qué sala publicar, o no hay ninguna con ese nombre: mira los ajustes del canal.",
    NO_ROOM: "No se sabe a qué sala pertenece esto.",
    "Matrix: {}": "Matrix: {}",
}
