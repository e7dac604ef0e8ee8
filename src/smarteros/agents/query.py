"""The words to search a catalogue with: a message without its courtesies, verbs and figures."""

from __future__ import annotations

import re

from smarteros.agents.entities import Extraction
from smarteros.agents.normalise import words_of
from smarteros.domain.decisions import Entities

_SPANISH_CARRIERS = """
a aca actualmente ademas aganme agrega agregame agregar al algo alguien algun alguna algunas alguno algunos alla alo amigo
amiga anda andaba andan ando aqui arma asi aun aunque averiguar ayuda ayudame ayudar baja barata baratas barato
baratos bastante bien bueno buena buenas buenos buen busca buscaba buscando buscar busco cada calzo caro caros
caballero carro carrito catalogo claro color colores como compra comprar compro con conocer consulta consultar
consultarle cosas cotizacion cotizar cual cuales cualquier cuando cuanta cuantas cuanto cuantos cuesta cuestan dale
dame de decir decirme deje del deme dentro deseo desde descuento descuentos dia dias dice diga disculpa disculpe
disponible disponibles disponibilidad doy e el ella ellas ellos en encargar encontrar entonces entre era eran eres
es esa esas ese eso esos esta estan estaba estaria este esta estas estoy estos existe existen favor formas fotos fuera
gracias gustaria gustan gusto ha haber habra hasta hay hola hoy igual informacion interesa interesado interesada
interesan ir justo la las le les linda lindo listo llega llegan llego llegaron llevar llevaria llevo lo los luego
manana mandame mandar maneja manejan marca marcas mas me mejor menos mi mio mira mire mis misma mismo modelo modelos
mostrar mostrarme mucho muestra muestrame muestran muy nada necesitaba necesito negocio ningun no nos nuevo nueva
numero o ocupo oferta ofertas ofrece ofrecen ok onda opcion opciones otra otras otro otros oye para pares par pero
pesos plata po poco podria podrian podrias por porque precio precios prefiero pregunta presupuesto producto
productos promo promocion promociones pucha puede pueden puedes puedo pues que queda quedan quedara quedaran
quedando queria querria quien quiere quiero quisiera quisieramos rato recomienda recomiendan recomiendas recomendar
regalar regalo saber sabe sabes sale salen se sea sean senor senora senorita ser seria si siempre sigue siguen sin
sobre solo somos son soy stock su sus tal talla tallas tambien tampoco tan te ten tendra tendran tendras tendria
tendrian tener tengan tengo teni tenis tienda tiene tienen tienes tipo toda todas todavia todo todos trabajan trae
traen traeran trajeron tu tus u ultimo un una unas uno unos usted ustedes va vale valen valor valores van varias
varios vende venden vender vendes vendran veo ver vi viene vienen vino voy vuelve y ya yo
""".split()
_ENGLISH_CARRIERS = """
a about add after all also am an and any anything are around as at available be been best big buy by came can carry
cart cash cheap cheaper cheapest check color colors colour colours come cost costs could discount do does doing
dollar else ever find first for from get give go good got great had has have hello help hey hi how i i'd i'll i'm if
im in interested into is it it's its just kind know let like looking look lookin lot love many may me model models more
much my need new nice no not now of offer ok on one ones only option options or order other our out over pesos please
price prices product products purchase really recommend right run runs sale same see sell show shop size sizes small
so some something soon stock store such sure take thank thanks that the their them then there these they thing
things this those thousand to today too two under us very want was we what what's whats when where which with would
yes you your
""".split()
_CARRIERS = frozenset(_SPANISH_CARRIERS + _ENGLISH_CARRIERS)
_FIGURES = frozenset({"size", "price", "quantity", "order_number", "invoice_number", "phone", "email", "rut", "date"})
_WORD = re.compile(r"[a-z0-9][a-z0-9+'-]*")
_MOST_WORDS = 8
NO_WORDS = "productos"


def search_query(extraction: Extraction, entities: Entities) -> str:
    """Write the search: the thing and what describes it in the customer's order, then "talla X".

    ``entities`` may hold what earlier messages named; of those the category and colour are searched too.
    """
    words = _described(extraction)
    named = {mention.kind for mention in extraction.mentions}
    if entities.category and "category" not in named:
        words.insert(0, entities.category)
    for kind, value in (("brand", entities.brand), ("gender", entities.gender), ("color", entities.color)):
        if value and kind not in named:
            words.append(value)
    if entities.size:
        words += ["talla", entities.size]
    return " ".join(words) if words else NO_WORDS


def _described(extraction: Extraction) -> list[str]:
    text = extraction.folded
    for span in extraction.spans:
        if span.kind in _FIGURES:
            text = text[: span.start] + "|" * (span.end - span.start) + text[span.end :]
    words: list[str] = []
    at = 0
    for mention in extraction.mentions:
        words += _content(text[at : mention.start])
        words.append(mention.value if mention.kind != "category" else mention.word)
        at = mention.end
    words += _content(text[at:])
    return list(dict.fromkeys(words))[:_MOST_WORDS]


def _content(text: str) -> list[str]:
    kept: list[str] = []
    for word in _WORD.findall(text):
        meant = words_of(word)
        if not any(part in _CARRIERS for part in meant) and word not in _CARRIERS and len(word) > 1:
            kept.append(word)
    return kept
