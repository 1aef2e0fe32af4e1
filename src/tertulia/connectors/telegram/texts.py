"""What people read: the form, the table, and the sentences a call ends with with their Spanish."""

from tertulia.connectors.contract import Act, Text

TOKEN_LABEL = {"en": "Token of the bot", "es": "Token del bot"}
TOKEN_HELP = {
    "en": "What @BotFather tells you when you make the bot, like 123456789:AAH…",
    "es": "El que te da @BotFather al crear el bot, como 123456789:AAH…",
}
MODE_LABEL = {"en": "How messages arrive", "es": "Cómo llegan los mensajes"}
MODE_HELP = {
    "en": "If in doubt, let Tertulia ask: nothing has to be reachable from outside.",
    "es": "En caso de duda, que pregunte Tertulia: así no hace falta que se pueda entrar desde fuera.",
}
ASK = {"en": "Tertulia asks Telegram", "es": "Tertulia pregunta a Telegram"}
BE_CALLED = {"en": "Telegram calls Tertulia (webhook)", "es": "Telegram llama a Tertulia (webhook)"}
WEBHOOK_LABEL = {"en": "Address for Telegram to call", "es": "Dirección a la que llama Telegram"}
WEBHOOK_HELP = {
    "en": "Only for the webhook: the address of this channel's door, with https. Tertulia tells Telegram itself.",
    "es": "Solo para el webhook: la dirección de la puerta de este canal, con https. Tertulia se la da a Telegram.",
}
SECRET_LABEL = {"en": "Secret of the webhook", "es": "Secreto del webhook"}
GROUPS_LABEL = {"en": "Groups to look after", "es": "Grupos que se cuidan"}
GROUPS_HELP = {
    "en": "One a line, as @name or as its number. It is checked what the bot may do there. Others are read as well.",
    "es": "Uno por línea, como @nombre o con su número. Se mira qué puede hacer en ellos. Los demás también se leen.",
}
CHANNEL_LABEL = {"en": "Channel for your news", "es": "Canal para tus novedades"}
CHANNEL_HELP = {
    "en": "Where posts are published, as @name or as its number. The bot has to be an administrator that may post.",
    "es": "Donde salen las publicaciones, como @nombre o con su número. El bot tiene que ser administrador y poder "
    "publicar.",
}
API_LABEL = {"en": "Bot API server", "es": "Servidor de la Bot API"}
API_HELP = {
    "en": "Leave it as it is, unless you run one of your own.",
    "es": "Déjalo como está, salvo que tengas uno propio.",
}

LIKE = {"en": "As a 👍 under the message.", "es": "Como un 👍 bajo el mensaje."}
REMOVE = {
    "en": "The bot has to be an administrator that may delete messages.",
    "es": "El bot tiene que ser administrador y poder eliminar mensajes.",
}
REMOVE_PRIVATE = {"en": "It disappears for both of you.", "es": "Desaparece para las dos partes."}
MEMBERS = {
    "en": "The bot has to be an administrator that may ban users.",
    "es": "El bot tiene que ser administrador y poder suspender usuarios.",
}
RESTRICT = {
    "en": "They can read but no longer write. In supergroups; the bot has to be an administrator that may ban users.",
    "es": "Lee, pero ya no escribe. En supergrupos; el bot tiene que ser administrador y poder suspender usuarios.",
}

CANNOT: dict[Act, Text] = {
    "approve": {"en": "Groups show every message at once.", "es": "Los grupos muestran cada mensaje al momento."},
    "hide": {"en": "Telegram hides no messages: remove it.", "es": "Telegram no oculta mensajes: elimínalo."},
    "report": {"en": "A bot can report nobody to Telegram.", "es": "Un bot no puede denunciar a nadie ante Telegram."},
    "block": {
        "en": "A bot can block nobody who writes to it in private; in a group it can ban them.",
        "es": "Un bot no puede bloquear a quien le escribe en privado; de un grupo sí puede expulsarlo.",
    },
}
REASONS: dict[str, Text] = {
    "rights": {
        "en": "The bot may not do that in this group: make it an administrator that may.",
        "es": "El bot no puede hacerlo en este grupo: hazlo administrador con ese permiso.",
    },
    "basic": {
        "en": "Only supergroups know that: Telegram makes one of a group that gets a public link or a visible history.",
        "es": "Solo existe en supergrupos: el grupo pasa a serlo al darle un enlace público o historial visible.",
    },
    "channel": {
        "en": "It was written in the name of a channel or of the group, not of a person.",
        "es": "Está escrito en nombre de un canal o del grupo, no de una persona.",
    },
}

