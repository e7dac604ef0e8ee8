/** One conversation of the visitor with a shop: what was written, what is on its way, and how each turn went. */

import { Poller } from "./poller.js";
import * as server from "./server.js";
import { withPictures } from "./storage.js";
import { thumbnail } from "./thumbnails.js";

const WAITING_PACE_MS = 500;
const IDLE_PACE_MS = 2000;
const SLOW_AFTER_MS = 15_000;
// A reply that has not come by then is not coming soon; the page goes on asking, at the idle pace.
const HURRY_FOR_MS = 90_000;
const INCOMING = 0;
const ACTIVITY = 2;

export class Conversation {
  messages = [];
  /** Messages not yet in Chatwoot: `{key, text, files, pictures, failed, detail}`. */
  drafts = [];
  turns = [];

  #place;
  #pictures;
  #replyIds = {};
  #keys = new Map();
  #sending = Promise.resolve();
  #lastSentAt = 0;
  #poller;
  #closed = false;

  /** `saved` is what `onSaved` was given earlier, or null. `onGone` is told when Chatwoot no longer knows it. */
  constructor({ shop, channel, customer, saved, onChange, onSaved, onGone, onHealth }) {
    Object.assign(this, { shop, channel, customer, onChange, onSaved, onGone });
    this.inbox = shop.inbox_identifiers[channel];
    this.#place = saved ? { inbox: this.inbox, ...saved.place } : null;
    this.#pictures = saved?.pictures ?? {};
    this.#poller = new Poller(
      () => this.#ask(),
      () => this.#pace(),
      onHealth,
    );
    if (this.#place) this.#poller.start();
  }

  close() {
    this.#closed = true;
    this.#poller.stop();
  }

  get begun() {
    return this.#place !== null || this.drafts.length > 0;
  }

  /** Whether a reply is expected: the last word is the customer's, and no turn has ended without one. */
  get waiting() {
    const last = this.messages.at(-1);
    if (last === undefined || !isCustomers(last) || this.withPerson) return false;
    return this.#turnAbout(last) === undefined;
  }

  /** Whether a person has taken over: from then on there are no turns, and silence is right. */
  get withPerson() {
    return ["escalated", "muted"].includes(this.latestTurn?.outcome);
  }

  get waitingLong() {
    return this.waiting && Date.now() - this.#lastSentAt > SLOW_AFTER_MS;
  }

  get latestTurn() {
    return this.turns.at(-1);
  }

  /** The turn whose reply a message is, if it is one. */
  turnOfReply(message) {
    const marker = message.content_attributes?.smos_reply_id;
    return marker && this.turns.find((turn) => this.#replyIds[turn.turn_id] === marker);
  }

  /** The message that opened a turn, if it is among those shown. */
  messageOfTurn(turn) {
    return this.messages.find((message) => message.id === turn.message_id);
  }

  /** Small pictures of what was sent with a message, by data URL. */
  picturesOf(message) {
    return this.#pictures[message.id] ?? [];
  }

  /** The name a message had as a draft, so that its bubble stays the same one. */
  keyOf(message) {
    return this.#keys.get(message.id) ?? `message-${message.id}`;
  }

  send(text, files) {
    const draft = { key: `draft-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`, text, files, pictures: [] };
    this.drafts.push(draft);
    this.#enqueue(draft);
  }

  retry(draft) {
    draft.failed = false;
    this.#enqueue(draft);
  }

  /** One after the other: the first one opens the conversation, and the order is the customer's. */
  #enqueue(draft) {
    this.onChange();
    this.#sending = this.#sending.then(() => this.#deliver(draft));
  }

  async #deliver(draft) {
    try {
      draft.pictures = (await Promise.all(draft.files.map(thumbnail))).filter((url) => url !== null);
      this.onChange();
      if (this.#place === null) await this.#begin();
      const message = await server.sendMessage(this.#place, draft.text, draft.files);
      this.#sent(draft, message);
    } catch (error) {
      draft.failed = true;
      draft.detail = error instanceof server.RefusedError ? error.detail : "";
      this.onChange();
    }
  }

  async #begin() {
    const sourceId = await server.createContact(this.inbox, this.customer);
    const conversationId = await server.createConversation(this.inbox, sourceId);
    this.#place = { inbox: this.inbox, sourceId, conversationId };
    this.#save();
    if (!this.#closed) this.#poller.start();
  }

  #sent(draft, message) {
    this.#lastSentAt = Date.now();
    this.drafts = this.drafts.filter((other) => other !== draft);
    this.#keys.set(message.id, draft.key);
    if (draft.pictures.length) {
      this.#pictures = withPictures(this.#pictures, message.id, draft.pictures);
      this.#save();
    }
    this.#merge([message]);
    this.onChange();
    this.#poller.now();
  }

  #save() {
    if (this.#closed) return;
    const { sourceId, conversationId } = this.#place;
    this.onSaved({ place: { sourceId, conversationId }, customer: this.customer, pictures: this.#pictures });
  }

  async #ask() {
    const before = this.#fingerprint();
    try {
      const known = this.messages.at(-1)?.id ?? 0;
      const [messages, turns] = await Promise.all([
        server.listMessages(this.#place, known),
        this.#settled ? null : server.listTurns(this.shop.tenant_id, this.#place.conversationId),
      ]);
      if (this.#closed) return;
      this.#merge(messages);
      if (turns) [this.turns, this.#replyIds] = [turns.turns, turns.reply_ids];
    } catch (error) {
      if (!(error instanceof server.RefusedError && error.status === 404)) throw error;
      if (!this.#closed) this.onGone();
      return;
    }
    if (this.#fingerprint() !== before) this.onChange();
  }

  #merge(messages) {
    const byId = new Map(this.messages.map((message) => [message.id, message]));
    for (const message of messages) if (isVisible(message)) byId.set(message.id, message);
    this.messages = [...byId.values()].sort((one, other) => one.id - other.id);
  }

  #pace() {
    const hurry = !this.#settled && !this.withPerson && Date.now() - this.#lastSentAt < HURRY_FOR_MS;
    return hurry ? WAITING_PACE_MS : IDLE_PACE_MS;
  }

  /** Whether the story of everything the customer wrote is known. */
  get #settled() {
    const last = this.messages.findLast(isCustomers);
    return last !== undefined && this.#turnAbout(last) !== undefined;
  }

  /** The turn that dealt with a message: it was opened by it, or by an earlier one of the same burst. */
  #turnAbout(message) {
    const before = this.messages.findLast((other) => other.id < message.id && !isCustomers(other))?.id ?? 0;
    return this.turns.findLast(
      (turn) => turn.outcome !== "merged" && turn.message_id > before && turn.message_id <= message.id,
    );
  }

  #fingerprint() {
    return [this.messages.length, this.turns.length, this.waiting, this.waitingLong].join();
  }
}

export function isCustomers(message) {
  return message.message_type === INCOMING;
}

/** Private notes and activities never reach the customer; Chatwoot leaves them out, and so does the page. */
function isVisible(message) {
  return !message.private && message.message_type !== ACTIVITY;
}
