"""What people read, in both languages. Outcomes are raised in English; `SENTENCES` has their Spanish."""

from tertulia.connectors.contract import Act, Text

ADDRESS: Text = {"en": "Mail address", "es": "Dirección de correo"}
ADDRESS_HELP: Text = {
    "en": "The one your customers write to, such as hello@your-company.com.",
    "es": "A la que escriben tus clientes, como hola@tu-empresa.es.",
}
SENDER: Text = {"en": "Name people see", "es": "Nombre que ve la gente"}
SENDER_HELP: Text = {
    "en": "Stands before the address in your answers.",
    "es": "Va delante de la dirección al responder.",
}
ACCESS: Text = {"en": "How to get in", "es": "Cómo se entra"}
ACCESS_HELP: Text = {
    "en": "With Google and Microsoft 365 you allow it on their own page; both need an app of yours, see the guide.",
    "es": "Con Google y Microsoft 365 se da permiso en su propia página; ambas piden una app tuya: mira la guía.",
}
BY_PASSWORD: Text = {"en": "With a password", "es": "Con contraseña"}
BY_GOOGLE: Text = {"en": "Through Google", "es": "A través de Google"}
BY_MICROSOFT: Text = {"en": "Through Microsoft 365", "es": "A través de Microsoft 365"}
PASSWORD: Text = {"en": "Password", "es": "Contraseña"}
PASSWORD_HELP: Text = {
    "en": "Gmail, iCloud and Yahoo want an app password, which you make in your account's security settings there.",
    "es": "Gmail, iCloud y Yahoo piden una contraseña de aplicación: se crea allí, en la seguridad de tu cuenta.",
}
USER: Text = {"en": "User", "es": "Usuario"}
USER_HELP: Text = {"en": "Only where it isn't the address.", "es": "Solo si no es la propia dirección."}
IMAP: Text = {"en": "Server to read (IMAP)", "es": "Servidor de entrada (IMAP)"}
IMAP_HELP: Text = {
    "en": "Such as imap.your-host.com, with its port behind a colon. Empty for Gmail, Microsoft 365, iCloud and Yahoo.",
    "es": "Como imap.tu-proveedor.es, con su puerto tras dos puntos. Vacío en Gmail, Microsoft 365, iCloud y Yahoo.",
}
SMTP: Text = {"en": "Server to send (SMTP)", "es": "Servidor de salida (SMTP)"}
SMTP_HELP: Text = {"en": "Such as smtp.your-host.com:587.", "es": "Como smtp.tu-proveedor.es:587."}
ENCRYPTION: Text = {"en": "Encryption", "es": "Cifrado"}
BY_PORT: Text = {"en": "As the port has it", "es": "El propio del puerto"}
NONE: Text = {"en": "None, on this very machine", "es": "Ninguno, en esta misma máquina"}
FOLDERS: Text = {"en": "Other folders to read", "es": "Otras carpetas que se leen"}
FOLDERS_HELP: Text = {
    "en": "One a line. The inbox and the sent mail are always read.",
    "es": "Una por línea. La bandeja de entrada y lo enviado se leen siempre.",
}
CLIENT_ID: Text = {"en": "Client ID of your app", "es": "ID de cliente de tu app"}
CLIENT_SECRET: Text = {"en": "Client secret of your app", "es": "Secreto de cliente de tu app"}
CLIENT_HELP: Text = {
    "en": "For Google and Microsoft 365 only; the guide says where to get it.",
    "es": "Solo para Google y Microsoft 365; la guía dice de dónde sale.",
}
TENANT: Text = {"en": "Microsoft tenant", "es": "Inquilino de Microsoft"}
TENANT_HELP: Text = {
    "en": "Your organisation's, where its app isn't open to others. Empty is fine otherwise.",
    "es": "El de tu organización, si su app no está abierta a otras. Si no, déjalo vacío.",
}
SIGNING: Text = {"en": "Seal", "es": "Sello"}

RETURNED: Text = {
    "en": "A server wrote it: nobody would read the answer.",
    "es": "Lo escribe un servidor: nadie leería la respuesta.",
}
NOBODY: Text = {
    "en": "The mail doesn't say to whom an answer could go.",
    "es": "El correo no dice a quién se podría contestar.",
}
CANNOT: dict[Act, Text] = {
    "delete": {"en": "What has been sent can't be called back.", "es": "Lo enviado ya no se puede retirar."},
    "block": {
        "en": "Block people in your mailbox's own settings.",
        "es": "Bloquea a la gente en los ajustes de tu propio buzón.",
    },
    "spam": {
        "en": "Mark it in your mail program: that is where the filter learns.",
        "es": "Márcalo en tu programa de correo: es allí donde aprende el filtro.",
    },
}
CUT = (
    "[Este correo ocupa {size} MB y solo se ha leído su principio; entero está en el buzón. / "
    "This mail has {size} MB and only its beginning was read; the whole is in the mailbox.]"
)

