"""What people read: the form, the table, and the sentences a call ends with (their Spanish is in the catalogue)."""

URL_LABEL = {"en": "Address of the blog", "es": "Dirección del blog"}
URL_HELP = {
    "en": "As you would give it to a visitor, like https://www.example.com/blog.",
    "es": "La misma que darías a un visitante, como https://www.ejemplo.es/blog.",
}
USER_LABEL = {"en": "User of the blog", "es": "Usuario del blog"}
USER_HELP = {
    "en": "Answers appear under this user's name. It has to be an editor or an administrator.",
    "es": "Las respuestas saldrán con su nombre. Tiene que ser editor o administrador.",
}
PASSWORD_LABEL = {"en": "Application password", "es": "Contraseña de aplicación"}
PASSWORD_HELP = {
    "en": "Not the one you sign in with: the blog makes it in your profile, under “Application Passwords”.",
    "es": "No es la de entrar al blog: la crea el propio blog en tu perfil, en «Contraseñas de aplicación».",
}

HOLD = {
    "en": "It disappears from the page and waits for approval again.",
    "es": "Desaparece de la página y vuelve a quedar pendiente de aprobación.",
}
SPAM = {
    "en": "It disappears from the page, and the blog's spam filter may learn from it.",
    "es": "Desaparece de la página, y el filtro antispam del blog puede aprender de ello.",
}
REMOVE = {
    "en": "It goes to the blog's trash, which is emptied after 30 days.",
    "es": "Va a la papelera del blog, que se vacía a los 30 días.",
}
DELETE = {"en": "It is deleted for good.", "es": "Se borra para siempre."}
REPLY = {
    "en": "A comment that waits for approval has to be approved first.",
    "es": "Si el comentario está pendiente, antes hay que aprobarlo.",
}

STATUSES = {
    "approved": {"en": "approved", "es": "aprobado"},
    "hold": {"en": "waiting for approval", "es": "pendiente de aprobación"},
    "spam": {"en": "in the blog's spam", "es": "en el spam del blog"},
}

NO_LIKES = {"en": "WordPress has no likes for comments.", "es": "En WordPress los comentarios no tienen «me gusta»."}
HIDE_IS_HOLD = {
    "en": "In WordPress a comment is hidden by holding it back.",
    "es": "En WordPress un comentario se oculta dejándolo pendiente.",
}
NO_BLOCKING = {
    "en": "WordPress lets nobody block a commenter from outside: add their address to the disallowed words, under "
    "Settings → Discussion.",
    "es": "WordPress no deja bloquear a nadie desde fuera: añade su dirección a las palabras no permitidas, en "
    "Ajustes → Comentarios.",
}
NOBODY_TO_TELL = {
    "en": "The blog is yours: there is nobody to report it to.",
    "es": "El blog es vuestro: no hay a quién denunciarlo.",
}

NOT_SAFE = "The blog's address has to begin with https://, or its password could be read on the way."
MOVED = "The blog's address leads on to another one. Enter the one that the browser shows in the end."
WRONG_PAIR = "The blog doesn't accept the user and the application password. Make a new one in the user's profile."
NOT_A_MODERATOR = "This user may not moderate the blog's comments. It has to be an editor or an administrator."
SHUT_OUT = "The blog shuts us out. A plugin that protects it may have to be told to let us in."
NO_WORDPRESS = "There is no WordPress at this address, or its REST API is switched off."
NO_DATA = "The blog answered with a page instead of data."
NOT_READABLE = "The blog's answer can't be read."
TOO_MANY = "The blog asks to be left alone for a while."
TROUBLE = "The blog has trouble of its own."
GAVE_UP = "Something before the blog gave up waiting for its answer."
REFUSED = "The blog refused it."
IS_HELD = "The comment is waiting for approval. Approve it first, then answer."
IS_HIDDEN = "The comment is in the blog's spam or trash. Bring it back first, then answer."
GONE = "The comment is no longer there."
SAID_ALREADY = "The very same answer stands there already."
NOT_DONE = "The blog took the request but didn't do it."
TOO_LONG = "The answer is longer than the blog takes."
FINE = "The blog answers and this user may moderate its comments."

SENTENCES = {
    NOT_SAFE: "La dirección del blog tiene que empezar por https://; si no, su contraseña podría leerse por el camino.",
    MOVED: "La dirección del blog lleva a otra. Escribe la que enseña el navegador al final.",
    WRONG_PAIR: "El blog no acepta el usuario y la contraseña de aplicación. Crea otra en el perfil del usuario.",
    NOT_A_MODERATOR: "Este usuario no puede moderar los comentarios del blog. Tiene que ser editor o administrador.",
    SHUT_OUT: "El blog no nos deja entrar. Puede que un complemento que lo protege tenga que permitirlo.",
    NO_WORDPRESS: "En esta dirección no hay ningún WordPress, o su API REST está apagada.",
    NO_DATA: "El blog ha contestado con una página en lugar de datos.",
    NOT_READABLE: "La respuesta del blog no se puede leer.",
    TOO_MANY: "El blog pide que se le deje en paz un rato.",
    TROUBLE: "El blog tiene problemas.",
    GAVE_UP: "Algo que está delante del blog se ha cansado de esperar su respuesta.",
    REFUSED: "El blog se ha negado.",
    IS_HELD: "El comentario está pendiente. Apruébalo primero y contesta después.",
    IS_HIDDEN: "El comentario está en el spam o en la papelera del blog. Recupéralo primero y contesta después.",
    GONE: "El comentario ya no está allí.",
    SAID_ALREADY: "Esa misma respuesta ya está allí.",
    NOT_DONE: "El blog ha aceptado la petición, pero no la ha cumplido.",
    TOO_LONG: "La respuesta pasa de lo que admite el blog.",
    FINE: "El blog contesta y este usuario puede moderar sus comentarios.",
}
