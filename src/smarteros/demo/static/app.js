/** The chat page: puts the parts together and holds what the visitor has chosen. */

import { ChatView } from "./chat_view.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { byId } from "./dom.js";
import { invoiceFor, questionAboutPhoto } from "./samples.js";
import { fetchPhoto, listShops } from "./server.js";
import { CHANNELS, SetupView, contactOf, problemWith } from "./setup_view.js";
import { forgetConversation, recall, recallConversation, remember, rememberConversation } from "./storage.js";
import { LANGUAGES, language, speak, t } from "./texts.js";
import { TurnView } from "./turn_view.js";

const SHOPS_RETRY_MS = 2000;

class ChatPage {
  #shops = [];
  #shop;
  #channel;
  #customer;
  #conversation = null;
  /** The turn the visitor looks at; null follows the newest. */
  #turn = null;

  constructor() {
    this.setup = new SetupView({
      onShop: (tenantId) => this.#choose(tenantId, this.#channel),
      onChannel: (channel) => this.#choose(this.#shop.tenant_id, channel),
      onCustomer: (customer) => this.#become(customer),
      onNew: () => this.#startAnew(),
      onPhoto: (choice) => this.#usePhoto(choice),
    });
    this.chat = new ChatView({
      onTurn: (turn) => this.#inspect(turn, "turn"),
      onRetry: (draft) => this.#conversation.retry(draft),
    });
    this.composer = new Composer({
      onSend: (text, files) => this.#send(text, files),
      onSamplePhoto: (blurred) => this.#usePhoto({ invoice: invoiceFor(this.#shop, this.#customer), blurred }),
    });
    this.turn = new TurnView({ onTurn: (turn) => this.#inspect(turn) });
    this.#listenToHeader();
  }

  async start() {
    this.#speak(recall("language", "es"));
    this.#shops = await this.#loadShops();
    byId("loading").hidden = true;
    byId("layout").hidden = false;
    this.#choose(recall("tenantId", ""), recall("channel", ""));
  }

  async #loadShops() {
    for (;;) {
      try {
        const shops = await listShops();
        this.#showHealth(true);
        return shops;
      } catch {
        this.#showHealth(false);
        await new Promise((resolve) => setTimeout(resolve, SHOPS_RETRY_MS));
      }
    }
  }

  #listenToHeader() {
    for (const name of LANGUAGES) {
      byId(`language-${name}`).addEventListener("click", () => this.#speak(name));
    }
    for (const button of document.querySelectorAll("[data-view-button]")) {
      button.addEventListener("click", () => this.#show(button.dataset.viewButton));
    }
    this.#show("chat");
  }

  #speak(name) {
    speak(name);
    remember("language", language());
    for (const other of LANGUAGES) byId(`language-${other}`).setAttribute("aria-pressed", String(other === language()));
    byId("composer-text").placeholder = t("write");
    byId("banner").textContent = t("away");
    if (!this.#conversation) return;
    this.chat.clear();
    this.#drawAll();
  }

  /** On a narrow screen one part is seen at a time. */
  #show(view) {
    document.body.dataset.view = view;
    for (const button of document.querySelectorAll("[data-view-button]")) {
      button.setAttribute("aria-pressed", String(button.dataset.viewButton === view));
    }
  }

  #choose(tenantId, channel) {
    this.#shop = this.#shops.find((shop) => shop.tenant_id === tenantId) ?? this.#shops[0];
    const offered = CHANNELS.filter((name) => this.#shop.inbox_identifiers[name]);
    this.#channel = offered.includes(channel) ? channel : offered[0];
    remember("tenantId", this.#shop.tenant_id);
    remember("channel", this.#channel);
    const saved = recallConversation(this.#shop.tenant_id, this.#channel);
    this.#customer = saved?.visitor ?? recall("visitors", {})[this.#shop.tenant_id] ?? firstCustomer(this.#shop);
    this.composer.clear();
    this.#open(saved);
    this.#drawAll();
  }

  /** Another person's words belong to another conversation. */
  #become(customer) {
    const changed = JSON.stringify(contactKey(customer)) !== JSON.stringify(contactKey(this.#customer));
    this.#customer = customer;
    remember("visitors", { ...recall("visitors", {}), [this.#shop.tenant_id]: customer });
    if (changed) this.#startAnew();
    this.setup.explain(problemWith(customer, this.#channel) ?? "");
  }

  #startAnew() {
    forgetConversation(this.#shop.tenant_id, this.#channel);
    this.#open(null);
    this.#show("chat");
  }

  #open(saved) {
    const { tenant_id: tenantId } = this.#shop;
    const [channel, visitor] = [this.#channel, this.#customer];
    this.#conversation?.close();
    this.#turn = null;
    this.chat.clear();
    const conversation = new Conversation({
      shop: this.#shop,
      channel,
      customer: saved?.customer ?? contactOf(visitor, channel),
      saved,
      onChange: () => this.#changed(conversation),
      onSaved: (kept) => rememberConversation(tenantId, channel, { ...kept, visitor }),
      onGone: () => this.#startAnew(),
      onHealth: (up) => this.#showHealth(up),
    });
    this.#conversation = conversation;
    // Only the conversation: anything else drawn anew could vanish under the click that led here.
    this.#changed(conversation);
  }

  #send(text, files) {
    const problem = problemWith(this.#customer, this.#channel);
    this.setup.explain(problem ?? "");
    if (problem) {
      this.#show("setup");
      return false;
    }
    this.#turn = null;
    this.#show("chat");
    this.#conversation.send(text, files);
    return true;
  }

  /** Attach an invoice's photo, as the person who bought it: only to him will the shop tell the details. */
  #usePhoto({ invoice, blurred }) {
    const { customer_name: name, customer_phone: phone, customer_email: email } = invoice;
    if (name) {
      this.#become({ name, phone: phone ?? "", email: email ?? "" });
      this.#drawSetup();
    }
    this.#show("chat");
    const url = blurred ? invoice.blurred_image_url : invoice.image_url;
    this.composer.stage(fetchPhoto(url, `${invoice.number}.png`), questionAboutPhoto());
  }

  #inspect(turn, view) {
    this.#turn = turn;
    if (view) this.#show(view);
    this.#changed(this.#conversation);
  }

  #changed(conversation) {
    if (conversation !== this.#conversation) return;
    const turn = this.#shownTurn();
    this.chat.draw(conversation, { selectedTurn: turn });
    this.turn.draw({
      turns: conversation.turns,
      turn,
      question: turn ? conversation.messageOfTurn(turn)?.content : undefined,
      waiting: this.#turn === null && conversation.waiting,
    });
  }

  /** Turns are fetched anew all the time, so the one looked at is found again by its id. */
  #shownTurn() {
    const { turns, latestTurn, waiting } = this.#conversation;
    if (this.#turn) return turns.find((turn) => turn.turn_id === this.#turn.turn_id) ?? latestTurn;
    return waiting ? undefined : latestTurn;
  }

  #drawAll() {
    this.#drawSetup();
    this.composer.drawSamples(this.#shop);
    this.#changed(this.#conversation);
  }

  #drawSetup() {
    this.setup.draw({ shops: this.#shops, shop: this.#shop, channel: this.#channel, customer: this.#customer });
    byId("chat-shop").textContent = this.#shop.name;
    byId("chat-channel").textContent = t(this.#channel);
  }

  #showHealth(up) {
    byId("banner").hidden = up;
  }
}

function firstCustomer(shop) {
  const { customer_name: name, customer_phone: phone, customer_email: email } = shop.invoices[0] ?? {};
  return { name: name ?? "Cliente Demo", phone: phone ?? "+56911112222", email: email ?? "cliente@example.cl" };
}

function contactKey({ name, phone, email }) {
  return [name, phone, email];
}

new ChatPage().start();
