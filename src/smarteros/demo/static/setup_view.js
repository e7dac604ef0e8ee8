/** Choosing the shop, the channel, and who the visitor is. */

import { byId, el, icon } from "./dom.js";
import { day } from "./format.js";
import { t } from "./texts.js";

export const CHANNELS = ["whatsapp", "webwidget", "email"];

const PHONE = /^\+[1-9]\d{7,14}$/;
const MAIL = /^[^@\s]+@[^@\s]+\.[^@\s]+$/;
// What a channel knows of a customer; the first is what it knows him by.
const FIELDS_OF = { whatsapp: ["phone"], webwidget: ["phone", "email"], email: ["email"] };

/**
 * The panel. `onShop(tenantId)`, `onChannel(channel)`, `onCustomer(customer)`, `onNew()` and
 * `onPhoto({invoice, blurred})` are told what the visitor chose.
 */
export class SetupView {
  constructor(handlers) {
    Object.assign(this, handlers);
    this.form = byId("customer");
    this.form.addEventListener("submit", (event) => event.preventDefault());
    this.form.addEventListener("change", () => this.onCustomer(this.customer()));
    byId("new").addEventListener("click", () => this.onNew());
  }

  draw({ shops, shop, channel, customer }) {
    // Drawn anew, the chosen radio button would lose the keyboard's focus.
    const focused = document.activeElement?.id;
    byId("shops").replaceChildren(...shops.map((other) => this.#shop(other, other === shop)));
    const channels = CHANNELS.filter((name) => shop.inbox_identifiers[name]);
    byId("channels").replaceChildren(...channels.map((name) => this.#channel(name, name === channel)));
    for (const name of ["name", "phone", "email"]) this.form.elements[name].value = customer[name] ?? "";
    for (const name of ["phone", "email"]) byId(`field-${name}`).hidden = !FIELDS_OF[channel].includes(name);
    byId("optional-phone").hidden = byId("optional-email").hidden = channel !== "webwidget";
    byId("invoices").replaceChildren(...shop.invoices.map((invoice) => this.#invoice(invoice)));
    byId("invoices-section").hidden = shop.invoices.length === 0;
    this.explain("");
    if (focused) byId(focused)?.focus();
  }

  /** Who the visitor says he is. */
  customer() {
    const { name, phone, email } = this.form.elements;
    return { name: name.value.trim(), phone: phone.value.replace(/[\s()-]/g, ""), email: email.value.trim() };
  }

  /** Show why the customer's data cannot be used; the empty text takes it away. */
  explain(text) {
    const line = byId("customer-problem");
    line.textContent = text;
    line.hidden = text === "";
  }

  #shop(shop, chosen) {
    return radio("shop", shop.tenant_id, chosen, () => this.onShop(shop.tenant_id), [
      el("span", { className: "initial", aria: { hidden: "true" } }, shop.name.slice(0, 1)),
      el("span", { className: "shop-text" }, el("strong", {}, shop.name), el("small", {}, shop.tone)),
    ]);
  }

  #channel(name, chosen) {
    return radio("channel", name, chosen, () => this.onChannel(name), [t(name)]);
  }

  #invoice(invoice) {
    const { number, date, product_name: product, in_odoo: known } = invoice;
    const details = known ? `${number} · ${day(date)}` : `${number} · ${t("not_in_odoo")}`;
    return el(
      "li",
      {},
      el("span", { className: "invoice-text" }, el("strong", {}, product), el("small", {}, details)),
      this.#photoButton(invoice, false),
      this.#photoButton(invoice, true),
    );
  }

  #photoButton(invoice, blurred) {
    const label = t(blurred ? "use_blurred_of" : "use_photo_of", { number: invoice.number });
    return el(
      "button",
      {
        type: "button",
        className: "small",
        title: label,
        aria: { label },
        on: { click: () => this.onPhoto({ invoice, blurred }) },
      },
      blurred ? icon("blur") : icon("photo"),
    );
  }
}

/** Why a customer cannot write over a channel, or null when he can. */
export function problemWith(customer, channel) {
  const [knownBy] = FIELDS_OF[channel];
  const needed = channel === "webwidget" ? "" : knownBy;
  if (!customer.name) return t("bad_name");
  if (usesField(customer, channel, "phone", needed) && !PHONE.test(customer.phone)) return t("bad_phone");
  if (usesField(customer, channel, "email", needed) && !MAIL.test(customer.email)) return t("bad_mail");
  return null;
}

/** The customer as Chatwoot's public API takes him: only what the channel would know. */
export function contactOf(customer, channel) {
  const contact = { name: customer.name };
  if (FIELDS_OF[channel].includes("phone") && customer.phone) contact.phone_number = customer.phone;
  if (FIELDS_OF[channel].includes("email") && customer.email) contact.email = customer.email;
  // Somebody of whom nothing is known must not become the same person as the last such visitor.
  if (!contact.phone_number && !contact.email) contact.identifier = `demo-${randomName()}`;
  return contact;
}

function usesField(customer, channel, name, needed) {
  return FIELDS_OF[channel].includes(name) && (name === needed || customer[name] !== "");
}

function randomName() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function radio(group, value, checked, onChoose, children) {
  const input = el("input", { type: "radio", name: group, id: `${group}-${value}`, value, checked });
  input.addEventListener("change", onChoose);
  return el("label", { className: `choice ${group}` }, input, el("span", { className: "face" }, ...children));
}
