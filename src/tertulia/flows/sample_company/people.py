"""Who works at Horno Candela and what the company calls its things, in each language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time

from tertulia.team.permissions import Role


@dataclass(frozen=True, slots=True)
class Notion:
    """An idea of theirs: whose, how many days old, wanted in how many, where it stands (`post`: a draft was begun)."""

    title: str
    brief: str
    owner: str
    format: str
    pillar: str
    age: int
    due: int | None = None
    to: str = "new"
    because: str = ""
    of: str = ""
    """The person whose first message it came from."""


@dataclass(frozen=True, slots=True)
class Praise:
    """What somebody says of them, how many days ago, with stars where it is a public review; `of` as in `Notion`, who
    then was asked, and has said yes or nothing."""

    text: str
    who: str = ""
    age: int = 0
    stars: int = 0
    of: str = ""
    has_agreed: bool = True


@dataclass(frozen=True, slots=True)
class Words:
    """What the company calls its things, in one language."""

    accounts: dict[str, str]
    labels: Sequence[tuple[str, str, int, str]]
    """Which, name, hue, words with commas between."""
    replies: Sequence[tuple[str, str]]
    """Title and text, `{tú|usted}` where they differ."""
    complaints: str
    away: str
    welcome: str
    holidays: tuple[str, str]
    own: Sequence[tuple[str, str, list[str]]]
    """The brand's own words: kind, name, other spellings."""
    pillars: Sequence[tuple[str, str, int]]
    """Name, what belongs to it, hue."""
    ideas: Sequence[Notion]
    praise: Sequence[Praise]
    agreed: tuple[str, str, str]
    """In which words: who was asked, a public review, a figure of their own."""

    def label(self, key: str) -> str:
        return next(name for which, name, _hue, _words in self.labels if which == key)


