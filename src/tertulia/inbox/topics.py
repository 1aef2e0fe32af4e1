"""What a message is about, next to what people say they know: free words in Spanish or English on either side."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from typing import Final

from django.db.models import OuterRef, Subquery
from django.utils import translation

from tertulia.channels.models import Message
from tertulia.understanding import words
from tertulia.understanding.learning import TOPIC
from tertulia.understanding.models import MessageReading

from .labelling import fold
from .models import Conversation

NEWEST = 3
"""Messages of the person that say what a conversation is about: who asks for a parcel may greet in between."""

_SYNONYMS: Final[dict[str, str]] = {
    "accessibility": "accesible, silla de ruedas, discapacidad, accessible, wheelchair, disability",
    "account": "cuentas, usuario, contraseña, acceso, registro, accounts, login, password, sign in, user",
    "booking": "reserva, cita, citas, mesas, booking, reservation, reservations, appointments",
    "brand": "empresa, marcas, historia, company, about us",
    "cancellation": "cancelar, cancelaciones, baja, bajas, anulación, anulaciones, cancel, cancellations",
    "cleanliness": "limpio, suciedad, higiene, clean, cleaning, hygiene",
    "delivery": "entregas, envío, envíos, reparto, repartos, transporte, mensajería, paquetes, logística, deliveries, "
    "shipping, shipments, parcels, courier, logistics",
    "environment": "ecología, sostenibilidad, reciclaje, ecology, sustainability, recycling",
    "event": "evento, actos, talleres, conciertos, event, workshops",
    "health": "alergias, alérgenos, alergenos, nutrición, seguridad alimentaria, allergies, allergens, safety",
    "hours": "horarios, horas, apertura, festivos, opening times, hours, timetable",
    "invoice": "factura, facturación, contabilidad, invoice, invoicing, billing",
    "job": "trabajo, curriculum, selección, recursos humanos, personal nuevo, job, careers, hiring, recruitment",
    "location": "ubicación, dirección, direcciones, cómo llegar, aparcamiento, tiendas, location, address, parking",
    "noise": "ruidos, música alta, vecinos, noises",
    "offers": "oferta, promociones, descuentos, cupones, sorteos, promotions, discounts, coupons, deals",
    "order": "pedido, encargos, encargo, compras, order, purchases",
    "partnership": "colaboración, alianzas, patrocinio, prensa, influencers, partnerships, sponsorship, press",
    "payment": "pagos, cobros, cobro, tarjeta, bizum, payments, charges, card",
    "price": "precio, tarifas, presupuesto, presupuestos, coste, price, rates, quotes, cost",
    "privacy": "datos personales, protección de datos, rgpd, personal data, gdpr, data protection",
    "product": "producto, catálogo, carta, artículos, product, catalogue, menu",
    "quality": "calidades, defectos, control de calidad, defects",
    "refund": "reembolso, reembolsos, devolución, devolver, refund, returns, money back",
    "staff": "atención, trato, empleados, camareros, servicio, service, employees, waiters",
    "stock": "existencias, disponibilidad, almacén, availability, warehouse, in stock",
    "technical": "técnica, técnico, soporte, soporte técnico, averías, fallos, errores, support, tech support, "
    "technical support, bugs, faults",
    "waiting": "esperas, colas, retrasos, demoras, queues, delays, waiting times",
    "warranty": "garantías, reparaciones, servicio técnico, guarantee, repairs",
    "website": "página web, web, tienda online, tienda en línea, app, aplicación, site, online shop, web shop",
}
"""What people also call a topic, beside its name in both languages."""


@cache
def spellings(topic: str) -> frozenset[str]:
    """All that a topic goes by, folded; one that isn't ours goes by its own name."""
    named = [topic]
    for language in ("es", "en"):
        with translation.override(language):
            named.append(words.topics().get(topic, topic))
    return frozenset(map(fold, [*named, *_SYNONYMS.get(topic, "").split(", ")])) - {""}


def name(topic: str) -> str:
    """In the reader's language."""
    return words.topics().get(topic, topic)


def of_each(conversations: Collection[Conversation]) -> dict[int, Mapping[str, float]]:
    """What each conversation is about by what was read of its newest messages, and how sure that is: 1 when somebody
    said so. One statement for all of them and one for their readings."""
    inbound = Message.objects.filter(
        account_id=OuterRef("account_id"), thread_id=OuterRef("thread_id"), direction=Message.Direction.IN,
        deleted_at__isnull=True, is_automatic=False, reading__isnull=False,
    ).order_by("-sent_at", "-id").values("pk")  # fmt: skip
    newest = {f"newest{n}": Subquery(inbound[n : n + 1]) for n in range(NEWEST)}
    found = Conversation.objects.filter(pk__in=[each.pk for each in conversations]).annotate(**newest)
    messages = {pk: [id for id in ids if id] for pk, *ids in found.values_list("pk", *newest)}
    readings = MessageReading.objects.only("topics", "confidence", "corrected", "brained").in_bulk(
        [id for ids in messages.values() for id in ids]
    )
    return {pk: _about([readings[id] for id in ids if id in readings]) for pk, ids in messages.items()}


def _about(readings: Collection[MessageReading]) -> dict[str, float]:
    sure: dict[str, float] = {}
    for reading in readings:
        for topic in reading.topics:
            sure[topic] = max(sure.get(topic, 0), reading.sure_of(TOPIC + topic))
    return sure