NO_ADDRESS = "The mail address is missing or isn't one: write it in the channel's settings."
NO_SERVER = "The mail server is missing or isn't one: write it in the channel's settings."
NO_PASSWORD = "The password is missing: write it in the channel's settings."  # noqa: S105
NO_CONSENT = "Nobody has given access yet: do so on the provider's own page."
NO_CLIENT = "The client ID of your app is missing: write it in the channel's settings."
PASSWORD_WILL_DO = "With a password there is no page to go to. Press “Connect with what is written here”."  # noqa: S105
WRONG_PASSWORD = "The mail server doesn't take this user and password."  # noqa: S105
TOKEN_ENDED = "The mail server no longer takes the access that was given. Give it again."  # noqa: S105
NO_CODE = "The provider gave no access: begin again."
NOT_LET_IN = "The mail server doesn't let us send:"
NO_WAY_IN = "The mail server offers no way to sign in that is known here."
NEVER_IN_THE_CLEAR = "Without encryption the password could be read on its way: choose another port or encryption."
NOT_ENCRYPTED = "The server's certificate isn't valid, or the connection isn't encrypted as it should be."
MAIL_SILENT = "The mail server gave no whole answer."
MAIL_TROUBLE = "The mail server has trouble just now."
MAIL_WAITS = "The mail server asks to wait:"
MAIL_REFUSED = "The mail server refused:"
MAILBOX_REFUSED = "The mailbox refused:"
NO_RECEIPT = "The mail server took the mail but didn't say so."
NOBODY_TO_ANSWER = "There is no address that an answer could go to."
ADDRESS_TOO_NEW = "The mail server doesn't know addresses with such letters."
NO_IDLE = "This mail server doesn't tell of news by itself."
NO_SENT = "No folder for sent mail was found: answers are sent, but no copy is kept in the mailbox."
NO_FOLDER = "There is no folder of this name: {}"
NOT_GIVEN = "The mail server doesn't hand this mail out. It is still in the mailbox."
PROVIDER_TROUBLE = "The provider has trouble just now."

SENTENCES = {
    NO_ADDRESS: "Falta la dirección de correo o no lo es: escríbela en los ajustes del canal.",
    NO_SERVER: "Falta el servidor de correo o no lo es: escríbelo en los ajustes del canal.",
    NO_PASSWORD: "Falta la contraseña: escríbela en los ajustes del canal.",
    NO_CONSENT: "Nadie ha dado permiso todavía: dalo en la página del proveedor.",
    NO_CLIENT: "Falta el ID de cliente de tu app: escríbelo en los ajustes del canal.",
    PASSWORD_WILL_DO: "Con contraseña no hay ninguna página a la que ir. Pulsa «Conectar con lo que has escrito».",
    WRONG_PASSWORD: "El servidor de correo no acepta este usuario y esta contraseña.",
    TOKEN_ENDED: "El servidor de correo ya no acepta el permiso dado. Vuelve a darlo.",
    NO_CODE: "El proveedor no ha dado permiso: empieza otra vez.",
    f"{NOT_LET_IN} {{}}": "El servidor de correo no nos deja enviar: {}",
    NO_WAY_IN: "El servidor de correo no ofrece ninguna forma de entrar que se conozca aquí.",
    NEVER_IN_THE_CLEAR: "Sin cifrado, la contraseña se podría leer por el camino: elige otro puerto u otro cifrado.",
    NOT_ENCRYPTED: "El certificado del servidor no es válido o la conexión no va cifrada como debe.",
    MAIL_SILENT: "El servidor de correo no ha dado una respuesta completa.",
    MAIL_TROUBLE: "El servidor de correo tiene problemas ahora mismo.",
    f"{MAIL_WAITS} {{}}": "El servidor de correo pide esperar: {}",
    f"{MAIL_REFUSED} {{}}": "El servidor de correo se ha negado: {}",
    f"{MAILBOX_REFUSED} {{}}": "El buzón se ha negado: {}",
    NO_RECEIPT: "El servidor de correo recibió el mensaje, pero no lo ha confirmado.",
    NOBODY_TO_ANSWER: "No hay ninguna dirección a la que contestar.",
    ADDRESS_TOO_NEW: "El servidor de correo no conoce direcciones con esas letras.",
    NO_IDLE: "Este servidor de correo no avisa de lo nuevo por su cuenta.",
    NO_SENT: "No se ha encontrado la carpeta de enviados: las respuestas salen, pero el buzón no guarda copia.",
    NO_FOLDER: "No hay ninguna carpeta con este nombre: {}",
    NOT_GIVEN: "El servidor de correo no entrega este mensaje. Sigue en el buzón.",
    PROVIDER_TROUBLE: "El proveedor tiene problemas ahora mismo.",
}
SCOPES: dict[str, Text] = {
    "https://mail.google.com/": {
        "en": "Read and send the mail of this account",
        "es": "Leer y enviar el correo de la cuenta",
    },
    "https://outlook.office.com/IMAP.AccessAsUser.All": {"en": "Read the mailbox", "es": "Leer el buzón"},
    "https://outlook.office.com/SMTP.Send": {"en": "Send mail", "es": "Enviar correo"},
}