SHOP_WEEK = [*((day, time(8), time(20, 30)) for day in range(5)), (5, time(8, 30), time(14, 30))]
MORNING, AFTERNOON, OFFICE = (time(8), time(14, 30)), (time(14), time(20, 30)), (time(8, 30), time(17))
SATURDAY = (time(8, 30), time(14, 30))


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody of Horno Candela: topics by the keys of `Words.labels`, languages and channels by their codes."""

    name: str
    role: Role
    hours: tuple[time, time]
    has_saturdays: bool
    capacity: int
    topics: dict[str, int]
    languages: dict[str, int]
    channels: dict[str, int]
    is_fallback: bool = False


COLLEAGUES = [
    Colleague(
        "Lucía Ferrer", Role.MANAGER, OFFICE, False, 30,
        {"complaints": 3, "businesses": 3, "people": 2}, {"fr": 2, "en": 1}, {"site": 1}, is_fallback=True,
    ),
    Colleague(
        "Mateo Rubio", Role.EXPERT, MORNING, True, 15,
        {"allergens": 3, "bread": 3, "suggestions": 1}, {}, {"site": 1},
    ),
    Colleague(
        "Nerea Soto", Role.APPROVER, AFTERNOON, True, 25,
        {"deliveries": 3, "hours": 2, "orders": 2}, {"ca": 3}, {"phone": 3},
    ),
    Colleague(
        "Iker Aldana", Role.EXPERT, OFFICE, True, 20,
        {"cakes": 3, "orders": 3, "suggestions": 2}, {"en": 3, "eu": 3}, {"site": 2},
    ),
    Colleague("Candela Ruiz", Role.DIRECTOR, OFFICE, False, 5, {}, {}, {}),
]  # fmt: skip

WORDS = {
    "es": Words(
        accounts={"site": "Nuestra página", "phone": "Teléfono y tienda"},
        labels=[
            (
                "orders", "Pedidos", 210,
                "pedido, pedidos, encargo, encargos, encargar, encargué, encarga, reservar, guardáis, roscón, roscones",
            ),
            (
                "deliveries", "Entregas", 190,
                "entrega, reparto, repartidor, a domicilio, llevar el pan, le subieron, portal, lleváis, enviarnos",
            ),
            (
                "allergens", "Alérgenos", 60,
                "alérgenos, alergia, alérgico, alérgica, celíaco, celíaca, celíacos, gluten, lactosa, intolerante, "
                "vegano, vegana, vegetariana, trazas, frutos secos",
            ),
            ("cakes", "Tartas", 330, "tarta, tartas, bizcocho, boda, cumpleaños, merienda"),
            (
                "businesses", "Empresas", 270,
                "hostelería, taberna, restaurante, hotel, proveedor, factura, contrato, tarifa",
            ),
            ("hours", "Horarios", 150, "horario, abrís, abren, cerráis, cierran, es fiesta, puente, qué hora"),
            (
                "complaints", "Quejas", 20,
                "queja, se queja, se quejan, reclamación, cruda, quemada, reseco, plástico, disgustada, "
                "he quedado fatal, dónde está",
            ),
            ("praise", "Elogios", 120, "enhorabuena, felicitarles, felicitaros, delicioso, los mejores, espectacular"),
            ("suggestions", "Sugerencias", 90, "sugerencia, una idea, estaría bien, estaría muy bien"),
            ("bread", "Pan", 45, "hogaza, barra, centeno, masa madre, pan de molde, sin sal"),
            ("people", "Trabajo y visitas", 240, "aprendiz, experiencia, cursos, fotos, colegio, obrador"),
        ],
        replies=[
            (
                "Horario",
                "¡Hola, {nombre}! Abrimos de lunes a viernes de 8:00 a 20:30 y los sábados de 8:30 a 14:30. "
                "Los domingos y festivos el horno descansa.\n\n{agente}, de {marca}",
            ),
            (
                "Celíacos",
                "Hola, {nombre}: en nuestro obrador hay harina de trigo por todas partes y nada de lo que hacemos es "
                "seguro para celíacos. Preferimos decirlo claro. Si {quieres, te|quiere, le} recomendamos un obrador "
                "certificado cerca de aquí.\n\n{agente}",
            ),
            (
                "Encargo apuntado",
                "Apuntado, {nombre}. Lo {tendrás|tendrá} en la balda de encargos a {tu|su} nombre, hasta la hora de "
                "cerrar. ¡Gracias!\n\n{agente}",
            ),
            (
                "Disculpa y otra pieza",
                "{nombre}, lo siento: eso no tenía que haber salido del horno. {Tienes|Tiene} otra pieza a {tu|su} "
                "nombre en el mostrador y {te|le} devolvemos lo que {pagaste|pagó}. ¿{Recuerdas|Recuerda} a qué hora "
                "la {compraste|compró}? Así sabemos de qué hornada era.\n\n{agente}",
            ),
            (
                "Roscones",
                "¡Hola, {nombre}! Los encargos de roscón se abren el 1 de diciembre. {Te|Le} apuntamos y ese día "
                "{te|le} escribimos para confirmar.\n\n{agente}, de {marca}",
            ),
            (
                "Tarifa de hostelería",
                "Hola, {nombre}: repartimos de lunes a sábado antes de las once, con factura mensual a 30 días. "
                "{Dinos|Díganos} cuántas piezas {necesitas|necesita} y {te|le} acercamos una cesta de "
                "prueba.\n\n{agente}",
            ),
        ],
        complaints="Quejas abiertas",
        away="Vacaciones",
        welcome="@{name}, ¡qué bien que estés! ¿Contestas tú a Cristina? Candela dice que sí al pan solidario.",
        holidays=("San Isidro", "La Almudena"),
        own=[
            ("product", "Roscón de Reyes", ["roscón", "roscones"]),
            ("product", "Hogaza", ["hogazas"]),
            ("product", "Barra", ["barras"]),
            ("product", "Pan de centeno", ["centeno"]),
            ("product", "Ensaimada", ["ensaimadas"]),
            ("person", "Nerea", []),
            ("person", "Mateo", []),
        ],
        pillars=[
            ("El oficio", "Cómo hacemos el pan, con qué y por qué tarda lo que tarda.", 30),
            ("El barrio", "Vecinos, comercios y fiestas de alrededor.", 150),
            ("Recetas y trucos", "Qué hacer en casa con lo que sale de nuestro horno.", 90),
            ("Detrás del mostrador", "Quiénes somos y cómo es un día aquí.", 270),
        ],
        ideas=[
            Notion(
                "Por qué la masa madre tarda 24 horas",
                "La misma masa a las 0, 8, 16 y 24 horas, sin explicar la química. Que se vea crecer y que Mateo diga "
                "en una frase qué se gana con esperar.",
                "Mateo", "video", "El oficio", 6,
            ),
            Notion(
                "Pan sin sal: qué días lo hay",
                "Lo preguntan por el médico, no por moda. Decir los días, hasta cuándo se reserva y que lleva la misma "
                "masa madre.",
                "Nerea", "picture", "El oficio", 4, of="marta-gil",
            ),
            Notion(
                "Tres cosas que hacer con el pan de ayer",
                "Migas, torrijas y pan rallado del bueno. Fotos de la cocina de casa, no de estudio.",
                "", "pictures", "Recetas y trucos", 2,
            ),
            Notion(
                "Los roscones se encargan desde el 1 de diciembre",
                "Tamaños, precios y cómo se reserva. Decir claro que no guardamos sin encargo.",
                "Iker", "picture", "Detrás del mostrador", 9, due=6, to="chosen",
            ),
            Notion(
                "Las cinco de la mañana en el obrador",
                "Una foto por hora hasta abrir, con el nombre de quien sale en cada una.",
                "Lucía", "story", "Detrás del mostrador", 12, due=10, to="post",
            ),
            Notion(
                "Sortear una cesta por Navidad",
                "Seguir la cuenta y etiquetar a dos amigos.",
                "Lucía", "picture", "El barrio", 15, to="aside",
                because="El año pasado trajo a gente que solo quería la cesta y en enero ya no estaba.",
            ),
        ],
        praise=[
            Praise(
                "Llevo años buscando uno que no sepa a cartón y este me ha recordado al que hacía mi abuela en "
                "Sanabria.",
                "Pilar", of="pilar-santamaria",
            ),
            Praise("Pan sin sal que sabe a pan, por fin.", "Marta", of="marta-gil", has_agreed=False),
            Praise("De cada diez personas que nos escriben, nueve tienen respuesta ese mismo día.", age=12),
            Praise("La hogaza de centeno dura cuatro días tierna. No compro otra.", "Elena R.", 3, 5),
            Praise("Buen pan y buen trato. Los sábados hay cola.", "J. Mora", 6, 4),
            Praise("Encargué una tarta para veinte y no quedó ni una miga.", "Sonia P.", 9, 5),
            Praise("Los bollos, bien; el pan de molde me salió algo seco.", "Tomás", 14, 3),
            Praise("Me guardaron la última barra. Así se hace barrio.", "Amparo", 19, 5),
            Praise("Precios un poco altos, pero se nota la masa madre.", "Luis C.", 25, 4),
            Praise("El roscón, de diez.", "Carmen V.", 33, 5),
            Praise("Me cobraron de más y me lo devolvieron al momento.", "Rafa", 38, 4),
            Praise("Sin sitio para el carrito del niño.", "Nuria", 41, 2),
            Praise("La mejor napolitana de Madrid.", "Iván", 46, 5),
            Praise("Atienden con una sonrisa hasta a última hora.", "Begoña", 50, 5),
            Praise("Correcto. Esperaba más variedad sin gluten.", "A. Ruiz", 55, 3),
        ],
        agreed=(
            "«Claro que sí, con mi nombre de pila», nos contestó por la página.",
            "Reseña pública: cualquiera la lee en su enlace, y se cita con él.",
            "Cifra nuestra, contada en la bandeja.",
        ),
    ),
    "en": Words(
        accounts={"site": "Our website", "phone": "Phone and shop"},
        labels=[
            (
                "orders", "Orders", 210,
                "order, orders, ordered, keep one, rings, ring, fetch",
            ),
            (
                "deliveries", "Deliveries", 190,
                "deliver, delivered, delivery, the round, driver, bring her bread, brought up, ship, send us",
            ),
            (
                "allergens", "Allergens", 60,
                "allergens, allergen, allergy, allergic, coeliac, coeliacs, gluten, gluten free, lactose, intolerant, "
                "vegan, vegetarian, traces",
            ),
            ("cakes", "Cakes", 330, "cake, cakes, cheesecake, wedding, birthday, afternoon tea"),
            (
                "businesses", "Businesses", 270,
                "restaurant, restaurants, tavern, hotel, invoice, contract, prices",
            ),
            ("hours", "Opening hours", 150, "opening hours, you open, what time, you close, a holiday, long weekend"),
            (
                "complaints", "Complaints", 20,
                "complaint, complains, complain, raw, burnt, dry, plastic, upset, looked a fool, where is it",
            ),
            ("praise", "Praise", 120, "well done, congratulate, delicious, you are the best, spectacular, wonderful"),
            ("suggestions", "Suggestions", 90, "suggestion, an idea, it would be lovely"),
            ("bread", "Bread", 45, "loaf, loaves, baguette, baguettes, rye, sourdough, without salt, bread"),
            ("people", "Jobs and visits", 240, "apprentice, experience, courses, pictures, school, bakehouse"),
        ],
        replies=[
            (
                "Opening hours",
                "Hello {name}! We open Monday to Friday from 8:00 to 20:30 and on Saturday from 8:30 to 14:30. "
                "On Sundays and holidays the oven rests.\n\n{agent}, {brand}",
            ),
            (
                "Coeliacs",
                "Hello {name}, there is wheat flour all over our bakehouse and nothing we make is safe for coeliacs. "
                "We would rather say so plainly. If you like, we can recommend a certified bakery nearby.\n\n{agent}",
            ),
            (
                "Order taken",
                "It's yours, {name}. You find it on the order shelf in your name until we close. Thank you!\n\n{agent}",
            ),
            (
                "Sorry, and another one",
                "{name}, I'm sorry: that should never have left the oven. There is another one in your name at the "
                "counter and you get your money back. Do you remember what time you bought it? It tells us which "
                "bake it was.\n\n{agent}",
            ),
            (
                "Kings' rings",
                "Hello {name}! Orders for the Kings' ring open on 1 December. We put you on the list and write to you "
                "that day to confirm.\n\n{agent}, {brand}",
            ),
            (
                "Terms for restaurants",
                "Hello {name}, we deliver Monday to Saturday before eleven, with a monthly invoice at 30 days. Tell us "
                "how many pieces you need and we bring you a basket to try.\n\n{agent}",
            ),
        ],
        complaints="Open complaints",
        away="Holidays",
        welcome="@{name}, hello and welcome! Will you answer Cristina? Candela says yes to the bread for charity.",
        holidays=("San Isidro", "La Almudena"),
        own=[
            ("product", "Kings' ring", ["Kings' rings"]),
            ("product", "Country loaf", ["loaf", "loaves", "country loaves"]),
            ("product", "Baguette", ["baguettes"]),
            ("product", "Rye bread", ["rye"]),
            ("product", "Ensaimada", ["ensaimadas"]),
            ("person", "Nerea", []),
            ("person", "Mateo", []),
        ],
        pillars=[
            ("The craft", "How we make bread, with what, and why it takes its time.", 30),
            ("The neighbourhood", "Neighbours, shops and feasts around us.", 150),
            ("Recipes and tricks", "What to do at home with what leaves our oven.", 90),
            ("Behind the counter", "Who we are, and what a day here is like.", 270),
        ],
        ideas=[
            Notion(
                "Why sourdough takes 24 hours",
                "The same dough after 0, 8, 16 and 24 hours, without the chemistry. Let people see it grow, and let "
                "Mateo say in one sentence what waiting is good for.",
                "Mateo", "video", "The craft", 6,
            ),
            Notion(
                "Bread without salt: on which days",
                "People ask because of their doctor, not of a fashion. Say the days, until when to reserve, and that "
                "it is the same sourdough.",
                "Nerea", "picture", "The craft", 4, of="marta-gil",
            ),
            Notion(
                "Three things to do with yesterday's bread",
                "Fried crumbs, French toast, and breadcrumbs worth the name. Photos from a kitchen at home.",
                "", "pictures", "Recipes and tricks", 2,
            ),
            Notion(
                "Roscones can be ordered from 1 December",
                "Sizes, prices and how to order. Say plainly that none is kept without an order.",
                "Iker", "picture", "Behind the counter", 9, due=6, to="chosen",
            ),
            Notion(
                "Five in the morning in the bakehouse",
                "A photo an hour until we open, with the name of whoever is in it.",
                "Lucía", "story", "Behind the counter", 12, due=10, to="post",
            ),
            Notion(
                "A prize draw for a Christmas basket",
                "Follow us and tag two friends.",
                "Lucía", "picture", "The neighbourhood", 15, to="aside",
                because="Last year it brought people who only wanted the basket and were gone in January.",
            ),
        ],
        praise=[
            Praise(
                "I have spent years looking for one that does not taste of cardboard, and this one took me back to my "
                "grandmother's in Sanabria.",
                "Pilar", of="pilar-santamaria",
            ),
            Praise("Bread without salt that tastes of bread.", "Marta", of="marta-gil", has_agreed=False),
            Praise("Of every ten people who write to us, nine have an answer that same day.", age=12),
            Praise("The rye loaf stays soft for four days. I buy no other.", "Elena R.", 3, 5),
            Praise("Good bread, kind people. On Saturdays you queue.", "J. Mora", 6, 4),
            Praise("I ordered a cake for twenty, and not a crumb was left.", "Sonia P.", 9, 5),
            Praise("The buns were fine; my sandwich loaf was a little dry.", "Tomás", 14, 3),
            Praise("They kept the last baguette for me. That is a neighbourhood.", "Amparo", 19, 5),
            Praise("A bit dear, but you can taste the sourdough.", "Luis C.", 25, 4),
            Praise("Their roscón: ten out of ten.", "Carmen V.", 33, 5),
            Praise("They charged me too much and gave it back at once.", "Rafa", 38, 4),
            Praise("No room for the pram.", "Nuria", 41, 2),
            Praise("The best chocolate pastry in Madrid.", "Iván", 46, 5),
            Praise("A smile even at closing time.", "Begoña", 50, 5),
            Praise("Fine. I hoped for more without gluten.", "A. Ruiz", 55, 3),
        ],
        agreed=(
            "“Of course, with my first name”, she answered on the page.",
            "A public review: anybody can read it at its link, and it is quoted with it.",
            "A figure of ours, counted in the inbox.",
        ),
    ),
}  # fmt: skip
