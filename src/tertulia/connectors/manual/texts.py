"""What people read of this connector. Outcomes are raised in English; `SENTENCES` has their Spanish."""

from tertulia.connectors.contract import Act, Text

PLATFORM = {"en": "Platform", "es": "Plataforma"}
PLATFORM_HELP = {
    "en": "Instagram, TikTok, a Facebook group, Tripadvisor, a forum, the noticeboard of your town: anything.",
    "es": "Instagram, TikTok, un grupo de Facebook, Tripadvisor, un foro, el tablón de tu pueblo: lo que sea.",
}
PROFILE = {"en": "Address of our profile there", "es": "Dirección de nuestro perfil allí"}
PROFILE_HELP = {
    "en": "It is opened when there is something to paste and the message itself has no address.",
    "es": "Se abre cuando hay algo que pegar y el mensaje no tiene dirección propia.",
}
OPENNESS = {"en": "How people write to us there", "es": "Cómo nos escriben allí"}
OPENNESS_HELP = {
    "en": "Which kinds of message you will be offered when you write one down.",
    "es": "Qué clases de mensaje se te ofrecerán al apuntar uno.",
}
BOTH = {"en": "In public and in private", "es": "En público y en privado"}
PUBLIC = {
    "en": "Only in public (comments, mentions, reviews)",
    "es": "Solo en público (comentarios, menciones, reseñas)",
}
PRIVATE = {"en": "Only in private (direct messages)", "es": "Solo en privado (mensajes directos)"}
LONGEST = {"en": "Longest text of a post", "es": "Texto más largo de una publicación"}
LONGEST_HELP = {
    "en": "Empty: what is known of the platform (on X 280 characters; accounts that pay have more).",
    "es": "Vacío: lo que se sabe de la plataforma (en X, 280 caracteres; las cuentas de pago tienen más).",
}
HASHTAGS = {"en": "Most hashtags of a post", "es": "Máximo de etiquetas (#) de una publicación"}
HASHTAGS_HELP = {
    "en": "With more of them you are warned. Empty: what is known of the platform (on Instagram 5).",
    "es": "Si lleva más, se te avisa. Vacío: lo que se sabe de la plataforma (en Instagram, 5).",
}
MANY_HASHTAGS = {
    "en": "It has {} hashtags, and no more than {} are advised here.",
    "es": "Lleva {} etiquetas (#), y aquí no se aconsejan más de {}.",
}
NO_PICTURE = {
    "en": "There it needs a picture or a film, and none hangs on it: whoever publishes it has to bring one.",
    "es": "Allí necesita una imagen o un vídeo, y no lleva ninguno: quien la publique tendrá que ponerlo.",
}
NO_FILM = {
    "en": "There it needs a film, unless it is meant for the community's page, and none hangs on it.",
    "es": "Allí necesita un vídeo, salvo que sea para la pestaña de la comunidad, y no lleva ninguno.",
}
REPLY_NOTE = {
    "en": "A task: the text is ready to copy and its place is opened; you paste it there and say that it is done.",
    "es": "Una tarea: el texto queda listo para copiar y se abre su sitio; lo pegas allí y lo das por hecho.",
}
CANNOT: dict[Act, Text] = {
    act: {
        "en": "No program may do it there. Do it on the platform itself.",
        "es": "Allí no puede hacerlo ningún programa. Hay que hacerlo en la propia plataforma.",
    }
    for act in ("like", "boost", "delete", "remove", "hide", "approve", "spam", "report", "block", "ban")
}

ANSWER_THERE = "This platform lets no program write: copy the text, paste it there, and tick it off here."
PUBLISH_THERE = "This platform lets no program publish: copy the text and the pictures there, and tick it off here."
DELETE_THERE = "This platform lets no program delete: delete it there, and tick it off here."
ODD_KIND = "A message there can't be of the kind “{}”."
SENTENCES = {
    ANSWER_THERE: "Esta plataforma no deja escribir a programas: copia el texto, pégalo allí y dalo por hecho aquí.",
    PUBLISH_THERE: "Esta plataforma no deja publicar a programas: copia allí el texto y las imágenes y dalo por hecho "
    "aquí.",
    DELETE_THERE: "Esta plataforma no deja borrar a programas: bórralo allí y dalo por hecho aquí.",
    ODD_KIND: "Allí un mensaje no puede ser del tipo «{}».",
}