NO_CHANNEL = "It isn't said in which channel to publish: write it in the channel's settings."
NOT_KNOWN = "Telegram doesn't accept the bot's token. Paste the one that @BotFather shows into the channel's settings."
NOT_SAFE = "The Bot API server has to be reached over https, or the bot's token could be read on the way."
WEBHOOK_ELSEWHERE = (
    "Telegram gives this bot's messages to another program. Stop that one, or make a bot for Tertulia alone."
)
NO_WEBHOOK = "The address for Telegram to call is missing: write it in the channel's settings, or let Tertulia ask."
WEBHOOK_FAILS = "Telegram can't deliver to the address it was told. Check that it can be reached from outside."
ANOTHER_READER = "Another program reads this bot's messages at the same time. Stop it: each message goes to only one."
FORGED = "The secret doesn't fit."
TOO_MANY = "Telegram asks to wait."
TROUBLE = "Telegram has trouble of its own."
GAVE_UP = "Something before Telegram gave up waiting for its answer."
NOT_READABLE = "Telegram's answer can't be read."
ODD_MESSAGE = "A message isn't as Telegram's documentation says."
TOO_LONG = "The answer is longer than Telegram takes: shorten it or split it into two."
NO_CHAT = "It isn't known to which chat this belongs."
REFUSED = "Telegram refused it."
BLOCKED = "This person has blocked the bot, or has left Telegram."
PUT_OUT = "The bot is no longer in this group: add it again."
NO_RIGHTS = "The bot may not do that in this group: make it an administrator that may."
IS_ADMINISTRATOR = "They are an administrator of the group: only its owner can change that."
ONLY_SUPERGROUPS = "Only supergroups know that."
TOO_OLD = "Telegram doesn't let a bot delete this message, or no longer."
CHAT_GONE = "The chat is no longer there, or the bot is not in it."
BEFORE_IT_MOVED = "The group has become a supergroup since: do it in Telegram itself."
FINE = "The bot works and reads all that is written in its groups."
SEES_LITTLE = (
    "The bot works. In groups it sees only what is addressed to it: make it an administrator, or switch off its "
    "privacy with @BotFather."
)
LACKS_RIGHTS = "The bot works, but in some of the groups it may not delete messages or ban users."

SENTENCES: dict[str, str] = {
    NO_CHANNEL: "No consta en qué canal publicar: escríbelo en los ajustes del canal.",
    NOT_KNOWN: "Telegram no acepta el token del bot: pega en los ajustes del canal el que muestra @BotFather.",
    NOT_SAFE: "Al servidor de la Bot API hay que llegar por https; si no, alguien podría leer el token por el camino.",
    WEBHOOK_ELSEWHERE: (
        "Telegram entrega los mensajes de este bot a otro programa. Detén ese o crea un bot solo para Tertulia."
    ),
    NO_WEBHOOK: (
        "Falta la dirección a la que debe llamar Telegram: escríbela en los ajustes o deja que pregunte Tertulia."
    ),
    WEBHOOK_FAILS: "Telegram no puede entregar en la dirección indicada. Comprueba que se llega a ella desde fuera.",
    ANOTHER_READER: (
        "Otro programa lee a la vez los mensajes de este bot. Detenlo: cada mensaje le llega solo a uno de los dos."
    ),
    FORGED: "El secreto no coincide.",
    TOO_MANY: "Telegram pide que se espere.",
    TROUBLE: "Telegram tiene problemas.",
    GAVE_UP: "Algo que está delante de Telegram se cansó de esperar su respuesta.",
    NOT_READABLE: "La respuesta de Telegram no se entiende.",
    ODD_MESSAGE: "Un mensaje no es como dice la documentación de Telegram.",
    TOO_LONG: "La respuesta es más larga de lo que admite Telegram: acórtala o divídela en dos.",
    NO_CHAT: "No se sabe a qué chat pertenece.",
    REFUSED: "Telegram lo ha rechazado.",
    BLOCKED: "Esta persona ha bloqueado al bot o ya no está en Telegram.",
    PUT_OUT: "El bot ya no está en este grupo: vuelve a añadirlo.",
    NO_RIGHTS: "El bot no puede hacerlo en este grupo: hazlo administrador con ese permiso.",
    IS_ADMINISTRATOR: "Es administrador del grupo: eso solo puede cambiarlo quien lo creó.",
    ONLY_SUPERGROUPS: "Solo existe en supergrupos.",
    TOO_OLD: "Telegram no deja, o ya no deja, que un bot elimine este mensaje.",
    CHAT_GONE: "El chat ya no existe o el bot no está en él.",
    BEFORE_IT_MOVED: "Desde entonces el grupo se ha convertido en supergrupo: hazlo en el propio Telegram.",
    FINE: "El bot funciona y lee todo lo que se escribe en sus grupos.",
    SEES_LITTLE: (
        "El bot funciona. En los grupos solo ve lo que se le dirige: hazlo administrador o quítale la privacidad con "
        "@BotFather."
    ),
    LACKS_RIGHTS: "El bot funciona, pero en algunos grupos no puede eliminar mensajes ni suspender usuarios.",
}
