/** What to try in each shop. A shop this page does not know gets questions made from its catalogue. */

import { language } from "./texts.js";

const PRODUCT_QUESTION = {
  es: {
    TENANT_DEMO: "¿Tienen zapatillas talla 42?",
    TENANT_RUT_77123456: "¿Tienen poleras negras talla M?",
    TENANT_RUT_78987654: "Busco audífonos bluetooth por menos de 60 lucas",
  },
  en: {
    TENANT_DEMO: "Do you have running shoes in size 42?",
    TENANT_RUT_77123456: "Do you have black t-shirts in size M?",
    TENANT_RUT_78987654: "I'm looking for wireless headphones under 60,000 pesos",
  },
};

const FOR_EVERY_SHOP = {
  es: ["¿Cuál es el horario?", "¿Cómo puedo pagar?", "¿Hacen envíos a regiones?", "Quiero hablar con una persona"],
  en: ["What are your opening hours?", "How can I pay?", "Do you ship nationwide?", "I want to talk to a person"],
};

const ABOUT_A_PHOTO = { es: "¿Sigue en garantía?", en: "Is it still under warranty?" };

/** The questions for a shop, the most telling first. */
export function questions(shop) {
  const speech = language();
  const product = PRODUCT_QUESTION[speech][shop.tenant_id] ?? aboutCatalogue(shop.catalogue[0], speech);
  return product ? [product, ...FOR_EVERY_SHOP[speech]] : FOR_EVERY_SHOP[speech];
}

/** What a customer writes under the photo of an invoice. */
export function questionAboutPhoto() {
  return ABOUT_A_PHOTO[language()];
}

/** The invoice whose photo a visitor sends: the newest of his own, else the newest; undefined in a shop without any. */
export function invoiceFor(shop, visitor) {
  const known = shop.invoices.filter((invoice) => invoice.in_odoo);
  const own = known.filter((invoice) => invoice.customer_phone === visitor.phone);
  return (own.length ? own : known).toSorted((one, other) => other.date.localeCompare(one.date))[0];
}

function aboutCatalogue(title, speech) {
  if (!title) return null;
  return speech === "en" ? `Do you have ${title}?` : `¿Tienen ${title}?`;
}
