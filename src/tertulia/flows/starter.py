"""What a brand begins with, in its own language and form of address: promises, labels, saved replies, hours."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from tertulia.brand.models import Brand, OpeningHours
from tertulia.channels import actions as channels
from tertulia.channels.models import Account
from tertulia.inbox.models import Label, Promise, SavedReply

WORKING_DAY = 9 * 60
OPENS, CLOSES = time(9), time(18)

NAMES = {
    "es": {"site": "Página web", "phone": "Teléfono y tienda"},
    "en": {"site": "Website", "phone": "Phone and shop"},
}

LABELS: dict[str, Sequence[tuple[str, int, list[str]]]] = {
    "es": [
        ("Pedidos", 210, ["pedido", "encargo", "envío", "entrega"]),
        ("Devoluciones", 30, ["devolución", "devolver", "reembolso", "cambio"]),
        ("Horarios", 150, ["horario", "abrís", "abren", "abierto", "cerráis", "cierran", "festivo"]),
        ("Quejas", 0, ["queja", "reclamación", "hoja de reclamaciones", "inadmisible", "decepcionado"]),
        ("Facturas", 270, ["factura", "ticket", "NIF", "IVA"]),
    ],
    "en": [
        ("Orders", 210, ["order", "delivery", "shipping"]),
        ("Returns", 30, ["return", "refund", "exchange"]),
        ("Opening hours", 150, ["opening hours", "open", "closed", "holiday"]),
        ("Complaints", 0, ["complaint", "unacceptable", "disappointed"]),
        ("Invoices", 270, ["invoice", "receipt", "VAT"]),
    ],
}

REPLIES: dict[str, Sequence[tuple[str, str]]] = {
    "tu": [
        ("Gracias, lo miramos", "Gracias por escribirnos. Lo miramos y te decimos algo enseguida."),
        ("Número de pedido", "¿Me dices el número de pedido? Lo tienes en el correo de confirmación."),
        ("Resuelto", "Ya está resuelto. Si te hace falta algo más, aquí estamos."),
    ],
    "usted": [
        ("Gracias, lo miramos", "Gracias por escribirnos. Lo miramos y le decimos algo enseguida."),
        ("Número de pedido", "¿Me dice el número de pedido? Lo tiene en el correo de confirmación."),
        ("Resuelto", "Ya está resuelto. Si le hace falta algo más, aquí estamos."),
    ],
    "en": [
        ("Thanks, looking into it", "Thank you for writing. We are looking into it and will be back shortly."),
        ("Order number", "Could you tell me the order number? It is in the confirmation e-mail."),
        ("Settled", "This is settled now. If there is anything else, just write."),
    ],
}
AROUND = {
    "es": "Hola, {{nombre}}:\n\n{text}\n\n{{agente}}, de {{marca}}",
    "en": "Hello {{name}},\n\n{text}\n\n{{agent}}, {{brand}}",
}


def furnish(*, brand: Brand, at: datetime, by: int | None = None) -> list[Account]:
    """Give a new brand what it can work with at once. Returns its channels: the website and the phone."""
    OpeningHours.objects.bulk_create(
        OpeningHours(brand=brand, weekday=day, opens=OPENS, closes=CLOSES) for day in range(5)
    )
    site, phone = (
        channels.connect(brand=brand, kind=kind, name=NAMES[brand.language][kind], at=at, by=by)
        for kind in ("site", "phone")
    )
    Promise.objects.bulk_create(
        [
            Promise(brand=brand, first_response_minutes=4 * 60, resolution_minutes=2 * WORKING_DAY),
            Promise(brand=brand, account=site, first_response_minutes=30, resolution_minutes=WORKING_DAY),
        ]
    )
    Label.objects.bulk_create(
        Label(brand=brand, name=name, hue=hue, words=words) for name, hue, words in LABELS[brand.language]
    )
    voice = brand.treatment if brand.language == Brand.Language.SPANISH else brand.language
    SavedReply.objects.bulk_create(
        SavedReply(brand=brand, title=title, text=AROUND[brand.language].format(text=text), language=brand.language)
        for title, text in REPLIES[voice]
    )
    return [site, phone]
