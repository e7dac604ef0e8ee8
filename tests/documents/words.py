"""Invented shops, goods and places. Nobody in here exists."""

from __future__ import annotations

SHOPS = (
    "Comercial Puelche SpA", "Ferretería El Coigüe Ltda.", "Distribuidora Ñirre S.A.", "Calzados Pehuén SpA",
    "Tecnología Quillay Ltda.", "Deportes Cóndor Azul SpA", "Librería Camanchaca", "Mueblería Arrayán Hnos. Ltda.",
    "Importadora Mañío S.A.", "Boutique Añañuca SpA", "Electrónica Lapageria Ltda.", "Casa Huemul y Cía. Ltda.",
)  # fmt: skip
TRADES = (
    "VENTA AL POR MENOR DE CALZADO", "Comercialización de artículos electrónicos", "VENTA DE ARTÍCULOS DE HOGAR",
    "Venta de vestuario y accesorios", "FERRETERÍA Y MATERIALES", "Venta de artículos deportivos",
)  # fmt: skip
STREETS = (
    "Av. Los Copihues 1820", "Calle Tepú 455", "Pasaje El Boldo 77", "Av. Araucaria N° 2310", "Camino Real 905",
    "Los Maitenes 1450, Local 12",
)  # fmt: skip
TOWNS = ("Valdivia", "La Serena", "Ñuñoa", "Chillán", "Los Ángeles", "Iquique", "Puerto Varas", "Curicó")
BUYERS = (
    "Servicios Ulmo Ltda.", "Taller Lenga SpA", "Colegio Los Notros", "Transportes Avellano Ltda.", "Cliente Boleta",
    "Constructora Ciprés S.A.",
)  # fmt: skip
GOODS: tuple[tuple[str, int, tuple[str, ...]], ...] = (
    ("Zapatilla Trail Hombre Gris", 54990, ("39", "40", "41", "42", "43")),
    ("Botín Chelsea Cuero Negro", 69990, ("36", "37", "38", "39")),
    ("Polera Manga Larga Niño", 12990, ("S", "M", "L")),
    ("Parka Impermeable Señora", 79990, ("S", "M", "L", "XL")),
    ("Pantalón Cargo Caqui", 29990, ("38", "42", "46")),
    ("Chaqueta Polar Ñandú", 39990, ("M", "L")),
    ("Hervidor Eléctrico 1.7 L", 18990, ()),
    ("Audífonos Bluetooth Onda", 24990, ()),
    ("Lámpara de Velador Madera", 21990, ()),
    ("Silla Plegable Camping", 17990, ()),
    ("Taladro Inalámbrico 20V", 64990, ()),
    ("Mochila Urbana 30 Litros", 34990, ()),
    ("Cafetera Italiana 6 Tazas", 15990, ()),
    ("Juego de Sábanas 2 Plazas", 27990, ()),
    ("Cargador USB-C 65W", 19990, ()),
    ("Olla a Presión 6 Litros", 44990, ()),
    ("Teclado Mecánico Compacto", 49990, ()),
    ("Sartén Antiadherente 28 cm", 16990, ()),
)
PAYMENTS = ("Efectivo", "Débito", "Crédito", "Transferencia", "Webpay")
FAREWELLS = ("¡Gracias por su compra!", "Gracias por preferirnos", "Cambios dentro de 30 días con boleta")
MONTHS = ("ENE", "FEB", "MAR", "ABR", "MAY", "JUN", "JUL", "AGO", "SEP", "OCT", "NOV", "DIC")
LONG_MONTHS = (
    "enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
    "diciembre",
)  # fmt: skip
ENGLISH_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
WEEKDAYS = ("Lunes", "Martes", "Miércoles", "Jueves", "Viernes", "Sábado", "Domingo")
PROFESSIONALS = ("Rayén Inventada Curín", "Ema Ficticia Soto", "Pedro Supuesto Lara")
SERVICES = (
    "Asesoría en diseño gráfico",
    "Clases de inglés, mes de marzo",
    "Mantención de sitio web",
    "Fotografía de productos",
)


def thousands(pesos: int) -> str:
    """12.990, as in Chile."""
    return f"{pesos:,}".replace(",", ".")


def rut_of(number: int) -> str:
    """A RUT with its check digit: ``76123456-0``."""
    total = sum(int(digit) * (2 + at % 6) for at, digit in enumerate(reversed(str(number))))
    return f"{number}-{'0123456789K'[(11 - total % 11) % 11]}"


def dotted(rut: str) -> str:
    """76.123.456-0."""
    number, digit = rut.split("-")
    return f"{thousands(int(number))}-{digit}"
