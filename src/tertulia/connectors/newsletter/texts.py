"""What people read about a newsletter, in both languages."""

from __future__ import annotations

from tertulia.connectors.contract import Text

MAILBOX: Text = {"en": "Mailbox it is sent from", "es": "Buzón desde el que se envía"}
MAILBOX_HELP: Text = {
    "en": "The address of one of your mail channels. Empty: the only one there is.",
    "es": "La dirección de uno de tus canales de correo. Vacío: el único que haya.",
}
SENDER: Text = {"en": "Name it is sent under", "es": "Nombre con el que se envía"}
SENDER_HELP: Text = {
    "en": "What people read as its sender. Empty: the name of the brand.",
    "es": "Lo que se lee como remitente. Vacío: el nombre de la marca.",
}
FOOTER: Text = {"en": "Who sends it", "es": "Quién lo envía"}
FOOTER_HELP: Text = {
    "en": "Company and postal address: they stand at the foot of every mail.",
    "es": "Empresa y dirección postal: van al pie de cada correo.",
}
PER_HOUR: Text = {"en": "Mails an hour at most", "es": "Correos por hora, como mucho"}
PER_HOUR_HELP: Text = {
    "en": "What your mail provider allows, with something to spare for answers.",
    "es": "Lo que admite tu proveedor de correo, dejando margen para las respuestas.",
}
SIGNING: Text = {"en": "Signing key", "es": "Clave de firma"}
NO_DELETE: Text = {
    "en": "A mail that has arrived can't be taken back.",
    "es": "Un correo que ya ha llegado no se puede retirar.",
}
TOO_HEAVY: Text = {
    "en": "Its pictures weigh more than 5 MB together: mail servers would turn it away.",
    "es": "Entre todas, sus imágenes pesan más de 5 MB: los servidores de correo lo rechazarían.",
}
NO_FOOTER = "Say who sends it, with a postal address: the law asks for it at the foot of every mail."
SENTENCES = {
    NO_FOOTER: "Di quién lo envía, con una dirección postal: la ley la pide al pie de cada correo.",
    TOO_HEAVY["en"]: TOO_HEAVY["es"],
}
